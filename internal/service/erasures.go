package service

import (
	"context"

	"matricula/internal/access"
	"matricula/internal/lms"
)

// erasureAudit is how the audit shows a request to be erased: not what was written.
type erasureAudit struct {
	Request int64            `json:"request"`
	State   lms.ErasureState `json:"request_state"`
}

var errNoErasure = lms.NotFound("request")

// AskErasure notes that the caller wants their account to be erased. An administrator
// sees the request and decides. Asking again changes nothing.
func (s *Service) AskErasure(ctx context.Context, c access.Caller, note string) (lms.ErasureRequest, error) {
	return doOnce(ctx, s, c, access.ErasureAsk, 0, nil, func(ctx context.Context, w *work) (q lms.ErasureRequest, err error) {
		if note, err = lms.CleanText(note, "note", lms.MaxErasureRunes); err != nil {
			return q, err
		}
		if w.caller.Kind == lms.KindService {
			return q, lms.Errorf(lms.CodeConflict, "no-person", "A service account is nobody's, and cannot ask to be erased.")
		}
		id, asked, err := w.tx.AskErasure(ctx, c.UserID, note, w.now)
		if err != nil {
			return q, err
		}
		if !asked {
			w.nothingChanged()
			return w.lastErasure(ctx)
		}
		if err := w.record(ctx, 0, nil, erasureAudit{id, lms.ErasureOpen}); err != nil {
			return q, err
		}
		return w.lastErasure(ctx)
	})
}

func (w *work) lastErasure(ctx context.Context) (q lms.ErasureRequest, err error) {
	list, err := w.tx.ErasuresOf(ctx, w.caller.UserID, maxID, 1)
	if err != nil || len(list) == 0 {
		return q, err
	}
	return list[0], nil
}

// WithdrawErasure takes the caller's open request back.
func (s *Service) WithdrawErasure(ctx context.Context, c access.Caller) error {
	return s.do(ctx, c, access.ErasureRecall, 0, func(ctx context.Context, w *work) error {
		q, err := w.lastErasure(ctx)
		if err != nil {
			return err
		}
		decided, err := w.tx.DecideErasure(ctx, c.UserID, lms.ErasureWithdrawn, c.UserID, "", w.now)
		if err != nil {
			return err
		}
		if !decided {
			return errNoErasure
		}
		return w.record(ctx, 0, erasureAudit{q.ID, lms.ErasureOpen}, erasureAudit{q.ID, lms.ErasureWithdrawn})
	})
}

// OwnErasure is the caller's last request; nil when they never asked.
func (s *Service) OwnErasure(ctx context.Context, c access.Caller) (*lms.ErasureRequest, error) {
	if err := access.Decide(c, access.AccountView, nil); err != nil {
		return nil, err
	}
	list, err := s.store.Reader().ErasuresOf(ctx, c.UserID, maxID, 1)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return &list[0], nil
}

// ErasuresPage is a page of requests, newest first.
type ErasuresPage struct {
	Requests []lms.ErasureRequest
	Next     int64 // 0 when there are no more
}

// Erasures lists the requests in a state, for administrators.
func (s *Service) Erasures(ctx context.Context, c access.Caller, state lms.ErasureState, before int64, limit int) (ErasuresPage, error) {
	if err := access.Decide(c, access.ErasureView, nil); err != nil {
		return ErasuresPage{}, err
	}
	if before == 0 {
		before = maxID
	}
	list, err := s.store.Reader().Erasures(ctx, state, before, limit+1)
	if err != nil {
		return ErasuresPage{}, err
	}
	rows, more := page(list, limit)
	out := ErasuresPage{Requests: rows}
	if more {
		out.Next = rows[len(rows)-1].ID
	}
	return out, nil
}

// OpenErasures counts the requests that wait, for administrators.
func (s *Service) OpenErasures(ctx context.Context, c access.Caller) (int64, error) {
	if err := access.Decide(c, access.ErasureView, nil); err != nil {
		return 0, err
	}
	return s.store.Reader().OpenErasures(ctx)
}

// RefuseErasure answers a request with the reason why the account stays. The person
// reads it on their account page.
func (s *Service) RefuseErasure(ctx context.Context, c access.Caller, id int64, reason string) (lms.ErasureRequest, error) {
	return doOnce(ctx, s, c, access.ErasureRefuse, 0, nil, func(ctx context.Context, w *work) (q lms.ErasureRequest, err error) {
		if reason, err = lms.CleanText(reason, "reason", lms.MaxErasureRunes); err != nil {
			return q, err
		}
		if reason == "" {
			return q, lms.Invalid("reason-missing", "reason", "Write why the account is not erased: the person reads it.")
		}
		q, ok, err := w.tx.Erasure(ctx, id)
		if err != nil {
			return q, err
		}
		if !ok {
			return q, errNoErasure
		}
		decided := false
		if q.State == lms.ErasureOpen {
			if decided, err = w.tx.DecideErasure(ctx, q.User.ID, lms.ErasureRefused, c.UserID, reason, w.now); err != nil {
				return q, err
			}
		}
		if !decided {
			return q, lms.Errorf(lms.CodeConflict, "already-decided", "This request has been decided already.")
		}
		before := erasureAudit{q.ID, lms.ErasureOpen}
		if q, _, err = w.tx.Erasure(ctx, id); err != nil {
			return q, err
		}
		return q, w.record(ctx, q.User.ID, before, erasureAudit{q.ID, lms.ErasureRefused})
	})
}
