package service

import (
	"context"
	"hash/maphash"
	"slices"
	"strconv"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/rosterfile"
	"matricula/internal/store"
)

// twinRows is up to how many rows near twins are looked for: the index of them
// takes memory for every letter of every address.
const twinRows = 20_000

// checking finds out what the rows of one import would do.
type checking struct {
	s    *Service
	node string
	imp  lms.Import
	w    *work
	p    *planner

	seed    maphash.Seed
	people  map[uint64]firstRow // who has been met, by their address or id
	inList  map[int64]bool      // members of the course who stand in the list
	roles   map[int64]bool      // that rows of the list have
	twins   *lms.Twins
	schools []string
	right   map[string]bool   // domains that are nobody's slip
	fresh   map[string]string // sections that the list would make, by key
	names   int64             // people whom it would name
}

// firstRow is where somebody stands first, and what was said there. The hashes take
// 64 bits: that two of a million people have the same by chance happens once in
// forty million lists.
type firstRow struct {
	line int32
	said uint32
}

// checkImport goes over all rows of an import and leaves beside each what it would
// do. Nothing of the course is written.
func (s *Service) checkImport(ctx context.Context, node string, imp lms.Import) error {
	w, err := s.readWork(ctx, imp.CreatedBy, access.ImportView, imp.CourseID)
	if err != nil {
		return s.failImport(ctx, node, imp, err)
	}
	c := &checking{
		s: s, node: node, imp: imp, w: w, seed: maphash.MakeSeed(), people: make(map[uint64]firstRow, min(imp.Rows, 1<<20)),
		inList: map[int64]bool{}, roles: map[int64]bool{}, right: map[string]bool{}, fresh: map[string]string{},
	}
	if err := c.run(ctx); err != nil {
		if lmsError(err) != nil && lms.CodeOf(err) != lms.CodeUnavailable {
			return s.failImport(ctx, node, imp, err)
		}
		return err
	}
	return nil
}

// readWork is a caller's standing in a course, for reading on their behalf in the
// background.
func (s *Service) readWork(ctx context.Context, user int64, a access.Action, courseID int64) (*work, error) {
	tx := s.store.Reader()
	u, ok, err := tx.User(ctx, user)
	if err != nil {
		return nil, err
	}
	if !ok || u.Status != lms.StatusActive {
		return nil, access.ErrAnonymous
	}
	c := access.Caller{UserID: u.ID, Kind: u.Kind, SiteRole: u.SiteRole}
	st, err := s.look(ctx, c, a, courseID)
	if err != nil {
		return nil, err
	}
	return &work{tx: tx, caller: c, action: a, standing: st, courseID: courseID, now: s.now(), zone: s.opts.Zone}, nil
}

func (c *checking) run(ctx context.Context) error {
	if err := c.findOrder(ctx); err != nil {
		return err
	}
	var err error
	if c.p, err = c.s.newPlanner(ctx, c.w, c.imp); err != nil {
		return err
	}
	if err := c.findTwins(ctx); err != nil {
		return err
	}
	infos, err := c.w.tx.ChunkInfos(ctx, c.imp.ID)
	if err != nil {
		return err
	}
	counts := lms.ImportCount{}
	for _, info := range infos {
		if info.Leaving {
			continue
		}
		n, err := c.chunk(ctx, info.N)
		if err != nil {
			return err
		}
		counts.Add(n)
	}
	leaving, err := c.leaving(ctx)
	if err != nil {
		return err
	}
	return c.finish(ctx, counts, leaving)
}

// findOrder finds out in which order a column writes days, from all of its cells.
func (c *checking) findOrder(ctx context.Context) error {
	columns := []int{}
	for _, f := range []rosterfile.Field{rosterfile.Begins, rosterfile.Ends} {
		if i, ok := c.imp.Columns[string(f)]; ok {
			columns = append(columns, i)
		}
	}
	if len(columns) == 0 {
		return nil
	}
	var failed error
	order := rosterfile.DateOrderOf(func(yield func(string) bool) {
		for n := range c.imp.Chunks {
			chunk, ok, err := c.w.tx.Chunk(ctx, c.imp.ID, n)
			if err != nil || !ok {
				failed = err
				return
			}
			for _, row := range chunk.Rows {
				for _, i := range columns {
					if i < len(row.Cells) && !yield(row.Cells[i]) {
						return
					}
				}
			}
		}
	})
	c.imp.Options.DateOrder = int(order)
	return failed
}

// findTwins makes ready what slips are found by.
func (c *checking) findTwins(ctx context.Context) error {
	c.schools = c.s.opts.NamingDomains
	if c.imp.Options.Sure {
		return nil
	}
	counts, err := c.w.tx.PeopleCounts(ctx, c.imp.CourseID, "", 0)
	if err != nil || c.imp.Rows+counts.All > twinRows {
		return err
	}
	roster, err := c.w.tx.RosterAddresses(ctx, c.imp.CourseID, c.w.delegator().Within, c.w.caller.UserID)
	if err != nil {
		return err
	}
	c.schools = slices.Concat(c.schools, usualDomains(roster))
	c.twins = lms.NewTwins(roster)
	return nil
}

func (c *checking) chunk(ctx context.Context, n int64) (lms.ImportCount, error) {
	chunk, ok, err := c.w.tx.Chunk(ctx, c.imp.ID, n)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, errLostLease
	}
	rows, err := c.p.plan(ctx, chunk.Rows)
	if err != nil {
		return nil, err
	}
	chunk.Step, chunk.Counts = lms.ChunkChecked, lms.ImportCount{}
	for i := range rows {
		c.row(&rows[i])
		if rows[i].row.Plan == lms.PlanAdd && rows[i].member == nil {
			c.names++
		}
		chunk.Counts[rows[i].row.Plan]++
	}
	return chunk.Counts, c.s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		i, ok, err := tx.HoldImport(ctx, c.imp.ID, c.node)
		if err != nil {
			return err
		}
		if !ok || i.State != lms.ImportChecking {
			return errLostLease
		}
		i.Done = min(i.Rows, (n+1)*chunkRows)
		if err := tx.UpdateImport(ctx, i); err != nil {
			return err
		}
		if err := tx.PutChunk(ctx, &chunk); err != nil {
			return err
		}
		return tx.RenewImport(ctx, c.imp.ID, c.node, c.s.now().Add(leaseFor))
	})
}

// row settles one row: somebody who stands in the list twice and what is perhaps a
// slip are found here, since they take the rows before.
func (c *checking) row(r *plannedRow) {
	if r.want.Address != "" && r.plan != lms.PlanLeft {
		c.again(r)
	}
	if r.plan == lms.PlanAdd || r.plan == lms.PlanAsk {
		c.slip(r)
	}
	r.keep()
	if r.member != nil && r.member.Enrollment != nil {
		c.inList[r.member.User.ID] = true
	}
	role := r.want.Role
	if role.ID == 0 {
		role = c.p.usual
	}
	if r.fault == nil && !r.want.Leaves {
		c.roles[role.ID] = true
	}
	if (r.plan == lms.PlanAdd || r.plan == lms.PlanChange || r.plan == lms.PlanConflict) && c.p.newSection(&r.want) {
		c.fresh[lms.SectionKey(r.want.Section)] = r.want.Section
	}
}

// again finds somebody who stood in an earlier row: with the same, which is idle,
// or with something else, which cannot both be meant.
func (c *checking) again(r *plannedRow) {
	keys := []string{"a" + string(r.want.Address)}
	if r.member != nil {
		keys = append(keys, "u"+strconv.FormatInt(r.member.User.ID, 10))
	}
	said := uint32(maphash.String(c.seed, r.want.statement()))
	for _, k := range keys {
		h := maphash.String(c.seed, k)
		first, met := c.people[h]
		if !met {
			c.people[h] = firstRow{int32(r.row.Line), said}
			continue
		}
		if r.plan == lms.PlanRefused {
			continue // its own fault says more
		}
		r.ask(lms.PlanAlready, "listed-twice", lms.Say("Stands on line %s already.", strconv.Itoa(int(first.line))))
		if first.said != said {
			r.ask(lms.PlanRefused, "listed-differently", lms.Say("Stands on line %s already, with something else. Decide for one of the two and leave the other out.", strconv.Itoa(int(first.line))))
		}
		return
	}
}

// statement is all that a row says about a person, as one text.
func (w *wanted) statement() string {
	return w.Role.Key + "\x00" + lms.SectionKey(w.Section) + "\x00" + w.Number + "\x00" + string(w.Begins) + "\x00" + string(w.Ends) + "\x00" + privilegeKeys(w.Allow) + "\x00" + strconv.FormatBool(w.Leaves)
}

// slip asks about somebody whom nobody knows yet and whose address looks like a
// slip of the fingers.
func (c *checking) slip(r *plannedRow) {
	if r.member != nil {
		if c.twins != nil {
			c.twins.Add(r.want.Address)
		}
		return
	}
	sure := c.imp.Options.Sure || r.row.Choice == lms.ChooseSure
	if meant, ok := c.domainSlip(r.want.Address, sure); ok {
		r.ask(lms.PlanAsk, "slip-domain", lms.Say("Nobody with this address is known here. Did you mean %s?", meant.Display()))
		r.other = string(meant)
	} else if c.twins != nil && !sure && r.plan == lms.PlanAdd {
		if twin, ok := c.twins.Of(r.want.Address); ok {
			r.ask(lms.PlanAsk, "slip-twin", lms.Say("This is nearly %s, who is in the course or in this list. Is it the same person?", twin.Display()))
			r.other = string(twin)
		}
	}
	if c.twins != nil {
		c.twins.Add(r.want.Address)
	}
}

// domainSlip compares a domain with those of the school and of large providers once
// for all the addresses at it, which takes longer than all else about a row.
func (c *checking) domainSlip(e lms.Email, sure bool) (meant lms.Email, ok bool) {
	if sure || c.right[e.Domain()] {
		return "", false
	}
	if meant, ok = lms.DomainSlip(e, c.schools); !ok && len(c.right) < maxRight {
		c.right[e.Domain()] = true
	}
	return meant, ok
}

// maxRight bounds how many domains are remembered: a list can name another in each row.
const maxRight = 1000

// leaving finds who is in the course, has a role of the list and does not stand in
// it, when the list is to be the whole roster. Owners and the caller stay: nobody
// loses a course by a list.
func (c *checking) leaving(ctx context.Context) (n int64, err error) {
	err = c.s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error { return tx.DropLeaving(ctx, c.imp.ID) })
	if err != nil || !c.imp.Options.Exact {
		return 0, err
	}

	d := c.w.delegator()
	chunk := lms.ImportChunk{ImportID: c.imp.ID, N: c.imp.Chunks, Leaving: true, Step: lms.ChunkChecked}
	flush := func() error {
		if len(chunk.Rows) == 0 {
			return nil
		}
		chunk.Counts = lms.ImportCount{}
		for _, r := range chunk.Rows {
			chunk.Counts[r.Plan]++
		}
		n += chunk.Counts[lms.PlanRemove]
		err := c.s.storeChunks(ctx, []lms.ImportChunk{chunk})
		chunk.N++
		chunk.Rows = nil
		return err
	}
	q := store.PeopleQuery{CourseID: c.imp.CourseID, Enrolled: true, Limit: chunkRows, Within: d.Within, Self: c.w.caller.UserID}
	for {
		people, err := c.w.tx.People(ctx, q)
		if err != nil {
			return n, err
		}
		for i := range people {
			m := &people[i].Member
			if c.inList[m.User.ID] || m.User.ID == c.w.caller.UserID || m.User.Status == lms.StatusErased || !c.roles[m.Enrollment.Role.ID] || m.Enrollment.Role.Owner() || (c.imp.Options.Imported && m.Enrollment.Source != lms.SourceImport) {
				continue
			}
			row := lms.ImportRow{UserID: m.User.ID, Plan: lms.PlanRemove}
			if err := d.MayRemove(m); err != nil {
				row.Plan, row.Reason, row.Text = lms.PlanRefused, lms.TypeOf(err), textOf(err)
			}
			if chunk.Rows = append(chunk.Rows, row); len(chunk.Rows) == chunkRows {
				if err := flush(); err != nil {
					return n, err
				}
			}
		}
		if len(people) < q.Limit {
			return n, flush()
		}
		q.After = people[len(people)-1].Cursor
	}
}

func (c *checking) finish(ctx context.Context, counts lms.ImportCount, leaving int64) error {
	var names []string
	for _, n := range c.fresh {
		names = append(names, n)
	}
	slices.Sort(names)
	return c.s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		i, ok, err := tx.HoldImport(ctx, c.imp.ID, c.node)
		if err != nil {
			return err
		}
		if !ok || i.State != lms.ImportChecking {
			return errLostLease
		}
		if leaving > 0 {
			counts[lms.PlanRemove] += leaving
		}
		i.State, i.Counts, i.NewSections, i.CheckedAt, i.Done, i.Options = lms.ImportReady, counts, names, c.s.now(), i.Rows, c.imp.Options
		i.Names = c.names
		if err := tx.UpdateImport(ctx, i); err != nil {
			return err
		}
		return tx.ReturnImport(ctx, i.ID, c.node, c.s.now())
	})
}
