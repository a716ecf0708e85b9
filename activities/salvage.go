package activities

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"sluice/internal/crm"
)

// lost reports whether an error says that something staged is not there, or not
// as it was.
func lost(err error) bool {
	return errors.Is(err, crm.ErrNotFound) || errors.Is(err, crm.ErrSourceChanged)
}

// salvage writes the lists of an import whose files, or whose batches, are not
// what they were: from the ledger and from what is whole. Rows that Write
// rejected come without their cells, and rows that nobody processed are not
// known: their number is not guessed.
func (l *listing) salvage(ctx context.Context) error {
	for row, err := range l.a.Store.Ledger(ctx, l.in.Import.Number, 0) {
		if err != nil {
			return err
		}
		if row.Settles {
			continue
		}
		rows, err := l.salvaged(ctx, &row)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if err := l.reject(r); err != nil {
				return err
			}
		}
	}
	return nil
}

// salvaged returns the rejected rows of a batch, in address order. Of the rows
// that leftovers were made of it takes those that the batch has records of.
func (l *listing) salvaged(ctx context.Context, b *crm.LedgerRow) ([]crm.RejectedRow, error) {
	var rows []crm.RejectedRow
	err := l.a.listedRows(ctx, b.Batch.Rejects, func(r crm.RejectedRow) error {
		rows = append(rows, r)
		return nil
	})
	if lost(err) {
		rows, err = nil, nil // half of a list may be wrong
	}
	if err != nil {
		return nil, err
	}
	faults, err := l.salvagedFaults(ctx, b)
	if err != nil {
		return nil, err
	}
	for at, of := range faults {
		rows = append(rows, crm.RejectedRow{File: at.File(), Line: at.Line(), Faults: of})
	}
	slices.SortFunc(rows, func(a, b crm.RejectedRow) int {
		return cmp.Compare(crm.At(a.File, a.Line), crm.At(b.File, b.Line))
	})
	return rows, nil
}

// salvagedFaults says why rows of a batch were rejected after Parse.
func (l *listing) salvagedFaults(ctx context.Context, b *crm.LedgerRow) (map[crm.Address][]crm.Rejection, error) {
	faults := map[crm.Address][]crm.Rejection{}
	if b.Skipped == "" && len(l.settled) == 0 && !rejectedByWrite(b) {
		return faults, nil
	}
	for _, e := range crm.Entities {
		if b.Batch.Part(e).Records == 0 {
			continue
		}
		lines, err := l.a.partLines(ctx, b.Batch.Part(e))
		if lost(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for i, line := range lines {
			at := crm.CopyAddress(line)
			switch reason := b.Outcomes[e][i].Reason(); {
			case b.Skipped != "":
				faults[at] = skipped
			case l.settled[at] != nil:
				faults[at] = l.settled[at]
			case reason != "":
				faults[at] = append(faults[at], crm.Rejection{Reason: reason})
			}
		}
	}
	return faults, nil
}

// spared passes over what is lost when that is known already.
func (l *listing) spared(err error) error {
	if l.salvaging && lost(err) {
		return nil
	}
	return err
}

// salvageReport makes the report of an import for which the lists cannot be
// written in full, because of what was lost. It cannot have been done: then the
// loss is its failure.
func (a *Activities) salvageReport(ctx context.Context, in crm.ReconcileInput, imp crm.ImportRow, r *crm.Report, why error) error {
	if in.State == crm.Done {
		r.State = crm.Failed
	}
	if r.Failure == nil {
		r.Failure = &crm.Failure{Type: crm.TypeOf(why), Step: crm.Reconcile.Name, Message: why.Error()}
	}
	return (&listing{a: a, in: in, salvaging: true}).run(ctx, imp, r)
}
