package service

import (
	"context"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/store"
)

// OwnData is everything that Matricula keeps about a person, what stands in the
// audit aside: see OwnAudit.
type OwnData struct {
	User          lms.User
	NamedBy       *lms.User // nil when they came by themselves
	Addresses     []store.Address
	Identities    []lms.Identity
	Sessions      []lms.Session
	Tokens        []lms.APIToken
	Places        []OwnPlace
	Past          []lms.PastPlace
	Announcements []lms.Announcement // that they wrote
	Requests      []lms.ErasureRequest
	Identifiers   []store.Identifier // in student systems
	Listed        []OwnListed        // rows of class lists about them
	Mails         []lms.Mail         // to them
	Asked         []lms.ClaimRequest // that they made for what waits for an address
	AskedFor      []lms.ClaimRequest // that others made for what waited for them
	Webhooks      []lms.Webhook      // for which they answer
	At            time.Time
}

// OwnPlace is the caller's place in a course, with who gave it.
type OwnPlace struct {
	Course    lms.Course
	Member    lms.Member
	AddedBy   *lms.User // nil without a role
	GrantedBy *lms.User // nil without privileges of one's own
}

// OwnListed is a row of a class list about the caller, with who brought the list.
type OwnListed struct {
	store.ListedRow
	By *lms.User // nil: a program
}

// OwnData collects what is kept about the caller (GDPR, articles 15 and 20;
// H-07). It is given in a browser session alone, and stands in the audit.
func (s *Service) OwnData(ctx context.Context, c access.Caller) (d OwnData, err error) {
	if err := s.do(ctx, c, access.AccountExport, 0, func(ctx context.Context, w *work) error { return w.record(ctx, 0, nil, nil) }); err != nil {
		return d, err
	}
	tx := s.store.Reader()
	return s.dataOf(ctx, tx, c.UserID)
}

// DataOf is OwnData of somebody else, for an administrator whom they asked: whoever
// has never signed in cannot ask Matricula (H-07). It stands in the audit of both.
func (s *Service) DataOf(ctx context.Context, c access.Caller, id int64) (d OwnData, err error) {
	err = s.do(ctx, c, access.UserExport, 0, func(ctx context.Context, w *work) error {
		u, ok, err := w.tx.User(ctx, id)
		if err != nil {
			return err
		}
		if !ok || u.Kind != lms.KindPerson {
			return errNoUser
		}
		return w.record(ctx, id, nil, nil)
	})
	if err != nil {
		return d, err
	}
	return s.dataOf(ctx, s.store.Reader(), id)
}

// AuditOf lists what stands in the audit about somebody, for DataOf.
func (s *Service) AuditOf(ctx context.Context, c access.Caller, id, before int64, limit int) (AuditPage, error) {
	if err := s.still(ctx, c, access.UserExport); err != nil {
		return AuditPage{}, err
	}
	return s.auditPage(ctx, AuditRequest{PersonID: id, Before: before, Limit: limit})
}

func (s *Service) dataOf(ctx context.Context, tx *store.Tx, id int64) (d OwnData, err error) {
	d.At = s.now()
	var ok bool
	if d.User, ok, err = tx.User(ctx, id); err != nil || !ok {
		return d, err
	}
	known := map[int64]*lms.User{}
	who := func(whom int64) (*lms.User, error) {
		if u, ok := known[whom]; ok || whom == 0 || whom == lms.SystemUserID {
			return u, nil
		}
		u, ok, err := tx.AnyUser(ctx, whom)
		if err != nil || !ok {
			return nil, err
		}
		known[whom] = &u
		return &u, nil
	}
	if d.User.CreatedBy != id {
		if d.NamedBy, err = who(d.User.CreatedBy); err != nil {
			return d, err
		}
	}
	if d.Addresses, err = tx.Addresses(ctx, id); err != nil {
		return d, err
	}
	if d.Identities, err = tx.Identities(ctx, id); err != nil {
		return d, err
	}
	if d.Sessions, err = tx.Sessions(ctx, id, d.At); err != nil {
		return d, err
	}
	if d.Tokens, err = tx.Tokens(ctx, id, maxID, everyToken); err != nil {
		return d, err
	}
	if d.Places, err = ownPlaces(ctx, tx, id, who); err != nil {
		return d, err
	}
	if d.Past, err = ownPast(ctx, tx, id); err != nil {
		return d, err
	}
	if d.Requests, err = tx.ErasuresOf(ctx, id, maxID, everyToken); err != nil {
		return d, err
	}
	if d.Identifiers, err = tx.IdentifiersOf(ctx, id); err != nil {
		return d, err
	}
	if d.Mails, err = tx.MailsOf(ctx, id, maxID, everyToken); err != nil {
		return d, err
	}
	if d.Asked, err = tx.ClaimsOf(ctx, id, maxID, everyToken); err != nil {
		return d, err
	}
	if d.AskedFor, err = tx.ClaimsFor(ctx, id, maxID, everyToken); err != nil {
		return d, err
	}
	if d.Webhooks, err = tx.WebhooksOf(ctx, id, everyToken); err != nil {
		return d, err
	}
	rows, err := tx.RowsAbout(ctx, id)
	if err != nil {
		return d, err
	}
	for _, row := range rows {
		by, err := who(row.CreatedBy)
		if err != nil {
			return d, err
		}
		d.Listed = append(d.Listed, OwnListed{row, by})
	}
	for before := int64(maxID); ; {
		list, err := tx.AnnouncementsBy(ctx, id, before, exportPage)
		if err != nil {
			return d, err
		}
		d.Announcements = append(d.Announcements, list...)
		if len(list) < exportPage {
			return d, nil
		}
		before = list[len(list)-1].ID
	}
}

// everyToken is more than anybody may have.
const everyToken = 10_000

func ownPlaces(ctx context.Context, tx *store.Tx, user int64, who func(int64) (*lms.User, error)) (places []OwnPlace, err error) {
	for before := int64(maxID); ; {
		list, err := tx.Courses(ctx, store.CoursesQuery{UserID: user, Before: before, Limit: exportPage})
		if err != nil {
			return nil, err
		}
		for _, row := range list {
			p := OwnPlace{Course: row.Course, Member: row.Member}
			if e := row.Member.Enrollment; e != nil {
				if p.AddedBy, err = who(e.AddedBy); err != nil {
					return nil, err
				}
			}
			if g := row.Member.Grant; g != nil {
				if p.GrantedBy, err = who(g.GrantedBy); err != nil {
					return nil, err
				}
			}
			places = append(places, p)
		}
		if len(list) < exportPage {
			return places, nil
		}
		before = list[len(list)-1].Course.ID
	}
}

func ownPast(ctx context.Context, tx *store.Tx, user int64) (past []lms.PastPlace, err error) {
	for before := int64(maxID); ; {
		list, err := tx.PastPlacesOf(ctx, user, before, exportPage)
		if err != nil {
			return nil, err
		}
		past = append(past, list...)
		if len(list) < exportPage {
			return past, nil
		}
		before = list[len(list)-1].ID
	}
}

// OwnAudit lists what stands in the audit about the caller: what they did, and
// what was done to them.
func (s *Service) OwnAudit(ctx context.Context, c access.Caller, before int64, limit int) (AuditPage, error) {
	if err := s.still(ctx, c, access.AccountView); err != nil {
		return AuditPage{}, err
	}
	return s.auditPage(ctx, AuditRequest{PersonID: c.UserID, Before: before, Limit: limit})
}
