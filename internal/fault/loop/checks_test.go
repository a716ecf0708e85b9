package loop

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/csv"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/uptrace/bun/driver/sqliteshim"

	"sluice/internal/crm"
	"sluice/internal/store"
)

// A result is what an import must come to, whatever failed on the way.
type result struct {
	Report                        crm.Report // without stamps, places and what the attempts decide
	Export                        string     // of the source, as `export --stable` prints it
	Rejected, Warned, Unprocessed string     // the lists
	Imports                       int        // of the source
}

// result gathers what an import came to.
func (w *world) result(r crm.Report) result {
	w.t.Helper()
	ctx := w.t.Context()
	list := func(o crm.Object) string {
		if o.IsZero() {
			return ""
		}
		return w.text(w.stage.ReadCompressed(ctx, o))
	}
	imports, err := w.store.Imports(ctx, store.ImportQuery{Source: r.Source})
	if err != nil {
		w.t.Fatal(err)
	}
	out := result{Report: r, Export: w.export(r.Source), Rejected: list(r.RejectObject), Warned: list(r.WarnedObject),
		Unprocessed: list(r.UnprocessedObject), Imports: len(imports)}
	out.Report.StartedAt, out.Report.EndedAt, out.Report.Seconds, out.Report.RowsPerSecond = time.Time{}, time.Time{}, 0, 0
	out.Report.RejectObject, out.Report.WarnedObject, out.Report.UnprocessedObject = crm.Object{}, crm.Object{}, crm.Object{}
	out.Report.RejectFile, out.Report.Outbox = "", nil
	out.Report.Batches = 0 // leftovers may be settled in fewer or more
	out.Report.Number = 0  // one that was taken by a transaction that failed is not given again
	return out
}

func (w *world) export(source string) string {
	w.t.Helper()
	var b bytes.Buffer
	for _, e := range crm.Entities {
		out := csv.NewWriter(&b)
		if err := w.store.Export(w.t.Context(), store.ExportQuery{Source: source, Entity: e, Stable: true}, out.Write, out.Write); err != nil {
			w.t.Fatal(err)
		}
		out.Flush()
	}
	return b.String()
}

// A verdict says what is wrong with a run.
type verdict []string

func (v *verdict) fail(format string, args ...any) { *v = append(*v, fmt.Sprintf(format, args...)) }

// check holds a finished import of one file against a plain reading of it.
func (w *world) check(r crm.Report, want *reading, mailed bool, v *verdict) {
	w.t.Helper()
	// Invariant 1.
	if diff := cmp.Diff(want.counts, r.Counts); diff != "" {
		v.fail("counts differ from a plain reading (-want +got):\n%s", diff)
	}
	if n := strings.Count(w.result(r).Rejected, "\n"); int64(n) != r.Rejected {
		v.fail("%d rows in the list of rejected ones, %d counted", n, r.Rejected)
	}
	w.checkTables(want, v)
	w.checkDone(r, mailed, v)
	messages := 0
	if mailed {
		messages = 1
	}
	w.checkPost(messages, v)
}

// checkDone wants an import to be done, accounted for, and told of.
func (w *world) checkDone(r crm.Report, mailed bool, v *verdict) {
	w.t.Helper()
	if row, err := w.store.Import(w.t.Context(), r.ImportID); err != nil || row.State != crm.Done || r.State != crm.Done {
		v.fail("the import is %s, and its report says %s, %v; want done", row.State, r.State, err)
	}
	if !r.Balanced() {
		v.fail("rows or records are not accounted for: %+v", r.Counts)
	}
	if r.Undo == nil {
		w.checkLedger(r, v)
	}
	w.checkMail(r, mailed, v)
}

// checkTables wants each record there once, and no other (invariant 3).
func (w *world) checkTables(want *reading, v *verdict) {
	w.t.Helper()
	companies, records := map[string]string{}, map[string]bool{}
	for _, e := range crm.Entities {
		var at map[string]int
		columns := func(names []string) error {
			at = make(map[string]int, len(names))
			for i, name := range names {
				at[name] = i
			}
			return nil
		}
		err := w.store.Export(w.t.Context(), store.ExportQuery{Source: news, Entity: e, Stable: true}, columns, func(cells []string) error {
			id := cells[at["external_id"]]
			switch e {
			case crm.Customer:
				companies[id] = cells[at["company"]]
			case crm.Contact:
				id = cells[at["customer"]] + " " + cells[at["email"]]
			case crm.Note:
				id = cells[at["customer"]] + " " + cells[at["text"]]
			}
			if records[id] {
				v.fail("%s %q is there twice", e, id)
			}
			records[id] = true
			return nil
		})
		if err != nil {
			w.t.Fatal(err)
		}
	}
	if diff := cmp.Diff(want.companies, companies); diff != "" {
		v.fail("companies of the customers (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want.records, records); diff != "" {
		v.fail("records (-want +got):\n%s", diff)
	}
}

// checkLedger wants batches numbered without gaps, each row in one of them, and
// counts that add up to those reported.
func (w *world) checkLedger(r crm.Report, v *verdict) {
	w.t.Helper()
	var sum crm.Counts
	n, file, last := 0, 0, int64(0)
	for row, err := range w.store.Ledger(w.t.Context(), r.Number, 0) {
		if err != nil {
			w.t.Fatal(err)
		}
		if row.Batch.Number != n {
			v.fail("batch %d of the ledger has number %d", n, row.Batch.Number)
		}
		n++
		sum.Add(row.Counts)
		if row.Settles {
			continue
		}
		if row.Batch.File != file {
			file, last = row.Batch.File, 0
		}
		if row.Batch.First <= last {
			v.fail("batch %d begins with line %d, and the one before ends with %d", row.Batch.Number, row.Batch.First, last)
		}
		last = row.Batch.Last
	}
	if n != r.Batches || sum != r.Counts {
		v.fail("%d batches in the ledger, %d reported; counts (-ledger +report):\n%s", n, r.Batches, cmp.Diff(sum, r.Counts))
	}
}

// checkMail wants one message sent of an import, or the same one twice.
func (w *world) checkMail(r crm.Report, mailed bool, v *verdict) {
	w.t.Helper()
	want := 0
	if mailed {
		want = 1
	}
	sent := w.post.of(r.ImportID + ".")
	if len(sent) != want || len(r.Outbox) != want {
		v.fail("messages sent, by stable id: %v, outbox %v; want %d", sent, r.Outbox, want)
	}
	for _, id := range r.Outbox {
		if m, err := w.store.Message(w.t.Context(), id); err != nil || m.SentAt.IsZero() || sent[m.Stable] == 0 {
			v.fail("message %d was sent %d times, and is noted as sent at %v, %v", id, sent[m.Stable], m.SentAt, err)
		}
	}
}

// checkPost wants so many messages sent at all, one of them twice at the most.
func (w *world) checkPost(want int, v *verdict) {
	w.t.Helper()
	if sent := w.post.of(""); len(sent) != want || len(w.post.sent) > want+1 {
		v.fail("messages sent, by stable id: %v; want %d", sent, want)
	}
}

// remains says what should have been closed or removed and is there.
func (w *world) remains() []string {
	w.t.Helper()
	var v verdict
	for place, n := range w.calls.open {
		v.fail("%d readers of %s are still open", n, place)
	}
	err := fs.WalkDir(os.DirFS(w.at.stage), ".", func(name string, d fs.DirEntry, err error) error {
		if strings.HasPrefix(d.Name(), "~") {
			v.fail("a temporary file is left: %s", name)
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := inNoTransaction(w.t, w.at.database); err != nil {
		v.fail("%v", err)
	}
	return v
}

// inNoTransaction returns an error if somebody has a transaction open.
func inNoTransaction(t *testing.T, address string) error {
	t.Helper()
	file, ok := strings.CutPrefix(address, "sqlite://")
	if !ok {
		const open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND state LIKE '%in transaction%'"
		// A server that was just cut off may not have noticed.
		var n int64
		for range 100 {
			if n = sqlOn(t, address, open)[0]; n == 0 {
				return nil
			}
		}
		return fmt.Errorf("%d transactions are open", n)
	}
	db, err := sql.Open(sqliteshim.ShimName, "file:"+file+"?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tx, err := db.BeginTx(context.WithoutCancel(t.Context()), nil)
	if err != nil {
		return fmt.Errorf("a transaction is open: %w", err)
	}
	return tx.Rollback()
}
