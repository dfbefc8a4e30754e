package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"matricula/internal/lms"
)

// bare answers the measured requests with the SQL of the use case by hand:
// nobody is asked who they are or what they may do, nothing is recorded in the
// audit, and no input is checked beyond what the SQL needs. Its answers have
// the shape of the server's.
type bare struct {
	db  bareStore
	now func() time.Time
	rp  *bareRelyingParty // set before the first sign-in
}

// handler serves the same routes as the server.
func (b *bare) handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, handle := range map[string]func(http.ResponseWriter, *http.Request) error{
		"GET /api/v1/users":                           b.search,
		"PATCH /api/v1/users/{user_id}/privileges":    b.privileges,
		"PUT /api/v1/courses/{course_id}/enrollments": b.enroll,
		"GET /auth/{provider}/start":                  b.start,
		"GET /auth/{provider}/callback":               b.callback,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if err := handle(w, r); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
			}
		})
	}
	return mux
}

type bareEnrollment struct {
	Role      string    `json:"role"`
	RoleName  string    `json:"role_name"`
	Source    string    `json:"source"`
	CreatedAt time.Time `json:"created_at"`

	SectionID     *int64          `json:"section_id"`
	SectionName   *string         `json:"section_name"`
	StudentNumber *string         `json:"student_number"`
	BeginsOn      *string         `json:"begins_on"`
	EndsOn        *string         `json:"ends_on"`
	LimitedTo     json.RawMessage `json:"limited_to"`
}

// dayOf is a time that the school of the bench does not use, as the answer has it.
func dayOf(t sql.NullTime) *string {
	if !t.Valid {
		return nil
	}
	day := t.Time.UTC().Format(time.DateOnly)
	return &day
}

type bareUser struct {
	ID               int64           `json:"id"`
	Email            *string         `json:"email"`
	DisplayName      string          `json:"display_name"`
	GivenName        string          `json:"given_name"`
	FamilyName       string          `json:"family_name"`
	Status           string          `json:"status"`
	SiteRole         string          `json:"site_role"`
	CreatedAt        time.Time       `json:"created_at"`
	ClaimedAt        *time.Time      `json:"claimed_at"`
	LastSeenAt       *time.Time      `json:"last_seen_at"`
	CoursePrivileges []lms.Privilege `json:"course_privileges"`
	Enrollment       *bareEnrollment `json:"enrollment"`
	Allow            []lms.Privilege `json:"allow"`
	Deny             []lms.Privilege `json:"deny"`
}

func scanUser(rows *sql.Rows) (bareUser, error) {
	var u bareUser
	var name string
	var role, roleName, privileges, source, allow, deny sql.NullString
	var preset sql.NullBool
	var enrolled, begins, ends sql.NullTime
	var section *int64
	var sectionName, number, limited sql.NullString
	err := rows.Scan(&u.ID, &u.Status, &u.SiteRole, &u.Email, &u.GivenName, &u.FamilyName, &name, &u.CreatedAt, &u.ClaimedAt, &u.LastSeenAt,
		&role, &roleName, &preset, &privileges, &source, &enrolled, &allow, &deny,
		&section, &sectionName, &number, &begins, &ends, &limited)
	if err != nil {
		return u, err
	}
	u.DisplayName = name
	if name == "" {
		u.DisplayName = strings.TrimSpace(u.GivenName + " " + u.FamilyName)
	}
	if u.DisplayName == "" && u.Email != nil {
		u.DisplayName = *u.Email
	}
	if role.Valid {
		u.Enrollment = &bareEnrollment{
			Role: role.String, RoleName: roleName.String, Source: source.String, CreatedAt: enrolled.Time.UTC(),
			SectionID: section, BeginsOn: dayOf(begins), EndsOn: dayOf(ends), LimitedTo: json.RawMessage(limited.String),
		}
		if sectionName.Valid {
			u.Enrollment.SectionName = &sectionName.String
		}
		if number.String != "" {
			u.Enrollment.StudentNumber = &number.String
		}
	}
	sets := [3]lms.PrivilegeSet{}
	for i, stored := range []sql.NullString{privileges, allow, deny} {
		if sets[i], err = parseSet(stored.String); err != nil {
			return u, err
		}
	}
	u.setPlace(sets[0], sets[1], sets[2])
	if role.String == lms.RoleOwner && preset.Bool {
		u.CoursePrivileges = lms.AllPrivileges().List()
	}
	u.CreatedAt = u.CreatedAt.UTC()
	return u, nil
}

func (u *bareUser) setPlace(role, allow, deny lms.PrivilegeSet) {
	u.CoursePrivileges, u.Allow, u.Deny = lms.Effective(role, allow, deny).List(), allow.List(), deny.List()
}

func parseSet(stored string) (lms.PrivilegeSet, error) {
	if stored == "" || stored == "[]" {
		return 0, nil
	}
	var names []lms.Privilege
	err := json.Unmarshal([]byte(stored), &names)
	return lms.SetOf(names...), err
}

func (b *bare) members(ctx context.Context, q queryer, st text, args ...any) ([]bareUser, error) {
	rows, err := q.query(ctx, st[b.db.engine()], args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	list := []bareUser{}
	for rows.Next() {
		u, err := scanUser(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, u)
	}
	return list, errors.Join(rows.Err(), rows.Close())
}

func answer(w http.ResponseWriter, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	_, err = w.Write(body)
	return err
}

func (b *bare) search(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	course, err := strconv.ParseInt(q.Get("course_id"), 10, 64)
	if err != nil {
		return err
	}
	limit, err := strconv.Atoi(q.Get("limit"))
	if err != nil {
		return err
	}
	pattern := `"` + q.Get("search") + `"`
	if b.db.engine() == postgres {
		pattern = "%" + q.Get("search") + "%"
	}
	list, err := b.members(r.Context(), b.db.read(), bareSearch, pattern, course, limit+1)
	if err != nil {
		return err
	}
	var next *string
	if len(list) > limit {
		list = list[:limit]
		last := strconv.FormatInt(list[limit-1].ID, 10)
		next = &last
	}
	return answer(w, map[string]any{"items": list, "next_cursor": next})
}

// privileges sets what a person may do: of a person by id, or of an address
// that nobody has yet.
func (b *bare) privileges(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Email            string          `json:"email"`
		CoursePrivileges []lms.Privilege `json:"course_privileges"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		return err
	}
	user, err := strconv.ParseInt(r.PathValue("user_id"), 10, 64)
	if err != nil {
		return err
	}
	course, err := strconv.ParseInt(r.URL.Query().Get("course_id"), 10, 64)
	if err != nil {
		return err
	}
	var u bareUser
	err = b.db.write(r.Context(), func(q queryer) error {
		if user > 0 {
			list, err := b.members(r.Context(), q, bareMember, user, course)
			if err != nil {
				return err
			}
			if len(list) != 1 {
				return fmt.Errorf("there is no user %d", user)
			}
			u = list[0]
		} else if u, err = b.name(r.Context(), q, body.Email); err != nil {
			return err
		}
		// Without a role, to set what somebody may do is to allow it.
		allow := lms.Effective(lms.SetOf(body.CoursePrivileges...), 0, 0)
		u.setPlace(0, allow, 0)
		stored, err := json.Marshal(u.Allow)
		if err != nil {
			return err
		}
		return q.exec(r.Context(), bareGrant[b.db.engine()], course, u.ID, string(stored), b.now().UTC())
	})
	if err != nil {
		return err
	}
	return answer(w, u)
}

// name makes a pending person.
func (b *bare) name(ctx context.Context, q queryer, address string) (bareUser, error) {
	e, now := b.db.engine(), b.now().UTC()
	u := bareUser{Email: &address, DisplayName: address, Status: "pending", SiteRole: "member", CreatedAt: now}
	known, err := one(ctx, q, bareFindAddress[e], []any{address}, &u.ID)
	if err != nil {
		return u, err
	}
	if known {
		return u, fmt.Errorf("user %d was to be unknown", u.ID)
	}
	if _, err := one(ctx, q, bareInsertPerson[e], []any{address, now}, &u.ID); err != nil {
		return u, err
	}
	if err := q.exec(ctx, bareInsertEmail[e], address, u.ID, now); err != nil {
		return u, err
	}
	if e == sqlite {
		return u, q.exec(ctx, bareIndex[e], u.ID, address)
	}
	return u, nil
}
