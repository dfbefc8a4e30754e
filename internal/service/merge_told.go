package service

import (
	"context"
	"fmt"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/mail"
)

// tellMerged tells whoever was kept, by mail, that another account became a part of
// theirs, unless they did it themselves.
func (w *work) tellMerged(ctx context.Context, id int64, p MergePreview) error {
	if p.Keep.Status != lms.StatusActive || p.Keep.ID == w.caller.UserID {
		return nil
	}
	return w.queue(ctx, lms.Mail{
		Kind: lms.MailMerged, UserID: p.Keep.ID, Address: p.Keep.Email, Language: p.Keep.Language, Event: fmt.Sprintf("merged:%d", id),
		Data: map[string]string{mail.DataWas: p.Merge.Email.Masked()},
	})
}

// mergesShown is through how many of somebody's merges it is looked for those of late.
const mergesShown = 20

// MergesOfLate lists the merges of the last thirty days by which other accounts became a
// part of the caller's, the newest first.
func (s *Service) MergesOfLate(ctx context.Context, c access.Caller) (late []lms.Merge, err error) {
	if err := access.Decide(c, access.MergeView, nil); err != nil {
		return nil, err
	}
	now := s.now()
	list, err := s.store.Reader().Merges(ctx, c.UserID, maxID, mergesShown)
	if err != nil {
		return nil, err
	}
	for _, m := range list {
		if m.Kept.ID == c.UserID && m.Splittable(now) {
			late = append(late, m)
		}
	}
	return late, nil
}
