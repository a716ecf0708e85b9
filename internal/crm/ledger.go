package crm

import (
	"encoding/json"
	"time"
)

// An ImportRow is an import as the store keeps it.
type ImportRow struct {
	Import
	Kind      string    `json:"kind"` // [KindImport], [KindRetry], [KindUndo] or [KindSync]
	State     State     `json:"state"`
	By        string    `json:"by,omitempty"` // who put it into State, if somebody did
	Request   Request   `json:"request"`
	StartedAt time.Time `json:"started_at"` // UTC, whole milliseconds; no two imports share one
	EndedAt   time.Time `json:"ended_at,omitzero"`

	// UndoneBy is the number of the undo that undid the import; 0 if none did.
	UndoneBy int64 `json:"undone_by,omitempty"`

	// Secret is what the import's claim keys are made under, 32 random bytes.
	Secret []byte `json:"-"`

	// Totals is what is written so far: the sum of the ledger. Once the import
	// has ended Report holds the final counts.
	Totals Counts  `json:"totals"`
	Report *Report `json:"report,omitempty"` // nil while the import is open

	Files []FileRow `json:"files,omitempty"`

	// Parked are the batches that could not be written, by number, unless
	// somebody has had them written or skipped since.
	Parked []ParkedBatch `json:"parked,omitempty"`
}

// A FileRow is one file of an import as the store keeps it, once Inspect has
// decided about it.
type FileRow struct {
	File      File       `json:"file"`   // as it came
	Parsed    File       `json:"parsed"` // as Parse reads it; the same if it was plain UTF-8 text
	Start     Position   `json:"start"`  // of the first row below the header
	Decisions []Decision `json:"decisions,omitempty"`

	// Plan is the layout and the mapping that every step of this import uses,
	// as JSON: a snapshot, so that a mapping edited meanwhile changes nothing.
	Plan json.RawMessage `json:"plan,omitempty"`
}

// Swept says since when the stage lacks what an import left there: the times
// are UTC, and zero for what is still there.
type Swept struct {
	Batches time.Time `json:"batches,omitzero"` // its batches, keys and verdicts
	Lists   time.Time `json:"lists,omitzero"`   // its lists, its mapping and its files
}

// A LedgerRow says that a batch is in, and what became of each of its records.
type LedgerRow struct {
	Batch    Batch    `json:"batch"`
	Settles  bool     `json:"settles,omitempty"` // a batch of leftovers: its Counts are corrections
	Skipped  string   `json:"skipped,omitempty"` // who gave it up; then nothing of it is written
	Verdict  Object   `json:"verdict,omitzero"`
	Counts   Counts   `json:"counts"`
	Outcomes Outcomes `json:"-"`
	Changes  Changes  `json:"changes,omitempty"` // of a dry run; nil otherwise

	CommittedAt time.Time `json:"committed_at,omitzero"` // by the clock of who wrote it
}

// A Rule says what an import does with a field of a record that exists.
type Rule struct {
	Collision Collision `json:"collision,omitempty"`
	Erase     bool      `json:"erase,omitempty"` // a blank erases; only with Overwrite
}

// A Collision is what happens when the import and the record both have a value.
type Collision string

// The collision rules. The empty Collision means Overwrite.
const (
	Overwrite Collision = "overwrite"  // the import's value wins; its blank does not, unless told
	FillBlank Collision = "fill_blank" // the record's value wins
	Never     Collision = "never"      // the field is set when the record is created, and never changed
)

// A Match is how the customers of an import are found among those that exist.
type Match string

// The ways to match. Under the empty Match and under MatchID a customer's key
// is its external id in the source, and nothing else is looked at. Under the
// others the key is the address or the domain (see [EmailKey], [DomainKey]): a
// customer of the source with that key, or else the one that has the address,
// or a website of the domain, in its fields. One that hits two is rejected, as
// [ReasonAmbiguousMatch]; one that hits none is created under the key.
const (
	MatchID     Match = "external_id"
	MatchEmail  Match = "email"
	MatchDomain Match = "domain"
)

// Writing is how the records of a file are held against those that exist.
type Writing struct {
	Mode  Mode  `json:"mode,omitempty"`
	Match Match `json:"match,omitempty"`
	Rules Rules `json:"rules"`
}

// A RecordKey is what identifies a record within its source.
type RecordKey struct {
	Customer string // external id of the customer, or the key it was matched by
	Match    string // of contacts and notes: see [MatchKey]; "" for customers
}

// An AcceptedRow says what became of the records of a row that was accepted,
// or was a duplicate.
type AcceptedRow struct {
	File    int              `json:"file,omitempty"` // number of the file within the import
	Line    int64            `json:"line"`
	Records []AcceptedRecord `json:"records"` // those the row carried, in the order of [Entities]
}

// An AcceptedRecord is one record of an accepted row.
type AcceptedRecord struct {
	Entity  string `json:"entity"`       // "customer", "contact" or "note"
	Outcome string `json:"outcome"`      // "created", "updated", "unchanged" or "duplicate"
	ID      string `json:"id,omitempty"` // of the record in the tables; "" when it is there no more
}

// Rules holds a rule for each field of each entity, in the order of [Fields].
// A nil slice means the defaults. Custom attributes follow their rule key by
// key.
type Rules [3][]Rule

// Of returns the rule of a field by its place in [Fields].
func (r Rules) Of(e Entity, field int) Rule {
	if field < len(r[e]) {
		return r[e][field]
	}
	return Rule{}
}

// A Message is one row of the outbox: something to tell one receiver. It is
// entered in the transaction that ends the import, so it is sent if and only
// if the import has ended so.
type Message struct {
	ID      int64     `json:"id"`
	Channel string    `json:"channel"` // "email"
	To      string    `json:"to"`
	Event   string    `json:"event"` // such as "completed" or "failed"
	Subject string    `json:"subject"`
	Body    string    `json:"body"`   // plain text: outcome and counts, never a cell's value
	Stable  string    `json:"stable"` // the same for every attempt, so that a receiver can drop repeats
	SentAt  time.Time `json:"sent_at,omitzero"`
}
