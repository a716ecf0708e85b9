package endtoend

import (
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"path"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"

	"sluice/internal/crm"
)

// before calls do before the n-th time that a step runs, counted from 1.
func (w *world) before(step string, n int32, do func()) {
	var ran atomic.Int32
	w.wrap = func(r worker.ActivityRegistry) worker.ActivityRegistry {
		return wrapped{r, func(f any, name string) any {
			if name != step {
				return f
			}
			return around(f, func(call func() []reflect.Value, _ any) []reflect.Value {
				if ran.Add(1) == n {
					do()
				}
				return call()
			})
		}}
	}
}

// harm changes what lies under a key of the stage.
func (w *world) harm(key string, change func(raw []byte) []byte) {
	w.t.Helper()
	at := w.stage.Path(crm.Object{Key: key})
	raw, err := os.ReadFile(at)
	if err == nil {
		err = os.WriteFile(at, change(raw), 0o600)
	}
	if err != nil {
		w.t.Error(err)
	}
}

// harms are the ways in which a staged file may not be what it was. The byte
// that changes is near its end.
var harms = map[string]func(raw []byte) []byte{
	"cut short":      func(raw []byte) []byte { return raw[:len(raw)-40] },
	"emptied":        func([]byte) []byte { return nil },
	"longer":         func(raw []byte) []byte { return append(raw, "cus-x,More\n"...) },
	"another byte":   func(raw []byte) []byte { raw[len(raw)-60] ^= 1; return raw },
	"another format": func(raw []byte) []byte { raw[11]++; return raw },
}

func typeOf(err error) crm.FailureType {
	var app *temporal.ApplicationError
	if errors.As(err, &app) {
		return crm.FailureType(app.Type())
	}
	return ""
}

// failedWith makes sure that the import of a source failed for a reason, and
// has a report that adds up.
func (w *world) failedWith(err error, want crm.FailureType) crm.Report {
	w.t.Helper()
	if got := typeOf(err); got != want {
		w.t.Errorf("the import ends with %q: %v; want %s", got, err, want)
	}
	row, err := w.store.Import(w.t.Context(), "news")
	if err != nil || row.Report == nil {
		w.t.Fatalf("no report, state %s: %v", row.State, err)
	}
	if row.State != crm.Failed || row.Report.Failure == nil || row.Report.Failure.Type != want || !row.Report.Balanced() {
		w.t.Errorf("state %s, report %+v", row.State, row.Report)
	}
	return *row.Report
}

// TestFileThatChangesBetweenStepsEndsTheImport harms the staged file before every step
// that reads it.
func TestFileThatChangesBetweenStepsEndsTheImport(t *testing.T) {
	t.Parallel()
	rows := asCSV(someRows(21, 6000)) // some 400 KB, more than one block
	tuning := crm.Tuning{BatchRows: 500, Group: 2}
	for _, at := range []struct {
		step string
		time int32
	}{{crm.Fetch.Name, 1}, {crm.Inspect.Name, 1}, {crm.Parse.Name, 1}, {crm.Parse.Name, 4}, {crm.Reconcile.Name, 1}} {
		for how, change := range harms {
			if at.step == crm.Inspect.Name && how == "another byte" {
				continue // it does not read the whole file, and Parse notices
			}
			t.Run(at.step+" finds it "+how, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, "", "")
				mode := crm.Upsert
				if at.step == crm.Reconcile.Name { // it reads the file again for rows that Write rejected
					w.run(asCSV(someRows(21, 40)), options{})
					mode = crm.CreateOnly
				}
				w.before(at.step, at.time, func() { w.harm(w.put(rows).Key, change) })
				_, err := w.try(rows, options{mode: mode, tuning: tuning})
				r := w.failedWith(err, crm.FailSourceChanged)
				if at.step == crm.Reconcile.Name && (r.Read != 6000 || len(w.rejected(r)) != int(r.Rejected)) {
					t.Errorf("%d rejected rows are listed of %d, and %d were read", len(w.rejected(r)), r.Rejected, r.Read)
				}
			})
		}
	}
}

// TestRewrittenFileThatChangesEndsTheImport harms what Inspect unpacked.
func TestRewrittenFileThatChangesEndsTheImport(t *testing.T) {
	t.Parallel()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err := z.Write([]byte(asCSV(someRows(22, 500))))
	if err = errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	for how, change := range harms {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "", "")
			w.before(crm.Parse.Name, 2, func() {
				for _, key := range w.staged("imports") {
					if strings.HasSuffix(key, ".unpacked") {
						w.harm(key, change)
					}
				}
			})
			_, err := w.try(packed.String(), options{tuning: crm.Tuning{BatchRows: 50, Group: 2}})
			w.failedWith(err, crm.FailSourceChanged)
		})
	}
	t.Run("cut short before it came", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, "", "")
		_, err := w.try(packed.String()[:packed.Len()/2], options{})
		if r := w.failedWith(err, crm.FailInvalid); !strings.Contains(r.Failure.Message, "cut short at byte") || r.Read > 0 {
			t.Errorf("report %+v", r)
		}
	})
}

// TestLostBatchesAreMadeAgain harms and removes batches before they are
// written.
func TestLostBatchesAreMadeAgain(t *testing.T) {
	t.Parallel()
	rows := asCSV(someRows(23, 400))
	tuning := crm.Tuning{BatchRows: 50, Group: 8, Writers: 1} // so that none is written when the first one is
	calm := newWorld(t, "", "")
	want := calm.run(rows, options{tuning: tuning})
	for how, change := range harms {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "", "")
			w.before(crm.Write.Name, 1, func() {
				for i, key := range w.staged("imports") {
					if base := path.Base(key); strings.HasSuffix(base, "s.zst") && base != "rejects.zst" && i%2 == 0 {
						w.harm(key, change)
					}
				}
			})
			got, err := w.try(rows, options{tuning: tuning})
			if how == "another format" { // a newer program's: this one does not know it, and says so
				w.failedWith(err, crm.FailInvalid)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			same(t, calm, want, w, got)
		})
	}
}

// TestBatchLostBeforeSettleEndsTheImportWithAReport harms batches when every
// one of them is written: nothing can be settled then, and nothing is guessed.
func TestBatchLostBeforeSettleEndsTheImportWithAReport(t *testing.T) {
	t.Parallel()
	rows := "external_id,company,email\n1,A,ann@example.com\n"
	w := newWorld(t, "", "")
	w.run(rows, options{})
	// The first row of customer 1 is rejected by Write, and the second one,
	// which lost to it, has to be settled.
	rows = "external_id,company,email\n1,B,bob@example.com\n1,B,cid@example.com\n2,C,dan@example.com\n"
	for _, step := range []string{crm.Settle.Name, crm.Reconcile.Name} {
		w.before(step, 1, func() {
			for _, key := range w.staged("imports") {
				if strings.HasSuffix(key, "customers.zst") || strings.HasSuffix(key, "contacts.zst") || strings.HasSuffix(key, "/keys") {
					w.harm(key, harms["emptied"])
				}
			}
		})
		_, err := w.try(rows, options{mode: crm.CreateOnly, again: true, tuning: crm.Tuning{BatchRows: 1}})
		if r := w.failedWith(err, crm.FailNotFound); r.Read != 3 {
			t.Errorf("harmed before %s: report %+v", step, r.Counts)
		}
	}
}
