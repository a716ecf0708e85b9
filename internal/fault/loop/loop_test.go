// Package loop runs whole imports, syncs, backfills and removals in which one
// call fails: the first of all calls to the stage, the store, Redis, the mailer
// and what lies outside, then the second, and so on until a run meets no fault,
// once before the call has its effect and once after it. Whatever fails, the run
// must come to what it comes to undisturbed, and leave nothing behind.
//
// The calls are those of the interfaces of package activities, requests to
// sources, every read of an object or an answer and every row of the ledger; in
// other loops they are what goes over the wire to Redis and to PostgreSQL, where
// a command is cut off before it reaches the server, or its answer before it
// reaches us.
//
// An ordinary run takes some of the numbers, by a seed, and leaves out the loops
// that take longest. The environment says otherwise:
//
//	SLUICE_LOOP=all        every number of every loop, in half an hour
//	SLUICE_LOOP=137        this one alone, such as one that a failure names
//	SLUICE_LOOP_SEED=7     other numbers than those of seed 1
//
// Steps of a workflow run beside each other, so a number does not always stand
// for the same call: a failure says which it was.
package loop

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/servertest"
)

func TestMain(m *testing.M) { servertest.Main(m) }

// A start is where the runs of one loop begin: places to copy.
type start struct {
	scenario
	at     places
	course course
	want   any // what an undisturbed run came to
}

func newStart(t *testing.T, s scenario, postgres bool) *start {
	t.Helper()
	out := &start{scenario: s, at: newPlaces(t, postgres)}
	w := open(t, out.at, wrapping{}, fault{})
	if err := w.store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	out.course = s.prepare(w)
	w.end()
	var faults []string
	_, out.want, faults = out.run(t, wrapping{}, fault{})
	if len(faults) > 0 {
		t.Fatalf("undisturbed: %s", strings.Join(faults, "\n"))
	}
	return out
}

// run runs the course in a copy, and says what is wrong with what it came to.
func (s *start) run(t *testing.T, how wrapping, f fault) (c *calls, got any, faults []string) {
	t.Helper()
	at, remove := s.at.copied(t)
	defer remove()
	how.parks = s.parks
	w := open(t, at, how, f)
	defer w.end()
	got, faults = s.course(w)
	if len(faults) == 0 {
		faults = w.remains()
	}
	return w.calls, got, faults
}

// loops are those that there are: which scenario, on which database, and what
// fails. sample is how many numbers an ordinary run takes of each half; where
// it is 0 it leaves the loop out.
var loops = []struct {
	scenario string
	postgres bool
	wrapping wrapping
	sample   int
}{
	{"import", false, wrapping{rooms: true, late: true}, 12},
	{"import", false, wrapping{rooms: true, forgets: true}, 6},
	{"parked", false, wrapping{rooms: true}, 6},
	{"skipped", false, wrapping{rooms: true}, 6},
	{"create only", false, wrapping{rooms: true}, 6},
	{"dry run", false, wrapping{rooms: true, late: true}, 6},
	{"retry", false, wrapping{rooms: true}, 6},
	{"undo", false, wrapping{rooms: true}, 12},
	{"sync", false, wrapping{rooms: true}, 4},
	{"backfill", false, wrapping{rooms: true}, 4},
	{"schedule", false, wrapping{rooms: true}, 6},
	{"elsewhere", false, wrapping{rooms: true}, 6},
	{"removal", false, wrapping{rooms: true}, 6},
	{"import", false, wrapping{redis: true}, 6},
	{"import", true, wrapping{rooms: true, late: true}, 0},
	{"retry", true, wrapping{rooms: true}, 0},
	{"import", true, wrapping{sql: true, late: true}, 6},
	{"create only", true, wrapping{sql: true}, 0},
	{"dry run", true, wrapping{sql: true}, 0},
	{"retry", true, wrapping{sql: true}, 3},
	{"undo", true, wrapping{sql: true}, 3},
	{"sync", true, wrapping{sql: true}, 0},
	{"backfill", true, wrapping{sql: true}, 0},
}

func TestAnImportSurvivesTheFailureOfAnyOneCall(t *testing.T) {
	t.Parallel()
	for _, l := range loops {
		t.Run(l.scenario+" "+l.wrapping.on(l.postgres), func(t *testing.T) {
			t.Parallel()
			if l.sample == 0 && os.Getenv("SLUICE_LOOP") == "" {
				t.Skip("it takes long; set SLUICE_LOOP=all")
			}
			s := newStart(t, scenarios[l.scenario], l.postgres)
			c, _, _ := s.run(t, l.wrapping, fault{})
			if c.count == 0 {
				t.Fatal("nothing is counted")
			}
			for _, after := range []bool{false, true} {
				s.loop(t, l.wrapping, after, l.sample, c.count)
			}
		})
	}
}

// on says what may fail where, for the names of tests.
func (h wrapping) on(postgres bool) string {
	switch {
	case h.redis:
		return "over Redis"
	case h.sql:
		return "over PostgreSQL"
	case h.forgets:
		return "on a Redis that forgets"
	case postgres:
		return "on PostgreSQL"
	}
	return "on SQLite"
}

// loop runs one half of a loop: all faults before their effect, or after it.
// count is how many calls an undisturbed run has.
func (s *start) loop(t *testing.T, how wrapping, after bool, sample, count int) {
	t.Helper()
	numbers, all := sampled(t, sample, count, after)
	met := 0
	for n := range numbers {
		f := fault{at: n, after: after}
		c, got, faults := s.run(t, how, f)
		if diff := cmp.Diff(s.want, got); diff != "" && len(faults) == 0 {
			faults = append(faults, "it comes to something else than undisturbed (-want +got):\n"+diff)
		}
		for _, fault := range faults {
			t.Errorf("%v (%s): %s\nAgain: SLUICE_LOOP=%d go test -run '%s'", f, c.met, fault, n, t.Name())
		}
		if c.met == "" && all && n > count {
			break // a run may have fewer calls than another: it depends on who is first
		}
		if c.met != "" {
			met++
		}
		if n > 10*count {
			t.Fatalf("there is always one call more: %d", n)
		}
	}
	t.Logf("%d runs met a fault, after its effect: %t; %d calls undisturbed", met, after, count)
}

// sampled returns the numbers of the calls that are to fail. All is true when
// they go on for ever, for the caller to stop.
func sampled(t *testing.T, sample, count int, after bool) (numbers func(func(int) bool), all bool) {
	t.Helper()
	which := os.Getenv("SLUICE_LOOP")
	if which == "all" {
		return func(yield func(int) bool) {
			for n := 1; yield(n); n++ {
			}
		}, true
	}
	if which != "" {
		n, err := strconv.Atoi(which)
		if err != nil {
			t.Fatalf("SLUICE_LOOP is %q; want all, or a number", which)
		}
		return slices.Values([]int{n}), false
	}
	seed := uint64(1)
	if s := os.Getenv("SLUICE_LOOP_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatalf("SLUICE_LOOP_SEED is %q; want a number", s)
		}
	}
	h := fnv.New64a()
	fmt.Fprint(h, t.Name(), after)
	picked := rand.New(rand.NewPCG(seed, h.Sum64())).Perm(count)[:min(sample, count)]
	for i := range picked {
		picked[i]++
	}
	slices.Sort(picked)
	return slices.Values(picked), false
}
