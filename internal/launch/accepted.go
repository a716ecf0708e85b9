package launch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"

	"sluice/internal/crm"
)

// acceptedStore is the part of the store that the list of accepted rows needs.
type acceptedStore interface {
	Ledger(ctx context.Context, number int64, from int) iter.Seq2[crm.LedgerRow, error]
	Locate(ctx context.Context, source string, match crm.Match, e crm.Entity, keys []crm.RecordKey) ([]string, error)
}

// batchReader is the part of the stage that the list of accepted rows needs.
type batchReader interface {
	ReadCompressed(ctx context.Context, o crm.Object) (io.ReadCloser, error)
}

// Accepted calls each for every accepted or duplicate row of an import, in the
// order in which they were read, with what became of its records and where they
// are in the tables now. imp is an import that has ended, with its files, as
// the store's Import gives it. If it was cancelled or failed, a record may have
// been left "waiting" for its customer. A row that carries no record at all was
// accepted too, and is not listed.
//
// The list is made on demand, from the ledger and the staged batches, and not
// when the import ends: an import that nobody asks about pays nothing for it.
// It holds one batch in memory, and one of leftovers. An error of each ends it
// and is returned as it is; batches that are no longer in the stage wrap
// [crm.ErrNotFound].
func Accepted(ctx context.Context, s acceptedStore, g batchReader, imp crm.ImportRow, each func(crm.AcceptedRow) error) error {
	l := &acceptedRows{store: s, stage: g, imp: imp, each: each}
	l.nextSettled, l.stop = iter.Pull2(l.settledRows(ctx))
	defer l.stop()
	for row, err := range s.Ledger(ctx, imp.Number, 0) {
		if err != nil {
			return err
		}
		if row.Settles {
			return nil // they come after all others, and are told where they come from
		}
		if err := l.batch(ctx, &row); err != nil {
			return err
		}
	}
	return nil
}

// acceptedRows is one call of Accepted.
type acceptedRows struct {
	store acceptedStore
	stage batchReader
	imp   crm.ImportRow
	each  func(crm.AcceptedRow) error

	// Rows of leftovers are in the order of the rows they come from.
	nextSettled func() (batchRow, error, bool)
	stop        func()
}

// batchRow is a row of a batch: what it carries, and what became of it.
type batchRow struct {
	address  crm.Address
	has      [3]bool
	outcomes [3]crm.Outcome
	keys     [3]crm.RecordKey
}

// is reports whether one of the row's records has an outcome for which yes is
// true.
func (r *batchRow) is(yes func(crm.Outcome) bool) bool {
	for e, has := range r.has {
		if has && yes(r.outcomes[e]) {
			return true
		}
	}
	return false
}

// batch tells the rows of one batch.
func (l *acceptedRows) batch(ctx context.Context, row *crm.LedgerRow) error {
	rows, err := l.rows(ctx, row)
	if err != nil {
		return err
	}
	accepted := rows[:0]
	for _, r := range rows {
		if r.is(func(o crm.Outcome) bool { return o == crm.Moved }) {
			settled, err := l.settled(r.address)
			if err != nil {
				return err
			}
			r.outcomes = settled.outcomes
		}
		if !r.is(func(o crm.Outcome) bool { return o.Reason() != "" }) {
			accepted = append(accepted, r)
		}
	}
	ids, err := l.locate(ctx, row.Batch.File, accepted)
	if err != nil {
		return err
	}
	var at [3]int
	for _, r := range accepted {
		out := crm.AcceptedRow{File: r.address.File(), Line: r.address.Line()}
		for _, e := range crm.Entities {
			if r.has[e] {
				out.Records = append(out.Records, crm.AcceptedRecord{Entity: e.String(), Outcome: word(r.outcomes[e]), ID: ids[e][at[e]]})
				at[e]++
			}
		}
		if err := l.each(out); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// settled returns the row of leftovers that a moved row became.
func (l *acceptedRows) settled(address crm.Address) (batchRow, error) {
	r, err, ok := l.nextSettled()
	if err == nil && (!ok || r.address != address) {
		err = fmt.Errorf("line %d of file %d: %w: no batch of leftovers has it", address.Line(), address.File(), crm.ErrUnbalanced)
	}
	return r, err
}

// settledRows goes through the rows of all batches of leftovers.
func (l *acceptedRows) settledRows(ctx context.Context) iter.Seq2[batchRow, error] {
	return func(yield func(batchRow, error) bool) {
		for row, err := range l.store.Ledger(ctx, l.imp.Number, 0) {
			var rows []batchRow
			if err == nil && row.Settles {
				rows, err = l.rows(ctx, &row)
			}
			if err != nil {
				yield(batchRow{}, err)
				return
			}
			for _, r := range rows {
				if !yield(r, nil) {
					return
				}
			}
		}
	}
}

// rows reads a batch back: the records of its entities, put together by their
// addresses, which ascend.
func (l *acceptedRows) rows(ctx context.Context, row *crm.LedgerRow) ([]batchRow, error) {
	var addresses [3][]crm.Address
	var keys [3][]crm.RecordKey
	for _, e := range crm.Entities {
		var err error
		if addresses[e], keys[e], err = l.part(ctx, e, row.Batch.Part(e)); err != nil {
			return nil, err
		}
		if len(row.Outcomes[e]) != len(keys[e]) {
			return nil, fmt.Errorf("batch %d: %w: %d outcomes of %d %s", row.Batch.Number, crm.ErrUnbalanced, len(row.Outcomes[e]), len(keys[e]), e.Plural())
		}
	}
	var out []batchRow
	var at [3]int
	for {
		r := batchRow{address: -1}
		for e := range at {
			if at[e] < len(addresses[e]) && (r.address < 0 || addresses[e][at[e]] < r.address) {
				r.address = addresses[e][at[e]]
			}
		}
		if r.address < 0 {
			return out, nil
		}
		for e := range at {
			if i := at[e]; i < len(addresses[e]) && addresses[e][i] == r.address {
				r.has[e], r.outcomes[e], r.keys[e] = true, row.Outcomes[e][i], keys[e][i]
				at[e]++
			}
		}
		out = append(out, r)
	}
}

// part reads where the records of one entity of a batch stood, and what
// identifies them; see [crm.BatchColumns].
func (l *acceptedRows) part(ctx context.Context, e crm.Entity, p *crm.Part) ([]crm.Address, []crm.RecordKey, error) {
	if p.Records == 0 {
		return nil, nil, nil
	}
	in, err := l.stage.ReadCompressed(ctx, p.Object)
	if err != nil {
		return nil, nil, err
	}
	defer in.Close()
	addresses, keys := make([]crm.Address, 0, p.Records), make([]crm.RecordKey, 0, p.Records)
	for c := crm.NewCopyReader(in); ; {
		values, err := c.Read()
		if errors.Is(err, io.EOF) {
			return addresses, keys, nil
		}
		if err != nil {
			return nil, nil, err
		}
		address, err := strconv.ParseInt(values[0], 10, 64)
		if err != nil {
			return nil, nil, fmt.Errorf("staged %s: %w: no address", e.Plural(), crm.ErrUnbalanced)
		}
		key := crm.RecordKey{Customer: values[2]}
		if e != crm.Customer {
			key.Match = values[3]
		}
		addresses, keys = append(addresses, crm.Address(address)), append(keys, key)
	}
}

// locate finds the records of rows in the tables.
func (l *acceptedRows) locate(ctx context.Context, file int, rows []batchRow) (ids [3][]string, err error) {
	match := crm.Match("")
	for _, f := range l.imp.Files {
		if f.File.Number == file {
			p, err := planOf(f)
			if err != nil {
				return ids, err
			}
			match = p.Mapping.Match
		}
	}
	for _, e := range crm.Entities {
		var keys []crm.RecordKey
		for i := range rows {
			if rows[i].has[e] {
				keys = append(keys, rows[i].keys[e])
			}
		}
		if len(keys) == 0 {
			continue
		}
		if ids[e], err = l.store.Locate(ctx, l.imp.Source, match, e, keys); err != nil {
			return ids, err
		}
	}
	return ids, nil
}

// word names the outcome of a record that is not rejected.
func word(o crm.Outcome) string {
	switch o {
	case crm.Created:
		return "created"
	case crm.Updated:
		return "updated"
	case crm.Unchanged:
		return "unchanged"
	case crm.Duplicate, crm.Again:
		return "duplicate"
	}
	return "waiting"
}
