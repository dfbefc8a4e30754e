package service

import (
	"context"
	"crypto/rand"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/mail"
	"matricula/internal/store"
)

// How notices are sent: so many people in one transaction; a while after they were
// asked for, so that whoever is named in several courses at once gets one mail about
// all of them.
const (
	noticesAtOnce = 200
	noticeDelay   = 2 * time.Minute
)

// Told tells what became of a request to tell people that they were named.
type Told struct {
	Told    int // get a mail
	Lately  int // were told a short while ago
	Enough  int // were told often enough
	Objects int // said that they do not want to be here
}

// noticeAudit is how the audit shows that people were told.
type noticeAudit struct {
	People int `json:"people"`
}

// Tell tells people of a course who have not arrived, by mail, that they were named:
// those with some ids, or all of them. The mail holds nothing that the caller wrote.
// Nobody is told often; see lms.NoticeState. Whether the limits allow all of it is seen
// to at the beginning, so that either all are told or nobody is.
func (s *Service) Tell(ctx context.Context, c access.Caller, courseID int64, users []int64) (Told, error) {
	var all Told
	for after := int64(0); ; {
		var told Told
		var last int64
		err := s.do(ctx, c, access.NoticeSend, courseID, func(ctx context.Context, w *work) error {
			if !w.mails {
				return errNoMail
			}
			if after == 0 {
				if err := s.useTelling(ctx, w, users); err != nil {
					return err
				}
			}
			list, err := w.tx.Awaited(ctx, courseID, after, users, w.standing.Within(c), c.UserID, noticesAtOnce)
			if err != nil {
				return err
			}
			told, last = Told{}, 0
			if err := s.mayInvite(ctx, w, list, all.Told); err != nil {
				return err
			}
			for i := range list {
				last = list[i].UserID
				if err := s.tell(ctx, w, &list[i], &told); err != nil {
					return err
				}
			}
			if len(list) < noticesAtOnce {
				last = 0
			}
			if told.Told == 0 {
				w.nothingChanged()
				return nil
			}
			return w.record(ctx, 0, nil, noticeAudit{told.Told})
		})
		if err != nil {
			return all, err
		}
		all.Told, all.Lately, all.Enough, all.Objects = all.Told+told.Told, all.Lately+told.Lately, all.Enough+told.Enough, all.Objects+told.Objects
		if told.Told > 0 {
			s.mailQueued()
		}
		if after = last; after == 0 {
			return all, nil
		}
	}
}

// useTelling counts all whom a request will tell, before the first of them is told.
func (s *Service) useTelling(ctx context.Context, w *work, users []int64) error {
	if w.caller.SiteRole == lms.SiteAdmin {
		return nil
	}
	list, err := w.tx.Awaited(ctx, w.courseID, 0, users, w.standing.Within(w.caller), w.caller.UserID, math.MaxInt32)
	if err != nil {
		return err
	}
	for i := range list {
		if list[i].Notice.Held(w.now) != "" {
			continue
		}
		w.use(lms.LimitNoticesPerson, w.caller.UserID, "", 1)
		w.useForCourse(lms.LimitNoticesCourse, w.courseID, 1)
		if s.foreign(list[i].Address) {
			w.useForDomain(lms.LimitNoticesDomain, list[i].Address.Domain(), 1)
		}
	}
	return s.mayInvite(ctx, w, list, 0)
}

// mayInvite bounds the people outside whom one person has told and who have not come
// (lms.OpenInvitations). It counts notices, one sender's after the other.
func (s *Service) mayInvite(ctx context.Context, w *work, list []store.Awaited, done int) error {
	if w.caller.SiteRole == lms.SiteAdmin {
		return nil
	}
	var ids []int64
	for i := range list {
		if list[i].Notice.Held(w.now) == "" && s.foreign(list[i].Address) {
			ids = append(ids, list[i].UserID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	if err := w.tx.LockUser(ctx, w.caller.UserID); err != nil {
		return err
	}
	before, err := w.tx.InvitedBefore(ctx, w.caller.UserID, ids)
	if err != nil {
		return err
	}
	asked := int64(len(ids) - len(before)) // those who are reminded are open already
	if asked == 0 {
		return nil
	}
	have, err := w.tx.Invitations(ctx, w.caller.UserID)
	if err != nil {
		return err
	}
	use := useOf(lms.LimitInvitations, w.caller.UserID, "", asked, w.now)
	set, err := w.tx.Uses(ctx, []store.Use{use}, w.now)
	if err != nil || len(set) != 1 || set[0].Lifted {
		return err
	}
	l, _ := lms.LimitOf(lms.LimitInvitations)
	amount := lms.OpenInvitations(amountOf(set[0]), have.Accepted, have.Objected)
	if have.Open+asked <= amount {
		return nil
	}
	return &overLimit{l.Exceeded(lms.Use{Amount: amount, Used: have.Open + asked, Asked: asked, Done: int64(done)}, w.now), use}
}

func (s *Service) tell(ctx context.Context, w *work, a *store.Awaited, told *Told) error {
	switch a.Notice.Held(w.now) {
	case lms.NoticeObjected:
		told.Objects++
		return nil
	case lms.NoticeEnough:
		told.Enough++
		return nil
	case lms.NoticeTooSoon:
		told.Lately++
		return nil
	}
	secret := rand.Text()
	id, err := w.tx.AddNotice(ctx, a.UserID, w.courseID, w.caller.UserID, hashSecret(secret), s.foreign(a.Address), w.now)
	if err != nil {
		return err
	}
	told.Told++
	return w.queue(ctx, lms.Mail{
		Kind: lms.MailNamed, UserID: a.UserID, Address: a.Address, CourseID: w.courseID, Language: a.Language, Event: fmt.Sprintf("named:%d", id), NextAt: w.now.Add(noticeDelay),
		Data: map[string]string{mail.DataCode: secret},
	})
}

// aboutNotice completes what a notice says, just before it is sent: it is about all of
// the places that the person has by then. It is not wanted any more when they have
// arrived, have been told by another mail meanwhile, or are in no course.
func (s *Service) aboutNotice(ctx context.Context, tx *store.Tx, m *lms.Mail) (wanted bool, err error) {
	u, ok, err := tx.User(ctx, m.UserID)
	if err != nil || !ok || u.Status != lms.StatusPending || u.Email != m.Address {
		return false, err
	}
	roles, courses, err := tx.PlacesTold(ctx, m.UserID)
	if err != nil || courses == 0 {
		return false, err
	}
	by, ok, err := tx.User(ctx, m.CreatedBy)
	if err != nil || !ok {
		return false, err
	}
	m.Data[mail.DataWho] = lms.Clip(by.DisplayName(), maxWho)
	m.Data[mail.DataWhoIs] = by.Email.Display()
	m.Data[mail.DataRoles] = strings.Join(roles, ",")
	m.Data[mail.DataCourses] = strconv.FormatInt(courses, 10)
	m.Data[mail.DataDays] = strconv.Itoa(s.opts.PendingDays)
	return true, nil
}

// maxWho bounds the name of whoever named somebody, in bytes: it comes from a
// provider, but is a text all the same.
const maxWho = 80

// NoticeStates tells, to whoever may see the roster, how people of a course were told
// that they were named.
func (s *Service) NoticeStates(ctx context.Context, c access.Caller, courseID int64, users []int64) (map[int64]lms.NoticeState, error) {
	if _, err := s.look(ctx, c, access.RosterView, courseID); err != nil {
		return nil, err
	}
	if len(users) == 0 {
		return nil, nil
	}
	return s.store.Reader().NoticeStates(ctx, users)
}

var errNoNotice = lms.Errorf(lms.CodeNotFound, "no-notice", "This does not belong to anybody who is awaited here: the person has signed in meanwhile, was removed, or the letters are not those of the mail.")

// Object notes that whoever got a notice is somebody else, or does not want to be
// here; or, when asked is true, that whoever was told that their address was asked for is
// not who asked. It needs no account, and can be done once.
func (s *Service) Object(ctx context.Context, secret, requestID string) (asked bool, err error) {
	clean := cleanCode(secret)
	if clean == "" || len(clean) > 100 {
		return false, errNoNotice
	}
	err = s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		w := &work{tx: tx, caller: access.Caller{UserID: lms.SystemUserID, RequestID: requestID}, action: access.NoticeObject, now: s.now()}
		n, ok, err := tx.NoticeByAnswer(ctx, hashSecret(clean))
		if err != nil {
			return err
		}
		if !ok {
			if asked, err = w.objectClaim(ctx, hashSecret(clean)); err == nil && !asked {
				err = errNoNotice
			}
			return err
		}
		done, err := tx.Object(ctx, n.ID, w.now)
		if err != nil || !done {
			return err
		}
		w.courseID = n.CourseID
		return w.record(ctx, n.UserID, nil, nil)
	})
	return asked, err
}

// AwaitedPerson is somebody who has not arrived, and how they were told.
type AwaitedPerson struct {
	User   lms.User
	Notice lms.NoticeState
}

// AwaitedPage is a page of those who have not arrived, by id.
type AwaitedPage struct {
	People []AwaitedPerson
	Next   int64 // 0 when there are no more
}

// Awaited lists who of a course has not arrived, with how they were told.
func (s *Service) Awaited(ctx context.Context, c access.Caller, courseID, after int64, limit int) (AwaitedPage, error) {
	st, err := s.look(ctx, c, access.RosterView, courseID)
	if err != nil {
		return AwaitedPage{}, err
	}
	list, err := s.store.Reader().Awaited(ctx, courseID, after, nil, st.Within(c), c.UserID, limit+1)
	if err != nil {
		return AwaitedPage{}, err
	}
	found, more := page(list, limit)
	ids := make([]int64, len(found))
	for i, a := range found {
		ids[i] = a.UserID
	}
	members, err := s.store.Reader().MembersByID(ctx, courseID, ids)
	if err != nil {
		return AwaitedPage{}, err
	}
	states, err := s.store.Reader().NoticeStates(ctx, ids)
	if err != nil {
		return AwaitedPage{}, err
	}
	var out AwaitedPage
	for _, m := range members {
		out.People = append(out.People, AwaitedPerson{User: m.User, Notice: states[m.User.ID]})
	}
	if more {
		out.Next = ids[len(ids)-1]
	}
	return out, nil
}
