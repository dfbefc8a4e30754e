package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"time"
)

// target is what the server should reach of a bare handler's rate.
const target = 0.5

// result is one measurement on one engine.
type result struct {
	engine      string
	measurement *measurement
	sides       []*side // the server first
	rounds      map[*side][]round
}

func median[T cmp.Ordered](list []T) T {
	list = slices.Sorted(slices.Values(list))
	return list[len(list)/2]
}

func (r *result) median(s *side, of func(*round) float64) float64 {
	var list []float64
	for i := range r.rounds[s] {
		list = append(list, of(&r.rounds[s][i]))
	}
	return median(list)
}

// ratio is the median, over the rounds, of the server's rate to the bare one's.
func (r *result) ratio(bare *side) float64 {
	var list []float64
	ours := r.rounds[r.sides[0]]
	for i := range ours {
		list = append(list, ours[i].rate()/r.rounds[bare][i].rate())
	}
	return median(list)
}

const columns = "%-11s %-36s %-20s %9s %10s %10s %10s %10s %7s\n"

func printHead(w io.Writer) {
	fmt.Fprintf(w, columns, "engine", "what", "who", "requests", "each s", "p50", "p99", "CPU each", "ratio")
}

func (r *result) print(w io.Writer) {
	for i, s := range r.sides {
		engine, title, ratio := "", "", ""
		if i == 0 {
			engine, title = r.engine, r.measurement.title
		} else {
			ratio = fmt.Sprintf("%.2f", r.ratio(s))
		}
		total := 0
		for _, one := range r.rounds[s] {
			total += len(one.latencies)
		}
		ms := func(p float64) string {
			v := r.median(s, func(one *round) float64 { return float64(one.percentile(p)) })
			return fmt.Sprintf("%.2f ms", v/float64(time.Millisecond))
		}
		rate := fmt.Sprintf("%.0f", r.median(s, (*round).rate))
		if r.median(s, (*round).rate) < 100 {
			rate = fmt.Sprintf("%.1f", r.median(s, (*round).rate))
		}
		fmt.Fprintf(w, columns, engine, title, s.name, fmt.Sprint(total), rate, ms(0.5), ms(0.99), fmt.Sprintf("%.2f ms", r.median(s, (*round).cpuEach)/float64(time.Millisecond)), ratio)
	}
}

// printRatios sets every ratio beside the target.
func printRatios(w io.Writer, results []*result) {
	fmt.Fprintf(w, "\nThe server's rate as a part of a bare handler's; the target is at least %.2f.\n\n", target)
	const line = "%-11s %-36s %-20s %6s  %s\n"
	fmt.Fprintf(w, line, "engine", "what", "against", "ratio", "target")
	for _, r := range results {
		for _, s := range r.sides[1:] {
			ratio := r.ratio(s)
			verdict := "reached"
			if ratio < target {
				verdict = "NOT reached"
			}
			fmt.Fprintf(w, line, r.engine, r.measurement.title, s.name, fmt.Sprintf("%.2f", ratio), fmt.Sprintf("%.2f %s", target, verdict))
		}
	}
}

// printGrowth tells how the time of a claim grows with what waits.
func printGrowth(w io.Writer, results []*result) {
	byKey := map[string]*result{}
	for _, r := range results {
		byKey[r.engine+r.measurement.key] = r
	}
	p50 := func(r *result, s *side) float64 {
		return r.median(s, func(one *round) float64 { return float64(one.percentile(0.5)) })
	}
	said := false
	for _, r := range results {
		more := byKey[r.engine+r.measurement.key+"+"]
		if more == nil {
			continue
		}
		if !said {
			said = true
			fmt.Fprintf(w, "\nHow the time of a first sign-in (p50) grows when %d things wait instead of none; 1.00 is not at all.\n\n", waitingThings)
		}
		for _, s := range more.sides {
			fmt.Fprintf(w, "%-11s %-36s %-20s %6.2f\n", r.engine, r.measurement.title, s.name, p50(more, s)/p50(r, s))
		}
	}
}
