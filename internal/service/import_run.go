package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/rosterfile"
	"matricula/internal/store"
)

// How long a node may be silent before another takes its import over, how often it
// says that it lives, and how much it does of one before others have their turn. The
// clocks of the nodes may differ by what lies between the first two.
const (
	leaseFor   = 5 * time.Second
	renewEvery = leaseFor / 4
	turnChunks = 20
)

// WorkOnImport takes the import whose turn it is, works on it for a turn,
// and tells whether there was one. Nodes share the work by leases in the database:
// whoever holds one works on that import, each transaction makes sure that it is
// still held, and what a node has not committed has not happened.
func (s *Service) WorkOnImport(ctx context.Context, node string) (worked bool, err error) {
	var id int64
	err = s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		id, worked, err = tx.LeaseImport(ctx, node, s.now(), s.now().Add(leaseFor))
		return err
	})
	if err != nil || !worked {
		return false, err
	}
	defer s.keepLease(ctx, node, id)()
	i, ok, err := s.store.Reader().Import(ctx, id)
	switch {
	case err != nil:
	case !ok: // its course was deleted
		i.ID = id
		err = s.failImport(ctx, node, i, errNoImport)
	case i.State == lms.ImportChecking:
		err = s.checkImport(ctx, node, i)
	case i.State == lms.ImportRunning:
		err = s.turn(ctx, node, i, (*importing).carryOut)
	case i.State == lms.ImportUndoing:
		err = s.turn(ctx, node, i, (*importing).undo)
	}
	if errors.Is(err, errLostLease) {
		return true, nil
	}
	return true, err
}

// keepLease renews a lease while its holder works, so that the lease can be short,
// and a step that takes long between two transactions does not lose it.
func (s *Service) keepLease(ctx context.Context, node string, id int64) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var wait sync.WaitGroup
	wait.Go(func() {
		tick := time.NewTicker(renewEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
			if err := s.renewLease(ctx, node, id); err != nil {
				s.log.WarnContext(ctx, "the lease of an import was not renewed; the next try is soon", "import", id, "error", err)
			}
		}
	})
	return func() {
		cancel()
		wait.Wait()
	}
}

// renewLease is not interrupted when the work ends, since that would cost a connection.
func (s *Service) renewLease(ctx context.Context, node string, id int64) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaseFor)
	defer cancel()
	return s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		return tx.RenewImport(ctx, id, node, s.now().Add(leaseFor))
	})
}

// failImport ends an import that nobody may carry out any more, or that makes no
// sense. What it did stays, and can be undone.
func (s *Service) failImport(ctx context.Context, node string, i lms.Import, cause error) error {
	e := lmsError(cause)
	if e == nil || e.Code == lms.CodeUnavailable {
		return cause
	}
	return s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		now, ok, err := tx.HoldImport(ctx, i.ID, node)
		if err != nil {
			return err
		}
		if !ok || !now.State.Working() {
			return errLostLease
		}
		now.Fault, now.EndedAt = e.Type, s.now()
		if now.State = lms.ImportFailed; i.State == lms.ImportUndoing {
			now.State = lms.ImportDone // it stays as it was, as far as it was not undone
		}
		return tx.UpdateImport(ctx, now)
	})
}

// importing is one transaction that carries out, or undoes, a chunk.
type importing struct {
	s     *Service
	w     *work
	imp   *lms.Import
	chunk *lms.ImportChunk
}

// turn works on the chunks of an import for a while, each in a transaction of its
// own, in which the right of whoever began it is looked at again.
func (s *Service) turn(ctx context.Context, node string, i lms.Import, step func(*importing, context.Context) error) error {
	done := 0
	infos, err := s.store.Reader().ChunkInfos(ctx, i.ID)
	if err != nil {
		return err
	}
	if i.State == lms.ImportUndoing {
		slices.Reverse(infos)
	}
	for _, info := range infos {
		if !toDo(i.State, info.Step) {
			continue
		}
		s.courtesy.stepBack()
		if err := s.batch(ctx, node, i, info.N, step); err != nil {
			var beyond *overLimit
			if errors.As(err, &beyond) {
				s.recordRefusal(ctx, access.Caller{UserID: workerOf(i), RequestID: importRequest(i)}, actionOf(i), i.CourseID, err)
				return s.pauseImport(ctx, node, i, beyond)
			}
			if e := lmsError(err); e != nil && e.Code != lms.CodeUnavailable {
				s.recordRefusal(ctx, access.Caller{UserID: workerOf(i), RequestID: importRequest(i)}, actionOf(i), i.CourseID, err)
				return s.failImport(ctx, node, i, err)
			}
			return err
		}
		if done++; done == turnChunks || ctx.Err() != nil {
			return s.passOn(ctx, i.ID, node)
		}
	}
	return s.endTurn(ctx, node, i)
}

func toDo(state lms.ImportState, step lms.ChunkStep) bool {
	if state == lms.ImportRunning {
		return step == lms.ChunkChecked
	}
	return step == lms.ChunkDone
}

// workerOf is on whose behalf an import is worked on.
func workerOf(i lms.Import) int64 {
	if i.State == lms.ImportUndoing {
		return i.UndoneBy
	}
	return i.StartedBy
}

func actionOf(i lms.Import) access.Action {
	if i.State == lms.ImportUndoing {
		return access.ImportUndo
	}
	return access.ImportRun
}

func importRequest(i lms.Import) string { return fmt.Sprintf("import-%d", i.ID) }

// passOn gives an import back, so that others have their turn first.
func (s *Service) passOn(ctx context.Context, id int64, node string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error { return tx.ReturnImport(ctx, id, node, s.now()) })
}

func (s *Service) endTurn(ctx context.Context, node string, i lms.Import) error {
	return s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		now, ok, err := tx.HoldImport(ctx, i.ID, node)
		if err != nil {
			return err
		}
		if !ok || now.State != i.State {
			return errLostLease
		}
		now.EndedAt = s.now()
		if now.State = lms.ImportDone; i.State == lms.ImportUndoing {
			now.State = lms.ImportUndone
		}
		if err := tx.UpdateImport(ctx, now); err != nil {
			return err
		}
		return tx.ReturnImport(ctx, i.ID, node, s.now())
	})
}

// batch works on one chunk in one transaction: all of it is there afterwards, with
// the progress that says so, or nothing.
func (s *Service) batch(ctx context.Context, node string, i lms.Import, n int64, step func(*importing, context.Context) error) error {
	return s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		w := &work{
			tx: tx, caller: access.Caller{UserID: workerOf(i), RequestID: importRequest(i)}, action: actionOf(i), courseID: i.CourseID, now: s.now(), zone: s.opts.Zone,
		}
		if err := w.decide(ctx); err != nil {
			return err
		}
		now, ok, err := tx.HoldImport(ctx, i.ID, node)
		if err != nil {
			return err
		}
		if !ok || now.State != i.State {
			return errLostLease
		}
		chunk, ok, err := tx.Chunk(ctx, i.ID, n)
		if err != nil {
			return err
		}
		if !ok || !toDo(i.State, chunk.Step) {
			return errLostLease
		}
		im := &importing{s: s, w: w, imp: &now, chunk: &chunk}
		if err := step(im, ctx); err != nil {
			return err
		}
		now.Done += int64(len(chunk.Rows))
		now.PausedFor, now.PausedUntil = "", time.Time{}
		if err := tx.PutChunk(ctx, &chunk); err != nil {
			return err
		}
		if err := tx.UpdateImport(ctx, now); err != nil {
			return err
		}
		if err := tx.RenewImport(ctx, i.ID, node, s.now().Add(leaseFor)); err != nil {
			return err
		}
		return w.countUses(ctx)
	})
}

// pauseImport has an import wait until its limit is free, or somebody lifts it. Its rows
// are as they were, and it goes on with the chunk that was too much.
func (s *Service) pauseImport(ctx context.Context, node string, i lms.Import, cause *overLimit) error {
	return s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		return tx.PauseImport(ctx, i.ID, node, cause.use.Limit, s.now().Add(cause.err.RetryAfter))
	})
}

// carryOut does what the rows of a chunk were checked to do, as far as that is
// still what they would do.
func (im *importing) carryOut(ctx context.Context) error {
	im.chunk.Step, im.chunk.Counts = lms.ChunkDone, lms.ImportCount{}
	if im.chunk.Leaving {
		if err := im.remove(ctx); err != nil {
			return err
		}
	} else if err := im.apply(ctx); err != nil {
		return err
	}
	for i := range im.chunk.Rows {
		im.chunk.Counts[im.chunk.Rows[i].Result]++
	}
	if err := im.rememberPeople(ctx); err != nil {
		return err
	}
	if im.imp.Counts == nil {
		im.imp.Counts = lms.ImportCount{}
	}
	im.imp.Counts.Add(im.chunk.Counts)
	return nil
}

// rememberPeople notes whom a student system means by its identifiers.
func (im *importing) rememberPeople(ctx context.Context) error {
	column, ok := im.imp.Columns[string(rosterfile.SourcedID)]
	if !ok || im.imp.RunID == 0 || im.chunk.Leaving {
		return nil
	}
	run, ok, err := im.w.tx.Run(ctx, im.imp.RunID)
	if err != nil || !ok {
		return err
	}
	var list []store.Sourced
	noted := map[string]bool{}
	for i := range im.chunk.Rows {
		row := &im.chunk.Rows[i]
		if row.UserID != 0 && column < len(row.Cells) && row.Cells[column] != "" && !noted[row.Cells[column]] {
			noted[row.Cells[column]] = true
			list = append(list, store.Sourced{ID: row.Cells[column], Local: row.UserID})
		}
	}
	return im.w.tx.PutSourced(ctx, run.SourceID, kindUser, list)
}

// asPlanned gives the rows that do nothing their results, and the others to be
// carried out.
func (im *importing) asPlanned() (todo []lms.ImportRow, at []int) {
	for i := range im.chunk.Rows {
		row := &im.chunk.Rows[i]
		switch row.Plan {
		case lms.PlanAdd, lms.PlanChange:
			todo, at = append(todo, *row), append(at, i)
			continue
		case lms.PlanConflict, lms.PlanAsk, lms.PlanLeft:
			row.Result = lms.PlanLeft
		case lms.PlanAlready:
			row.Result = lms.PlanAlready
		case lms.PlanRemove: // has its result
		default:
			row.Result = lms.PlanRefused
		}
	}
	return todo, at
}

func (im *importing) apply(ctx context.Context) error {
	if err := im.remove(ctx); err != nil {
		return err
	}
	todo, at := im.asPlanned()
	if err := im.renew(ctx); err != nil {
		return err
	}
	if len(todo) == 0 {
		return nil
	}
	p, err := im.s.newPlanner(ctx, im.w, *im.imp)
	if err != nil {
		return err
	}
	p.holds = true
	if err := im.sections(ctx, p, todo); err != nil {
		return err
	}
	rows, err := p.plan(ctx, todo)
	if err != nil {
		return err
	}
	a := &applying{im: im, p: p, names: make(map[int64]string, len(p.sections))}
	for _, sec := range p.sections {
		a.names[sec.ID] = sec.Name
	}
	for i := range rows {
		r := &rows[i]
		r.row = &im.chunk.Rows[at[i]]
		switch r.plan {
		case lms.PlanAdd:
			a.add = append(a.add, r)
		case lms.PlanChange:
			a.change = append(a.change, r)
		case lms.PlanAlready:
			r.row.Result = lms.PlanAlready
		case lms.PlanRefused:
			r.keep()
			r.row.Result = lms.PlanRefused
		default: // somebody has set another value since it was checked
			r.keep()
			r.row.Result = lms.PlanLeft
		}
	}
	return a.run(ctx)
}

// renew lets those wait anew who stand in the list and have not arrived.
func (im *importing) renew(ctx context.Context) error {
	var ids []int64
	for _, row := range im.chunk.Rows {
		if row.UserID != 0 && (row.Plan == lms.PlanAlready || row.Plan == lms.PlanAdd || row.Plan == lms.PlanChange) {
			ids = append(ids, row.UserID)
		}
	}
	return im.s.renewNamed(ctx, im.w, ids)
}

// sections makes the sections that the rows need and the course does not have.
func (im *importing) sections(ctx context.Context, p *planner, rows []lms.ImportRow) error {
	var names []string
	made := map[string]bool{}
	for i := range rows {
		want, _, fault := p.parse(&rows[i])
		if fault != nil || !p.newSection(&want) {
			continue
		}
		if key := lms.SectionKey(want.Section); !made[key] {
			made[key] = true
			names = append(names, want.Section)
		}
	}
	if len(names) == 0 {
		return nil
	}
	if err := im.w.wholeCourse(); err != nil {
		return err
	}
	if len(p.sections)+len(names) > lms.MaxSections {
		return lms.Errorf(lms.CodeConflict, "too-many-sections", "A course has at most %d sections.", lms.MaxSections)
	}
	var err error
	p.sections, err = im.w.makeSections(ctx, names)
	return err
}

// remove takes those out of the course who do not stand in the list, or of whom it
// says that they leave.
func (im *importing) remove(ctx context.Context) error {
	var ids []int64
	for _, row := range im.chunk.Rows {
		if row.Plan == lms.PlanRemove {
			ids = append(ids, row.UserID)
		}
	}
	if len(ids) == 0 && !im.chunk.Leaving {
		return nil
	}
	w := im.w
	members, err := w.tx.MembersByID(ctx, im.imp.CourseID, ids)
	if err != nil {
		return err
	}
	byID := make(map[int64]*lms.Member, len(members))
	for i := range members {
		byID[members[i].User.ID] = &members[i]
	}
	d := w.delegator()
	var gone []int64
	var entries []lms.AuditEntry
	for i := range im.chunk.Rows {
		row := &im.chunk.Rows[i]
		m := byID[row.UserID]
		switch {
		case row.Plan != lms.PlanRemove:
			if im.chunk.Leaving {
				row.Result = lms.PlanRefused
			}
			continue
		case m == nil || m.Enrollment == nil:
			row.Result = lms.PlanAlready
			continue
		case m.Enrollment.Role.Owner():
			row.Result, row.Reason, row.Text = lms.PlanRefused, "owner-in-list", lms.Say("Owns the course by now. A list does not take that away.")
			continue
		}
		if err := d.MayRemove(m); err != nil {
			row.Result, row.Reason, row.Text = lms.PlanRefused, lms.TypeOf(err), textOf(err)
			continue
		}
		before := removedAudit{grantAudit: grantView(m.Grant), Role: m.Enrollment.Role.Key}
		e, err := w.entry(access.EnrollmentRemove, m.User.ID, before, nil)
		if err != nil {
			return err
		}
		entries, gone = append(entries, e), append(gone, m.User.ID)
		row.Result, row.Before = lms.DidRemove, &lms.ImportBefore{Role: m.Enrollment.Role.Key, ByHand: m.Enrollment.ByHand}
	}
	if len(gone) == 0 {
		return nil
	}
	if err := w.tx.RemoveMembers(ctx, im.imp.CourseID, gone, w.caller.UserID, w.now); err != nil {
		return err
	}
	return w.tx.AddAuditMany(ctx, entries[0], entries)
}

// textOf is what an error says to people.
func textOf(err error) lms.Text {
	if e := lmsError(err); e != nil {
		return e.Text
	}
	return lms.Text{}
}
