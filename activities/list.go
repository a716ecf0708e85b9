package activities

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"sort"

	"sluice/internal/crm"
)

// listing is one call of Reconcile: it adds up the ledger and writes the lists.
//
// Rows that Parse rejected are staged with their cells. Rows that were rejected
// by Write, and rows that nobody processed, are found by reading the files
// again beside the ledger, which says for every line what became of it.
type listing struct {
	a  *Activities
	in crm.ReconcileInput

	counts      crm.Counts
	batches     int
	rejects     crm.Object
	unprocessed crm.Object
	groups      map[group]*crm.RejectGroup

	settled map[crm.Address][]crm.Rejection // rejected by a batch of leftovers
	rejList *list
	unpList *list
}

type group struct {
	reason crm.Reason
	column string
}

func (l *listing) run(ctx context.Context, imp crm.ImportRow) error {
	reread, err := l.add(ctx)
	if err != nil {
		return err
	}
	att := attempt(ctx)
	l.rejList = newList(ctx, l.a.Stage, listKey(imp.ID, att, "rejected"))
	l.unpList = newList(ctx, l.a.Stage, listKey(imp.ID, att, "unprocessed"))
	defer l.rejList.abandon()
	defer l.unpList.abandon()
	if reread || l.in.State != crm.Done {
		err = l.reread(ctx, imp)
	} else {
		err = l.collect(ctx)
	}
	if err != nil {
		return err
	}
	if l.rejects, err = l.rejList.close(); err != nil {
		return err
	}
	l.unprocessed, err = l.unpList.close()
	return err
}

// add adds up the ledger, and says whether a row was rejected after Parse.
func (l *listing) add(ctx context.Context) (reread bool, err error) {
	l.settled = map[crm.Address][]crm.Rejection{}
	for row, err := range l.a.Store.Ledger(ctx, l.in.Import.Number, 0) {
		if err != nil {
			return false, err
		}
		l.batches++
		l.counts.Add(row.Counts)
		if row.Settles {
			if err := l.a.rejectedRecords(ctx, &row, l.settled); err != nil {
				return false, err
			}
		}
		reread = reread || rejectedByWrite(&row)
	}
	return reread || len(l.settled) > 0, nil
}

// rejectedRecords adds the rows of a batch that Write rejected.
func (a *Activities) rejectedRecords(ctx context.Context, r *crm.LedgerRow, into map[crm.Address][]crm.Rejection) error {
	for _, e := range crm.Entities {
		if !slices.ContainsFunc(r.Outcomes[e], func(o crm.Outcome) bool { return o.Reason() != "" }) {
			continue
		}
		lines, err := a.partLines(ctx, r.Batch.Part(e))
		if err != nil {
			return err
		}
		for i, o := range r.Outcomes[e] {
			if reason := o.Reason(); reason != "" {
				into[crm.CopyAddress(lines[i])] = append(into[crm.CopyAddress(lines[i])], crm.Rejection{Reason: reason})
			}
		}
	}
	return nil
}

// collect copies what Parse staged: nothing else was rejected.
func (l *listing) collect(ctx context.Context) error {
	for row, err := range l.a.Store.Ledger(ctx, l.in.Import.Number, 0) {
		if err != nil {
			return err
		}
		err := l.a.rejectedRows(ctx, row.Batch.Rejects, func(r crm.RejectedRow) error { return l.reject(r) })
		if err != nil {
			return err
		}
	}
	return nil
}

// rejectedRows reads the rows that Parse rejected in one batch.
func (a *Activities) rejectedRows(ctx context.Context, o crm.Object, each func(crm.RejectedRow) error) error {
	if o.IsZero() {
		return nil
	}
	r, err := a.Stage.ReadCompressed(ctx, o)
	if err != nil {
		return err
	}
	defer r.Close()
	d := json.NewDecoder(bufio.NewReaderSize(r, 1<<16))
	for {
		var row crm.RejectedRow
		if err := d.Decode(&row); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := each(row); err != nil {
			return err
		}
	}
}

// reread reads every inspected file again, beside the ledger.
func (l *listing) reread(ctx context.Context, imp crm.ImportRow) error {
	var blank int64
	for n := range imp.Request.Files {
		row, p, err := l.a.planned(ctx, l.in.Import, n)
		if errors.Is(err, crm.ErrNotFound) {
			break // this file and those after it were not inspected: nobody knows their rows
		}
		if err != nil {
			return err
		}
		rows, closer, err := l.a.rows(ctx, row.Parsed, p.Layout, row.Start)
		if err != nil {
			return err
		}
		err = l.file(ctx, n, rows)
		blank += rows.Blank()
		closer.Close()
		if err != nil {
			return err
		}
	}
	l.counts.Blank = max(l.counts.Blank, blank)
	return nil
}

type rowReader interface {
	Read(row *crm.Row) error
}

// file walks one file's rows beside the batches that cover them.
func (l *listing) file(ctx context.Context, n int, rows rowReader) error {
	var row crm.Row
	read := func() (bool, error) {
		err := rows.Read(&row)
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		if err == nil && row.Line%1024 == 0 {
			err = ctx.Err()
		}
		return err == nil, err
	}
	more, err := read()
	for batch, ledgerErr := range l.a.Store.Ledger(ctx, l.in.Import.Number, 0) {
		if ledgerErr != nil || err != nil {
			return errors.Join(ledgerErr, err)
		}
		if batch.Settles || batch.Batch.File != n || batch.Batch.Counts.Read == 0 {
			continue
		}
		faults, faultsErr := l.faults(ctx, &batch)
		if faultsErr != nil {
			return faultsErr
		}
		for ; more && row.Line <= batch.Batch.Last; more, err = read() {
			if row.Line < batch.Batch.First {
				err = l.skip(n, &row)
			} else if f := faults[crm.At(n, row.Line)]; f != nil {
				err = l.reject(crm.RejectedRow{File: n, Line: row.Line, Faults: f, Cells: row.Cells})
			}
			if err != nil {
				return err
			}
		}
	}
	for ; more && err == nil; more, err = read() {
		if err := l.skip(n, &row); err != nil {
			return err
		}
	}
	return err
}

// faults gathers why rows of a batch were rejected, by whichever step.
func (l *listing) faults(ctx context.Context, r *crm.LedgerRow) (map[crm.Address][]crm.Rejection, error) {
	out := map[crm.Address][]crm.Rejection{}
	err := l.a.rejectedRows(ctx, r.Batch.Rejects, func(row crm.RejectedRow) error {
		out[crm.At(r.Batch.File, row.Line)] = row.Faults
		return nil
	})
	if err == nil && rejectedByWrite(r) {
		err = l.a.rejectedRecords(ctx, r, out)
	}
	for line := r.Batch.First; line <= r.Batch.Last && len(l.settled) > 0; line++ {
		if f := l.settled[crm.At(r.Batch.File, line)]; f != nil {
			out[crm.At(r.Batch.File, line)] = f
		}
	}
	return out, err
}

func (l *listing) reject(r crm.RejectedRow) error {
	for _, f := range r.Faults {
		g := l.groups[group{f.Reason, f.Column}]
		if g == nil {
			g = &crm.RejectGroup{Reason: f.Reason, Column: f.Column, FirstFile: r.File, FirstLine: r.Line}
			l.groups[group{f.Reason, f.Column}] = g
		}
		g.Count++
	}
	return l.rejList.add(r)
}

// skip lists a row that no batch covers.
func (l *listing) skip(file int, r *crm.Row) error {
	l.counts.Read++
	l.counts.Unprocessed++
	return l.unpList.add(crm.RejectedRow{File: file, Line: r.Line, Cells: r.Cells})
}

// grouped returns the groups by falling count; see [crm.Report.Rejects].
func (l *listing) grouped() []crm.RejectGroup {
	out := make([]crm.RejectGroup, 0, len(l.groups))
	for _, g := range l.groups {
		out = append(out, *g)
	}
	sort.Slice(out, func(i, j int) bool {
		a, b := out[i], out[j]
		if a.Count != b.Count {
			return a.Count > b.Count
		}
		if a.Reason != b.Reason {
			return a.Reason < b.Reason
		}
		return a.Column < b.Column
	})
	if len(out) > crm.MaxRejectGroups {
		rest := crm.RejectGroup{Reason: "other", FirstFile: out[crm.MaxRejectGroups-1].FirstFile, FirstLine: out[crm.MaxRejectGroups-1].FirstLine}
		for _, g := range out[crm.MaxRejectGroups-1:] {
			rest.Count += g.Count
			if crm.At(g.FirstFile, g.FirstLine) < crm.At(rest.FirstFile, rest.FirstLine) {
				rest.FirstFile, rest.FirstLine = g.FirstFile, g.FirstLine
			}
		}
		out = append(out[:crm.MaxRejectGroups-1], rest)
	}
	return out
}

// list writes rows, one JSON object a line, into a staged object that begins
// with its first row: an empty list leaves nothing.
type list struct {
	ctx   context.Context
	stage Stage
	key   string

	pipe *io.PipeWriter
	w    *bufio.Writer
	done chan struct{}
	o    crm.Object
	err  error
}

func newList(ctx context.Context, s Stage, key string) *list {
	return &list{ctx: ctx, stage: s, key: key}
}

func (l *list) add(r crm.RejectedRow) error {
	if l.pipe == nil {
		var pr *io.PipeReader
		pr, l.pipe = io.Pipe()
		l.w, l.done = bufio.NewWriterSize(l.pipe, 1<<16), make(chan struct{})
		go func() {
			defer close(l.done)
			l.o, l.err = l.stage.PutCompressed(l.ctx, l.key, pr)
			pr.CloseWithError(l.err)
		}()
	}
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = l.w.Write(append(line, '\n'))
	return err
}

func (l *list) close() (crm.Object, error) {
	if l.pipe == nil {
		return crm.Object{}, nil
	}
	err := l.w.Flush()
	l.pipe.CloseWithError(err)
	<-l.done
	return l.o, errors.Join(err, l.err)
}

// abandon ends the writing of a list that was not closed. After close it does
// nothing.
func (l *list) abandon() {
	if l.pipe != nil {
		l.pipe.CloseWithError(context.Canceled)
		<-l.done
	}
}
