package launch

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"slices"
	"time"

	"sluice/internal/crm"
)

// FromLedger makes a progress of what an import's row alone says, which is all
// there is to say of one that has ended. Of one that has not it has exact
// counts of what is written; [Ledgered] says more.
func FromLedger(row crm.ImportRow) crm.Progress {
	p := crm.Progress{Import: row.Import, State: row.State, Phase: phaseOf(row), By: row.By, Files: len(row.Request.Files), Counts: row.Totals,
		StartedAt: row.StartedAt, UpdatedAt: row.EndedAt, Ledger: true}
	for _, f := range row.Request.Files {
		p.BytesTotal += f.Object.Size
	}
	for i, f := range row.Files { // what was rewritten has another size
		if i < len(row.Request.Files) {
			p.BytesTotal += f.Parsed.Object.Size - row.Request.Files[i].Object.Size
		}
	}
	switch n := len(row.Files); {
	case n > 0:
		p.File = row.Files[n-1].File.Name
	case p.Files > 0:
		p.File = row.Request.Files[0].Name
	}
	if row.Request.Paged() {
		setPartitions(&p, row)
	}
	if row.Report != nil {
		p.Counts = row.Report.Counts
		p.Rejects = crm.Reasons{}
		for _, g := range row.Report.Rejects {
			p.Rejects[g.Reason] += g.Count
		}
	}
	done := !row.State.Open()
	if row.Kind == crm.KindUndo {
		p.Steps = []crm.StepProgress{{Step: crm.Reverse.Name, Done: done}}
		if row.Report != nil && row.Report.Undo != nil {
			setUndone(&p, row.Report.Undo.UndoCounts, row.Report.Undo.Total().Records)
		}
		return p
	}
	if row.State == crm.Done {
		p.Bytes = p.BytesTotal
	}
	rows := p.Counts.Read - p.Counts.Unprocessed
	for _, step := range []string{crm.Parse.Name, crm.Dedupe.Name, crm.Write.Name} {
		p.Steps = append(p.Steps, crm.StepProgress{Step: step, Rows: rows, Done: done})
	}
	return p
}

// setPartitions shows how many partitions an import has read. Each segment is a
// file that bears the name of its partition; those that took the place of one
// that was too big are not in the request, and count as none.
func setPartitions(p *crm.Progress, row crm.ImportRow) {
	reads := row.Request.Reads
	p.Files, p.File, p.BytesTotal = 0, "", 0
	p.Partitions = len(reads)
	if row.Request.Statuses {
		p.Partitions++
	}
	for _, f := range row.Files {
		at := slices.IndexFunc(reads, func(r crm.Partition) bool { return r.ID == f.File.Name })
		if f.File.Name == crm.StreamStatuses {
			at = len(reads)
		}
		p.PartitionsRead, p.Partition = max(p.PartitionsRead, at), f.File.Name
	}
	switch {
	case row.State == crm.Done:
		p.PartitionsRead, p.Partition = p.Partitions, ""
	case p.Partition == "" && len(reads) > 0 && row.State.Open():
		p.Partition = reads[0].ID
	}
}

// setUndone shows what an undo has done, of so many records.
func setUndone(p *crm.Progress, c crm.UndoCounts, total int64) {
	p.Undo, p.UndoTotal, p.Steps[0].Rows = &c, total, c.Total().Records
}

// phaseOf is the step that set the pace when the row was written last.
func phaseOf(row crm.ImportRow) string {
	switch {
	case !row.State.Open():
		return "reconcile"
	case row.Kind == crm.KindUndo:
		return "undo"
	case len(row.Files) == 0:
		return "inspect"
	}
	return "write"
}

// ledgerStore is the part of the store that a progress is made of.
type ledgerStore interface {
	Ledger(ctx context.Context, number int64, from int) iter.Seq2[crm.LedgerRow, error]
	Parked(ctx context.Context, number int64) ([]crm.ParkedBatch, error)
	UndoSum(ctx context.Context, number int64) (crm.UndoSum, error)
}

// rateWindow is over how long a rate is reckoned, as the workflow reckons it.
const rateWindow = 2 * time.Minute

// Ledgered makes the progress of an import that has not ended when no worker
// answers for it, from the ledger and the batches that are put aside. row is as
// the store's Import gives it, with its files.
//
// Counts, written rows and the state are those the workflow would tell. What
// lies between Parse and Write is in no ledger, so bytes and the rows of the
// steps before Write may be fewer than those. Rejections are by reason as Parse
// found them, of the batches whose lists are in the stage. The rate is that of
// the last two minutes before the last batch came in, and 0 when that is longer
// ago than as much: then nothing moves. Which step fails is not known. Of an
// undo there are its counts, and no rate.
func Ledgered(ctx context.Context, s ledgerStore, g batchReader, row crm.ImportRow, now time.Time) (crm.Progress, error) {
	p := FromLedger(row)
	if !row.State.Open() {
		return p, nil
	}
	if row.Kind == crm.KindUndo {
		sum, err := s.UndoSum(ctx, row.Number)
		setUndone(&p, sum.Counts, sum.Target.Written())
		return p, err
	}
	l := &ledgered{p: &p, stage: g, from: map[int]int64{}}
	for r, err := range s.Ledger(ctx, row.Number, 0) {
		if err == nil {
			err = l.written(ctx, &r)
		}
		if err != nil {
			return p, err
		}
	}
	parked, err := s.Parked(ctx, row.Number)
	if err != nil {
		return p, err
	}
	for i := range parked {
		if err := l.parsed(ctx, &parked[i].Batch); err != nil {
			return p, err
		}
		p.Attention = parked[i].Failure
	}
	p.Parked = len(parked)
	p.Steps[0].Rows, p.Steps[1].Rows, p.Steps[2].Rows = l.rows, l.rows, l.behind
	if !row.Request.Paged() {
		l.bytes(row)
	}
	l.pace(now)
	return p, nil
}

// ledgered adds up the batches of an import.
type ledgered struct {
	p     *crm.Progress
	stage batchReader

	rows   int64         // of the batches that were parsed, as far as known
	behind int64         // of those written
	from   map[int]int64 // by file: where the batch that is farthest in it begins
	last   []written     // the batches of the window before the last one
}

// written is a batch that came in.
type written struct {
	at   time.Time
	rows int64
}

func (l *ledgered) written(ctx context.Context, r *crm.LedgerRow) error {
	l.behind += r.Counts.Read
	if r.CommittedAt.After(l.p.UpdatedAt) {
		l.p.UpdatedAt = r.CommittedAt
	}
	if r.Settles {
		l.p.Phase = "settle"
		return nil
	}
	l.last = append(l.last, written{r.CommittedAt, r.Counts.Read})
	return l.parsed(ctx, &r.Batch)
}

// parsed adds a batch that Parse has made.
func (l *ledgered) parsed(ctx context.Context, b *crm.Batch) error {
	l.rows += b.Counts.Read
	l.from[b.File] = max(l.from[b.File], b.From.Offset)
	if b.Rejects.IsZero() {
		return nil
	}
	reasons, err := l.reasons(ctx, b.Rejects)
	if errors.Is(err, crm.ErrNotFound) {
		return nil // how many there are stands in the counts
	}
	if l.p.Rejects == nil {
		l.p.Rejects = crm.Reasons{}
	}
	l.p.Rejects.Add(reasons)
	return err
}

// reasons counts the rejections of a staged list by reason.
func (l *ledgered) reasons(ctx context.Context, o crm.Object) (crm.Reasons, error) {
	r, err := l.stage.ReadCompressed(ctx, o)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	out := crm.Reasons{}
	for d := json.NewDecoder(bufio.NewReaderSize(r, 1<<16)); ; {
		var row crm.RejectedRow
		if err := d.Decode(&row); errors.Is(err, io.EOF) {
			return out, nil
		} else if err != nil {
			return nil, err
		}
		for _, f := range row.Faults {
			out[f.Reason]++
		}
	}
}

// bytes reckons how much of the files is behind Parse at the least: all of a
// file that another one follows, and of the last one what is before the batch
// that is farthest in it.
func (l *ledgered) bytes(row crm.ImportRow) {
	for i, f := range row.Files {
		if i < len(row.Files)-1 {
			l.p.Bytes += f.Parsed.Object.Size
			continue
		}
		l.p.Bytes += max(f.Start.Offset, l.from[f.File.Number])
	}
}

// pace reckons the rate and the time left.
func (l *ledgered) pace(now time.Time) {
	p := l.p
	if p.UpdatedAt.IsZero() {
		p.UpdatedAt = p.StartedAt
	}
	if now.Sub(p.UpdatedAt) > rateWindow {
		return
	}
	since, rows := p.UpdatedAt.Add(-rateWindow), int64(0)
	if since.Before(p.StartedAt) {
		since = p.StartedAt
	}
	for _, w := range l.last {
		if w.at.After(since) {
			rows += w.rows
		}
	}
	if d := p.UpdatedAt.Sub(since); d > 0 {
		p.Rate = float64(rows) / d.Seconds()
	}
	if p.Rate <= 0 || p.Bytes <= 0 || l.rows == 0 || p.BytesTotal < p.Bytes || p.State != crm.Running {
		return
	}
	total := float64(l.rows) * float64(p.BytesTotal) / float64(p.Bytes)
	p.Remaining = max(0, time.Duration((total-float64(l.behind))/p.Rate*float64(time.Second)).Round(time.Second))
}
