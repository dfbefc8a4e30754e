package store_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"matricula/internal/lms"
	"matricula/internal/store"
	"matricula/internal/store/storetest"
)

func TestTimesComeBackAsTheyWereWrittenWhateverTheirZone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		for i, when := range []time.Time{
			now, time.Date(2026, 10, 25, 2, 30, 0, 0, time.FixedZone("CEST", 7200)), time.Date(1999, 12, 31, 23, 59, 59, 999_999_999, time.UTC),
			time.Date(2100, 1, 1, 0, 0, 0, 1000, time.FixedZone("", -12*3600-1800)),
		} {
			var id int64
			write(t, st, func(tx *store.Tx) (err error) {
				if id, err = tx.CreateCourse(ctx, lms.Course{Title: fmt.Sprint(i), CreatedBy: lms.SystemUserID, CreatedAt: when}); err != nil {
					return err
				}
				return tx.ArchiveCourse(ctx, id, when)
			})
			c, ok, err := st.Reader().Course(ctx, id)
			want := when.UTC().Truncate(time.Microsecond)
			if err != nil || !ok || c.CreatedAt != want || c.ArchivedAt != want {
				t.Errorf("%v came back as %v and %v (%v)", when, c.CreatedAt, c.ArchivedAt, err)
			}
		}
	})
}

func TestACourseHasItsPresetRolesAndIsChangedArchivedAndHidden(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		id, roles := course(t, st, "Algorithms")
		for i, want := range lms.PresetRoles() {
			got := roles[want.Key]
			want.ID, want.CourseID = got.ID, id
			if got != want || got.ID == 0 {
				t.Errorf("role %d is %+v, want %+v", i, got, want)
			}
		}
		write(t, st, func(tx *store.Tx) error {
			return tx.UpdateCourse(ctx, id, lms.CourseFields{Title: "Algorithms II", Code: "CS-2", Description: "More."})
		})
		c, _, err := st.Reader().Course(ctx, id)
		if want := (lms.Course{ID: id, Title: "Algorithms II", Code: "CS-2", Description: "More.", CreatedBy: lms.SystemUserID, CreatedAt: now}); err != nil || c != want {
			t.Errorf("got %+v, want %+v (%v)", c, want, err)
		}
		write(t, st, func(tx *store.Tx) error { return tx.ArchiveCourse(ctx, id, time.Time{}) })
		if c, _, err := st.Reader().Course(ctx, id); err != nil || c.Archived() {
			t.Errorf("restored, it is %+v (%v)", c, err)
		}
		write(t, st, func(tx *store.Tx) error { return tx.DeleteCourse(ctx, id, now) })
		if _, ok, err := st.Reader().Course(ctx, id); ok || err != nil {
			t.Errorf("a deleted course is read (%v)", err)
		}
		if _, _, ok, err := st.Reader().Standing(ctx, id, lms.SystemUserID); ok || err != nil {
			t.Errorf("somebody stands in a deleted course (%v)", err)
		}
		write(t, st, func(tx *store.Tx) error {
			return tx.LockCourse(ctx, id) // whoever was too late finds nothing, and no error
		})
	})
}

func TestCoursesAreListedNewestFirstWithOnesPlaceInThem(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		me := active(t, st, "me@uni.example")
		var mine, all []int64
		for i := range 7 {
			id, roles := course(t, st, fmt.Sprint("Course ", i))
			all = append(all, id)
			grant := func(allow, deny lms.PrivilegeSet) {
				write(t, st, func(tx *store.Tx) error {
					return tx.SetGrant(ctx, lms.Grant{UserID: me, CourseID: id, Allow: allow, Deny: deny, GrantedBy: lms.SystemUserID, GrantedAt: now})
				})
			}
			switch i {
			case 0, 3:
				enroll(t, st, roles["student"], me)
				mine = append(mine, id)
			case 1: // privileges alone are a place
				grant(lms.SetOf(lms.RosterView), 0)
				mine = append(mine, id)
			case 2: // a denial alone is none
				grant(0, lms.SetOf(lms.RosterView))
			case 4: // both are one course, not two
				enroll(t, st, roles["teacher"], me)
				grant(lms.SetOf(lms.CourseArchive), 0)
				mine = append(mine, id)
			case 5:
				enroll(t, st, roles["student"], me)
				write(t, st, func(tx *store.Tx) error { return tx.DeleteCourse(ctx, id, now) })
				all = all[:len(all)-1]
			}
		}
		slices.Reverse(mine)
		slices.Reverse(all)
		for _, whole := range []bool{false, true} {
			want := mine
			if whole {
				want = all
			}
			var got []int64
			for before := int64(1 << 60); ; {
				list, err := st.Reader().Courses(ctx, store.CoursesQuery{UserID: me, All: whole, Before: before, Limit: 2})
				if err != nil {
					t.Fatal(err)
				}
				for _, c := range list {
					got = append(got, c.Course.ID)
					before = c.Course.ID
					if in := slices.Contains(mine, c.Course.ID); in != (c.Member.Enrollment != nil || c.Member.Effective() != 0) {
						t.Errorf("course %d: the place is %+v", c.Course.ID, c.Member)
					}
				}
				if len(list) < 2 {
					break
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("all %v: %v, want %v", whole, got, want)
			}
		}
	})
}

func TestEnrollingPutsEachPersonInOnceAndTellsWhoIsNew(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		id, roles := course(t, st, "Algorithms")
		ids := nameAll(t, st, "a@uni.example", "b@uni.example", "c@uni.example")
		e := lms.Enrollment{CourseID: id, Role: roles["student"], Source: lms.SourcePaste, AddedBy: lms.SystemUserID, CreatedAt: now}
		enrollIDs := func(list ...int64) (added []int64) {
			write(t, st, func(tx *store.Tx) (err error) {
				added, err = tx.Enroll(ctx, list, e)
				return err
			})
			slices.Sort(added)
			return added
		}
		if got := enrollIDs(ids[0], ids[1]); !slices.Equal(got, ids[:2]) {
			t.Errorf("first %v", got)
		}
		e.Role = roles["teacher"]
		if got := enrollIDs(ids...); !slices.Equal(got, ids[2:]) {
			t.Errorf("then %v", got)
		}
		if got := enrollIDs(); len(got) != 0 {
			t.Errorf("of nobody %v", got)
		}
		members, err := st.Reader().MembersByID(ctx, id, append(ids, 999_999))
		if err != nil || len(members) != 3 {
			t.Fatalf("%d members (%v)", len(members), err)
		}
		for i, m := range members {
			want := "student"
			if i == 2 {
				want = "teacher"
			}
			if m.User.ID != ids[i] || m.Enrollment.Role.Key != want || m.Enrollment.Source != lms.SourcePaste {
				t.Errorf("member %d is %+v in the role %s", i, m.User, m.Enrollment.Role.Key)
			}
		}
		write(t, st, func(tx *store.Tx) error {
			if err := tx.SetRole(ctx, lms.Enrollment{CourseID: id, UserID: ids[0], Role: roles["observer"], AddedBy: lms.SystemUserID}); err != nil {
				return err
			}
			if err := tx.SetGrant(ctx, lms.Grant{UserID: ids[1], CourseID: id, Allow: lms.SetOf(lms.AuditView), GrantedBy: lms.SystemUserID, GrantedAt: now}); err != nil {
				return err
			}
			return tx.RemoveMembers(ctx, id, []int64{ids[1], ids[2]}, lms.SystemUserID, now)
		})
		members, err = st.Reader().MembersByID(ctx, id, ids)
		if err != nil || members[0].Enrollment.Role.Key != "observer" || members[1].Enrollment != nil || members[1].Grant != nil || members[2].Enrollment != nil {
			t.Errorf("in the end %+v (%v)", members, err)
		}
		counted, err := st.Reader().RolesOf(ctx, id)
		if err != nil || len(counted) != len(roles) {
			t.Errorf("roles %v (%v)", counted, err)
		}
		for _, o := range counted {
			want := map[string]int64{"observer": 1}[o.Role.Key]
			if o.People != want || o.Role.ID != roles[o.Role.Key].ID {
				t.Errorf("%d people are %+v, want %d", o.People, o.Role, want)
			}
		}
	})
}

func TestOnlyOwnersWhoHaveArrivedCount(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		id, roles := course(t, st, "Algorithms")
		arrived, waiting, suspended := active(t, st, "a@uni.example"), nameOne(t, st, "b@uni.example"), active(t, st, "c@uni.example")
		teacher := active(t, st, "d@uni.example")
		enroll(t, st, roles["owner"], arrived, waiting, suspended)
		enroll(t, st, roles["teacher"], teacher)
		write(t, st, func(tx *store.Tx) error { return tx.SetStatus(ctx, suspended, lms.StatusSuspended) })
		if n, err := st.Reader().ActiveOwners(ctx, id); err != nil || n != 1 {
			t.Errorf("%d active owners, want 1 (%v)", n, err)
		}
		for who, want := range map[int64]int{arrived: 1, waiting: 0, suspended: 0, teacher: 0} {
			list, err := st.Reader().SoleOwnerships(ctx, who)
			if err != nil || len(list) != want {
				t.Errorf("user %d is the only active owner of %v, want %d (%v)", who, list, want, err)
			}
		}
		activate(t, st, waiting, "b@uni.example")
		if list, err := st.Reader().SoleOwnerships(ctx, arrived); err != nil || len(list) != 0 {
			t.Errorf("with a second owner, %v (%v)", list, err)
		}
	})
}

// errKeep ends a transaction that must not be kept.
var errKeep = errors.New("not to be kept")

func TestCustomRolesBelongToTheirCourse(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		id, roles := course(t, st, "Algorithms")
		other, _ := course(t, st, "Botany")
		tutor := lms.Role{CourseID: id, Key: "tutor", Name: "Tutor", Privileges: lms.SetOf(lms.RosterView)}
		write(t, st, func(tx *store.Tx) (err error) {
			var ok bool
			if tutor.ID, ok, err = tx.CreateRole(ctx, tutor); err != nil || !ok {
				t.Errorf("created: %v (%v)", ok, err)
			}
			if _, ok, err = tx.CreateRole(ctx, tutor); err != nil || ok {
				t.Errorf("created twice: %v (%v)", ok, err)
			}
			elsewhere := tutor
			elsewhere.CourseID = other
			if _, ok, err = tx.CreateRole(ctx, elsewhere); err != nil || !ok {
				t.Errorf("created in another course: %v (%v)", ok, err)
			}
			return nil
		})
		write(t, st, func(tx *store.Tx) error {
			tutor.Name, tutor.Key = "Lab tutor", "lab-tutor"
			if ok, err := tx.UpdateRole(ctx, tutor); err != nil || !ok {
				t.Errorf("updated: %v (%v)", ok, err)
			}
			// Through another course, and presets, nothing changes.
			stray := tutor
			stray.CourseID, stray.Name = other, "Stray"
			if _, err := tx.UpdateRole(ctx, stray); err != nil {
				t.Error(err)
			}
			if err := tx.DeleteRole(ctx, other, tutor.ID); err != nil {
				t.Error(err)
			}
			preset := roles["observer"]
			preset.Name = "Spy"
			if _, err := tx.UpdateRole(ctx, preset); err != nil {
				t.Error(err)
			}
			return tx.DeleteRole(ctx, id, roles["observer"].ID)
		})
		list, err := st.Reader().Roles(ctx, id)
		if err != nil || len(list) != 6 || list[5] != tutor || list[3] != roles["observer"] {
			t.Errorf("roles %+v (%v)", list, err)
		}
		err = st.Write(ctx, func(_ ctxT, tx *store.Tx) error {
			tutor.Key = "owner"
			if ok, err := tx.UpdateRole(ctx, tutor); ok || err != nil {
				t.Errorf("a role took the key of another: %v (%v)", ok, err)
			}
			return errKeep
		})
		if !errors.Is(err, errKeep) {
			t.Error(err)
		}
		write(t, st, func(tx *store.Tx) error { return tx.DeleteRole(ctx, id, tutor.ID) })
		if list, err := st.Reader().Roles(ctx, id); err != nil || len(list) != 5 {
			t.Errorf("after the deletion %d roles (%v)", len(list), err)
		}
	})
}

func TestSessionsEndByTimeByHandAndWithTheirNumber(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		me := active(t, st, "me@uni.example")
		add := func(name string, expires time.Time) (id int64) {
			write(t, st, func(tx *store.Tx) (err error) {
				id, err = tx.AddSession(ctx, []byte(name), lms.Session{UserID: me, CreatedAt: now, ExpiresAt: expires, UserAgent: "Browser " + name})
				return err
			})
			return id
		}
		find := func(name string, at time.Time) bool {
			s, u, ok, err := st.Reader().Session(ctx, []byte(name), at)
			if err != nil {
				t.Fatal(err)
			}
			if ok && (u.ID != me || s.UserID != me || s.UserAgent != "Browser "+name) {
				t.Errorf("session %s is %+v of %+v", name, s, u)
			}
			return ok
		}
		first := add("first", now.Add(time.Hour))
		if !find("first", now) || find("first", now.Add(time.Hour)) || find("firs", now) || find("", now) {
			t.Error("a session lives until it expires, under its own secret")
		}
		write(t, st, func(tx *store.Tx) error {
			return tx.TouchSession(ctx, first, now.Add(time.Minute), now.Add(2*time.Hour))
		})
		if !find("first", now.Add(time.Hour)) {
			t.Error("a session that was used ended all the same")
		}
		second := add("second", now.Add(time.Hour))
		other := active(t, st, "other@uni.example")
		write(t, st, func(tx *store.Tx) error {
			if ended, err := tx.EndSession(ctx, other, second); ended || err != nil {
				t.Errorf("somebody else ended a session: %v (%v)", ended, err)
			}
			if ended, err := tx.EndSession(ctx, me, second); !ended || err != nil {
				t.Errorf("its owner could not end it: %v (%v)", ended, err)
			}
			return nil
		})
		if find("second", now) || !find("first", now) {
			t.Error("ending one session ended another")
		}
		for i := range store.MaxSessions {
			add(fmt.Sprint("more", i), now.Add(time.Hour))
		}
		list, err := st.Reader().Sessions(ctx, me, now)
		if err != nil || len(list) != store.MaxSessions || find("first", now) || !find("more0", now) {
			t.Errorf("%d sessions, the oldest there: %v (%v)", len(list), find("first", now), err)
		}
		if !slices.IsSortedFunc(list, func(a, b lms.Session) int { return int(b.ID - a.ID) }) {
			t.Error("sessions are not listed newest first")
		}
		write(t, st, func(tx *store.Tx) error {
			n, err := tx.EndSessions(ctx, me, list[0].ID)
			if n != store.MaxSessions-1 {
				t.Errorf("%d others ended", n)
			}
			return err
		})
		write(t, st, func(tx *store.Tx) error { return tx.SetStatus(ctx, me, lms.StatusSuspended) })
		if find("more19", now) {
			t.Error("a suspended person has a session")
		}
	})
}

func TestTokensLiveUntilTheyExpireOrAreRevoked(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		me, other := active(t, st, "me@uni.example"), active(t, st, "other@uni.example")
		tokens := []lms.APIToken{
			{UserID: me, Name: "forever", Hint: "abcd", Scopes: []lms.Scope{lms.ScopeRead, lms.ScopeWrite}, CourseIDs: []int64{}, CreatedAt: now},
			{UserID: me, Name: "an hour", Hint: "efgh", Scopes: []lms.Scope{lms.ScopeRead}, CourseIDs: []int64{3, 4}, CreatedAt: now, ExpiresAt: now.Add(time.Hour)},
		}
		for i := range tokens {
			write(t, st, func(tx *store.Tx) (err error) {
				tokens[i].ID, err = tx.AddToken(ctx, []byte(tokens[i].Name), tokens[i])
				return err
			})
			got, u, ok, err := st.Reader().Token(ctx, []byte(tokens[i].Name), now)
			if err != nil || !ok || u.ID != me || fmt.Sprint(got) != fmt.Sprint(tokens[i]) {
				t.Errorf("got %+v of %d, want %+v (%v)", got, u.ID, tokens[i], err)
			}
		}
		if _, _, ok, err := st.Reader().Token(ctx, []byte("an hour"), now.Add(time.Hour)); ok || err != nil {
			t.Errorf("it outlives its hour (%v)", err)
		}
		if n, err := st.Reader().CountTokens(ctx, me); n != 2 || err != nil {
			t.Errorf("%d tokens (%v)", n, err)
		}
		if list, err := st.Reader().Tokens(ctx, me, 1<<60, 10); err != nil || len(list) != 2 || list[0].ID != tokens[1].ID {
			t.Errorf("listed %v (%v)", list, err)
		}
		write(t, st, func(tx *store.Tx) error {
			if ok, err := tx.RevokeToken(ctx, other, tokens[0].ID); ok || err != nil {
				t.Errorf("somebody else revoked it: %v (%v)", ok, err)
			}
			if ok, err := tx.RevokeToken(ctx, me, tokens[0].ID); !ok || err != nil {
				t.Errorf("its owner could not: %v (%v)", ok, err)
			}
			return tx.TouchToken(ctx, tokens[1].ID, now.Add(time.Minute))
		})
		if _, _, ok, err := st.Reader().Token(ctx, []byte("forever"), now); ok || err != nil {
			t.Errorf("a revoked token is found (%v)", err)
		}
		got, _, _, err := st.Reader().Token(ctx, []byte("an hour"), now)
		if err != nil || !got.LastUsedAt.Equal(now.Add(time.Minute)) {
			t.Errorf("last used %v (%v)", got.LastUsedAt, err)
		}
	})
}

func TestD19AnAttemptIsTakenOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		nodes := nodes(t, db, 3)
		a := store.Attempt{StateHash: []byte("state"), BrowserHash: []byte{0, 255, 1}, Provider: "google", Nonce: "n", Verifier: "v", Next: "/courses/1", ExpiresAt: now.Add(time.Minute)}
		for range 10 {
			write(t, nodes[0], func(tx *store.Tx) error { return tx.AddAttempt(ctx, a) })
			var taken atomic.Int32
			together(50, func(i int) {
				write(t, nodes[i%len(nodes)], func(tx *store.Tx) error {
					got, ok, err := tx.TakeAttempt(ctx, a.StateHash)
					if ok {
						taken.Add(1)
						if fmt.Sprint(got) != fmt.Sprint(a) {
							t.Errorf("got %v, want %v", got, a)
						}
					}
					return err
				})
			})
			if taken.Load() != 1 {
				t.Fatalf("taken %d times", taken.Load())
			}
		}
	})
}

func TestWhatHasEndedIsRemovedAndNothingElse(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		me := active(t, st, "me@uni.example")
		write(t, st, func(tx *store.Tx) error {
			for i, ends := range []time.Time{now, now.Add(time.Microsecond)} {
				if _, err := tx.AddSession(ctx, []byte{byte(i)}, lms.Session{UserID: me, CreatedAt: now, ExpiresAt: ends}); err != nil {
					return err
				}
				if err := tx.AddAttempt(ctx, store.Attempt{StateHash: []byte{byte(i)}, BrowserHash: []byte{1}, ExpiresAt: ends}); err != nil {
					return err
				}
				if _, _, _, err := tx.TakeKey(ctx, store.Key{UserID: me, Route: "r", Key: fmt.Sprint(i), Fingerprint: []byte{1}}, ends.Add(-time.Hour)); err != nil {
					return err
				}
				if _, err := tx.AddToken(ctx, []byte{byte(i)}, lms.APIToken{UserID: me, CreatedAt: now, ExpiresAt: ends}); err != nil {
					return err
				}
				if _, _, err := tx.AskErasure(ctx, me, "", ends); err != nil {
					return err
				}
				if _, err := tx.DecideErasure(ctx, me, lms.ErasureRefused, me, "", ends); err != nil {
					return err
				}
			}
			return tx.Expire(ctx, store.Expiry{Now: now, Keys: now.Add(-time.Hour), Tokens: now, Requests: now, Mails: now.Add(-time.Hour)})
		})
		for _, table := range []string{"sessions", "signin_attempts", "idempotency_keys", "api_tokens", "erasure_requests"} {
			if n := storetest.Query1[int](t, db.SQL(t), `SELECT count(*) FROM `+table); n != 1 {
				t.Errorf("%d rows are left in %s, want 1", n, table)
			}
		}
	})
}

func TestF21AnIdempotencyKeyIsTakenOnceForEachUserAndRoute(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		nodes := nodes(t, db, 3)
		me, other := active(t, nodes[0], "me@uni.example"), active(t, nodes[0], "other@uni.example")
		key := store.Key{UserID: me, Route: "POST /courses", Key: "k1", Fingerprint: []byte("body")}
		var took, told atomic.Int32
		together(30, func(i int) {
			write(t, nodes[i%len(nodes)], func(tx *store.Tx) error {
				taken, fingerprint, answer, err := tx.TakeKey(ctx, key, now)
				if err != nil || taken {
					took.Add(1)
					if err == nil {
						err = tx.AnswerKey(ctx, key, `{"id":7}`)
					}
					return err
				}
				if string(fingerprint) != "body" || answer != `{"id":7}` {
					t.Errorf("a second request was told %q %q", fingerprint, answer)
				}
				told.Add(1)
				return nil
			})
		})
		if took.Load() != 1 || told.Load() != 29 {
			t.Errorf("%d took the key and %d were told the answer", took.Load(), told.Load())
		}
		for _, k := range []store.Key{{UserID: other, Route: key.Route, Key: key.Key}, {UserID: me, Route: "POST /other", Key: key.Key}, {UserID: me, Route: key.Route, Key: "K1"}} {
			k.Fingerprint = []byte("x")
			write(t, nodes[0], func(tx *store.Tx) error {
				if taken, _, _, err := tx.TakeKey(ctx, k, now); !taken || err != nil {
					t.Errorf("%+v was taken for the same (%v)", k, err)
				}
				return nil
			})
		}
	})
}

func TestAuditEntriesAreListedNewestFirstByCourse(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		ada, grace := active(t, st, "ada@uni.example"), nameOne(t, st, "grace@uni.example")
		id, _ := course(t, st, "Algorithms")
		other, _ := course(t, st, "Botany")
		write(t, st, func(tx *store.Tx) error {
			many := lms.AuditEntry{At: now, ActorID: ada, Action: "enrollment.add", CourseID: id, RequestID: "r1"}
			if err := tx.AddAuditMany(ctx, many, []lms.AuditEntry{{SubjectID: grace, After: json.RawMessage(`{"role":"student"}`)}, {SubjectID: ada}}); err != nil {
				return err
			}
			if err := tx.AddAuditMany(ctx, many, nil); err != nil {
				return err
			}
			for _, course := range []int64{other, 0, id} {
				e := lms.AuditEntry{At: now, ActorID: ada, Action: "privileges.set", Outcome: lms.OutcomeRefused, Reason: "forbidden", SubjectID: grace, CourseID: course, Before: json.RawMessage(`{"a":"\"]'"}`)}
				if err := tx.AddAudit(ctx, e); err != nil {
					return err
				}
			}
			return nil
		})
		for course, want := range map[int64]int{id: 3, other: 1, 0: 5} {
			var got []lms.AuditRecord
			for before := int64(1 << 60); ; {
				list, err := st.Reader().Audit(ctx, store.AuditQuery{CourseID: course, Before: before, Limit: 2})
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, list...)
				if len(list) < 2 {
					break
				}
				before = list[1].ID
			}
			if len(got) != want || !slices.IsSortedFunc(got, func(a, b lms.AuditRecord) int { return int(b.ID - a.ID) }) {
				t.Errorf("course %d has %d entries, want %d, newest first", course, len(got), want)
			}
		}
		list, err := st.Reader().Audit(ctx, store.AuditQuery{CourseID: id, Before: 1 << 60, Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		e := list[2]
		if e.Actor.Email != "ada@uni.example" || e.Subject.Email != "grace@uni.example" || e.SubjectID != grace || e.CourseTitle != "Algorithms" ||
			string(e.After) != `{"role":"student"}` || string(e.Before) != "{}" || e.Outcome != lms.OutcomeDone || e.RequestID != "r1" || e.At != now || e.CourseID != id {
			t.Errorf("the first entry is %+v", e)
		}
		if e := list[0]; string(e.Before) != `{"a":"\"]'"}` || e.Outcome != lms.OutcomeRefused || e.Reason != "forbidden" {
			t.Errorf("the last entry is %+v", e)
		}
	})
}

func TestA25ANewAddressBecomesThePrimaryOneAndTheOldOneStaysTheirs(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		id := active(t, st, "old@uni.example")
		u, _, err := st.Reader().User(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		write(t, st, func(tx *store.Tx) error {
			added, err := tx.AddPrimaryAddress(ctx, u, "new@uni.example", now)
			if !added {
				t.Error("not added")
			}
			return err
		})
		for _, address := range []lms.Email{"old@uni.example", "new@uni.example"} {
			if got, ok, err := st.Reader().UserByAddress(ctx, address); err != nil || !ok || got.ID != id || got.Email != "new@uni.example" {
				t.Errorf("%s leads to %+v (%v)", address, got, err)
			}
		}
		if list, err := st.Reader().Directory(ctx, store.DirectoryQuery{Search: "new@uni", All: true, Limit: 5}); err != nil || len(list) != 1 {
			t.Errorf("the new address is not searched (%v)", err)
		}
		// Somebody else's address is not taken over, pending or not.
		pending := nameOne(t, st, "pending@uni.example")
		err = st.Write(ctx, func(_ ctxT, tx *store.Tx) error {
			added, err := tx.AddPrimaryAddress(ctx, u, "pending@uni.example", now)
			if added || err != nil {
				t.Errorf("added %v (%v)", added, err)
			}
			return errKeep
		})
		if !errors.Is(err, errKeep) {
			t.Error(err)
		}
		if h, ok, err := st.Reader().AddressHolder(ctx, "pending@uni.example"); err != nil || !ok || h.UserID != pending || h.Status != lms.StatusPending {
			t.Errorf("the pending person's address leads to %+v (%v)", h, err)
		}
	})
}

func TestAnIdentityBelongsToOnePersonByteForByte(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		ada, grace := active(t, st, "ada@uni.example"), active(t, st, "grace@uni.example")
		add := func(issuer, subject string, who int64) (added bool) {
			write(t, st, func(tx *store.Tx) (err error) {
				added, err = tx.AddIdentity(ctx, issuer, subject, who, "x@uni.example", now)
				return err
			})
			return added
		}
		const google = "https://accounts.google.com"
		if !add(google, "s1", ada) || add(google, "s1", grace) || add(google, "s1", ada) {
			t.Error("an identity was attached twice, or not at all")
		}
		if !add(google, "S1", grace) || !add("https://other.example", "s1", grace) {
			t.Error("another identity was taken for the same")
		}
		for subject, want := range map[string]int64{"s1": ada, "S1": grace} {
			if h, ok, err := st.Reader().IdentityHolder(ctx, google, subject); err != nil || !ok || h.UserID != want || h.Status != lms.StatusActive {
				t.Errorf("%s is %+v (%v)", subject, h, err)
			}
		}
		if _, ok, err := st.Reader().IdentityHolder(ctx, google, "s2"); ok || err != nil {
			t.Errorf("an unknown subject is somebody (%v)", err)
		}
		write(t, st, func(tx *store.Tx) error { return tx.TouchIdentity(ctx, google, "S1", now.Add(time.Hour)) })
		list, err := st.Reader().Identities(ctx, grace)
		if err != nil || len(list) != 2 || list[0].Subject != "S1" || !list[0].LastUsedAt.Equal(now.Add(time.Hour)) || !list[1].LastUsedAt.Equal(now) {
			t.Errorf("hers are %+v (%v)", list, err)
		}
	})
}

func TestAllNodesShareASecret(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		nodes := nodes(t, db, 3)
		values := make([]string, 12)
		together(len(values), func(i int) {
			v, err := nodes[i%len(nodes)].Secret(ctx, "cursors")
			if err != nil || len(v) != 32 {
				t.Errorf("%d bytes (%v)", len(v), err)
			}
			values[i] = string(v)
		})
		if slices.Sort(values); len(slices.Compact(values)) != 1 {
			t.Error("nodes have different secrets")
		}
		if other, err := nodes[0].Secret(ctx, "other"); err != nil || string(other) == values[0] {
			t.Errorf("two names have one secret (%v)", err)
		}
	})
}
