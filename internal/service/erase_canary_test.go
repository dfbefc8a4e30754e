package service_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"matricula/internal/lms"
	"matricula/internal/service"
	"matricula/internal/signin"
	"matricula/internal/store"
	"matricula/internal/store/storetest"
)

// contents is what every table holds, bytes too, as text.
func (s *school) contents() map[string]string {
	s.tb.Helper()
	tables := map[string]string{}
	for _, c := range s.db.Columns(s.tb, s.raw) {
		if _, done := tables[c.Table]; done {
			continue
		}
		rows, err := s.raw.Query(`SELECT * FROM ` + c.Table)
		if err != nil {
			s.tb.Fatal(err)
		}
		names, err := rows.Columns()
		if err != nil {
			s.tb.Fatal(err)
		}
		var b strings.Builder
		for rows.Next() {
			cells := make([]any, len(names))
			for i := range cells {
				cells[i] = new(any)
			}
			if err := rows.Scan(cells...); err != nil {
				s.tb.Fatal(err)
			}
			for _, cell := range cells {
				if v := *cell.(*any); v != nil {
					if bytes, ok := v.([]byte); ok {
						v = string(bytes)
					}
					fmt.Fprint(&b, v, "\t")
				}
			}
			b.WriteByte('\n')
		}
		if err := rows.Err(); err != nil {
			s.tb.Fatal(err)
		}
		rows.Close()
		tables[c.Table] = b.String()
	}
	return tables
}

// canaries are the words of the person that no table may hold afterwards, in lower
// case: names, both addresses, the student number, the identifier of the student
// system, the browser and the name of a token.
var canaries = []string{"canari", "birdsong", "cn-48151", "sis-canary", "peculiar browser"}

// finds tells in which tables the canaries are.
func (s *school) finds() map[string][]string {
	s.tb.Helper()
	found := map[string][]string{}
	for table, text := range s.contents() {
		for _, canary := range canaries {
			if strings.Contains(strings.ToLower(text), canary) {
				found[table] = append(found[table], canary)
			}
		}
	}
	return found
}

// TestH08NoTableHoldsAnythingOfSomebodyWhoWasErased takes a person through
// everything that Matricula does with people, erases them, and reads the whole
// database.
func TestH08NoTableHoldsAnythingOfSomebodyWhoWasErased(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada, bob := s.teacher("ada@uni.example"), s.teacher("bob@uni.example")
		course, past := s.course(ada, "Algorithms"), s.course(ada, "Compilers")
		const typed = "Canarius@UNI.example"
		// Named by a program that may repeat itself.
		named, err := s.NamePerson(ctx, s.admin, service.NewPerson{Email: typed, GivenName: "Canaria", FamilyName: "Birdsong"}, &service.Once{Route: "POST /x", Key: "k", Body: []byte("b")})
		if err != nil {
			t.Fatal(err)
		}
		id := named.ID
		// Brought by a list, which was carried out, by one that was not, and by one that
		// is called after them and asks whether they were meant.
		head := "email,given name,family name,student number\n"
		s.carry(ada, s.list(ada, course, head+typed+",Canaria,Birdsong,CN-48151\nother@uni.example,Other,Person,1\n").ID)
		waiting := s.list(ada, past, head+"canarius@uni.example,Canaria,Birdsong,CN-48151\nnot an address,,,\n")
		slip, err := s.CreateImport(ctx, ada, service.NewImport{CourseID: course, Name: "for canarius@uni.example.csv", Text: head + "cabarius@uni.example,Someone,Else,2\n"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		s.work()
		// A note by hand, a place that ended, privileges, and who they are elsewhere.
		s.detail(ada, service.DetailsChange{CourseID: course, UserID: id, Number: ptr("CN-48151-B")})
		s.enroll(ada, past, "student", typed)
		s.detail(ada, service.DetailsChange{CourseID: past, UserID: id, Number: ptr("CN-48151")})
		if _, err := s.Remove(ctx, ada, past, []int64{id}); err != nil {
			t.Fatal(err)
		}
		s.set(ada, course, byID(id), []string{"roster.manage", "staff.manage", "audit.view"}, nil)
		src, err := s.CreateSource(ctx, s.admin, service.SourceFields{Name: "SIS", Kind: "upload"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		err = s.store.Write(ctx, func(_ context.Context, tx *store.Tx) error {
			if err := tx.PutSourced(ctx, src.ID, "user", []store.Sourced{{ID: "sis-canary", Local: id}}); err != nil {
				return err
			}
			run := lms.SourceRun{SourceID: src.ID, StartedBy: s.admin.UserID, StartedAt: s.clock.now(), State: lms.RunDone, Notes: []lms.Text{lms.Say("%s cannot be used.", typed)}}
			var err error
			if run.ID, err = tx.CreateRun(ctx, run); err != nil {
				return err
			}
			return tx.UpdateRun(ctx, run)
		})
		if err != nil {
			t.Fatal(err)
		}
		// Mail to them, to the address before anybody had it, and a code that waits.
		err = s.store.Write(ctx, func(_ context.Context, tx *store.Tx) error {
			now := s.clock.now()
			for event, user := range map[string]int64{"a": id, "b": lms.SystemUserID} {
				if _, err := tx.AddMail(ctx, lms.Mail{Kind: lms.MailNamed, UserID: user, Address: "canarius@uni.example", Event: event, CreatedBy: ada.UserID, CreatedAt: now, NextAt: now}); err != nil {
					return err
				}
				proof := store.Proof{Kind: store.ProofSignIn, SecretHash: []byte(event), UserID: user, Address: "canarius@uni.example", Token: `{"name":"Canaria"}`, CodeHash: []byte("c"), CreatedAt: now, ExpiresAt: now.Add(time.Hour)}
				if _, err := tx.AddProof(ctx, proof); err != nil {
					return err
				}
			}
			_, err := tx.AddNotice(ctx, id, course, ada.UserID, []byte("answer"), false, now)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		// They arrive, change their address, act, and ask to be erased.
		if _, err := s.SignIn(ctx, campus, signin.Token{Issuer: campus.Issuer, Subject: "canary", Email: "canarius@uni.example", EmailVerified: signin.VerifiedTrue, GivenName: "Canaria", FamilyName: "Birdsong", Name: "Canaria B. Birdsong"}, "Peculiar Browser", "r"); err != nil {
			t.Fatal(err)
		}
		in, err := s.SignIn(ctx, campus, signin.Token{Issuer: campus.Issuer, Subject: "canary", Email: "canaria.new@uni.example", EmailVerified: signin.VerifiedTrue, GivenName: "Canaria", FamilyName: "Birdsong", Name: "Canaria B. Birdsong"}, "Peculiar Browser", "r")
		if err != nil || in.User.ID != id {
			t.Fatalf("%+v (%v)", in.User, err)
		}
		canary := s.bySession(in.Secret)
		if _, err := s.CreateToken(ctx, canary, service.NewToken{Name: "Canaria's script"}, &service.Once{Route: "POST /t", Key: "t", Body: []byte("b")}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.SetLanguage(ctx, canary, "it"); err != nil {
			t.Fatal(err)
		}
		s.enroll(canary, course, "student", "pupil@uni.example")
		if _, err := s.AskErasure(ctx, canary, "I, Canaria Birdsong, leave."); err != nil {
			t.Fatal(err)
		}
		// A copy that leaves them out says so by name.
		s.enroll(ada, course, "assistant", "bob@uni.example")
		s.set(ada, course, byID(bob.UserID), []string{"staff.manage"}, nil)
		if _, err := s.CopyCourse(ctx, bob, course, service.CourseCopy{Title: "Copy", Staff: true}, &service.Once{Route: "POST /c", Key: "c", Body: []byte("b")}); err != nil {
			t.Fatal(err)
		}

		before := s.finds()
		for _, table := range []string{"users", "emails", "identities", "sessions", "api_tokens", "enrollments", "past_places", "import_chunks", "imports", "idempotency_keys", "sourced_ids", "source_runs", "mails", "proofs", "audit_entries", "erasure_requests"} {
			if before[table] == nil {
				t.Errorf("the canary never came to %s, so that this test proves nothing about it", table)
			}
		}
		s.erase(id)
		for table, words := range s.finds() {
			t.Errorf("%s still holds %v:\n%s", table, words, lms.Clip(s.contents()[table], 4000))
		}
		if n := s.count(`enrollments WHERE user_id = $1`, id) + s.count(`past_places WHERE user_id = $1`, id); n != 2 {
			t.Errorf("%d places are left of two", n)
		}
		if n := s.count(`notices`); n != 0 {
			t.Errorf("%d notices are left", n)
		}
		if n := s.count(`enrollments WHERE added_by = $1`, id); n != 1 {
			t.Errorf("%d people are known to have been added by the erased", n)
		}
		// Lists go on without them: what was not carried out names nobody anew.
		if rows := s.rows(ada, waiting.ID, ""); rows[0].Plan != lms.PlanLeft || len(rows[0].Cells) != 0 {
			t.Errorf("the row that waited is %+v", rows[0].ImportRow)
		}
		s.carry(ada, waiting.ID)
		if _, known, err := s.store.Reader().UserByAddress(ctx, "canarius@uni.example"); known || err != nil {
			t.Errorf("the list named the erased anew (%v)", err)
		}
		if rows := s.rows(ada, slip.ID, ""); rows[0].Cells[0] != "cabarius@uni.example" {
			t.Errorf("the row of somebody else is %+v", rows[0].ImportRow)
		}
		// A program that repeats itself hears what became of the person.
		again, err := s.NamePerson(ctx, s.admin, service.NewPerson{Email: typed, GivenName: "Canaria", FamilyName: "Birdsong"}, &service.Once{Route: "POST /x", Key: "k", Body: []byte("b")})
		if err != nil || again.ID != id || again.Email != "" {
			t.Errorf("the answer that was kept is %+v (%v)", again, err)
		}
		if s.db.Engine == storetest.SQLite {
			if n := s.count(`user_search WHERE user_search MATCH '"birdsong"'`); n != 0 {
				t.Error("the search index still finds the name")
			}
		}
	})
}
