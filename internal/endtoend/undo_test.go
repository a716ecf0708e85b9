package endtoend

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"sluice/internal/crm"
	"sluice/internal/servertest"
	"sluice/internal/store"
)

// everything is all that a source holds, with ids, revs and stamps.
func (w *world) everything() string {
	w.t.Helper()
	return exportAs(w.t, w.store, store.ExportQuery{Source: "news"})
}

func TestUndoRestoresTheTablesWhenEveryStepRunsTwice(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, url string) {
		w := newWorld(t, url, "")
		tuning := crm.Tuning{BatchRows: 37, Group: 2, Writers: 2}
		w.run(asCSV(someRows(61, 400)), options{tuning: tuning})
		was := w.everything()
		second := w.run(asCSV(someRows(62, 700)), options{tuning: tuning})
		w.wrap = twice(t)
		r := w.undo(second.ImportID, 23)
		total := r.Undo.Total()
		if r.State != crm.Done || total.Kept+total.Errored+total.Gone > 0 || total.Reversed != written(second) {
			t.Errorf("undo %s: %+v of an import of %d records", r.State, r.Undo, written(second))
		}
		if r.Undo.Customers.Changed.Reversed == 0 || r.Undo.Contacts.Created.Reversed == 0 {
			t.Fatalf("the import changes and creates too little: %+v", r.Undo)
		}
		if w.everything() != was {
			t.Error("the records are not what they were")
		}
		again := w.run(asCSV(someRows(62, 700)), options{tuning: tuning})
		if again.State != crm.Done || again.Counts != second.Counts {
			t.Errorf("the same file after the undo: %s, %+v, want %+v", again.State, again.Counts, second.Counts)
		}
	})
}

func written(r crm.Report) (n int64) {
	for _, e := range crm.Entities {
		n += r.Of(e).Created + r.Of(e).Updated
	}
	return n
}

// TestUndoThroughTheCommandLine kills an undo, goes on with it, and takes it
// back.
func TestUndoThroughTheCommandLine(t *testing.T) {
	t.Parallel()
	l := newLaptop(t)
	file := func(name string, seed uint64, n int) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(asCSV(someRows(seed, n))), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	old := file("old.csv", 63, 400)
	l.report(3, "import", old, "--source", "news")
	s := l.store()
	all := func() string { return exportAs(t, s, store.ExportQuery{Source: "news"}) }
	was := all()
	imported := l.report(3, "import", file("new.csv", 64, 1200), "--source", "news")
	is := export(t, s, "news")

	preview := l.report(0, "imports", "undo", "news", "--dry-run")
	if !preview.DryRun || preview.Undo == nil || preview.Undo.Number != imported.Number || preview.Undo.Total().Reversed != written(imported) {
		t.Errorf("preview %+v of an import of %d records", preview.Undo, written(imported))
	}
	args := []string{"imports", "undo", "news", "--batch-rows", "20", "--heartbeat", "2s"}
	cmd, _, stderr := l.command(args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	l.untilPages(s, 5, ended)
	cmd.Process.Signal(syscall.SIGKILL)
	<-ended
	if export(t, s, "news") == is {
		t.Errorf("nothing was undone before the kill:\n%s", stderr)
	}
	undone := l.report(0, args...)
	if undone.State != crm.Done || undone.Undo.Total().Reversed != written(imported) || all() != was {
		t.Errorf("undo %s: %+v of an import of %d records; the tables are what they were: %v", undone.State, undone.Undo, written(imported), all() == was)
	}
	stdout, _, code := l.run("imports", "undone", fmt.Sprint(imported.Number), "-o", "json")
	if code != 0 || int64(strings.Count(stdout, "\n")) != written(imported) || !strings.Contains(stdout, `"outcome":"restored"`) {
		t.Errorf("imports undone exits %d with %d lines, want %d", code, strings.Count(stdout, "\n"), written(imported))
	}
	if _, stderr, code := l.run("imports", "undo", "news"); code != 2 || !strings.Contains(stderr, "already, by import 3") {
		t.Errorf("a second undo exits %d: %s", code, stderr)
	}
	var row crm.ImportRow
	stdout, _, _ = l.run("imports", "show", fmt.Sprint(imported.Number), "-o", "json")
	if err := json.Unmarshal([]byte(stdout), &row); err != nil || row.State != crm.Undone || row.UndoneBy != undone.Number {
		t.Errorf("the import is %s, undone by %d, %v", row.State, row.UndoneBy, err)
	}
	redone := l.report(3, "imports", "undo", fmt.Sprint(undone.Number))
	if redone.State != crm.Done || redone.Counts != imported.Counts || export(t, s, "news") != is {
		t.Errorf("the undo of the undo: %s, %+v, want %+v", redone.State, redone.Counts, imported.Counts)
	}
}

// untilPages waits until an undo has so many pages behind it.
func (l *laptop) untilPages(s *store.Store, n int, ended <-chan struct{}) {
	l.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ended:
			l.t.Fatalf("the command ended before page %d", n)
		case <-tick.C:
		}
		row, err := s.Import(l.t.Context(), "news")
		if err != nil || row.Kind != crm.KindUndo {
			continue
		}
		if sum, err := s.UndoSum(l.t.Context(), row.Number); err == nil && sum.Pages >= n {
			return
		}
	}
}

// TestUndoOfALargeImport undoes an import of SLUICE_UNDO_ROWS rows, such as
// 200000, of which half change what is there. It says how long that takes and
// how much memory.
func TestUndoOfALargeImport(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv("SLUICE_UNDO_ROWS"))
	if n == 0 {
		t.Skip("it takes minutes; set SLUICE_UNDO_ROWS to a number of rows, such as 200000")
	}
	for _, name := range []string{"sqlite", "postgres"} {
		t.Run(name, func(t *testing.T) {
			url := ""
			if name == "postgres" {
				url = servertest.Postgres(t)
			}
			w := newWorld(t, url, "")
			w.run(largeFile(0, n/2, 1, "Old"), options{})
			was := w.lines()
			big := w.run(largeFile(0, n, 1, "New"), options{})
			timed := func(id string) crm.Report {
				peak := peakHeap()
				from := time.Now()
				r := w.undo(id, 0)
				took := time.Since(from)
				t.Logf("%d records in %s, %.0f a second; at most %d MiB more on the heap", r.Undo.Total().Records, took,
					float64(r.Undo.Total().Records)/took.Seconds(), peak()>>20)
				return r
			}
			r := timed(big.ImportID)
			if total := r.Undo.Total(); r.State != crm.Done || total.Reversed != written(big) || !maps.Equal(w.lines(), was) {
				t.Fatalf("undo %s: %+v", r.State, r.Undo)
			}
			big = w.run(largeFile(0, n, 1, "New"), options{})
			w.run(largeFile(n/4, n*3/4, n/200, "Edited"), options{})
			r = timed(big.ImportID)
			if total := r.Undo.Total(); r.State != crm.Done || total.Kept != 100 || r.Undo.Whys[crm.WhyChangedSince] != 100 {
				t.Fatalf("undo %s: %+v, want 100 kept", r.State, r.Undo)
			}
			kept := 0
			for record, err := range w.store.UndoneRecords(t.Context(), r.Number) {
				if err != nil {
					t.Fatal(err)
				}
				if record.Outcome == crm.Kept {
					if kept++; (record.Line-2)%int64(n/200) != 0 || record.Entity != "customer" {
						t.Errorf("kept: %+v", record)
					}
				}
			}
			edited := 0
			for line := range w.lines() {
				if !was[line] {
					edited++
				}
			}
			if kept != 100 || edited != 100 {
				t.Errorf("%d records listed as kept and %d that were not there before, want 100", kept, edited)
			}
		})
	}
}

// largeFile has a customer and its contact in every step-th row from a number
// on, up to another.
func largeFile(from, to, step int, company string) string {
	var b strings.Builder
	b.WriteString("external_id,company,email,first_name,city\n")
	for i := from; i < to; i += step {
		if step == 1 {
			fmt.Fprintf(&b, "cus-%07d,%s %d,person%d@example.com,Ann,Berlin\n", i*7919%10_000_019, company, i, i)
		} else {
			fmt.Fprintf(&b, "cus-%07d,%s %d,,,\n", i*7919%10_000_019, company, i)
		}
	}
	return b.String()
}

// lines are those of everything.
func (w *world) lines() map[string]bool {
	out := map[string]bool{}
	for line := range strings.SplitSeq(w.everything(), "\n") {
		out[line] = true
	}
	return out
}

// peakHeap watches how much the heap grows until it is asked.
func peakHeap() (peak func() uint64) {
	runtime.GC()
	var base, now runtime.MemStats
	runtime.ReadMemStats(&base)
	most, stop, done := base.HeapAlloc, make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				runtime.ReadMemStats(&now)
				most = max(most, now.HeapAlloc)
			}
		}
	}()
	return func() uint64 { close(stop); <-done; return most - base.HeapAlloc }
}
