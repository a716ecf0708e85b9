package activities

import (
	"context"
	"errors"
	"io"
	"slices"

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

	counts   crm.Counts
	changes  crm.Changes
	batches  int
	rejected groups
	warned   groups

	salvaging bool // something staged is lost: only what is whole is listed

	settled                        map[crm.Address][]crm.Rejection // rejected by a batch of leftovers
	rejects, warnings, unprocessed *list
}

// run fills the counts, the groups and the lists of a report.
func (l *listing) run(ctx context.Context, imp crm.ImportRow, r *crm.Report) error {
	att := attempt(ctx)
	l.rejected, l.warned = groups{}, groups{}
	l.rejects = newList(ctx, l.a.Stage, listKey(imp.ID, att, "rejected"))
	l.warnings = newList(ctx, l.a.Stage, listKey(imp.ID, att, "warned"))
	l.unprocessed = newList(ctx, l.a.Stage, listKey(imp.ID, att, "unprocessed"))
	defer l.rejects.abandon()
	defer l.warnings.abandon()
	defer l.unprocessed.abandon()
	reread, err := l.add(ctx)
	switch {
	case err != nil:
	case l.salvaging:
		err = l.salvage(ctx)
	case reread || l.in.State != crm.Done:
		err = l.reread(ctx, imp)
	default:
		err = l.collect(ctx)
	}
	if err != nil {
		return err
	}
	if r.RejectObject, err = l.rejects.close(); err != nil {
		return err
	}
	if r.WarnedObject, err = l.warnings.close(); err != nil {
		return err
	}
	if r.UnprocessedObject, err = l.unprocessed.close(); err != nil {
		return err
	}
	r.Counts, r.Batches, r.Changes = l.counts, l.batches, l.changes
	r.Rejects = l.rejected.sorted()
	if len(l.warned) > 0 {
		r.Warned = l.warned.sorted()
	}
	return nil
}

// add adds up the ledger and copies the warnings, and says whether a row was
// rejected after Parse.
func (l *listing) add(ctx context.Context) (reread bool, err error) {
	l.settled = map[crm.Address][]crm.Rejection{}
	for row, err := range l.a.Store.Ledger(ctx, l.in.Import.Number, 0) {
		if err != nil {
			return false, err
		}
		l.batches++
		l.counts.Add(row.Counts)
		l.changes = l.changes.Add(row.Changes)
		if err := l.spared(l.a.listedRows(ctx, row.Batch.Warned, l.warn)); err != nil {
			return false, err
		}
		if row.Settles {
			if err := l.spared(l.a.rejectedRecords(ctx, &row, l.settled)); err != nil {
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
			fault := crm.Rejection{Reason: o.Reason()}
			if fault.Reason == "" {
				continue
			}
			if row := crm.CopyAddress(lines[i]); !slices.Contains(into[row], fault) { // two records of it, for one reason
				into[row] = append(into[row], fault)
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
		if err := l.a.listedRows(ctx, row.Batch.Rejects, l.reject); err != nil {
			return err
		}
	}
	return nil
}

// reread reads every inspected file again, beside the ledger.
func (l *listing) reread(ctx context.Context, imp crm.ImportRow) error {
	var blank int64
	for n := range imp.Request.FilesAtMost() {
		row, p, err := l.a.planned(ctx, l.in.Import, n)
		if errors.Is(err, crm.ErrNotFound) {
			break // this file and those after it were not inspected: nobody knows their rows
		}
		if err != nil {
			return err
		}
		rows, err := l.a.rows(ctx, row.Parsed, &p, row.Start)
		if err != nil {
			return err
		}
		err = l.file(ctx, n, rows)
		blank += rows.Blank()
		rows.Close()
		if err != nil {
			return err
		}
	}
	l.counts.Blank = max(l.counts.Blank, blank)
	return nil
}

// file walks one file's rows beside the batches that cover them.
func (l *listing) file(ctx context.Context, n int, rows *reading) error {
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
				err = l.skip(rows.address, &row)
			} else if f := l.faultsOf(faults, rows.address, &batch); f != nil {
				err = l.reject(crm.RejectedRow{File: rows.address.File(), Line: rows.address.Line(), Faults: f, Cells: row.Cells})
			}
			if err != nil {
				return err
			}
		}
	}
	for ; more && err == nil; more, err = read() {
		if err := l.skip(rows.address, &row); err != nil {
			return err
		}
	}
	return err
}

// faults gathers why rows of a batch were rejected, by whichever step.
func (l *listing) faults(ctx context.Context, r *crm.LedgerRow) (map[crm.Address][]crm.Rejection, error) {
	out := map[crm.Address][]crm.Rejection{}
	err := l.a.listedRows(ctx, r.Batch.Rejects, func(row crm.RejectedRow) error {
		out[crm.At(row.File, row.Line)] = row.Faults
		return nil
	})
	if err == nil && r.Skipped == "" && rejectedByWrite(r) {
		err = l.a.rejectedRecords(ctx, r, out)
	}
	return out, err
}

// skipped is why the rows of a batch that was given up are rejected.
var skipped = []crm.Rejection{{Reason: crm.ReasonSkipped}}

// faultsOf returns why a row of a batch was rejected; nil if it was not.
func (l *listing) faultsOf(faults map[crm.Address][]crm.Rejection, row crm.Address, batch *crm.LedgerRow) []crm.Rejection {
	if f := l.settled[row]; f != nil {
		return f
	}
	if f := faults[row]; f != nil || batch.Skipped == "" {
		return f
	}
	return skipped
}

func (l *listing) reject(r crm.RejectedRow) error {
	l.rejected.add(&r)
	return l.rejects.add(r)
}

// warn lists a row with warnings. Those of a row that Parse accepted stand, and
// are counted, even if Write rejects it: what was left out was left out.
func (l *listing) warn(r crm.RejectedRow) error {
	l.warned.add(&r)
	return l.warnings.add(r)
}

// skip lists a row that no batch covers.
func (l *listing) skip(at crm.Address, r *crm.Row) error {
	l.counts.Read++
	l.counts.Unprocessed++
	return l.unprocessed.add(crm.RejectedRow{File: at.File(), Line: at.Line(), Cells: r.Cells})
}
