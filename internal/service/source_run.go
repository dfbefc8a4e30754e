package service

import (
	"context"
	"errors"
	"os"
	"time"

	"matricula/internal/access"
	"matricula/internal/fetch"
	"matricula/internal/lms"
	"matricula/internal/oneroster"
	"matricula/internal/store"
)

// sourceLease is how long a node may take to fetch and store what a source has.
const sourceLease = 15 * time.Minute

// runPause is how long a run waits between two looks at its lists.
const runPause = time.Second

// WorkOnSource looks at one source that is due, or goes on with its run, and tells
// whether there was one.
func (s *Service) WorkOnSource(ctx context.Context, node string) (worked bool, err error) {
	var id int64
	err = s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		id, worked, err = tx.LeaseSource(ctx, node, s.now(), s.now().Add(sourceLease))
		return err
	})
	if err != nil || !worked {
		return false, err
	}
	src, ok, err := s.store.Reader().Source(ctx, id)
	if err == nil && ok {
		err = s.lookAt(ctx, src)
	}
	back := s.store.Write(context.WithoutCancel(ctx), func(ctx context.Context, tx *store.Tx) error {
		return tx.ReturnSource(ctx, id, node, s.now().Add(runPause))
	})
	return true, errors.Join(err, back)
}

// lookAt goes on with the run of a source, or begins one.
func (s *Service) lookAt(ctx context.Context, src lms.RosterSource) error {
	run, open, err := s.store.Reader().OpenRun(ctx, src.ID)
	switch {
	case err != nil:
		return err
	case open && run.State == lms.RunChecking:
		return s.checkRun(ctx, src, run)
	case open && run.State == lms.RunRunning:
		return s.goOn(ctx, src, run)
	case open && run.State == lms.RunWaiting:
		return nil
	case src.Kind == lms.SourceUpload:
		return nil
	}
	err = s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		now, ok, err := tx.LockSource(ctx, src.ID)
		if err != nil || !ok {
			return err
		}
		now.NextAt = s.now().Add(time.Duration(now.Minutes) * time.Minute)
		return tx.UpdateSource(ctx, now)
	})
	if err != nil {
		return err
	}
	got, err := s.opts.Fetch(ctx, src.Kind, src.Place)
	if err != nil {
		if lms.CodeOf(err) == lms.CodeUnavailable {
			return s.lookAgainSoon(ctx, src)
		}
		return s.noteFailure(ctx, src, src.CreatedBy, err)
	}
	defer func() { err = errors.Join(err, got.Close()) }()
	_, err = s.begin(ctx, src, src.CreatedBy, got)
	if e := lmsError(err); e != nil && e.Code != lms.CodeUnavailable {
		return nil // the run says so
	}
	return err
}

func (s *Service) lookAgainSoon(ctx context.Context, src lms.RosterSource) error {
	return s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		now, ok, err := tx.LockSource(ctx, src.ID)
		if err != nil || !ok {
			return err
		}
		now.NextAt = s.now().Add(time.Minute)
		return tx.UpdateSource(ctx, now)
	})
}

// noteFailure keeps why nothing came. A failure that repeats itself is one entry,
// with the time of the last.
func (s *Service) noteFailure(ctx context.Context, src lms.RosterSource, by int64, cause error) error {
	e := lmsError(cause)
	if e == nil {
		return cause
	}
	return s.noteRun(ctx, src, by, lms.SourceRun{State: lms.RunFailed, Notes: []lms.Text{e.Text}})
}

// noteRun keeps a run that came to nothing. The same, again and again, is one entry
// with the time of the last.
func (s *Service) noteRun(ctx context.Context, src lms.RosterSource, by int64, r lms.SourceRun) error {
	return s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		last, err := tx.Runs(ctx, src.ID, maxID, 1)
		if err != nil {
			return err
		}
		r.SourceID, r.StartedBy, r.StartedAt = src.ID, by, s.now()
		if len(last) == 1 && last[0].State == r.State && sameNotes(last[0].Notes, r.Notes) && last[0].Fingerprint == r.Fingerprint {
			r = last[0]
		} else if r.ID, err = tx.CreateRun(ctx, r); err != nil {
			return err
		}
		r.EndedAt = s.now()
		return tx.UpdateRun(ctx, r)
	})
}

func sameNotes(a, b []lms.Text) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].String() != b[i].String() {
			return false
		}
	}
	return true
}

// sourceCaller is on whose behalf a source works: an administrator, as long as they
// are one.
func (s *Service) sourceCaller(ctx context.Context, id int64) (access.Caller, error) {
	u, ok, err := s.store.Reader().User(ctx, id)
	if err != nil {
		return access.Caller{}, err
	}
	c := access.Caller{UserID: id, Kind: u.Kind, SiteRole: u.SiteRole, RequestID: "source"}
	if !ok || u.Status != lms.StatusActive || !c.Admin() {
		return c, lms.Errorf(lms.CodeForbidden, "source-owner", "Whoever set this source up is no administrator any more. Another one has to save it anew.")
	}
	return c, nil
}

// UploadBundle takes a file for a source that is brought by hand.
func (s *Service) UploadBundle(ctx context.Context, c access.Caller, id int64, got *fetch.Got) (lms.SourceRun, error) {
	if err := access.Decide(c, access.SourceRun, nil); err != nil {
		return lms.SourceRun{}, err
	}
	src, err := s.Source(ctx, c, id)
	if err != nil {
		return lms.SourceRun{}, err
	}
	if _, open, err := s.store.Reader().OpenRun(ctx, id); err != nil || open {
		if err == nil {
			err = lms.Errorf(lms.CodeConflict, "source-busy", "A list of this source is being worked on. Stop it first, or wait until it is done.")
		}
		return lms.SourceRun{}, err
	}
	return s.begin(ctx, src, c.UserID, got)
}

// begin reads what came and makes an import for each course, which are then checked
// in the background. What cannot be read at all is a run that failed, and for
// whoever uploaded it an error.
func (s *Service) begin(ctx context.Context, src lms.RosterSource, by int64, got *fetch.Got) (lms.SourceRun, error) {
	c, err := s.sourceCaller(ctx, by)
	if err != nil {
		return lms.SourceRun{}, errors.Join(err, s.noteFailure(ctx, src, by, err))
	}
	last, err := s.store.Reader().LastFingerprint(ctx, src.ID)
	if err != nil {
		return lms.SourceRun{}, err
	}
	if last == got.Fingerprint && src.Kind != lms.SourceUpload {
		r := lms.SourceRun{State: lms.RunUnchanged, Name: got.Name, Fingerprint: got.Fingerprint}
		return r, s.noteRun(ctx, src, by, r)
	}
	run := lms.SourceRun{SourceID: src.ID, StartedBy: by, StartedAt: s.now(), State: lms.RunReading, Name: lms.Clip(got.Name, 120), Fingerprint: got.Fingerprint}
	err = s.do(ctx, c, access.SourceRun, 0, func(ctx context.Context, w *work) error {
		if run.ID, err = w.tx.CreateRun(ctx, run); err != nil {
			return err
		}
		return w.record(ctx, 0, nil, runAudit{run.ID, run.State, nil})
	})
	if err != nil {
		return run, err
	}
	r := &reading{s: s, c: c, src: src, run: &run}
	if readErr := r.read(ctx, got); readErr != nil {
		e := lmsError(readErr)
		if e == nil {
			e = lms.Errorf(lms.CodeInternal, "internal", "Something went wrong on our side. Please try again.")
		}
		run.State, run.EndedAt, run.Notes = lms.RunFailed, s.now(), []lms.Text{e.Text}
		return run, errors.Join(readErr, s.saveRun(ctx, run))
	}
	run.State = lms.RunChecking
	err = s.saveRun(ctx, run)
	s.Wake()
	return run, err
}

func (s *Service) saveRun(ctx context.Context, run lms.SourceRun) error {
	return s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error { return tx.UpdateRun(ctx, run) })
}

// reading turns a file into lists of courses.
type reading struct {
	s   *Service
	c   access.Caller
	src lms.RosterSource
	run *lms.SourceRun
}

func (r *reading) note(t lms.Text) {
	if len(r.run.Notes) < lms.MaxRunNotes {
		r.run.Notes = append(r.run.Notes, t)
	}
}

func (r *reading) read(ctx context.Context, got *fetch.Got) (err error) {
	if r.src.CourseID != 0 {
		if got.Kept == nil {
			return lms.Errorf(lms.CodeInvalid, "source-is-bundle", "This is a OneRoster bundle, and the source is for the list of one course.")
		}
		return r.list(ctx, NewImport{CourseID: r.src.CourseID, Name: got.Name, File: got.Kept.File, Options: r.options(r.src.Exact)})
	}
	var b *oneroster.Bundle
	if got.Kept == nil {
		b, err = oneroster.Open(got.Folder)
	} else {
		var info os.FileInfo
		if info, err = got.Kept.File.Stat(); err == nil {
			b, err = oneroster.OpenArchive(got.Kept.File, info.Size())
		}
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	return r.bundle(ctx, b)
}

// options of the lists of a source. Nobody is there to be asked about an address,
// and whom a person has added by hand is not taken out.
func (r *reading) options(exact bool) lms.ImportOptions {
	return lms.ImportOptions{Role: r.src.Role, Exact: exact, Imported: true, Sure: true, ConfirmOutside: true}
}

func (r *reading) list(ctx context.Context, n NewImport) error {
	n.RunID = r.run.ID
	if _, err := r.s.CreateImport(ctx, r.c, n, nil); err != nil {
		return err
	}
	r.run.Courses++
	return nil
}

// eachImport gives the imports of a run.
func (s *Service) eachImport(ctx context.Context, runID int64, each func(lms.Import) error) error {
	for after := int64(0); ; {
		list, err := s.store.Reader().RunImports(ctx, runID, after, exportPage)
		if err != nil {
			return err
		}
		for _, i := range list {
			if err := each(i); err != nil {
				return err
			}
			after = i.ID
		}
		if len(list) < exportPage {
			return nil
		}
	}
}

// checkRun looks whether all lists of a run are checked, and lets them begin,
// unless the brake holds them.
func (s *Service) checkRun(ctx context.Context, src lms.RosterSource, run lms.SourceRun) error {
	counts := lms.ImportCount{}
	pending, columns := false, false
	err := s.eachImport(ctx, run.ID, func(i lms.Import) error {
		pending = pending || i.State == lms.ImportChecking || i.State == lms.ImportReading
		columns = columns || i.State == lms.ImportColumns
		counts.Add(i.Counts)
		return nil
	})
	if err != nil || pending {
		return err
	}
	people, err := s.store.Reader().PeopleByLists(ctx, run.ID)
	if err != nil {
		return err
	}
	return s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		now, ok, err := tx.LockRun(ctx, run.ID)
		if err != nil || !ok || now.State != lms.RunChecking {
			return err
		}
		now.Counts, now.People, now.State = counts, people, lms.RunRunning
		switch {
		case columns:
			now.State = lms.RunWaiting
			now.Notes = append(now.Notes, lms.Say("Say which column of the list holds the addresses."))
		case src.Braked(counts[lms.PlanRemove], people):
			now.State = lms.RunWaiting
			now.Notes = append(now.Notes, lms.Say("%d of %d people would leave, which is more than %d percent. Somebody has to look at them.", counts[lms.PlanRemove], people, src.Brake))
		}
		return tx.UpdateRun(ctx, now)
	})
}

// goOn starts the lists of a run that wait for it, and ends the run when all are
// over.
func (s *Service) goOn(ctx context.Context, src lms.RosterSource, run lms.SourceRun) error {
	c, err := s.sourceCaller(ctx, run.StartedBy)
	if err != nil {
		return s.endRun(ctx, run.ID, lms.RunFailed, nil, textOf(err))
	}
	counts := lms.ImportCount{}
	open := false
	err = s.eachImport(ctx, run.ID, func(i lms.Import) error {
		switch {
		case i.State == lms.ImportReady:
			open = true
			_, err := s.StartImport(ctx, c, i.ID, i.Counts[lms.PlanRemove])
			return err
		case i.State.Working():
			open = true
		default:
			counts.Add(i.Counts)
		}
		return nil
	})
	if err != nil || open {
		return err
	}
	return s.endRun(ctx, run.ID, lms.RunDone, counts, lms.Text{})
}

func (s *Service) endRun(ctx context.Context, id int64, state lms.RunState, counts lms.ImportCount, note lms.Text) error {
	return s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		now, ok, err := tx.LockRun(ctx, id)
		if err != nil || !ok || now.State != lms.RunRunning {
			return err
		}
		now.State, now.EndedAt = state, s.now()
		if counts != nil {
			now.Counts = counts
		}
		if !note.IsZero() {
			now.Notes = append(now.Notes, note)
		}
		return tx.UpdateRun(ctx, now)
	})
}
