package launch

import (
	"context"
	"io"
	"iter"
	"strings"
	"testing"
	"time"

	"sluice/internal/crm"
)

// books is the ledger of one import.
type books struct {
	rows   []crm.LedgerRow
	parked []crm.ParkedBatch
	undone crm.UndoSum
}

func (b books) UndoSum(context.Context, int64) (crm.UndoSum, error) { return b.undone, nil }

func (b books) Ledger(context.Context, int64, int) iter.Seq2[crm.LedgerRow, error] {
	return func(yield func(crm.LedgerRow, error) bool) {
		for _, r := range b.rows {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func (b books) Parked(context.Context, int64) ([]crm.ParkedBatch, error) { return b.parked, nil }

// noLists is a stage from which every list was swept.
type noLists struct{}

func (noLists) ReadCompressed(context.Context, crm.Object) (io.ReadCloser, error) {
	return nil, crm.ErrNotFound
}

var noon = time.Date(2027, 1, 2, 12, 0, 0, 0, time.UTC)

// underWay is an import of two files, the second of which is being read. It
// wrote four batches of 100 rows, one each half minute, and one is parked.
func underWay() (crm.ImportRow, books) {
	file := func(n int, size int64) crm.File { return crm.File{Number: n, Object: crm.Object{Size: size}} }
	row := crm.ImportRow{State: crm.Running, StartedAt: noon, Totals: crm.Counts{Read: 400, Accepted: 360, Rejected: 40},
		Request: crm.Request{Files: []crm.FileRef{{Name: "a.csv", Object: crm.Object{Size: 1000}}, {Name: "b.csv.gz", Object: crm.Object{Size: 500}}}},
		Files:   []crm.FileRow{{Parsed: file(0, 1000), File: crm.File{Name: "a.csv"}}, {Parsed: file(1, 5000), File: crm.File{Number: 1, Name: "b.csv.gz"}, Start: crm.Position{Offset: 10}}}}
	var b books
	for i := range 5 {
		batch := crm.Batch{Number: i, File: min(i, 1), From: crm.Position{Offset: int64(i) * 600}, Counts: crm.RowTally{Read: 100, Rejected: 10},
			Rejects: crm.Object{Key: "list"}}
		if i == 4 {
			b.parked = []crm.ParkedBatch{{Batch: batch, Failure: "a trigger"}}
			continue
		}
		b.rows = append(b.rows, crm.LedgerRow{Batch: batch, Counts: crm.Counts{Read: 100, Rejected: 10, Accepted: 90},
			CommittedAt: noon.Add(time.Duration(i+1) * 30 * time.Second)})
	}
	return row, b
}

func TestLedgeredReckonsRateAndTimeLeft(t *testing.T) {
	t.Parallel()
	row, b := underWay()
	list := strings.Repeat(oneRow, 10)
	p, err := Ledgered(t.Context(), b, shelf{list}, row, noon.Add(2*time.Minute+10*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	if !p.Ledger || p.Steps[0].Rows != 500 || p.Steps[1].Rows != 500 || p.Steps[2].Rows != 400 || p.Parked != 1 || p.Attention != "a trigger" {
		t.Errorf("progress %+v", p)
	}
	if p.Bytes != 1000+2400 || p.BytesTotal != 6000 || p.File != "b.csv.gz" || p.Files != 2 || p.Phase != "write" || !p.UpdatedAt.Equal(noon.Add(2*time.Minute)) {
		t.Errorf("progress %+v", p)
	}
	if p.Rejects[crm.ReasonBadEmail] != 50 || p.Counts != row.Totals {
		t.Errorf("rejected %v, counts %+v", p.Rejects, p.Counts)
	}
	// 400 rows in two minutes; 500 rows are 3,400 of 6,000 bytes.
	if p.Rate < 3.3 || p.Rate > 3.4 || p.Remaining != 145*time.Second {
		t.Errorf("rate %f, %s left", p.Rate, p.Remaining)
	}
}

func TestLedgeredShowsNoPaceWhereNothingMoves(t *testing.T) {
	t.Parallel()
	row, b := underWay()
	p, err := Ledgered(t.Context(), b, noLists{}, row, noon.Add(10*time.Minute))
	if err != nil || p.Rate != 0 || p.Remaining != 0 || len(p.Rejects) > 0 || p.Steps[2].Rows != 400 {
		t.Errorf("ten minutes later: %+v, %v", p, err)
	}
	row.State = crm.Paused
	if p, err = Ledgered(t.Context(), b, noLists{}, row, noon.Add(2*time.Minute)); err != nil || p.Rate == 0 || p.Remaining != 0 {
		t.Errorf("paused: %+v, %v", p, err)
	}
	row.Files = nil
	if p, err = Ledgered(t.Context(), books{}, noLists{}, row, noon); err != nil || p.Phase != "inspect" || p.File != "a.csv" || p.Rate != 0 || p.Bytes != 0 {
		t.Errorf("before a row is read: %+v, %v", p, err)
	}
	b.rows[3].Settles = true
	if p, err = Ledgered(t.Context(), b, noLists{}, row, noon); err != nil || p.Phase != "settle" {
		t.Errorf("settling: %+v, %v", p, err)
	}
}

// TestLedgeredShowsAnUndo: of an undo that no worker carries out, what its pages
// came to; of one that has ended, its report.
func TestLedgeredShowsAnUndo(t *testing.T) {
	var b books
	b.undone.Counts.Customers.Created = crm.UndoTally{Records: 30, Reversed: 29, Kept: 1}
	b.undone.Target.Totals.Customers = crm.Tally{Records: 50, Created: 40, Updated: 5, Unchanged: 5}
	row := crm.ImportRow{Kind: crm.KindUndo, State: crm.Running, StartedAt: noon}
	p, err := Ledgered(t.Context(), b, noLists{}, row, noon)
	if err != nil || p.Phase != "undo" || p.Undo == nil || p.Undo.Customers != b.undone.Counts.Customers || p.UndoTotal != 45 {
		t.Errorf("of an open one: %+v, %v", p, err)
	}
	if len(p.Steps) != 1 || p.Steps[0].Step != crm.Reverse.Name || p.Steps[0].Rows != 30 || p.Steps[0].Done {
		t.Errorf("its steps: %+v", p.Steps)
	}
	row.State, row.Report = crm.Done, &crm.Report{Undo: &crm.UndoneReport{UndoCounts: b.undone.Counts}}
	p, err = Ledgered(t.Context(), b, noLists{}, row, noon)
	if err != nil || p.Undo == nil || p.Undo.Customers != b.undone.Counts.Customers || p.UndoTotal != 30 || !p.Steps[0].Done {
		t.Errorf("of one that has ended: %+v, %v", p, err)
	}
}
