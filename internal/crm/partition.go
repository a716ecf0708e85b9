package crm

import (
	"encoding/json"
	"time"
)

// A Partition is a part of what a source has, read page by page: a stream of
// records, and of that what falls into a span of time. Partitions of one plan
// do not overlap and leave nothing out. It encodes to under 2 KB.
type Partition struct {
	// ID tells the partitions of a plan apart: 1 to 100 of a-z, 0-9, hyphen and
	// point. The same plan gives the same IDs, so one that is done is known.
	ID string `json:"id"`

	Stream string    `json:"stream"`        // such as "customers"
	From   time.Time `json:"from,omitzero"` // inclusive; zero: from the beginning
	To     time.Time `json:"to,omitzero"`   // exclusive; zero: to the end

	Args json.RawMessage `json:"args,omitempty"` // the connector's own; no secret
}

// A Span is a part of time. A zero bound is none.
type Span struct {
	From time.Time `json:"from,omitzero"` // inclusive
	To   time.Time `json:"to,omitzero"`   // exclusive
}

// A Segment is what Fetch reads of a partition at a time: some pages, as one
// file.
type Segment struct {
	Partition Partition `json:"partition"`

	// Cursor refers to where the segment begins; zero: at the partition's
	// beginning. What it holds is the connector's own.
	Cursor Object `json:"cursor,omitzero"`

	// Rows and Bytes are how much is enough: a segment is one batch, so they are
	// a batch's.
	Rows  int   `json:"rows"`
	Bytes int64 `json:"bytes"`
}
