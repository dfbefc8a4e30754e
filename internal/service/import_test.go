package service_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
	"matricula/internal/store"
)

// work has a node do everything that waits.
func (s *school) work() {
	s.tb.Helper()
	for {
		worked, err := s.WorkOnImport(ctx, "node")
		if err != nil {
			s.tb.Fatal(err)
		}
		if !worked {
			return
		}
	}
}

// list uploads a list and has it checked.
func (s *school) list(by access.Caller, course int64, text string, options ...lms.ImportOptions) lms.Import {
	s.tb.Helper()
	n := service.NewImport{CourseID: course, Name: "class.csv", Text: text}
	if len(options) > 0 {
		n.Options = options[0]
	}
	i, err := s.CreateImport(ctx, by, n, nil)
	if err != nil {
		s.tb.Fatal(err)
	}
	s.work()
	return s.read(by, i.ID)
}

func (s *school) read(by access.Caller, id int64) lms.Import {
	s.tb.Helper()
	i, _, err := s.Import(ctx, by, id)
	if err != nil {
		s.tb.Fatal(err)
	}
	return i
}

// carry starts an import and has it carried out.
func (s *school) carry(by access.Caller, id int64) lms.Import {
	s.tb.Helper()
	if _, err := s.StartImport(ctx, by, id, s.read(by, id).Counts[lms.PlanRemove]); err != nil {
		s.tb.Fatal(err)
	}
	s.work()
	return s.read(by, id)
}

func (s *school) rows(by access.Caller, id int64, show string) []service.ImportedRow {
	s.tb.Helper()
	p, err := s.ImportRows(ctx, by, service.ImportRowsRequest{ID: id, Show: show, Limit: 10_000})
	if err != nil {
		s.tb.Fatal(err)
	}
	return p.Rows
}

func counts(i lms.Import) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(i.Counts)) {
		if i.Counts[k] != 0 {
			parts = append(parts, fmt.Sprintf("%s %d", k, i.Counts[k]))
		}
	}
	return strings.Join(parts, ", ")
}

func is(tb testing.TB, what string, got, want string) {
	tb.Helper()
	if got != want {
		tb.Errorf("%s: %s, want %s", what, got, want)
	}
}

// roster is who is in a course, with what a list can say.
func (s *school) roster(course int64) string {
	s.tb.Helper()
	page, err := s.Roster(ctx, s.admin, service.RosterRequest{CourseID: course, Limit: 10_000})
	if err != nil {
		s.tb.Fatal(err)
	}
	var b strings.Builder
	for _, p := range page.People {
		if p.Enrollment == nil {
			continue
		}
		begins, ends := s.Days(p.Enrollment)
		fmt.Fprintf(&b, "%s %s %s/%s/%s/%s\n", p.User.Email, p.Enrollment.Role.Key, p.Enrollment.Section, p.Enrollment.Number, begins, ends)
	}
	return b.String()
}

const class = `Cognome;Nome;Indirizzo e-mail;Ruolo;Matricola;Gruppo;Dal;Al
Hopper;Grace;grace@uni.example;docente;;;;
Okoro;Sam;sam@uni.example;studente;00123;Lab A;1/10/2026;31/1/2027
Rossi;Mario;mario@uni.example;;00124;Lab B;;
`

func TestAListIsLookedOverAndThenCarriedOut(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		s.enroll(ada, course, "student", "mario@uni.example")
		users := s.count("users")
		i := s.list(ada, course, class)
		if i.State != lms.ImportReady || i.Rows != 3 || strings.Join(i.NewSections, ",") != "Lab A,Lab B" {
			t.Fatalf("%+v", i)
		}
		is(t, "the plan", counts(i), "add 2, change 1")
		if s.count("users") != users || s.count("sections") != 0 {
			t.Error("looking at a list has written something")
		}
		i = s.carry(ada, i.ID)
		is(t, "the state", string(i.State), "done")
		is(t, "the results", counts(i), "changed 1, named 2")
		is(t, "the roster", s.roster(course), "ada@uni.example owner ///\ngrace@uni.example teacher ///\nmario@uni.example student Lab B/00124//\nsam@uni.example student Lab A/00123/2026-10-01/2027-01-31\n")
		u, err := s.User(ctx, s.admin, s.rows(ada, i.ID, "named")[0].UserID)
		if err != nil || u.GivenName != "Grace" || u.FamilyName != "Hopper" || u.Status != lms.StatusPending {
			t.Errorf("%+v (%v)", u, err)
		}
		// I12: the same list again changes nothing.
		entries, was := s.count("audit_entries"), s.roster(course)
		again := s.list(ada, course, class)
		if again.ID == i.ID {
			t.Fatal("a list that is done was taken for a double click")
		}
		is(t, "the same list again", counts(again), "already 3")
		again = s.carry(ada, again.ID)
		is(t, "its results", counts(again), "already 3")
		is(t, "the roster", s.roster(course), was)
		if n := s.count("audit_entries") - entries; n != 2 { // that it came, and that it began
			t.Errorf("%d entries for a list that changed nothing", n)
		}
		if p, err := s.Imports(ctx, ada, course, 0, 1); err != nil || len(p.Imports) != 1 || p.Imports[0].ID != again.ID || p.Next == 0 {
			t.Errorf("the list of lists is %+v (%v)", p, err)
		}
	})
}

func TestF05AndF06EachRowSaysWhatIsWrongWithIt(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		users := s.count("users")
		i := s.list(ada, course, "E-mail,Role,Section,Start date\n"+
			"good@uni.example,student,Lab A,2026-10-01\n"+ // 2
			"not an address,student,,\n"+
			"role@uni.example,dean,,\n"+
			"date@uni.example,student,,2026-02-31\n"+
			",student,Lab B,\n"+ // 6
			"GOOD@Uni.Example,student,lab a,2026-10-01\n"+
			"good@uni.example,assistant,,\n"+
			"ada@uni.example,student,,\n"+
			"slip@gmial.com,student,,\n") // 10
		is(t, "the plan", counts(i), "add 1, already 1, ask 1, refused 6")
		for line, want := range map[int][2]string{
			3: {"refused", "cannot"}, 4: {"unknown-role", "no role \"dean\""}, 5: {"date-unreadable", "no day"}, 6: {"address-missing", "no address"},
			7: {"listed-twice", "line 2"}, 8: {"listed-differently", "line 2"}, 9: {"self-change", "themselves"}, 10: {"slip-domain", "gmail.com"},
		} {
			row := s.rows(ada, i.ID, "")[line-2]
			if row.Line != line || (line > 3 && row.Reason != want[0]) || (line > 3 && !strings.Contains(row.Text.String(), want[1])) {
				t.Errorf("line %d is %s: %s, want %s: %s", row.Line, row.Reason, row.Text, want[0], want[1])
			}
		}
		if row := s.rows(ada, i.ID, "")[2]; row.Cell != 2 {
			t.Errorf("the cell at fault is %d", row.Cell)
		}
		i = s.carry(ada, i.ID)
		is(t, "the results", counts(i), "already 1, left 1, named 1, refused 6")
		if n := s.count("users") - users; n != 1 {
			t.Errorf("%d people exist for one good row", n)
		}
		if n := s.count("sections"); n != 1 {
			t.Errorf("%d sections for one good row", n)
		}
	})
}

func TestWhatIsWrongIsMendedInPlaceAndCheckedAgain(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		i := s.list(ada, course, "E-mail,Role\nsam@gmial.com,student\nmario(at)uni.example,student\nx@uni.example,dean\ny@hotmial.com,student\n")
		is(t, "the plan", counts(i), "ask 2, refused 2")
		_, err := s.ChangeImport(ctx, ada, i.ID, service.ImportPatch{Rows: []service.ImportRowPatch{
			{Row: 1, Cells: map[string]string{"email": "sam@gmail.com"}},
			{Row: 2, Cells: map[string]string{"email": "mario@uni.example"}},
			{Row: 3, Choice: ptr("leave")},
			{Row: 4, Choice: ptr("sure")},
		}})
		if err != nil {
			t.Fatal(err)
		}
		refused(t, "while it is checked", second(s.ChangeImport(ctx, ada, i.ID, service.ImportPatch{Exact: ptr(true)})), lms.CodeConflict, "import-busy")
		refused(t, "begun while it is checked", second(s.StartImport(ctx, ada, i.ID, 0)), lms.CodeConflict, "import-busy")
		s.work()
		is(t, "mended", counts(s.read(ada, i.ID)), "add 3, left 1")
		for name, p := range map[string]service.ImportPatch{
			"unknown-row": {Rows: []service.ImportRowPatch{{Row: 5}}}, "unknown-choice": {Rows: []service.ImportRowPatch{{Row: 1, Choice: ptr("perhaps")}}},
			"unknown-column": {Rows: []service.ImportRowPatch{{Row: 1, Cells: map[string]string{"section": "x"}}}}, "unknown-role": {Role: ptr("dean")},
			"no-address-column": {Columns: map[string]int{"role": 1}},
		} {
			refused(t, name, second(s.ChangeImport(ctx, ada, i.ID, p)), lms.CodeInvalid, name)
		}
		is(t, "the results", counts(s.carry(ada, i.ID)), "left 1, named 3")
		refused(t, "after it is over", second(s.ChangeImport(ctx, ada, i.ID, service.ImportPatch{Exact: ptr(true)})), lms.CodeConflict, "import-over")
	})
}

func TestColumnsAreChosenOnceAndRemembered(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		text := "Kontakt,Gruppe,Kennung\nsam@uni.example,Lab A,7\n"
		i := s.list(ada, course, text)
		if i.State != lms.ImportColumns || strings.Join(i.Heading, ",") != "Kontakt,Gruppe,Kennung" || i.Columns["email"] != 0 {
			t.Fatalf("%+v", i)
		}
		refused(t, "begun without columns", second(s.StartImport(ctx, ada, i.ID, 0)), lms.CodeConflict, "import-over")
		if _, err := s.ChangeImport(ctx, ada, i.ID, service.ImportPatch{Columns: map[string]int{"email": 0, "section": 1, "student_number": 2}}); err != nil {
			t.Fatal(err)
		}
		s.work()
		is(t, "the plan", counts(s.read(ada, i.ID)), "add 1")
		s.carry(ada, i.ID)
		is(t, "the roster", s.roster(course), "ada@uni.example owner ///\nsam@uni.example student Lab A/7//\n")
		next := s.list(ada, course, "kontakt ,GRUPPE,Kennung\nmario@uni.example,Lab B,8\n")
		is(t, "next month's list", string(next.State)+" "+counts(next), "ready add 1")
		// A list of addresses alone needs no question.
		is(t, "addresses alone", counts(s.list(ada, course, "a@uni.example\nb@uni.example\n")), "add 2")
		if i := s.list(ada, course, "Ada,a@uni.example\nBea,b@uni.example\n"); i.State != lms.ImportColumns || i.Columns["email"] != 1 {
			t.Errorf("two columns without headings: %+v", i)
		}
		refused(t, "headings alone", second(s.CreateImport(ctx, ada, service.NewImport{CourseID: course, Text: "E-mail,Name\n"}, nil)), lms.CodeInvalid, "no-rows")
		refused(t, "nothing", second(s.CreateImport(ctx, ada, service.NewImport{CourseID: course}, nil)), lms.CodeInvalid, "file-empty")
	})
}

func TestWhatSomebodyHasSetByHandIsShownAndKept(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		s.carry(ada, s.list(ada, course, "E-mail,Section,Role\na@uni.example,Lab A,student\nb@uni.example,Lab A,student\nc@uni.example,Lab A,student\n").ID)
		id := func(email string) int64 { return s.idOf(email) }
		lab := s.section(ada, course, "Lab B")
		s.detail(ada, service.DetailsChange{CourseID: course, UserID: id("a@uni.example"), SectionID: &lab})
		if _, err := s.SetRole(ctx, ada, service.RoleChange{CourseID: course, UserID: id("b@uni.example"), Role: "observer"}); err != nil {
			t.Fatal(err)
		}
		i := s.list(ada, course, "E-mail,Section,Role,Number\na@uni.example,Lab C,student,1\nb@uni.example,Lab A,student,2\nc@uni.example,Lab C,student,3\n")
		// "Number" is no known heading: the others are.
		is(t, "the plan", counts(i), "change 1, conflict 2")
		conflicts := s.rows(ada, i.ID, "conflict")
		if d := conflicts[0].Differ; len(d) != 1 || d[0] != (lms.Differ{Field: "section", Is: "Lab B", Would: "Lab C", ByHand: true}) {
			t.Errorf("the first conflict is %+v", d)
		}
		if d := conflicts[1].Differ; len(d) != 1 || d[0] != (lms.Differ{Field: "role", Is: "observer", Would: "student", ByHand: true}) {
			t.Errorf("the second conflict is %+v", d)
		}
		if _, err := s.ChangeImport(ctx, ada, i.ID, service.ImportPatch{Rows: []service.ImportRowPatch{{Row: 2, Choice: ptr("file")}}}); err != nil {
			t.Fatal(err)
		}
		s.work()
		is(t, "the results", counts(s.carry(ada, i.ID)), "changed 2, left 1")
		is(t, "the roster", s.roster(course), "a@uni.example student Lab B///\nada@uni.example owner ///\nb@uni.example student Lab A///\nc@uni.example student Lab C///\n")
		// Filling in what is empty overwrites nothing, also for somebody who was added by hand.
		s.enroll(ada, course, "student", "d@uni.example")
		is(t, "filling in", counts(s.list(ada, course, "E-mail,Section\nd@uni.example,Lab A\n")), "change 1")
		is(t, "taking all of the list", counts(s.list(ada, course, "E-mail,Section\na@uni.example,Lab A\n", lms.ImportOptions{TakeFile: true})), "change 1")
	})
}

func TestTheRosterBecomesExactlyTheList(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		s.member(ada, course, "assistant", "tutor@uni.example")
		s.enroll(ada, course, "student", "stays@uni.example", "leaves@uni.example", "typo@uni.example", "also@uni.example")
		text := "E-mail\nstays@uni.example\nnew@uni.example\n"
		i := s.list(ada, course, text, lms.ImportOptions{Role: "student", Exact: true})
		is(t, "the plan", counts(i), "add 1, already 1, remove 3")
		refused(t, "without a look", second(s.StartImport(ctx, ada, i.ID, 0)), lms.CodeInvalid, "confirm-leaving")
		rows := s.rows(ada, i.ID, "remove")
		if len(rows) != 3 || !rows[0].Leaving || rows[0].Person == nil {
			t.Fatalf("%+v", rows)
		}
		i = s.carry(ada, i.ID)
		is(t, "the results", counts(i), "already 1, named 1, removed 3")
		is(t, "the roster", s.roster(course), "ada@uni.example owner ///\nnew@uni.example student ///\nstays@uni.example student ///\ntutor@uni.example assistant ///\n")
		if past, err := s.PastPeople(ctx, ada, course, 0, 10); err != nil || len(past.People) != 3 {
			t.Errorf("who was removed is on record: %+v (%v)", past, err)
		}
		is(t, "undone", string(s.undo(ada, i.ID).State), "undone")
		is(t, "the roster again", s.roster(course), "ada@uni.example owner ///\nalso@uni.example student ///\nleaves@uni.example student ///\nstays@uni.example student ///\ntutor@uni.example assistant ///\ntypo@uni.example student ///\n")
	})
}

func (s *school) undo(by access.Caller, id int64) lms.Import {
	s.tb.Helper()
	if _, err := s.UndoImport(ctx, by, id); err != nil {
		s.tb.Fatal(err)
	}
	s.work()
	return s.read(by, id)
}

func TestAnImportIsUndoneAsFarAsNobodyHasBuiltOnIt(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		s.enroll(ada, course, "student", "was@uni.example", "moved@uni.example")
		before := s.roster(course)
		i := s.list(ada, course, "E-mail,Section,Privileges\nnew@uni.example,Lab A,\nhelper@uni.example,Lab A,audit.view\nedited@uni.example,Lab A,\nwas@uni.example,Lab A,\nmoved@uni.example,Lab A,\nlater@uni.example,Lab A,\n")
		refused(t, "undone before it began", second(s.UndoImport(ctx, ada, i.ID)), lms.CodeConflict, "import-not-begun")
		i = s.carry(ada, i.ID)
		is(t, "the results", counts(i), "changed 2, named 4")
		s.clock.advance(time.Hour)
		s.detail(ada, service.DetailsChange{CourseID: course, UserID: s.idOf("edited@uni.example"), Number: ptr("7")})
		s.detail(ada, service.DetailsChange{CourseID: course, UserID: s.idOf("moved@uni.example"), SectionID: ptr(s.section(ada, course, "Lab B"))})
		s.carry(ada, s.list(ada, course, "E-mail,Section\nlater@uni.example,Lab B\n").ID)
		i = s.undo(ada, i.ID)
		is(t, "the state", string(i.State), "undone")
		stays := s.rows(ada, i.ID, service.ShowStays)
		var who []string
		for _, r := range stays {
			who = append(who, r.Says["email"]+" "+r.Undone)
		}
		is(t, "who stays", strings.Join(who, ", "), "edited@uni.example built-on, moved@uni.example built-on, later@uni.example built-on")
		is(t, "the roster", s.roster(course), "ada@uni.example owner ///\nedited@uni.example student Lab A/7//\nlater@uni.example student Lab B///\nmoved@uni.example student Lab B///\nwas@uni.example student ///\n")
		if s.held(course, s.idOf("was@uni.example")) != "" || before == "" {
			t.Error("something is left over")
		}
		if past, err := s.PastPeople(ctx, ada, course, 0, 10); err != nil || len(past.People) != 0 {
			t.Errorf("an import that was undone left past places: %+v (%v)", past, err)
		}
		again := s.undo(ada, i.ID)
		is(t, "undone twice", string(again.State), "undone")
	})
}

func TestC04AndC26AListReachesNoFurtherThanWhoeverBringsIt(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		helper := s.member(ada, course, "assistant", "h@uni.example")
		i := s.list(helper, course, "E-mail,Role,Privileges\na@uni.example,owner,\nb@uni.example,student,audit.view\nc@uni.example,student,\nada@uni.example,student,\n")
		is(t, "the plan", counts(i), "add 1, refused 3")
		stranger := s.teacher("x@uni.example")
		refused(t, "a stranger reads it", second2(s.Import(ctx, stranger, i.ID)), lms.CodeNotFound, "not-found")
		refused(t, "a stranger begins it", second(s.StartImport(ctx, stranger, i.ID, 0)), lms.CodeNotFound, "not-found")
		refused(t, "a stranger brings one", second(s.CreateImport(ctx, stranger, service.NewImport{CourseID: course, Text: "a@uni.example"}, nil)), lms.CodeNotFound, "not-found")
		student := s.member(ada, course, "student", "s@uni.example")
		refused(t, "a student brings one", second(s.CreateImport(ctx, student, service.NewImport{CourseID: course, Text: "a@uni.example"}, nil)), lms.CodeForbidden, "forbidden")
		// The right is withdrawn between the click and the work.
		if _, err := s.StartImport(ctx, helper, i.ID, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := s.SetRole(ctx, ada, service.RoleChange{CourseID: course, UserID: helper.UserID, Role: "observer"}); err != nil {
			t.Fatal(err)
		}
		users := s.count("users")
		s.work()
		if i = s.read(ada, i.ID); i.State != lms.ImportFailed || i.Fault != "forbidden" || s.count("users") != users {
			t.Errorf("%+v", i)
		}
	})
}

func second2[A, B any](_ A, _ B, err error) error { return err }

func TestD07TheSameListSentTwiceIsOneImport(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		node := s.grow(2)
		ids := make([]int64, 8)
		errs := parallel(len(ids), func(n int) error {
			var once *service.Once
			if n%2 == 0 {
				once = &service.Once{Route: "POST imports", Key: fmt.Sprint("k", n%4)}
			}
			i, err := node(n).CreateImport(ctx, ada, service.NewImport{CourseID: course, Text: class}, once)
			ids[n] = i.ID
			return err
		})
		for _, err := range errs {
			if err != nil {
				t.Fatal(err)
			}
		}
		if slices.Sort(ids); ids[0] != ids[len(ids)-1] {
			t.Errorf("several imports: %v", ids)
		}
		s.work()
		errs = parallel(8, func(n int) error {
			_, err := node(n).StartImport(ctx, ada, ids[0], 0)
			return err
		})
		for _, err := range errs {
			if err != nil {
				t.Fatal(err)
			}
		}
		// Two nodes at once: each chunk is carried out by one.
		errs = parallel(2, func(n int) error {
			for {
				worked, err := node(n).WorkOnImport(ctx, fmt.Sprint("node ", n))
				if err != nil || !worked {
					return err
				}
			}
		})
		for _, err := range errs {
			if err != nil {
				t.Fatal(err)
			}
		}
		s.work()
		i := s.read(ada, ids[0])
		is(t, "the results", string(i.State)+" "+counts(i), "done named 3")
	})
}

func TestAnImportMovesToAnotherNodeAndStopsWhereItIsTold(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		s.unlimited()
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		var b strings.Builder
		for n := range 3500 {
			fmt.Fprintf(&b, "p%04d@uni.example\n", n)
		}
		i := s.list(ada, course, b.String())
		is(t, "the plan", counts(i), "add 3500")
		if _, err := s.StartImport(ctx, ada, i.ID, 0); err != nil {
			t.Fatal(err)
		}
		// A node that dies holds its lease until it is over.
		if err := s.leaseTo("dead", i.ID); err != nil {
			t.Fatal(err)
		}
		if worked, err := s.WorkOnImport(ctx, "other"); err != nil || worked {
			t.Fatalf("the lease was ignored (%v)", err)
		}
		s.clock.advance(21 * time.Second)
		if worked, err := s.WorkOnImport(ctx, "other"); err != nil || !worked {
			t.Fatalf("the lease was never over (%v)", err)
		}
		s.work()
		i = s.read(ada, i.ID)
		is(t, "the results", string(i.State)+" "+counts(i), "done named 3500")
		if n := s.count("enrollments"); n != 3501 {
			t.Errorf("%d enrollments", n)
		}
		// Stopped between two batches, what is done stays and can be undone.
		i = s.list(ada, course, strings.ReplaceAll(b.String(), "p", "q"))
		if _, err := s.StartImport(ctx, ada, i.ID, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := s.CancelImport(ctx, ada, i.ID); err != nil {
			t.Fatal(err)
		}
		s.work()
		i = s.read(ada, i.ID)
		is(t, "canceled", string(i.State), "canceled")
		is(t, "undone", string(s.undo(ada, i.ID).State), "undone")
		// Thrown away before it began.
		i = s.list(ada, course, "z@uni.example\n")
		if i, err := s.CancelImport(ctx, ada, i.ID); err != nil || i.State != lms.ImportCanceled {
			t.Errorf("%+v (%v)", i, err)
		}
		if n := s.count("import_chunks WHERE import_id = " + fmt.Sprint(i.ID)); n != 0 {
			t.Errorf("%d chunks of what was thrown away are left", n)
		}
	})
}

// parallel runs something several times at once.
func parallel(n int, fn func(i int) error) []error {
	errs := make([]error, n)
	together(n, func(i int) { errs[i] = fn(i) })
	return errs
}

func (s *school) idOf(email string) int64 {
	s.tb.Helper()
	var id int64
	if err := s.raw.QueryRow(`SELECT user_id FROM emails WHERE address = $1`, email).Scan(&id); err != nil {
		s.tb.Fatalf("%s: %v", email, err)
	}
	return id
}

// leaseTo gives an import to a node that then does nothing.
func (s *school) leaseTo(node string, id int64) error {
	return s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		got, ok, err := tx.LeaseImport(ctx, node, s.clock.now(), s.clock.now().Add(20*time.Second))
		if err == nil && (!ok || got != id) {
			err = fmt.Errorf("import %d was not to be had", id)
		}
		return err
	})
}

func TestAListOfStaffWithSectionsStaysInThem(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		a, b := s.section(ada, course, "Lab A"), s.section(ada, course, "Lab B")
		tutor := s.member(ada, course, "assistant", "tutor@uni.example")
		s.detail(ada, service.DetailsChange{CourseID: course, UserID: tutor.UserID, LimitedTo: &[]int64{a}})
		ids := s.enroll(ada, course, "student", "in.a@uni.example", "in.b@uni.example", "gone.a@uni.example")
		for i, sec := range []int64{a, b, a} {
			s.detail(ada, service.DetailsChange{CourseID: course, UserID: ids[i], SectionID: &sec})
		}
		theirs := s.list(ada, course, "E-mail\nsecret@uni.example\n")
		refused(t, "the list of somebody else", second2(s.Import(ctx, tutor, theirs.ID)), lms.CodeNotFound, "not-found")
		if p, err := s.Imports(ctx, tutor, course, 0, 10); err != nil || len(p.Imports) != 0 {
			t.Errorf("they see the lists %+v (%v)", p, err)
		}
		i := s.list(tutor, course, "E-mail,Section\nin.a@uni.example,Lab A\nin.b@uni.example,Lab A\nnew@uni.example,\nother@uni.example,Lab B\nmore@uni.example,Lab C\n", lms.ImportOptions{Role: "student", Exact: true})
		is(t, "the plan", counts(i), "add 1, already 1, refused 3, remove 1")
		i = s.carry(tutor, i.ID)
		is(t, "the results", counts(i), "already 1, named 1, refused 3, removed 1")
		is(t, "the roster", s.roster(course), "ada@uni.example owner ///\nin.a@uni.example student Lab A///\nin.b@uni.example student Lab B///\nnew@uni.example student Lab A///\ntutor@uni.example assistant ///\n")
		if n := s.count("sections"); n != 2 {
			t.Errorf("%d sections", n)
		}
	})
}
