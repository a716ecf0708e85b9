package endtoend

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/alicebob/miniredis/v2/server"
	"github.com/google/go-cmp/cmp"
	"go.temporal.io/sdk/worker"

	"sluice/internal/crm"
	"sluice/internal/servertest"
)

// databases runs a test on every database there is.
func databases(t *testing.T, test func(t *testing.T, url string)) {
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); test(t, "") })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); test(t, servertest.Postgres(t)) })
}

func TestInvariant1EveryRowIsAccountedFor(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, url string) {
		w := newWorld(t, url, "")
		first, second := someRows(1, 300), someRows(2, 300)
		for _, c := range []struct {
			mode crm.Mode
			rows []aRow
		}{{crm.Upsert, first}, {crm.CreateOnly, second}, {crm.UpdateOnly, second}} {
			existing := map[string]bool{}
			if c.mode != crm.Upsert {
				existing = landed(first)
			}
			source := strings.ReplaceAll(string(c.mode), "_", "-")
			if c.mode != crm.Upsert {
				w.run(asCSV(first), options{source: source})
			}
			r := w.run(asCSV(c.rows), options{source: source, mode: c.mode, tuning: crm.Tuning{BatchRows: 11, Group: 3, Writers: 3}})
			got := r.Counts
			for _, e := range crm.Entities { // which of the two depends on the values, not on the rows
				got.Of(e).Updated, got.Of(e).Unchanged = got.Of(e).Updated+got.Of(e).Unchanged, 0
			}
			if diff := cmp.Diff(expected(c.rows, c.mode, existing), got); diff != "" {
				t.Errorf("%s: counts differ from a plain reading (-want +got):\n%s", c.mode, diff)
			}
			if n := len(w.rejected(r)); int64(n) != r.Counts.Rejected {
				t.Errorf("%s: %d rows in the reject list, %d counted", c.mode, n, r.Counts.Rejected)
			}
		}
	})
}

func TestInvariant2NoPayloadGrowsWithTheFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", "")
	var mu sync.Mutex
	largest := map[string]int{}
	w.wrap = func(r worker.ActivityRegistry) worker.ActivityRegistry {
		return wrapped{r, func(do any, name string) any {
			return around(do, func(call func() []reflect.Value, in any) []reflect.Value {
				out := call()
				mu.Lock()
				defer mu.Unlock()
				largest[name] = max(largest[name], len(asJSON(t, in)), len(asJSON(t, out[0].Interface())))
				return out
			})
		}}
	}
	for _, n := range []int{200, 2000} {
		w.run(asCSV(someRows(3, n)), options{source: fmt.Sprintf("rows-%d", n), tuning: crm.Tuning{BatchRows: n / 10, Group: 4}})
		mu.Lock()
		for name, size := range largest {
			// A group of four batches with their verdicts, whatever they hold.
			if size > 10_000 {
				t.Errorf("%s carries %d bytes for %d rows", name, size, n)
			}
		}
		mu.Unlock()
	}
}

func TestInvariant3StepRunTwiceCountsOnce(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, url string) {
		once := newWorld(t, "", "")
		rows := someRows(4, 200)
		tuning := crm.Tuning{BatchRows: 13, Group: 2, Writers: 2}
		want := once.run(asCSV(rows), options{tuning: tuning})

		w := newWorld(t, url, "")
		w.wrap = twice(t)
		got := w.run(asCSV(rows), options{tuning: tuning})
		same(t, once, want, w, got)
	})
}

// twice runs every step twice.
func twice(t *testing.T) func(worker.ActivityRegistry) worker.ActivityRegistry {
	return func(r worker.ActivityRegistry) worker.ActivityRegistry {
		return wrapped{r, func(do any, name string) any {
			return around(do, func(call func() []reflect.Value, _ any) []reflect.Value {
				first, second := call(), call()
				if err, ok := second[1].Interface().(error); ok && err != nil {
					t.Errorf("%s the second time: %v", name, err)
				}
				a, b := asJSON(t, first[0].Interface()), asJSON(t, second[0].Interface())
				if name != crm.Dedupe.Name && a != b { // claims may go on under another generation
					t.Errorf("%s answers\n%s\nthe first time and\n%s\nthe second", name, a, b)
				}
				return second
			})
		}}
	}
}

func TestInvariant4NoCellValueLeavesTheStageAndTheDatabase(t *testing.T) {
	t.Parallel()
	const canary = "canary9431"
	file := "external_id,name,email,phone,lead_created_at,country,notes,first_name\n" +
		canary + "1," + canary + ",ann@" + canary + ".example.com,+1 " + canary + ",2024-01-02,DE," + canary + "," + canary + "\n" +
		canary + "2,Bob,not an address " + canary + ",,,,,\n" +
		canary + "3,Bob,bob@example.com,,2024-13-45 " + canary + ",,,\n" +
		canary + "4,Bob,bob@example.com,,," + canary + ",,\n" +
		"\"" + canary + "5,Bob\n" +
		canary + "6," + canary + ",,,,,,," + canary + "\n" +
		canary + "1," + canary + ",,,,,again " + canary + ",\n"
	databases(t, func(t *testing.T, url string) {
		redis := miniredis.RunT(t)
		w := newWorld(t, url, "redis://"+redis.Addr())
		var mu sync.Mutex
		var seen strings.Builder
		w.log = slog.New(slog.NewTextHandler(&locked{mu: &mu, to: &seen}, &slog.HandlerOptions{Level: slog.LevelDebug}))
		w.wrap = func(r worker.ActivityRegistry) worker.ActivityRegistry {
			return wrapped{r, func(do any, _ string) any {
				return around(do, func(call func() []reflect.Value, in any) []reflect.Value {
					out := call()
					mu.Lock()
					defer mu.Unlock()
					fmt.Fprintln(&seen, asJSON(t, in), asJSON(t, out[0].Interface()), out[1].Interface(), redis.Dump())
					return out
				})
			}}
		}
		r := w.run(file, options{})
		if r.Rejected != 5 || r.Accepted != 2 {
			t.Fatalf("counts %+v, want 5 rejected and 2 accepted", r.Counts)
		}
		// The same again with a column that the mapping does not find, and a
		// damaged header: errors that speak of the file.
		_, missing := w.try(file, options{again: true, mapping: "version: 1\ncolumns: {Absent: customer.name}\n"})
		_, damaged := w.try("\""+file, options{})
		fmt.Fprintln(&seen, missing, damaged, asJSON(t, r))
		if missing == nil || damaged == nil {
			t.Errorf("a missing column and a damaged header: %v, %v; want failures", missing, damaged)
		}
		mu.Lock()
		defer mu.Unlock()
		if i := strings.Index(seen.String(), canary); i >= 0 {
			t.Errorf("a cell's value got out: …%s…", seen.String()[max(0, i-200):i+len(canary)])
		}
		if seen.Len() < 5000 || !strings.Contains(w.export("news"), canary) {
			t.Errorf("looked at %d bytes: too little to mean anything", seen.Len())
		}
	})
}

// locked is a writer that many may write to.
type locked struct {
	mu *sync.Mutex
	to *strings.Builder
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.to.Write(p)
}

func TestInvariant5ForgetfulRedisChangesNothing(t *testing.T) {
	t.Parallel()
	rows := someRows(5, 400)
	tuning := crm.Tuning{BatchRows: 17, Group: 3, Writers: 2}
	undisturbed := newWorld(t, "", "")
	want := undisturbed.run(asCSV(rows), options{tuning: tuning})

	t.Run("forgets everything between any two calls", func(t *testing.T) {
		t.Parallel()
		m := miniredis.RunT(t)
		m.Server().SetPreHook(func(_ *server.Peer, cmd string, _ ...string) bool {
			if strings.HasPrefix(cmd, "EVAL") {
				m.FlushAll()
			}
			return false
		})
		w := newWorld(t, "", "redis://"+m.Addr())
		same(t, undisturbed, want, w, w.run(asCSV(rows), options{tuning: tuning}))
	})
	t.Run("is emptied before the nth call", func(t *testing.T) {
		t.Parallel()
		for n := 0; ; n++ {
			m := miniredis.RunT(t)
			calls := 0
			m.Server().SetPreHook(func(_ *server.Peer, cmd string, _ ...string) bool {
				if strings.HasPrefix(cmd, "EVAL") {
					if calls == n {
						m.FlushAll()
					}
					calls++
				}
				return false
			})
			w := newWorld(t, "", "redis://"+m.Addr())
			same(t, undisturbed, want, w, w.run(asCSV(rows), options{tuning: tuning}))
			if calls <= n {
				return // a run in which nothing was forgotten any more
			}
		}
	})
	t.Run("is full for a while", func(t *testing.T) {
		t.Parallel()
		m := miniredis.RunT(t)
		calls := 0
		m.Server().SetPreHook(func(p *server.Peer, cmd string, _ ...string) bool {
			if strings.HasPrefix(cmd, "EVAL") {
				if calls++; calls >= 3 && calls < 7 {
					p.WriteError("OOM command not allowed when used memory > 'maxmemory'.")
					return true
				}
			}
			return false
		})
		w := newWorld(t, "", "redis://"+m.Addr())
		same(t, undisturbed, want, w, w.run(asCSV(rows), options{tuning: tuning}))
	})
}

func TestInvariant6DeterministicAtAnyBatchSizeAndParallelism(t *testing.T) {
	t.Parallel()
	first, second := someRows(6, 500), someRows(7, 500)
	var want string
	var wantCounts [2]crm.Counts
	for _, database := range []string{"sqlite", "postgres"} {
		for _, batch := range []int{7, 1000, 50_000} {
			for _, writers := range []int{1, 4} {
				url := ""
				if database == "postgres" {
					url = servertest.Postgres(t)
				}
				name := fmt.Sprintf("%s, batches of %d, %d writers", database, batch, writers)
				w := newWorld(t, url, "")
				tuning := crm.Tuning{BatchRows: batch, Writers: writers}
				a := w.run(asCSV(first), options{tuning: tuning})
				b := w.run(asCSV(second), options{tuning: tuning})
				counts := [2]crm.Counts{a.Counts, b.Counts}
				got := w.export("news")
				if want == "" {
					want, wantCounts = got, counts
					if strings.Count(got, "\n") < 300 {
						t.Fatalf("too little to compare:\n%s", got)
					}
				}
				if diff := cmp.Diff(wantCounts, counts); diff != "" {
					t.Errorf("%s: counts differ:\n%s", name, diff)
				}
				if got != want {
					t.Errorf("%s: export --stable differs:\n%s", name, cmp.Diff(want, got))
				}
			}
		}
	}
}

// same compares what two worlds made of the same rows.
func same(t *testing.T, a *world, want crm.Report, b *world, got crm.Report) {
	t.Helper()
	if diff := cmp.Diff(want.Counts, got.Counts); diff != "" {
		t.Errorf("counts (-undisturbed +got):\n%s", diff)
	}
	if diff := cmp.Diff(a.export("news"), b.export("news")); diff != "" {
		t.Errorf("records (-undisturbed +got):\n%s", diff)
	}
	if diff := cmp.Diff(a.rejected(want), b.rejected(got)); diff != "" {
		t.Errorf("rejects (-undisturbed +got):\n%s", diff)
	}
}

// around returns a step like do with something around its calls.
func around(do any, f func(call func() []reflect.Value, in any) []reflect.Value) any {
	v := reflect.ValueOf(do)
	return reflect.MakeFunc(v.Type(), func(args []reflect.Value) []reflect.Value {
		_ = args[0].Interface().(context.Context)
		return f(func() []reflect.Value { return v.Call(args) }, args[1].Interface())
	}).Interface()
}

// atOnce runs every Write twice at the same time, and wants one answer.
func atOnce(t *testing.T) func(worker.ActivityRegistry) worker.ActivityRegistry {
	return func(r worker.ActivityRegistry) worker.ActivityRegistry {
		return wrapped{r, func(do any, name string) any {
			if name != crm.Write.Name {
				return do
			}
			return around(do, func(call func() []reflect.Value, _ any) []reflect.Value {
				other := make(chan []reflect.Value)
				go func() { other <- call() }()
				a := call()
				b := <-other
				for _, out := range [][]reflect.Value{a, b} {
					if err, ok := out[1].Interface().(error); ok && err != nil {
						t.Errorf("one of two attempts at once: %v", err)
					}
				}
				if x, y := asJSON(t, a[0].Interface()), asJSON(t, b[0].Interface()); x != y {
					t.Errorf("two attempts at once answer %s and %s", x, y)
				}
				return a
			})
		}}
	}
}
