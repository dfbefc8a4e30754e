package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/mail"
	"matricula/internal/service"
	"matricula/internal/signin"
	"matricula/internal/store"
)

// kind is who is behind an address.
type kind string

const (
	active    kind = "active"
	pending   kind = "pending"
	suspended kind = "suspended"
	erased    kind = "erased"
	unknown   kind = "unknown"
)

func address(k kind, round int) string { return fmt.Sprintf("%s.%05d@uni.example", k, round) }

// question is something that is asked about an address. Prepare is not measured.
type question struct {
	name    string
	kinds   []kind
	prepare func(ctx context.Context, s *school, round int) (func(address string) (answer string, err error), error)
}

var questions = []question{
	{
		"a teacher names somebody who is known",
		[]kind{pending, active, suspended},
		func(ctx context.Context, s *school, _ int) (func(string) (string, error), error) {
			return s.naming(ctx), nil
		},
	},
	{
		"a teacher names somebody who is not",
		[]kind{unknown, erased},
		func(ctx context.Context, s *school, _ int) (func(string) (string, error), error) {
			return s.naming(ctx), nil
		},
	},
	{
		"a student asks for what only managers may",
		[]kind{pending, active, suspended, erased, unknown},
		func(ctx context.Context, s *school, _ int) (func(string) (string, error), error) {
			return func(a string) (string, error) {
				_, err := s.svc.Enroll(ctx, s.student, service.EnrollRequest{CourseID: s.course, Role: lms.RoleStudent, Emails: []string{a}})
				return refusal(err)
			}, nil
		},
	},
	{
		"a stranger has a code sent there",
		[]kind{pending, active, suspended, erased, unknown},
		func(ctx context.Context, s *school, round int) (func(string) (string, error), error) {
			s.strangers++
			c, err := s.arrive(ctx, fmt.Sprintf("stranger.%06d@uni.example", s.strangers))
			return func(a string) (string, error) {
				secret, err := s.svc.BeginAddress(ctx, c, a, "en")
				if err != nil {
					return "", err
				}
				return fmt.Sprint(secret != ""), nil
			}, err
		},
	},
	{
		"a provider that did not verify the address",
		[]kind{pending, active, suspended, erased, unknown},
		func(ctx context.Context, s *school, round int) (func(string) (string, error), error) {
			return func(a string) (string, error) {
				_, err := s.svc.SignIn(ctx, s.provider, signin.Token{Issuer: s.provider.Issuer, Subject: "x" + a, Email: a, EmailVerified: signin.VerifiedNot}, "bench", "")
				return refusal(err)
			}, nil
		},
	},
}

func refusal(err error) (string, error) {
	if err == nil {
		return "", errors.New("it was not refused")
	}
	return err.Error(), nil
}

type school struct {
	store     *store.Store
	svc       *service.Service
	provider  signin.Provider
	teacher   access.Caller
	student   access.Caller
	course    int64
	strangers int
}

// naming enrolls somebody in the teacher's course.
func (s *school) naming(ctx context.Context) func(string) (string, error) {
	return func(a string) (string, error) {
		rows, err := s.svc.Enroll(ctx, s.teacher, service.EnrollRequest{CourseID: s.course, Role: lms.RoleStudent, Emails: []string{a}})
		if err != nil {
			return "", err
		}
		r := rows[0]
		return fmt.Sprint(r.Location, r.UserID != 0, r.Result, r.Reason, r.Message, r.Suggestion, r.Name), nil
	}
}

func (s *school) arrive(ctx context.Context, a string) (access.Caller, error) {
	in, err := s.svc.SignIn(ctx, s.provider, signin.Token{Issuer: s.provider.Issuer, Subject: a, Email: a, EmailVerified: signin.VerifiedTrue}, "bench", "")
	return access.Caller{UserID: in.User.ID, Kind: in.User.Kind, SiteRole: in.User.SiteRole, SessionID: in.Session.ID}, err
}

// nowhere takes no mail: none is sent while this runs.
type nowhere struct{}

func (nowhere) Open(context.Context) (mail.Session, error) {
	return nil, errors.New("no mail is sent here")
}

// build makes a school with so many people of each kind, whom all are in a course of
// somebody else.
func build(ctx context.Context, dsn string, each int) (s *school, err error) {
	st, err := store.Open(ctx, dsn)
	if err != nil {
		return nil, err
	}
	if err := st.Migrate(ctx); err != nil {
		return nil, errors.Join(err, st.Close())
	}
	s = &school{
		store: st,
		svc: service.New(st, service.Options{
			Now: time.Now, Log: slog.New(slog.DiscardHandler), SignUp: signin.SignUpAnyone, Mail: &service.MailOptions{Sender: nowhere{}, Site: mail.Site{URL: "http://localhost"}},
		}),
		provider: signin.Provider{Name: "campus", Label: "Campus", Issuer: "https://id.uni.example", ClientID: "m", Kind: signin.KindOIDC, TrustAll: true},
	}
	if err := s.fill(ctx, each); err != nil {
		return nil, errors.Join(err, st.Close())
	}
	return s, nil
}

func (s *school) fill(ctx context.Context, each int) error {
	if err := s.svc.NameAdmins(ctx, []lms.Email{"root@uni.example"}); err != nil {
		return err
	}
	root, err := s.arrive(ctx, "root@uni.example")
	if err != nil {
		return err
	}
	for _, l := range lms.Limits() { // which are not what is measured
		if _, err := s.svc.SetLimit(ctx, root, l.Name, lms.MaxLimit); err != nil {
			return err
		}
	}
	course := func(title string, owner string) (access.Caller, int64, error) {
		c, err := s.arrive(ctx, owner)
		if err != nil {
			return c, 0, err
		}
		role := string(lms.SiteTeacher)
		if _, err := s.svc.UpdateUser(ctx, root, c.UserID, service.UserPatch{SiteRole: &role}); err != nil {
			return c, 0, err
		}
		c.SiteRole = lms.SiteTeacher
		v, err := s.svc.CreateCourse(ctx, c, lms.CourseFields{Title: title}, nil)
		return c, v.Course.ID, err
	}
	elsewhere, others, err := course("Elsewhere", "elsewhere@uni.example")
	if err != nil {
		return err
	}
	if s.teacher, s.course, err = course("Algorithms", "teacher@uni.example"); err != nil {
		return err
	}
	if s.student, err = s.arrive(ctx, "student@uni.example"); err != nil {
		return err
	}
	for i := range each {
		for _, k := range []kind{active, pending, suspended, erased} {
			rows, err := s.svc.Enroll(ctx, elsewhere, service.EnrollRequest{CourseID: others, Role: lms.RoleStudent, Emails: []string{address(k, i)}})
			if err != nil {
				return err
			}
			switch k {
			case active:
				_, err = s.arrive(ctx, address(k, i))
			case suspended:
				status := string(lms.StatusSuspended)
				_, err = s.svc.UpdateUser(ctx, root, rows[0].UserID, service.UserPatch{Status: &status})
			case erased:
				_, err = s.svc.EraseUser(ctx, root, rows[0].UserID, service.Leaving{})
			case pending, unknown:
			}
			if err != nil {
				return fmt.Errorf("%s: %w", address(k, i), err)
			}
		}
	}
	return nil
}
