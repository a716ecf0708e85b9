package crm

import (
	"context"
	"io"
)

// A WriteBatch is what the store is asked to write in one transaction.
type WriteBatch struct {
	Import  int64 // number of the import
	Batch   Batch
	Verdict Object // entered in the ledger beside the batch

	// Preset has an outcome for each record of the batch: [ToWrite] for those
	// to write, [Duplicate] and the like for those that stand. Nil slices mean
	// that all are to be written.
	Preset Outcomes

	// Settles is set for a batch of leftovers, nil for any other.
	Settles *Settles

	// Impatient makes the first failure that does not go away by itself
	// [ErrParked], and not the fifth.
	Impatient bool
}

// Settles says where the rows of a batch of leftovers come from.
type Settles struct {
	// Before is what the rows counted for where they come from: the ledger row
	// of the leftovers holds the difference.
	Before Counts

	// Moved names the records that are judged anew, by the number of the batch
	// they come from, as their places in that batch's parts. Their outcomes
	// there become [Moved] in the same transaction, so that a second Settle
	// finds nothing left (invariant 3).
	Moved map[int][3][]int
}

// A PartOpener opens the records of one entity of a batch, as COPY text, from
// the first. It is called again when a transaction is tried again, and never
// for an entity that the batch has no records of. The caller closes.
type PartOpener func(ctx context.Context, e Entity) (io.ReadCloser, error)

// A Recount is what the tables themselves say of an import, by entity.
type Recount [3]struct {
	Created int64 // records that bear the import's number as their creator
	Updated int64 // records that the import left a before-image of
}
