// Command bench measures the server against handlers written by hand, on both
// databases, with durable settings, on a generated school:
//
//	go run ./bench
//
// Each side runs in this process and is asked over loopback HTTP. The server is
// whole: it authenticates, authorizes, checks what it is sent, audits and logs
// to a file. The bare handlers run only the same SQL in a pool of their own with
// the same durability, and answer the same shape. Against SQLite there are two:
// one that commits for each request, and one whose waiting writes share a
// commit, as the server's do. The sides take turns, round by round; what is
// printed is the median of the rounds. After every round, what was acknowledged
// is looked up in the database. Nothing is asserted about times: the program
// fails only when something goes wrong.
package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"time"

	"matricula/bench/school"
	"matricula/internal/store/storetest"
)

type options struct {
	size    school.Size
	seconds float64
	rounds  int
	claims  int
	bulk    int
	engine  string
	cases   string
	sides   string
	profile string
}

func main() {
	var o options
	flag.IntVar(&o.size.People, "people", 100_000, "people of the school")
	flag.IntVar(&o.size.Courses, "courses", 1000, "courses of the school")
	flag.IntVar(&o.size.Enrollments, "enrollments", 1_000_000, "enrollments of the school, at least 20 in each course")
	flag.Float64Var(&o.seconds, "seconds", 0.5, "length of a round of one side in (a), (b) and (c)")
	flag.IntVar(&o.rounds, "rounds", 15, "rounds of each side; a third of it in (e)")
	flag.IntVar(&o.claims, "claims", 20, "first sign-ins in a round of one side in (e)")
	flag.IntVar(&o.bulk, "bulk", bulkAddresses, "addresses in one request of (d)")
	flag.StringVar(&o.engine, "engine", "both", "sqlite, postgres or both")
	flag.StringVar(&o.cases, "cases", "abcde", "the measurements to make")
	flag.StringVar(&o.sides, "sides", "", "product: the server alone, for a profile; empty: all")
	flag.StringVar(&o.profile, "profile", "", "write a CPU profile of the measurements to this file")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) (err error) {
	if o.size.Enrollments/max(o.size.Courses, 1) < 20 {
		return errors.New("a course needs at least 20 enrollments")
	}
	folder, err := os.MkdirTemp("", "matricula-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	fmt.Printf("%s, %d CPUs, %s; a school of %d people, %d courses and %d enrollments.\n", runtime.Version(), runtime.NumCPU(), runtime.GOARCH,
		o.size.People, o.size.Courses, o.size.Enrollments)
	var results []*result
	for _, e := range []engine{sqlite, postgres} {
		if o.engine != "both" && o.engine != [...]string{"sqlite", "postgres"}[e] {
			continue
		}
		some, err := runEngine(ctx, o, e, folder)
		if err != nil {
			return fmt.Errorf("%s: %w", e, err)
		}
		results = append(results, some...)
	}
	if len(results) == 0 {
		return errors.New("nothing to measure: look at -engine and -cases")
	}
	printRatios(os.Stdout, results)
	printGrowth(os.Stdout, results)
	fmt.Print(notes)
	return nil
}

const notes = `
Concurrency is 16, and 4 in (d). The server is asked with the token of a service account that is a site administrator.
"bare" begins and commits for each request; "bare, shared commits" lets requests that wait at the same time share a commit,
as the server does on SQLite. The bare handlers neither authenticate, authorize, audit, log nor check what they are sent.
(a) GET /api/v1/users?search=&course_id=&limit=50, three to five letters from the middle of somebody's name.
(b) PATCH /api/v1/users/{id}/privileges, (c) the same with the id -1 and an address that nobody has.
(d) PUT /api/v1/courses/{id}/enrollments.
(e) The first sign-in of somebody who was named. Callback: GET /auth/{provider}/callback, in which both sides take the attempt
out of the database, redeem the code at a real OpenID provider in this process, which signs an ID token for each, verify that
token, claim the person and begin a session; the bare side checks the signature, issuer, audience, end and nonce and no more.
Claim alone: the same without HTTP and provider, by a call in this process. What waits is an enrollment and a set of privileges
in every course, and for the rest of the number entries of the audit about the person.
After each round everything that was acknowledged was found in the database, and what the server did in its audit.
`

func runEngine(ctx context.Context, o options, e engine, folder string) (_ []*result, err error) {
	dsn := "sqlite:" + filepath.Join(folder, "school.db")
	if e == postgres {
		cluster, startErr := storetest.StartCluster()
		if startErr != nil {
			return nil, startErr
		}
		defer func() { err = errors.Join(err, cluster.Close()) }()
		dsn = cluster.DSN()
	}
	start := time.Now()
	made, err := school.Build(ctx, dsn, o.size)
	if err != nil {
		return nil, err
	}
	inspect, err := openInspector(dsn)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, inspect.Close()) }()
	c := &cases{engine: e, dsn: dsn, school: made, inspect: inspect}
	fmt.Printf("\n%s: the school was generated in %.0f s.\n\n", e, time.Since(start).Seconds())

	sides, stop, err := startSides(ctx, e, dsn, folder)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	if o.sides == "product" {
		sides = sides[:1]
	}
	if o.profile != "" {
		file, err := os.Create(o.profile)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		if err := pprof.StartCPUProfile(file); err != nil {
			return nil, err
		}
		defer pprof.StopCPUProfile()
	}
	results, err := c.all(ctx, o, sides)
	if err != nil {
		return nil, err
	}
	return results, checkLog(folder)
}

// checkLog makes sure that the server has met no error of its own.
func checkLog(folder string) error {
	text, err := os.ReadFile(filepath.Join(folder, logName))
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, `"level":"ERROR"`) || strings.Contains(line, `"level":"WARN"`) {
			return fmt.Errorf("the server logged: %s", line)
		}
	}
	return nil
}

// openInspector opens the connections that look at what the sides have done.
func openInspector(dsn string) (*sql.DB, error) {
	if path, isFile := strings.CutPrefix(dsn, "sqlite:"); isFile {
		return sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path, RawQuery: "mode=ro&_pragma=busy_timeout(5000)"}).String())
	}
	return sql.Open("pgx", dsn)
}

// startSides starts the server and the bare handlers on one database.
func startSides(ctx context.Context, e engine, dsn, folder string) (sides []*side, stop func() error, err error) {
	var closers []func() error
	stop = func() error {
		var err error
		for _, c := range slices.Backward(closers) {
			err = errors.Join(err, c())
		}
		return err
	}
	p, err := startProduct(ctx, dsn, folder)
	if err != nil {
		return nil, nil, err
	}
	closers = append(closers, p.close)
	ours := newSide("Matricula", p.url, p.token)
	ours.product = p
	sides = append(sides, ours)
	names := []string{"bare", "bare, shared commits"}
	if e == postgres {
		names = names[:1]
	}
	for i, name := range names {
		b, address, closeBare, err := startBare(ctx, dsn, i == 1)
		if err != nil {
			return nil, nil, errors.Join(err, stop())
		}
		closers = append(closers, closeBare)
		s := newSide(name, address, "")
		s.bare = b
		sides = append(sides, s)
	}
	return sides, stop, nil
}

// all makes the measurements that were asked for and prints each.
func (c *cases) all(ctx context.Context, o options, sides []*side) ([]*result, error) {
	// Where commits are of no account, the bare handlers are one.
	two := sides[:min(2, len(sides))]
	type maker struct {
		sides []*side
		make  func([]*side) (*measurement, error)
	}
	claims := func(sides []*side, things int, overHTTP bool) maker {
		return maker{sides, func(s []*side) (*measurement, error) {
			return c.claims(ctx, s, o.claims, max(1, o.rounds/3), things, overHTTP)
		}}
	}
	plan := []struct {
		letter string
		makers []maker // of measurements that are made together
	}{
		{"a", []maker{{two, func(s []*side) (*measurement, error) { return c.search(ctx, s) }}}},
		{"b", []maker{{sides, func(s []*side) (*measurement, error) { return c.privileges(ctx, s) }}}},
		{"c", []maker{{sides, func(s []*side) (*measurement, error) { return c.naming(ctx, s) }}}},
		{"d", []maker{{sides, func(s []*side) (*measurement, error) { return c.enrolling(ctx, s, o.bulk) }}}},
		{"e", []maker{
			claims(sides, 0, true), claims(two, waitingThings, true),
			claims(sides, 0, false), claims(two, waitingThings, false),
		}},
	}
	var results []*result
	printHead(os.Stdout)
	for _, p := range plan {
		if !strings.Contains(o.cases, p.letter) {
			continue
		}
		var some []*result
		for _, make := range p.makers {
			m, err := make.make(make.sides)
			if err != nil {
				return nil, err
			}
			some = append(some, &result{engine: c.engine.String(), measurement: m, sides: make.sides})
		}
		if err := measureTogether(ctx, some, o.rounds, o.seconds); err != nil {
			return nil, err
		}
		for _, r := range some {
			r.print(os.Stdout)
		}
		results = append(results, some...)
	}
	return results, nil
}
