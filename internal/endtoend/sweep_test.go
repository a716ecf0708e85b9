package endtoend

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"go.temporal.io/sdk/worker"

	"sluice/internal/crm"
	"sluice/internal/launch"
)

const day = 24 * time.Hour

// sweep sweeps as if it were some other time, with a day of keeping.
func (w *world) sweep(at time.Time, dry bool) launch.Sweepings {
	w.t.Helper()
	out, err := launch.Sweep(context.WithoutCancel(w.t.Context()), w.store, w.stage, launch.Sweeping{Keep: day, Now: at, DryRun: dry})
	if err != nil {
		w.t.Error(err)
	}
	return out
}

// staged returns what is in the stage, by prefix.
func (w *world) staged(prefix string) (keys []string) {
	w.t.Helper()
	for l, err := range w.stage.List(w.t.Context(), prefix) {
		if err != nil {
			w.t.Fatal(err)
		}
		keys = append(keys, l.Key)
	}
	return keys
}

// TestASweepBesideAnImportTakesNothingOfIt sweeps, as if a year had gone by,
// before and after every step of an import and of a retry of its rejected rows.
func TestASweepBesideAnImportTakesNothingOfIt(t *testing.T) {
	t.Parallel()
	rows := asCSV(someRows(11, 300))
	tuning := crm.Tuning{BatchRows: 20, Group: 2}
	calm := newWorld(t, "", "")
	want := calm.run(rows, options{tuning: tuning})
	wantRetry := calm.run(joined(calm.rejectFile(want)), options{parent: want.ImportID})

	w := newWorld(t, "", "")
	w.wrap = func(r worker.ActivityRegistry) worker.ActivityRegistry {
		return wrapped{r, func(do any, name string) any {
			return around(do, func(call func() []reflect.Value, _ any) []reflect.Value {
				if name != crm.Open.Name { // nobody knows of the import before
					w.sweep(time.Now().Add(365*day), false)
				}
				out := call()
				if name != crm.Reconcile.Name {
					w.sweep(time.Now().Add(365*day), false)
				}
				return out
			})
		}}
	}
	same(t, calm, want, w, w.run(rows, options{tuning: tuning}))
	first, err := w.store.Import(t.Context(), "news")
	if err != nil {
		t.Fatal(err)
	}
	got := w.run(joined(w.rejectFile(*first.Report)), options{parent: first.ID})
	same(t, calm, wantRetry, w, got)
	if out := w.sweep(time.Now().Add(365*day), false); out.Lists.Objects == 0 {
		t.Error("nothing was swept at the end: the test shows nothing")
	}
}

func TestSweepTakesWhatNobodyNeeds(t *testing.T) {
	t.Parallel()
	file := "external_id,email\n1,ann@example.com\n2,nobody\n"
	for _, tt := range []struct {
		name         string
		second       func(w *world, first crm.Report) crm.Report
		lists, files int // objects that go with the first import beside its batches
	}{
		{"a younger import of another file", func(w *world, _ crm.Report) crm.Report {
			return w.run(file+"3,bob@example.com\n", options{})
		}, 2, 1},
		{"a younger import of the same file", func(w *world, _ crm.Report) crm.Report { return w.run(file, options{again: true}) }, 2, 0},
		{"a younger one that found it imported", func(w *world, _ crm.Report) crm.Report { return w.run(file, options{}) }, 2, 0},
		{"a retry of it", func(w *world, first crm.Report) crm.Report {
			return w.run(joined(w.rejectFile(first)), options{parent: first.ImportID})
		}, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "", "")
			first := w.run(file, options{})
			batches := len(w.staged("imports/"+first.ImportID+"/batches")) + len(w.staged("imports/"+first.ImportID+"/verdicts"))
			second := tt.second(w, first)
			row, err := w.store.Import(t.Context(), second.ImportID)
			if err != nil {
				t.Fatal(err)
			}
			before := len(w.staged("imports")) + len(w.staged("files"))
			now := row.StartedAt.Add(day) // the first ended before, and the second has not ended a day ago
			would := w.sweep(now, true)
			if n := len(w.staged("imports")) + len(w.staged("files")); n != before {
				t.Errorf("a dry run took %d objects", before-n)
			}
			got := w.sweep(now, false)
			if got.Batches.Objects != batches || got.Lists.Objects < tt.lists || tt.lists == 0 && got.Lists.Objects > 0 || got.Files.Objects != tt.files || got.Imports != 1 {
				t.Errorf("swept %+v, want %d batches, at least %d lists, %d files of 1 import", got, batches, tt.lists, tt.files)
			}
			if would.DryRun = false; would != got {
				t.Errorf("a dry run says %+v and the sweep %+v", would, got)
			}
			all := got.All()
			if n := len(w.staged("imports")) + len(w.staged("files")); n != before-all.Objects || all.Bytes < int64(16*all.Objects) {
				t.Errorf("%d objects are left of %d, and %+v went", n, before, all)
			}
			if again := w.sweep(now, false); again != (launch.Sweepings{}) {
				t.Errorf("the second time: %+v", again)
			}
			swept, err := w.store.Swept(t.Context(), first.Number)
			if err != nil || swept.Batches.IsZero() || swept.Lists.IsZero() != (tt.lists == 0) {
				t.Errorf("Swept = %+v, %v", swept, err)
			}
			w.sweep(time.Now().Add(2*day), false)
			if left := append(w.staged("imports"), w.staged("files")...); len(left) > 0 {
				t.Errorf("when all are old there is left %v", left)
			}
		})
	}
}

// TestSweepTakesFilesThatNobodyImported is an upload whose start failed, and
// what Open staged of an import that it refused.
func TestSweepTakesFilesThatNobodyImported(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", "")
	w.put("a,b\n1,2\n")
	if _, err := w.try("external_id\n1\n", options{mapping: "columns: [", source: "refused"}); err == nil {
		t.Fatal("a mapping that is none was taken")
	}
	if got := w.sweep(time.Now(), false); got != (launch.Sweepings{}) {
		t.Errorf("swept young files: %+v", got)
	}
	if got := w.sweep(time.Now().Add(day+time.Minute), false); got.Files.Objects < 2 {
		t.Errorf("swept %+v", got)
	}
	if left := append(w.staged("imports"), w.staged("files")...); len(left) > 0 {
		t.Errorf("there is left %v", left)
	}
}

// TestKeepingForEverSweepsOnlyWhatWasAbandoned also ends a sweep with its
// context.
func TestKeepingForEverSweepsOnlyWhatWasAbandoned(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", "")
	w.run("external_id\n1\n", options{})
	left, err := w.stage.Create(t.Context(), "imports/x/batches/0/half")
	if err != nil {
		t.Fatal(err)
	}
	defer left.Abort()
	before := len(w.staged("imports"))
	year := launch.Sweeping{Now: time.Now().Add(365 * day)}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got, err := launch.Sweep(ctx, w.store, w.stage, launch.Sweeping{Keep: day, Now: year.Now}); !errors.Is(err, context.Canceled) || got.All().Objects > 0 {
		t.Errorf("a sweep that is cancelled: %+v, %v", got, err)
	}
	if got, err := launch.Sweep(t.Context(), w.store, w.stage, launch.Sweeping{Now: time.Now()}); err != nil || got.All().Objects > 0 {
		t.Errorf("swept what somebody is writing: %+v, %v", got, err)
	}
	got, err := launch.Sweep(t.Context(), w.store, w.stage, year)
	if err != nil || got.Unfinished.Objects != 1 || got.All().Objects != 1 || len(w.staged("imports")) != before {
		t.Errorf("swept %+v, %v", got, err)
	}
}
