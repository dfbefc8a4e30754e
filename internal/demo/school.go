package demo

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
	"matricula/internal/signin"
)

// SchoolOptions are what the school is made with.
type SchoolOptions struct {
	// Provider is the provider through which people have arrived. It must be
	// believed about uni.example.
	Provider signin.Provider
	// Subject is what the provider calls the person of an address; nil: as the
	// demo's own provider does.
	Subject func(lms.Email) string
	// Ago sets the service's clock to so long before now, so that the school
	// has a history; nil: everything happens now.
	Ago func(time.Duration)
}

// builder makes the school. Who has arrived can act.
type builder struct {
	svc *service.Service
	o   SchoolOptions

	firstTerm, secondTerm int64

	mu      sync.Mutex
	callers map[lms.Email]access.Caller
}

// School makes a school of six courses and 200 people, half of them pending,
// in an empty database. All of it goes through the use cases, each done by the
// one who would do it. The same school is made each time.
func School(ctx context.Context, svc *service.Service, o SchoolOptions) error {
	b := &builder{svc: svc, o: o, callers: map[lms.Email]access.Caller{}}
	if b.o.Subject == nil {
		b.o.Subject = subject
	}
	if b.o.Ago == nil {
		b.o.Ago = func(time.Duration) {}
	}
	for _, s := range scenes {
		b.o.Ago(time.Duration(s.daysAgo) * 24 * time.Hour)
		if err := s.play(ctx, b); err != nil {
			return fmt.Errorf("demo school: %s: %w", s.name, err)
		}
	}
	b.o.Ago(0)
	return nil
}

// subject is what the demo's provider calls the person of an address.
func subject(email lms.Email) string {
	s, _ := grant{email: email}.claims()["sub"].(string)
	return s
}

// arrive signs people in, as if each had come through the provider. Many come
// at once, as on the first morning of a term.
func (b *builder) arrive(ctx context.Context, addresses ...string) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(16)
	for _, typed := range addresses {
		group.Go(func() error { return b.arriveOne(ctx, typed) })
	}
	return group.Wait()
}

func (b *builder) arriveOne(ctx context.Context, typed string) error {
	email, err := lms.ParseEmail(typed)
	if err != nil {
		return err
	}
	a, ok := account(typed)
	if !ok {
		return fmt.Errorf("nobody of the cast has the address %s", typed)
	}
	in, err := b.svc.SignIn(ctx, b.o.Provider, signin.Token{
		Issuer: b.o.Provider.Issuer, Subject: b.o.Subject(email), Email: string(email), EmailVerified: signin.VerifiedTrue,
		GivenName: a.GivenName, FamilyName: a.FamilyName, Name: a.GivenName + " " + a.FamilyName,
	}, "The demo's own history", "")
	if err != nil {
		return fmt.Errorf("%s signs in: %w", typed, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.callers[email] = access.Caller{UserID: in.User.ID, Kind: in.User.Kind, SiteRole: in.User.SiteRole, SessionID: in.Session.ID}
	return nil
}

// as is somebody who has arrived.
func (b *builder) as(typed string) access.Caller {
	email, err := lms.ParseEmail(typed)
	if err != nil {
		return access.Caller{} // who is nobody may do nothing, which fails the scene
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.callers[email]
}

// teaching is a course in the hands of the one who made it.
type teaching struct {
	b     *builder
	owner string
	id    int64
}

func (b *builder) createCourse(ctx context.Context, owner string, f lms.CourseFields) (*teaching, error) {
	c, err := b.svc.CreateCourse(ctx, b.as(owner), f, nil)
	if err != nil {
		return nil, err
	}
	return &teaching{b: b, owner: owner, id: c.Course.ID}, nil
}

// enroll puts people into the course. Every row must be good.
func (t *teaching) enroll(ctx context.Context, role string, addresses ...string) error {
	source := lms.SourceManual
	if len(addresses) > 1 {
		source = lms.SourcePaste
	}
	rows, err := t.b.svc.Enroll(ctx, t.b.as(t.owner), service.EnrollRequest{CourseID: t.id, Role: role, Emails: addresses, Source: source, ConfirmOutside: true})
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(rows, func(r service.RowResult) bool {
		return r.Result != service.ResultEnrolled && r.Result != service.ResultNamed
	}); i >= 0 {
		return fmt.Errorf("enroll %s: %s: %s", rows[i].Typed, rows[i].Result, rows[i].Message)
	}
	return nil
}

// allow sets what somebody may do beside their role.
func (t *teaching) allow(ctx context.Context, address string, allow, deny []lms.Privilege) error {
	_, err := t.b.svc.SetPrivileges(ctx, t.b.as(t.owner), service.PrivilegeChange{
		CourseID: t.id, Person: service.PersonRef{Email: address}, Allow: names(allow), Deny: names(deny), ConfirmOutside: true,
	})
	return err
}

func names(privileges []lms.Privilege) []string {
	list := make([]string, len(privileges))
	for i, p := range privileges {
		list[i] = string(p)
	}
	return list
}

// refused makes sure that something that must not be possible is not.
func refused(err error, want string) error {
	if lms.TypeOf(err) != want || err == nil {
		return fmt.Errorf("should have been refused as %s: %w", want, err)
	}
	return nil
}
