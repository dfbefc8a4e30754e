package faults_test

import (
	"flag"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"matricula/internal/store/storetest"
)

var (
	rows  = flag.Int("rows", 5000, "rows of the list of E-02")
	kills = flag.Int("kills", 3, "how often a node is killed in E-02 while it checks the list or carries it out")
)

// takeOver is within what time another node, or the same after its start, goes on
// with an import (E-02). The wait of a busy machine comes on top.
const takeOver = 30 * time.Second

// TestE02AKilledNodeLosesNothingOfAnImport kills, as kill -9 does, the node that
// reads, checks and carries out a list, at random moments. On SQLite it is started
// again; on PostgreSQL the other node goes on, and the killed one comes back beside
// it. In the end every row has had its effect once.
func TestE02AKilledNodeLosesNothingOfAnImport(t *testing.T) {
	for _, engine := range []string{storetest.SQLite, storetest.PostgreSQL} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			s := openSchool(t, engine)
			nodes := []*node{s.serve(t)}
			if engine == storetest.PostgreSQL {
				nodes = append(nodes, s.serve(t))
			}
			list := people("p", *rows)
			nodes, i := s.uploadUnderKill(t, nodes, list)
			nodes, i = s.killAtWork(t, nodes, i)
			s.exact(t, i, "p", int64(*rows))
			if n := s.count(t, "imports"); n != 1 {
				t.Errorf("%d imports, want the one", n)
			}
			s.idle(t, nodes[0], list, int64(*rows))
		})
	}
}

// uploadUnderKill kills the node that is sent a list, and then sends it again with
// the same key, as whoever got no answer does, until all of it is read.
func (s *school) uploadUnderKill(t *testing.T, nodes []*node, list string) ([]*node, imported) {
	t.Helper()
	const key = "the same list"
	sent := make(chan answer, 1)
	first := nodes[0]
	go func() { sent <- first.upload(list, "Idempotency-Key", key) }()
	time.Sleep(rand.N(40 * time.Millisecond))
	nodes = s.killOne(t, nodes)
	t.Logf("the upload under the kill: %v", <-sent)
	for begun := time.Now(); ; time.Sleep(200 * time.Millisecond) {
		i := nodes[0].upload(list, "Idempotency-Key", key).imported(t)
		if i.State != "reading" {
			t.Logf("the list is read after %v", time.Since(begun).Round(time.Millisecond))
			return nodes, i
		}
		if time.Since(begun) > takeOver {
			t.Fatalf("%v after its node was killed, nobody reads a list", time.Since(begun))
		}
	}
}

// killAtWork kills the node that works on an import, again and again, each time a
// random moment after one has gone on with it, and answers the import when it is done.
func (s *school) killAtWork(t *testing.T, nodes []*node, i imported) ([]*node, imported) {
	t.Helper()
	longest, done := time.Duration(0), int64(-1)
	most := (*kills + 2) / 3 // of the kills while it is checked
	for k := 0; k < *kills && i.State != "done"; {
		begun := time.Now()
		i = nodes[0].await(t, i.ID, "going on", func(i imported) bool {
			return i.Done > done && (i.State == "running" || k < most) || i.State == "ready" || i.State == "done"
		})
		longest = max(longest, time.Since(begun))
		switch i.State {
		case "done":
			continue
		case "ready":
			nodes[0].carry(i.ID).imported(t)
			done = 0
			continue
		}
		time.Sleep(rand.N(60 * time.Millisecond))
		nodes = s.killOne(t, nodes)
		k++
		i = nodes[0].read(t, i.ID)
		done = i.Done
		t.Logf("kill %d: %s, %d of %d rows", k, i.State, i.Done, i.Rows)
	}
	if i = nodes[0].awaitState(t, i.ID, "ready", "done"); i.State == "ready" {
		nodes[0].carry(i.ID).imported(t)
	}
	i = nodes[0].awaitState(t, i.ID, "done")
	t.Logf("after a kill, it went on within %v", longest.Round(time.Millisecond))
	if longest > takeOver {
		t.Errorf("for %v nobody went on", longest)
	}
	return nodes, i
}

// killOne kills the first node and starts another in its place: on SQLite, where
// there can be one, before the other is asked anything, on PostgreSQL behind those
// that live.
func (s *school) killOne(t *testing.T, nodes []*node) []*node {
	t.Helper()
	nodes[0].kill()
	return append(nodes[1:], s.serve(t))
}

func together(n int, fn func(k int)) {
	var all sync.WaitGroup
	for k := range n {
		all.Go(func() { fn(k) })
	}
	all.Wait()
}

// TestD07TheSameListOnTwoNodesAtOnceHasOneEffect uploads a list to two nodes at the
// same moment, as a double click behind a balancer does, with one Idempotency-Key
// and with none.
func TestD07TheSameListOnTwoNodesAtOnceHasOneEffect(t *testing.T) {
	t.Parallel()
	s := openSchool(t, storetest.PostgreSQL)
	nodes := []*node{s.serve(t), s.serve(t)}
	const size = 2500
	for _, c := range []struct {
		mark   string
		header []string
	}{{"anna", []string{"Idempotency-Key", "once"}}, {"bert", nil}} {
		list := people(c.mark, size)
		answers := make([]answer, 6)
		together(len(answers), func(k int) { answers[k] = nodes[k%2].upload(list, c.header...) })
		first := answers[0].imported(t)
		for _, a := range answers {
			if i := a.imported(t); i.ID != first.ID {
				t.Errorf("%s: one list became the imports %d and %d", c.mark, first.ID, i.ID)
			}
		}
		nodes[0].awaitState(t, first.ID, "ready")
		together(len(answers), func(k int) { answers[k] = nodes[k%2].carry(first.ID) })
		for _, a := range answers {
			a.imported(t)
		}
		i := nodes[1].awaitState(t, first.ID, "done")
		s.exact(t, i, c.mark, size)
		// Sent once more with the same key, it is still the first; without one it is a
		// new list that changes nothing.
		if c.header != nil {
			if again := nodes[1].upload(list, c.header...).imported(t); again.ID != first.ID || again.State != "done" {
				t.Errorf("the same key again: %+v", again)
			}
		}
		s.idle(t, nodes[1], list, size)
	}
	if a := nodes[0].upload(people("carl", 3), "Idempotency-Key", "once"); a.status != http.StatusUnprocessableEntity || a.problem() != "idempotency-key-reused" {
		t.Errorf("the key of another list: %v", a)
	}
}
