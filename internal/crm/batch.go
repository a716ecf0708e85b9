package crm

import "fmt"

// A Batch refers to consecutive rows of one file, parsed and mapped, in the
// stage. It is a claim check, not the rows: it encodes to under 1,600 bytes
// whatever it refers to (invariant 2). Batches are numbered from 0, without
// gaps, in address order, and never change.
type Batch struct {
	Number int      `json:"number"`
	File   int      `json:"file"`  // number of the file within the import
	First  int64    `json:"first"` // line of its first row
	Last   int64    `json:"last"`  // line of its last row, inclusive
	From   Position `json:"from"`  // where parsing it began: from here it can be made again
	Counts RowTally `json:"counts"`

	// One object for each kind of thing the rows hold; zero when there is
	// none. Records are in PostgreSQL's COPY text form, one a line, with the
	// columns of [BatchColumns].
	Customers Part `json:"customers,omitzero"`
	Contacts  Part `json:"contacts,omitzero"`
	Notes     Part `json:"notes,omitzero"`

	Keys    Object `json:"keys,omitzero"`    // what identifies each record: a [BatchKeys]
	Rejects Object `json:"rejects,omitzero"` // the rows rejected: one [RejectedRow] as JSON a line
	Warned  Object `json:"warned,omitzero"`  // the rows accepted with a warning, in the same form
}

// A Part is the staged records of one entity in one batch.
type Part struct {
	Object  Object `json:"object"`
	Records int    `json:"records"`
	Bytes   int    `json:"bytes,omitempty"` // of their lines, before they are compressed: how much memory they take
}

// RowTally counts the rows of a batch as Parse saw them.
type RowTally struct {
	Read     int64 `json:"read"` // not counting blank rows
	Blank    int64 `json:"blank,omitempty"`
	Rejected int64 `json:"rejected,omitempty"`
	Warnings int64 `json:"warnings,omitempty"`
}

// Part returns the records of entity e; zero when the batch has none.
func (b *Batch) Part(e Entity) *Part {
	switch e {
	case Customer:
		return &b.Customers
	case Contact:
		return &b.Contacts
	case Note:
		return &b.Notes
	}
	panic(fmt.Sprintf("crm: entity %d", e))
}

// BatchColumns lists the columns of an entity's records in a batch: first what
// places the record, then its fields in the order of [Fields].
//
//	address       as [Address], decimal
//	id            the id the record takes if it is created: see [RecordID]
//	customer_key  contacts and notes: external id of their customer
//	match_key     contacts and notes: see [MatchKey]
//	…fields
func BatchColumns(e Entity) []string {
	cols := []string{"address", "id"}
	if e != Customer {
		cols = append(cols, "customer_key", "match_key")
	}
	for _, f := range Fields(e) {
		cols = append(cols, f.Name)
	}
	return cols
}
