package crm

import "time"

// A Report is the end of an import, for people and scripts: `starter import
// -o json` prints it. Its JSON keys are API.
type Report struct {
	ImportID string `json:"import_id"`
	Number   int64  `json:"number"`
	Source   string `json:"source"`
	State    State  `json:"state"`

	Counts

	// Rejects groups the rejections by reason and column, most rows first; at
	// most [MaxRejectGroups], the last of which then gathers what is left
	// under the reason "other". A row with two faults is in two groups.
	Rejects    []RejectGroup `json:"rejects"`
	RejectFile string        `json:"reject_file,omitempty"` // where the rejected rows lie, for people

	// Warned groups the warnings in the same way.
	Warned []RejectGroup `json:"warned,omitempty"`

	// DryRun is true when nothing was kept: the counts are what a real run
	// would come to. Changes then says which fields it would change how often.
	DryRun  bool    `json:"dry_run,omitempty"`
	Changes Changes `json:"changes,omitempty"`

	// Parent is the ID of the import of which this one retried rejected rows.
	Parent string `json:"parent,omitempty"`

	// Undo says what became of the records of the import that this one undid;
	// nil for every other import. An undo reads no rows: its Counts are zero.
	Undo *UndoneReport `json:"undo,omitempty"`

	// Removed says how far the removal of a source came; nil for imports. Then
	// nothing else but the times, the state and the failure is set.
	Removed *Removal `json:"removed,omitempty"`

	// Ignored names the columns of the files that went nowhere, at most
	// [MaxIgnored], and IgnoredColumns says how many there are.
	Ignored        []string `json:"ignored,omitempty"`
	IgnoredColumns int      `json:"ignored_columns,omitempty"`

	// Hints are what was noticed about the files and not acted on, such as a
	// last line that looks like totals, with what to set; at most [MaxHints].
	Hints []string `json:"hints,omitempty"`

	// RejectObject is the staged list of rejected rows, one [RejectedRow] as
	// JSON a line; UnprocessedObject lists the rows that nobody read, in the
	// same form without faults, WarnedObject the rows with warnings. Zero when
	// there are none.
	RejectObject      Object `json:"reject_object,omitzero"`
	UnprocessedObject Object `json:"unprocessed_object,omitzero"`
	WarnedObject      Object `json:"warned_object,omitzero"`

	// Batches is how many ledger rows are behind the counts. An import ends
	// only if its ledger still has as many.
	Batches int `json:"batches"`

	Seconds       float64  `json:"seconds"`
	RowsPerSecond float64  `json:"rows_per_second"`
	Failure       *Failure `json:"failure,omitempty"`
	Earlier       string   `json:"earlier,omitempty"` // of AlreadyImported: the import that did it

	// Outbox names the notifications to send, at most a few; see Notify.
	Outbox []int64 `json:"outbox,omitempty"`

	StartedAt time.Time `json:"started_at"`
	EndedAt   time.Time `json:"ended_at"`
}

// MaxRejectGroups bounds [Report.Rejects], so that a report may travel.
const MaxRejectGroups = 100

// MaxIgnored bounds [Report.Ignored]; each name is cut to 64 characters.
const MaxIgnored = 20

// MaxHints bounds [Report.Hints].
const MaxHints = 10

// Changes counts, by the name of a field such as "customer.name", the records
// that exist and would have another value in it. A nil Changes is empty.
type Changes map[string]int64

// Add returns c with the counts of o added to it; c itself, changed, unless it
// is nil.
func (c Changes) Add(o Changes) Changes {
	if c == nil && len(o) > 0 {
		c = Changes{}
	}
	// Sums do not depend on the order in which they are added up.
	for field, n := range o {
		c[field] += n
	}
	return c
}

// A RejectGroup is the rejections of one reason in one column.
type RejectGroup struct {
	Reason    Reason `json:"reason"`
	Column    string `json:"column"` // "" when whole rows are at fault
	Count     int64  `json:"count"`
	FirstFile int    `json:"first_file,omitempty"` // number of the file that FirstLine is in
	FirstLine int64  `json:"first_line"`
}
