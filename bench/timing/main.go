// Command timing measures whether the time of an answer tells who is behind an
// address (case H-02): somebody who has arrived, who was named and has not, who is
// suspended, who was erased, or nobody at all. On both databases:
//
//	go run ./bench/timing -rounds 10000
//
// In each round the same is asked about one address of each kind, in a new order. It
// prints the median of each kind, how far it is from that of the first kind, and the
// probability that two kinds of the same time would differ as much by chance
// (Mann-Whitney's rank test, two-sided, normal approximation). H-02 asks for less than
// a millisecond and a probability above 0.01; that many questions are asked at once,
// so that one in a hundred probabilities is below it by chance.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"matricula/internal/store/storetest"
)

var (
	rounds = flag.Int("rounds", 1000, "how often each is asked")
	engine = flag.String("engine", "both", "sqlite, postgres or both")
)

func main() {
	flag.Parse()
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "timing:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) (err error) {
	folder, err := os.MkdirTemp("", "matricula-timing-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	if *engine != "postgres" {
		if err := measure(ctx, out, "SQLite", "sqlite:"+filepath.Join(folder, "timing.db")); err != nil {
			return fmt.Errorf("SQLite: %w", err)
		}
	}
	if *engine == "sqlite" {
		return nil
	}
	cluster, err := storetest.StartCluster()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cluster.Close()) }()
	if err := measure(ctx, out, "PostgreSQL", cluster.DSN()); err != nil {
		return fmt.Errorf("PostgreSQL: %w", err)
	}
	return nil
}

func measure(ctx context.Context, out io.Writer, name, dsn string) (err error) {
	s, err := build(ctx, dsn, *rounds)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.store.Close()) }()
	for _, q := range questions {
		times := make([][]time.Duration, len(q.kinds))
		said := make([]map[string]bool, len(q.kinds))
		for round := range *rounds {
			for _, k := range rand.Perm(len(q.kinds)) {
				ask, err := q.prepare(ctx, s, round)
				if err != nil {
					return err
				}
				begin := time.Now()
				answer, err := ask(address(q.kinds[k], round))
				times[k] = append(times[k], time.Since(begin))
				if err != nil {
					return fmt.Errorf("%s, %s: %w", q.name, q.kinds[k], err)
				}
				if said[k] == nil {
					said[k] = map[string]bool{}
				}
				said[k][strings.ReplaceAll(answer, string(q.kinds[k]), "X")] = true
			}
		}
		fmt.Fprintf(out, "%s: %s\n", name, q.name)
		first := median(times[0])
		for k, kind := range q.kinds {
			m := median(times[k])
			if k == 0 {
				fmt.Fprintf(out, "  %-10s %9v\n", kind, m.Round(time.Microsecond))
				continue
			}
			same := "the same answer"
			if fmt.Sprint(said[k]) != fmt.Sprint(said[0]) {
				same = "ANOTHER ANSWER"
			}
			fmt.Fprintf(out, "  %-10s %9v   %+9v   p = %.3f   %s\n", kind, m.Round(time.Microsecond), (m - first).Round(time.Microsecond), rankTest(times[0], times[k]), same)
		}
	}
	return nil
}

func median(d []time.Duration) time.Duration {
	d = slices.Sorted(slices.Values(d))
	return d[len(d)/2]
}

// rankTest is the two-sided probability of Mann and Whitney that two samples of the
// same distribution would lie as far apart, with the correction for ties.
func rankTest(a, b []time.Duration) float64 {
	type one struct {
		d time.Duration
		a bool
	}
	var all []one
	for _, d := range a {
		all = append(all, one{d, true})
	}
	for _, d := range b {
		all = append(all, one{d, false})
	}
	slices.SortFunc(all, func(x, y one) int { return int(x.d - y.d) })
	var ranks, ties float64 // of a
	for i := 0; i < len(all); {
		j := i
		for j < len(all) && all[j].d == all[i].d {
			j++
		}
		for _, o := range all[i:j] {
			if o.a {
				ranks += float64(i+1+j) / 2
			}
		}
		t := float64(j - i)
		ties += t*t*t - t
		i = j
	}
	n, m := float64(len(a)), float64(len(b))
	u := ranks - n*(n+1)/2
	deviation := math.Sqrt(n * m / 12 * ((n + m + 1) - ties/((n+m)*(n+m-1))))
	if deviation == 0 {
		return 1
	}
	return math.Erfc(math.Abs(u-n*m/2) / deviation / math.Sqrt2)
}
