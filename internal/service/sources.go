package service

import (
	"context"
	"slices"

	"matricula/internal/access"
	"matricula/internal/lms"
)

var errNoSource = lms.NotFound("roster source")

// SourceFields is what administrators write about a source.
type SourceFields struct {
	Name     string
	Kind     string
	Place    string
	CourseID int64
	Role     string
	Minutes  int64
	Exact    bool
	Brake    int64
	Enabled  bool
}

func sourceFieldsOf(s lms.RosterSource) SourceFields {
	return SourceFields{s.Name, string(s.Kind), s.Place, s.CourseID, s.Role, s.Minutes, s.Exact, s.Brake, s.Enabled}
}

// clean checks what was written.
func (s *Service) cleanSource(f SourceFields) (SourceFields, error) {
	var err error
	if f.Name, err = lms.CleanText(f.Name, "name", 80); err != nil {
		return f, err
	}
	if f.Name == "" {
		return f, lms.Invalid("source-name", "name", "A source needs a name, such as \"Student office\".")
	}
	if f.Role == "" {
		f.Role = lms.RoleStudent
	}
	if f.Minutes == 0 {
		f.Minutes = 60
	}
	switch kind := lms.SourceKind(f.Kind); {
	case kind != lms.SourceUpload && kind != lms.SourceFolder && kind != lms.SourceHTTPS:
		return f, lms.Invalid("source-kind", "kind", "A source is one of upload, folder and https.")
	case f.Brake < 0 || f.Brake > 100:
		return f, lms.Invalid("source-brake", "brake", "The brake is a share between 0 and 100 percent.")
	case kind == lms.SourceUpload:
		f.Place = ""
		return f, nil
	case f.Minutes < lms.MinSourceMinutes || f.Minutes > lms.MaxSourceMinutes:
		return f, lms.Invalid("source-minutes", "every_minutes", "A source is looked at every %d minutes at the most often, and once a week at least.", lms.MinSourceMinutes)
	case s.opts.CheckPlace == nil:
		return f, lms.Invalid("source-not-allowed", "place", "This server fetches nothing by itself.")
	}
	return f, s.opts.CheckPlace(lms.SourceKind(f.Kind), f.Place)
}

// Sources lists the roster sources, for administrators.
func (s *Service) Sources(ctx context.Context, c access.Caller) ([]lms.RosterSource, error) {
	if err := access.Decide(c, access.SourceView, nil); err != nil {
		return nil, err
	}
	return s.store.Reader().Sources(ctx)
}

// Source reads a source.
func (s *Service) Source(ctx context.Context, c access.Caller, id int64) (lms.RosterSource, error) {
	if err := access.Decide(c, access.SourceView, nil); err != nil {
		return lms.RosterSource{}, err
	}
	src, ok, err := s.store.Reader().Source(ctx, id)
	if err == nil && !ok {
		err = errNoSource
	}
	return src, err
}

// sourceAudit is how the audit shows a source. Its place can hold a secret path.
type sourceAudit struct {
	Source  int64  `json:"source"`
	Name    string `json:"name"`
	Kind    string `json:"kind"`
	Course  int64  `json:"course,omitempty"`
	Minutes int64  `json:"every_minutes,omitempty"`
	Exact   bool   `json:"exact"`
	Brake   int64  `json:"brake_percent"`
	Enabled bool   `json:"enabled"`
	Moved   bool   `json:"place_changed,omitempty"`
}

func sourceView(s lms.RosterSource) sourceAudit {
	return sourceAudit{Source: s.ID, Name: s.Name, Kind: string(s.Kind), Course: s.CourseID, Minutes: s.Minutes, Exact: s.Exact, Brake: s.Brake, Enabled: s.Enabled}
}

// CreateSource makes a source, which works on behalf of the caller.
func (s *Service) CreateSource(ctx context.Context, c access.Caller, f SourceFields, once *Once) (lms.RosterSource, error) {
	return doOnce(ctx, s, c, access.SourceCreate, 0, once, func(ctx context.Context, w *work) (src lms.RosterSource, err error) {
		if f, err = s.cleanSource(f); err != nil {
			return src, err
		}
		if err := w.checkSourceCourse(ctx, f); err != nil {
			return src, err
		}
		list, err := w.tx.Sources(ctx)
		if err != nil {
			return src, err
		}
		if len(list) >= lms.MaxSources {
			return src, lms.Errorf(lms.CodeConflict, "too-many-sources", "There are %d sources, and more cannot be made. Delete one that is no longer needed.", lms.MaxSources)
		}
		src = lms.RosterSource{
			Name: f.Name, Kind: lms.SourceKind(f.Kind), Place: f.Place, CourseID: f.CourseID, Role: f.Role, Minutes: f.Minutes, Exact: f.Exact, Brake: f.Brake, Enabled: f.Enabled,
			CreatedBy: w.caller.UserID, CreatedAt: w.now, NextAt: w.now,
		}
		if src.ID, err = w.tx.CreateSource(ctx, src); err != nil {
			return src, err
		}
		return src, w.record(ctx, 0, nil, sourceView(src))
	})
}

// checkSourceCourse makes sure that the course and the role of a source are there.
func (w *work) checkSourceCourse(ctx context.Context, f SourceFields) error {
	if f.CourseID == 0 {
		return nil
	}
	if _, ok, err := w.tx.Course(ctx, f.CourseID); err != nil || !ok {
		if err == nil {
			err = lms.Invalid("unknown-course", "course_id", "There is no such course.")
		}
		return err
	}
	roles, err := w.tx.Roles(ctx, f.CourseID)
	if err != nil {
		return err
	}
	_, err = lms.FindRole(roles, f.Role, "role")
	return err
}

// SourcePatch changes what is not nil.
type SourcePatch struct {
	Name    *string
	Place   *string
	Role    *string
	Minutes *int64
	Exact   *bool
	Brake   *int64
	Enabled *bool
}

// UpdateSource changes a source, which works on behalf of the caller from then on.
func (s *Service) UpdateSource(ctx context.Context, c access.Caller, id int64, p SourcePatch) (lms.RosterSource, error) {
	src, err := doOnce(ctx, s, c, access.SourceUpdate, 0, nil, func(ctx context.Context, w *work) (src lms.RosterSource, err error) {
		src, ok, err := w.tx.LockSource(ctx, id)
		if err != nil {
			return src, err
		}
		if !ok {
			return src, errNoSource
		}
		f := sourceFieldsOf(src)
		set(&f.Name, p.Name)
		set(&f.Place, p.Place)
		set(&f.Role, p.Role)
		set(&f.Minutes, p.Minutes)
		set(&f.Exact, p.Exact)
		set(&f.Brake, p.Brake)
		set(&f.Enabled, p.Enabled)
		if f, err = s.cleanSource(f); err != nil {
			return src, err
		}
		if err := w.checkSourceCourse(ctx, f); err != nil {
			return src, err
		}
		before := src
		src.Name, src.Place, src.Role, src.Minutes, src.Exact, src.Brake, src.Enabled, src.CreatedBy = f.Name, f.Place, f.Role, f.Minutes, f.Exact, f.Brake, f.Enabled, w.caller.UserID
		if src == before {
			w.nothingChanged()
			return src, nil
		}
		src.NextAt = w.now
		if err := w.tx.UpdateSource(ctx, src); err != nil {
			return src, err
		}
		after := sourceView(src)
		after.Moved = before.Place != src.Place
		return src, w.record(ctx, 0, sourceView(before), after)
	})
	s.Wake()
	return src, err
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// DeleteSource removes a source. What it brought stays.
func (s *Service) DeleteSource(ctx context.Context, c access.Caller, id int64) error {
	return s.do(ctx, c, access.SourceDelete, 0, func(ctx context.Context, w *work) error {
		src, ok, err := w.tx.LockSource(ctx, id)
		if err != nil {
			return err
		}
		if !ok {
			return errNoSource
		}
		if _, open, err := w.tx.OpenRun(ctx, id); err != nil || open {
			if err == nil {
				err = lms.Errorf(lms.CodeConflict, "source-busy", "A list of this source is being worked on. Stop it first, or wait until it is done.")
			}
			return err
		}
		if err := w.tx.DeleteSource(ctx, id, w.now); err != nil {
			return err
		}
		return w.record(ctx, 0, sourceView(src), nil)
	})
}

// RunsPage is a page of a source's runs, newest first.
type RunsPage struct {
	Runs []lms.SourceRun
	Next int64 // 0 when there are no more
}

// SourceRuns lists the runs of a source.
func (s *Service) SourceRuns(ctx context.Context, c access.Caller, id, before int64, limit int) (RunsPage, error) {
	if _, err := s.Source(ctx, c, id); err != nil {
		return RunsPage{}, err
	}
	if before == 0 {
		before = maxID
	}
	list, err := s.store.Reader().Runs(ctx, id, before, limit+1)
	if err != nil {
		return RunsPage{}, err
	}
	rows, more := page(list, limit)
	out := RunsPage{Runs: rows}
	if more {
		out.Next = rows[len(rows)-1].ID
	}
	return out, nil
}

// SourceRun reads a run with its source.
func (s *Service) SourceRun(ctx context.Context, c access.Caller, id int64) (lms.SourceRun, lms.RosterSource, error) {
	if err := access.Decide(c, access.SourceView, nil); err != nil {
		return lms.SourceRun{}, lms.RosterSource{}, err
	}
	r, ok, err := s.store.Reader().Run(ctx, id)
	if err == nil && !ok {
		err = lms.NotFound("run")
	}
	if err != nil {
		return r, lms.RosterSource{}, err
	}
	src, err := s.Source(ctx, c, r.SourceID)
	return r, src, err
}

// RunImport is the list of one course in a run.
type RunImport struct {
	Import lms.Import
	Course lms.Course
}

// RunImports lists the lists of a run, by course, with an id above after.
func (s *Service) RunImports(ctx context.Context, c access.Caller, id, after int64, limit int) (list []RunImport, next int64, err error) {
	if _, _, err := s.SourceRun(ctx, c, id); err != nil {
		return nil, 0, err
	}
	tx := s.store.Reader()
	found, err := tx.RunImports(ctx, id, after, limit+1)
	if err != nil {
		return nil, 0, err
	}
	rows, more := page(found, limit)
	for _, i := range rows {
		course, _, err := tx.Course(ctx, i.CourseID)
		if err != nil {
			return nil, 0, err
		}
		list = append(list, RunImport{i, course})
	}
	if more {
		next = rows[len(rows)-1].ID
	}
	return list, next, nil
}

// LookNow has a source looked at soon, whatever its time.
func (s *Service) LookNow(ctx context.Context, c access.Caller, id int64) error {
	err := s.do(ctx, c, access.SourceRun, 0, func(ctx context.Context, w *work) error {
		src, ok, err := w.tx.LockSource(ctx, id)
		switch {
		case err != nil:
			return err
		case !ok:
			return errNoSource
		case src.Kind == lms.SourceUpload:
			return lms.Errorf(lms.CodeConflict, "source-kind", "Nothing is fetched for this source: upload a file.")
		case !src.Enabled:
			return lms.Errorf(lms.CodeConflict, "source-off", "This source is switched off. Switch it on first.")
		}
		src.NextAt = w.now
		w.nothingChanged() // but the time of the next look
		return w.tx.UpdateSource(ctx, src)
	})
	s.Wake()
	return err
}

// ApproveRun lets a run go on that waits because too many would leave, or because
// somebody had to say what its columns hold.
func (s *Service) ApproveRun(ctx context.Context, c access.Caller, id int64) (lms.SourceRun, error) {
	return s.onRun(ctx, c, id, func(ctx context.Context, w *work, r *lms.SourceRun) error {
		if r.State == lms.RunRunning || r.State == lms.RunDone {
			w.nothingChanged()
			return nil
		}
		if r.State != lms.RunWaiting {
			return lms.Errorf(lms.CodeConflict, "run-not-waiting", "This run does not wait for anybody.")
		}
		r.State = lms.RunRunning
		return nil
	})
}

// CancelRun throws away the lists of a run that have not begun.
func (s *Service) CancelRun(ctx context.Context, c access.Caller, id int64) (lms.SourceRun, error) {
	return s.onRun(ctx, c, id, func(ctx context.Context, w *work, r *lms.SourceRun) error {
		if !r.State.Open() {
			w.nothingChanged()
			return nil
		}
		for after := int64(0); ; {
			list, err := w.tx.RunImports(ctx, id, after, exportPage)
			if err != nil {
				return err
			}
			for _, i := range list {
				if slices.Contains([]lms.ImportState{lms.ImportReading, lms.ImportColumns, lms.ImportChecking, lms.ImportReady, lms.ImportRunning}, i.State) {
					if i.State != lms.ImportRunning {
						if err := w.tx.DropChunks(ctx, i.ID); err != nil {
							return err
						}
						i.Chunks, i.Counts = 0, nil
					}
					i.State, i.EndedAt = lms.ImportCanceled, w.now
					if err := w.tx.UpdateImport(ctx, i); err != nil {
						return err
					}
				}
				after = i.ID
			}
			if len(list) < exportPage {
				r.State, r.EndedAt = lms.RunCanceled, w.now
				return nil
			}
		}
	})
}

// runAudit is how the audit shows a run.
type runAudit struct {
	Run    int64           `json:"run"`
	State  lms.RunState    `json:"run_state"`
	Counts lms.ImportCount `json:"counts,omitempty"`
}

func (s *Service) onRun(ctx context.Context, c access.Caller, id int64, fn func(context.Context, *work, *lms.SourceRun) error) (lms.SourceRun, error) {
	r, err := doOnce(ctx, s, c, access.SourceRun, 0, nil, func(ctx context.Context, w *work) (lms.SourceRun, error) {
		r, ok, err := w.tx.LockRun(ctx, id)
		if err != nil {
			return r, err
		}
		if !ok {
			return r, lms.NotFound("run")
		}
		before := r
		if err := fn(ctx, w, &r); err != nil {
			return r, err
		}
		if r.State == before.State {
			return r, nil
		}
		if err := w.tx.UpdateRun(ctx, r); err != nil {
			return r, err
		}
		return r, w.record(ctx, 0, runAudit{id, before.State, before.Counts}, runAudit{id, r.State, nil})
	})
	s.Wake()
	return r, err
}
