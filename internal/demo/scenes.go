package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"matricula/internal/lms"
	"matricula/internal/service"
)

// scene is a part of the school's history.
type scene struct {
	name    string
	daysAgo int
	play    func(context.Context, *builder) error
}

// How many days ago some of the scenes were, from which the terms follow.
const (
	adminNamed   = 260
	opticsBegins = 250
	opticsEnded  = 120
	termBegan    = 30
)

// scenes is the school's history, oldest first.
var scenes = []scene{
	{"the first administrator is named", adminNamed, nameAdmin},
	{"the administrator names the teachers", 258, nameTeachers},
	{"the administrator plans the academic year", 257, planYear},
	{"the teachers arrive", 256, teachersArrive},
	{"Optics begins", opticsBegins, optics},
	{"the students of Optics arrive", 248, func(ctx context.Context, b *builder) error {
		return b.arrive(ctx, append(arriving(0, 28), joseph)...)
	}},
	{"Optics ends", opticsEnded, opticsEnds},
	{"the courses of this term begin", termBegan, thisTerm},
	{"Algorithms begins", 26, algorithms},
	{"people arrive", 22, func(ctx context.Context, b *builder) error {
		return b.arrive(ctx, append(arriving(28, 48), niels, evariste, bernhard)...)
	}},
	{"more people arrive", 21, func(ctx context.Context, b *builder) error { return b.arrive(ctx, arriving(48, 120)...) }},
	{"people arrive late", 15, func(ctx context.Context, b *builder) error {
		return b.arrive(ctx, append(arriving(120, studentCount), merian)...)
	}},
	{"Algorithms gets its staff", 20, algorithmsStaff},
	{"Ada welcomes her course", 19, welcome},
	{"what must not be possible is not", 9, refusals},
	{"a student leaves Algorithms", 3, studentLeaves},
	{"Ada announces the next weeks", 2, announce},
}

// The students of Algorithms, by number.
const (
	algorithmsFrom = 30
	algorithmsTo   = 72
)

func nameAdmin(ctx context.Context, b *builder) error {
	address, err := lms.ParseEmail(florence)
	if err != nil {
		return err
	}
	if err := b.svc.NameAdmins(ctx, []lms.Email{address}); err != nil {
		return err
	}
	return b.arrive(ctx, florence)
}

var teachers = []string{ada, emilie, sofja, caroline, carl, alhazen}

func nameTeachers(ctx context.Context, b *builder) error {
	for _, typed := range teachers {
		a, _ := account(typed)
		_, err := b.svc.NamePerson(ctx, b.as(florence), service.NewPerson{
			Email: typed, GivenName: a.GivenName, FamilyName: a.FamilyName, SiteRole: string(lms.SiteTeacher),
		}, nil)
		if err != nil {
			return err
		}
	}
	return nil
}

func teachersArrive(ctx context.Context, b *builder) error { return b.arrive(ctx, teachers...) }

// arriving are those of a range of students who have signed in.
func arriving(from, to int) []string {
	var list []string
	for n := from; n < to; n++ {
		if arrives(n) {
			list = append(list, student(n).Email)
		}
	}
	return list
}

// planYear makes an academic year around today with a term that is over, in
// which Optics was taught, and the one that is going on.
func planYear(ctx context.Context, b *builder) error {
	root := b.as(florence)
	u, err := b.svc.User(ctx, root, root.UserID)
	if err != nil {
		return err
	}
	today := u.ClaimedAt.AddDate(0, 0, adminNamed)
	first := func(day time.Time) time.Time { return time.Date(day.Year(), day.Month(), 1, 0, 0, 0, 0, time.UTC) }
	begins := first(today.AddDate(0, 0, -opticsBegins))
	firstEnds := first(today.AddDate(0, 0, -opticsEnded)).AddDate(0, 1, -1)
	secondBegins := first(today.AddDate(0, 0, -termBegan))
	ends := secondBegins.AddDate(0, 5, -1)
	name := fmt.Sprint(begins.Year())
	if ends.Year() != begins.Year() {
		name += "/" + ends.Format("06")
	}
	term := func(year int64, name string, begins, ends time.Time) (int64, error) {
		p, err := b.svc.CreateTerm(ctx, root, year, lms.PeriodFields{Name: name, Begins: lms.DayOf(begins), Ends: lms.DayOf(ends)}, nil)
		return p.ID, err
	}
	year, err := term(0, name, begins, ends)
	if err != nil {
		return err
	}
	if b.firstTerm, err = term(year, "First term", begins, firstEnds); err != nil {
		return err
	}
	b.secondTerm, err = term(year, "Second term", secondBegins, ends)
	return err
}

func optics(ctx context.Context, b *builder) error {
	t, err := b.createCourse(ctx, alhazen, lms.CourseFields{
		Title: "Optics", Code: "PH-210", Description: "Light, from the camera obscura to the spectrum.", TermID: b.firstTerm,
	})
	if err != nil {
		return err
	}
	return errors.Join(t.enroll(ctx, lms.RoleAssistant, joseph), t.enroll(ctx, lms.RoleStudent, students(0, 28)...))
}

func opticsEnds(ctx context.Context, b *builder) error {
	page, err := b.svc.Courses(ctx, b.as(alhazen), service.CoursesRequest{Limit: 10})
	if err != nil {
		return err
	}
	if len(page.Courses) != 1 {
		return fmt.Errorf("%d courses, not one", len(page.Courses))
	}
	_, err = b.svc.ArchiveCourse(ctx, b.as(alhazen), page.Courses[0].Course.ID, true)
	return err
}

func thisTerm(ctx context.Context, b *builder) error {
	for _, c := range []struct {
		owner    string
		fields   lms.CourseFields
		from, to int // students
		role     string
		people   []string
	}{
		{emilie, lms.CourseFields{Title: "Mechanics", Code: "PH-101", Description: "Forces, motion and what is conserved."}, 10, 66, lms.RoleObserver, []string{hertha}},
		{sofja, lms.CourseFields{Title: "Analysis", Code: "MA-110", Description: "Limits, series, and differential equations."}, 40, 110, lms.RoleAssistant, []string{bernhard}},
		{caroline, lms.CourseFields{Title: "Astronomy", Code: "PH-230", Description: "Comets and how to find them."}, 90, 130, lms.RoleObserver, []string{mary}},
		{carl, lms.CourseFields{Title: "Botany", Code: "BI-105", Description: "Plants, and how to name them."}, 120, studentCount, lms.RoleAssistant, []string{merian}},
	} {
		c.fields.TermID = b.secondTerm
		t, err := b.createCourse(ctx, c.owner, c.fields)
		if err != nil {
			return err
		}
		if err := errors.Join(t.enroll(ctx, c.role, c.people...), t.enroll(ctx, lms.RoleStudent, students(c.from, c.to)...)); err != nil {
			return err
		}
		switch c.owner {
		case carl:
			err = t.enroll(ctx, lms.RoleTeacher, banks)
		case sofja:
			err = errors.Join(t.enroll(ctx, lms.RoleObserver, ada), t.allow(ctx, bernhard, []lms.Privilege{lms.AuditView}, nil))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func algorithms(ctx context.Context, b *builder) error {
	t, err := b.createCourse(ctx, ada, lms.CourseFields{Title: "Algorithms", Code: "CS-201", TermID: b.secondTerm})
	if err != nil {
		return err
	}
	about := "From sorting to the Analytical Engine: how to tell a machine what to do."
	if _, err := b.svc.UpdateCourse(ctx, b.as(ada), t.id, service.CoursePatch{Description: &about}); err != nil {
		return err
	}
	return errors.Join(
		t.enroll(ctx, lms.RoleAssistant, niels),
		t.enroll(ctx, lms.RoleObserver, evariste),
		t.enroll(ctx, lms.RoleStudent, students(algorithmsFrom, algorithmsTo)...),
	)
}

// algorithmsOf finds Ada's course again.
func algorithmsOf(ctx context.Context, b *builder) (*teaching, error) {
	page, err := b.svc.Courses(ctx, b.as(ada), service.CoursesRequest{Limit: 10})
	if err != nil {
		return nil, err
	}
	for _, c := range page.Courses {
		if c.Course.Title == "Algorithms" {
			return &teaching{b: b, owner: ada, id: c.Course.ID}, nil
		}
	}
	return nil, errors.New("there is no course Algorithms of Ada's")
}

func algorithmsStaff(ctx context.Context, b *builder) error {
	t, err := algorithmsOf(ctx, b)
	if err != nil {
		return err
	}
	role, err := b.svc.CreateRole(ctx, b.as(ada), t.id, service.RoleFields{
		Name: "Lab tutor", Privileges: names([]lms.Privilege{lms.RosterView, lms.CourseUpdate}),
	}, nil)
	if err != nil {
		return err
	}
	if _, err := b.svc.SetRole(ctx, b.as(ada), service.RoleChange{CourseID: t.id, UserID: b.as(evariste).UserID, Role: role.Key}); err != nil {
		return err
	}
	return errors.Join(
		t.enroll(ctx, lms.RoleAssistant, sophie),
		t.enroll(ctx, lms.RoleTeacher, sofja),
		t.enroll(ctx, lms.RoleObserver, johannes),
		t.allow(ctx, sophie, []lms.Privilege{lms.AuditView}, nil),
		t.allow(ctx, charles, []lms.Privilege{lms.AuditView}, nil),
		t.allow(ctx, sofja, nil, []lms.Privilege{lms.CourseUpdate}),
	)
}

// tell announces something in the course.
func (t *teaching) tell(ctx context.Context, f lms.AnnouncementFields) (lms.Announcement, error) {
	return t.b.svc.CreateAnnouncement(ctx, t.b.as(t.owner), t.id, f, nil)
}

func welcome(ctx context.Context, b *builder) error {
	t, err := algorithmsOf(ctx, b)
	if err != nil {
		return err
	}
	_, err = t.tell(ctx, lms.AnnouncementFields{Title: "Welcome to Algorithms", Pinned: true, Body: `Everything about the course will be told here. **You need not register anywhere**: if you can read this, you are in.

- Lectures are on Mondays at 9:00 in the *Babbage hall*.
- The labs begin in the second week; Niels and Sophie run them.
- Bring a pencil. We begin with sorting, on paper.`})
	return err
}

func announce(ctx context.Context, b *builder) error {
	t, err := algorithmsOf(ctx, b)
	if err != nil {
		return err
	}
	a, err := t.tell(ctx, lms.AnnouncementFields{
		Title: "The lecture of next Monday is in room 12",
		Body:  "The Babbage hall is being painted. **Room 12** is on the ground floor, behind the library.",
	})
	if err != nil {
		return err
	}
	_, err = t.tell(ctx, lms.AnnouncementFields{
		Title: "How the exam will go", PublishAt: a.CreatedAt.Add(9 * 24 * time.Hour),
		Body: "Two hours, four questions, one of them about the *Analytical Engine*. You may bring one sheet of notes.",
	})
	return err
}

func refusals(ctx context.Context, b *builder) error {
	t, err := algorithmsOf(ctx, b)
	if err != nil {
		return err
	}
	_, err = b.svc.SetPrivileges(ctx, b.as(niels), service.PrivilegeChange{
		CourseID: t.id, Person: service.PersonRef{UserID: b.as(evariste).UserID}, Allow: names([]lms.Privilege{lms.StaffManage}),
	})
	if err := refused(err, "forbidden"); err != nil {
		return err
	}
	_, err = b.svc.Remove(ctx, b.as(ada), t.id, []int64{b.as(ada).UserID})
	return refused(err, "last-owner")
}

func studentLeaves(ctx context.Context, b *builder) error {
	t, err := algorithmsOf(ctx, b)
	if err != nil {
		return err
	}
	rows, err := b.svc.Remove(ctx, b.as(niels), t.id, []int64{b.as(student(algorithmsTo - 2).Email).UserID})
	if err != nil {
		return err
	}
	if rows[0].Result != service.ResultRemoved {
		return fmt.Errorf("remove a student: %s", rows[0].Message)
	}
	return nil
}
