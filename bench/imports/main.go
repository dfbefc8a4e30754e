// Command imports measures what bringing a class list costs, on both databases:
//
//	go run ./bench/imports
//
// It enrolls people whom nobody knows from a CSV file, through reading, checking
// and carrying out, and sets beside it the database's own bulk load of the very
// rows that this has made: COPY on PostgreSQL, prepared inserts on SQLite, in one
// transaction, with the same indexes, constraints, triggers and durability. The
// rows lie in memory by then, so that the bulk load reads no file, checks nothing
// and decides nothing: a ratio of 1 cannot be had. The two take turns, each in a
// process of its own, so that its peak of memory is its own.
//
// Then the built program is asked over loopback HTTP: how much memory a list of a
// million rows takes, and what others feel of a list that is being carried out.
// Nothing is asserted about times: it fails only when something goes wrong.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"matricula/internal/store/storetest"
)

type options struct {
	sizes   string
	rounds  int
	engine  string
	parts   string
	huge    int
	others  int
	fifth   int
	profile string

	// Of a child process, see measure.go.
	child, dsn, from, file string
	rows                   int
}

func main() {
	var o options
	flag.StringVar(&o.sizes, "sizes", "1000,10000,100000", "rows of the lists that are set beside a bulk load")
	flag.IntVar(&o.rounds, "rounds", 3, "how often each is measured; the median is printed")
	flag.StringVar(&o.engine, "engine", "both", "sqlite, postgres or both")
	flag.StringVar(&o.parts, "parts", "bmfgw", "b: bulk load, m: memory of a huge list, f: what others feel, g: five lists at once, w: writers beside a list")
	flag.IntVar(&o.huge, "huge", 999_999, "people of the huge list, which with its headings has one row more")
	flag.IntVar(&o.others, "others", 100_000, "rows of the list that others feel")
	flag.IntVar(&o.fifth, "fifth", 50_000, "rows of each of the five lists")
	flag.StringVar(&o.profile, "profile", "", "write a CPU profile of the imports of part b to this file, the last one remaining")
	flag.StringVar(&o.child, "child", "", "for the program's own use")
	flag.StringVar(&o.dsn, "dsn", "", "for the program's own use")
	flag.StringVar(&o.from, "from", "", "for the program's own use")
	flag.StringVar(&o.file, "file", "", "for the program's own use")
	flag.IntVar(&o.rows, "rows", 0, "for the program's own use")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	work := run
	if o.child != "" {
		work = runChild
	}
	if err := work(ctx, o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "imports:", err)
		os.Exit(1)
	}
}

// bench is what all measurements share.
type bench struct {
	options
	out     io.Writer
	folder  string
	program string // the built one
	cluster *storetest.Cluster
	made    int // databases
}

func run(ctx context.Context, o options, out io.Writer) (err error) {
	b := &bench{options: o, out: out}
	if b.folder, err = os.MkdirTemp("", "matricula-imports-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.folder)) }()
	fmt.Fprintf(out, "%s, %d CPUs, %s\n", runtime.Version(), runtime.NumCPU(), runtime.GOARCH)
	if strings.ContainsAny(o.parts, "mfgw") {
		if err := b.build(ctx); err != nil {
			return err
		}
	}
	for _, engine := range []string{"sqlite", "postgres"} {
		if o.engine != "both" && o.engine != engine {
			continue
		}
		if engine == "postgres" {
			if b.cluster, err = storetest.StartCluster(); err != nil {
				return err
			}
			defer func() { err = errors.Join(err, b.cluster.Close()) }()
		}
		if err := b.measure(ctx, engine); err != nil {
			return fmt.Errorf("%s: %w", engine, err)
		}
	}
	return nil
}

func (b *bench) measure(ctx context.Context, engine string) error {
	for _, part := range []struct {
		letter string
		of     func(ctx context.Context, engine string) error
	}{{"b", b.beside}, {"m", b.memory}, {"f", b.felt}, {"g", b.five}, {"w", b.writers}} {
		if !strings.Contains(b.parts, part.letter) {
			continue
		}
		if err := part.of(ctx, engine); err != nil {
			return err
		}
	}
	return nil
}

// database makes an empty one and returns its address, and what drops it.
func (b *bench) database(engine string) (dsn string, drop func() error, err error) {
	b.made++
	name := "imports_" + strconv.Itoa(b.made)
	if engine == "sqlite" {
		folder := filepath.Join(b.folder, name)
		return "sqlite:" + filepath.Join(folder, "matricula.db"), func() error { return os.RemoveAll(folder) }, os.Mkdir(folder, 0o700)
	}
	owner, _, _ := strings.Cut(strings.TrimPrefix(b.cluster.DSN(), "postgres://"), "@")
	if _, err := b.cluster.Admin().Exec(`CREATE DATABASE ` + name + ` OWNER ` + owner + ` TEMPLATE template0`); err != nil {
		return "", nil, err
	}
	// What the one before has left to be written is not this one's to wait for.
	if _, err := b.cluster.Admin().Exec(`CHECKPOINT`); err != nil {
		return "", nil, err
	}
	begin, options, _ := strings.Cut(b.cluster.DSN(), "?")
	dsn = begin[:strings.LastIndex(begin, "/")+1] + name + "?" + options
	return dsn, func() error {
		_, err := b.cluster.Admin().Exec(`DROP DATABASE ` + name + ` WITH (FORCE)`)
		return err
	}, nil
}

// beside sets imports beside the bulk load of what they make.
func (b *bench) beside(ctx context.Context, engine string) error {
	fmt.Fprintf(b.out, "\n%s: the whole import (read, check, carry out) beside the bulk load of the same rows, median of %d\n", engine, b.rounds)
	fmt.Fprintf(b.out, "%9s %10s %10s %10s %10s %8s %8s %10s %9s %9s\n", "rows", "import", "checked", "carried", "bulk", "ratio", "carried", "rows/s", "each row", "peak MB")
	var first time.Duration
	for _, text := range strings.Split(b.sizes, ",") {
		rows, err := strconv.Atoi(text)
		if err != nil || rows < 1 {
			return fmt.Errorf("-sizes: %q is no number of rows", text)
		}
		var all []pair
		for range b.rounds {
			p, err := b.pair(ctx, engine, rows)
			if err != nil {
				return fmt.Errorf("%d rows: %w", rows, err)
			}
			all = append(all, p)
		}
		whole := middle(all, func(p pair) time.Duration { return p.imported.Whole })
		each := whole / time.Duration(rows)
		if first == 0 {
			first = each
		}
		fmt.Fprintf(b.out, "%9d %10v %10v %10v %10v %8.2f %8.2f %10.0f %8.2fx %9d\n", rows, round(whole),
			round(middle(all, func(p pair) time.Duration { return p.imported.Ready })),
			round(middle(all, func(p pair) time.Duration { return p.imported.Carried })),
			round(middle(all, func(p pair) time.Duration { return p.loaded.Whole })),
			middle(all, func(p pair) float64 { return float64(p.imported.Whole) / float64(p.loaded.Whole) }),
			middle(all, func(p pair) float64 { return float64(p.imported.Carried) / float64(p.loaded.Whole) }),
			float64(rows)/whole.Seconds(), float64(each)/float64(first),
			middle(all, func(p pair) int64 { return p.imported.Peak })>>20)
	}
	fmt.Fprintln(b.out, "  ratio: import / bulk; each row: as a multiple of a row of the smallest list, so that 1 or less is linear growth.")
	return nil
}

// pair is one import and the bulk load of what it made.
type pair struct{ imported, loaded figures }

func (b *bench) pair(ctx context.Context, engine string, rows int) (p pair, err error) {
	file, err := b.list(rows, "x")
	if err != nil {
		return p, err
	}
	made, drop, err := b.database(engine)
	if err != nil {
		return p, err
	}
	defer func() { err = errors.Join(err, drop()) }()
	args := []string{"-child", "import", "-dsn", made, "-file", file, "-rows", strconv.Itoa(rows)}
	if b.profile != "" {
		args = append(args, "-profile", b.profile)
	}
	if p.imported, err = child(ctx, args...); err != nil {
		return p, fmt.Errorf("import: %w", err)
	}
	bare, dropBare, err := b.database(engine)
	if err != nil {
		return p, err
	}
	defer func() { err = errors.Join(err, dropBare()) }()
	if p.loaded, err = child(ctx, "-child", "bulk", "-dsn", bare, "-from", made, "-rows", strconv.Itoa(rows)); err != nil {
		return p, fmt.Errorf("bulk load: %w", err)
	}
	return p, nil
}

func middle[T int64 | float64 | time.Duration](all []pair, of func(pair) T) T {
	list := make([]T, len(all))
	for i, p := range all {
		list[i] = of(p)
	}
	slices.Sort(list)
	return list[len(list)/2]
}

func round(d time.Duration) time.Duration {
	if d > 10*time.Second {
		return d.Round(100 * time.Millisecond)
	}
	return d.Round(time.Millisecond)
}
