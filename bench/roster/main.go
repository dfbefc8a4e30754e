// Command roster measures what the People page of a course asks of the database,
// in a course of 10,000 people beside one of 100, in turns, on both databases:
//
//	go run ./bench/roster
//
// A ratio of 1 means that the size of the course is not felt.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
	"matricula/internal/signin"
	"matricula/internal/store"
	"matricula/internal/store/storetest"
)

const (
	small, large = 100, 10_000
	onPage       = 40
)

var rounds = flag.Int("rounds", 200, "how often each is asked")

func main() {
	flag.Parse()
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "roster:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) (err error) {
	folder, err := os.MkdirTemp("", "matricula-roster-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	cluster, err := storetest.StartCluster()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cluster.Close()) }()
	for _, d := range []struct{ name, dsn string }{{"SQLite", "sqlite:" + filepath.Join(folder, "roster.db")}, {"PostgreSQL", cluster.DSN()}} {
		if err := measure(ctx, out, d.name, d.dsn); err != nil {
			return fmt.Errorf("%s: %w", d.name, err)
		}
	}
	return nil
}

// school is two courses of one owner.
type school struct {
	svc    *service.Service
	owner  access.Caller
	course map[int]int64 // by size
}

func build(ctx context.Context, st *store.Store) (*school, error) {
	svc := service.New(st, service.Options{Now: time.Now, Log: slog.New(slog.DiscardHandler), SignUp: signin.SignUpAnyone})
	if err := svc.NameAdmins(ctx, []lms.Email{"root@uni.example"}); err != nil {
		return nil, err
	}
	p := signin.Provider{Name: "campus", Label: "Campus", Issuer: "https://id.uni.example", ClientID: "m", Kind: signin.KindOIDC, TrustAll: true}
	in, err := svc.SignIn(ctx, p, signin.Token{Issuer: p.Issuer, Subject: "root", Email: "root@uni.example", EmailVerified: signin.VerifiedTrue}, "bench", "")
	if err != nil {
		return nil, err
	}
	s := &school{svc: svc, owner: access.Caller{UserID: in.User.ID, Kind: in.User.Kind, SiteRole: in.User.SiteRole, SessionID: in.Session.ID}, course: map[int]int64{}}
	for _, size := range []int{small, large} {
		v, err := svc.CreateCourse(ctx, s.owner, lms.CourseFields{Title: fmt.Sprint(size)}, nil)
		if err != nil {
			return nil, err
		}
		s.course[size] = v.Course.ID
		list := make([]string, size)
		for i := range list {
			list[i] = fmt.Sprintf("student.%05d@students.uni.example", i)
		}
		if _, err := svc.Enroll(ctx, s.owner, service.EnrollRequest{CourseID: v.Course.ID, Role: lms.RoleStudent, Emails: list, Source: lms.SourcePaste}); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// questions are what the page asks.
var questions = []struct {
	name string
	ask  func(*service.RosterRequest)
}{
	{"the first page, by name", func(*service.RosterRequest) {}},
	{"by role", func(r *service.RosterRequest) { r.SetOrder(1, false) }},
	{"by when they were added", func(r *service.RosterRequest) { r.SetOrder(2, true) }},
	{"by first sign-in", func(r *service.RosterRequest) { r.SetOrder(3, false) }},
	{"who has not arrived", func(r *service.RosterRequest) { r.Status = lms.StatusPending }},
	{"who may manage the roster", func(r *service.RosterRequest) { r.May = lms.RosterManage }},
	{"a search", func(r *service.RosterRequest) { r.Search = "student.0005" }},
}

func measure(ctx context.Context, out io.Writer, name, dsn string) (err error) {
	st, err := store.Open(ctx, dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	if err := st.Migrate(ctx); err != nil {
		return err
	}
	s, err := build(ctx, st)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s: median time of a course of %d people, as a multiple of one of %d\n", name, large, small)
	for _, q := range questions {
		times := map[int][]time.Duration{}
		for range *rounds {
			for _, size := range []int{small, large} {
				r := service.RosterRequest{CourseID: s.course[size], Limit: onPage}
				q.ask(&r)
				begin := time.Now()
				if _, err := s.svc.Roster(ctx, s.owner, r); err != nil {
					return err
				}
				times[size] = append(times[size], time.Since(begin))
			}
		}
		a, b := median(times[small]), median(times[large])
		fmt.Fprintf(out, "  %-28s %6.2f   (%v, %v)\n", q.name, float64(b)/float64(a), b.Round(10*time.Microsecond), a.Round(10*time.Microsecond))
	}
	return nil
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}
