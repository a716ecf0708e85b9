package crm

// A Step names one activity and fixes the types that cross its boundary. The
// workflow runs it and the worker registers it through the same value, so the
// compiler checks both ends.
//
// Name is written into the history of every import in flight. Renaming a step
// makes those imports fail when they are replayed: add a step under a new name
// instead, and drop the old one when no open import can reach it.
type Step[In, Out any] struct{ Name string }

// The steps of an import, in the order they run.
var (
	Open      = Step[Request, Opened]{"Open"}
	Fetch     = Step[FetchInput, Fetched]{"Fetch"}        // once a file, or a segment
	Find      = Step[FindInput, FoundFiles]{"Find"}       // once a pattern
	Recognize = Step[Request, Opened]{"Recognize"}        // once, when files that lay elsewhere are in the stage
	Inspect   = Step[InspectInput, Inspected]{"Inspect"}  // once a file
	Parse     = Step[ParseInput, Parsed]{"Parse"}         // once a group of batches
	Dedupe    = Step[DedupeInput, Deduped]{"Dedupe"}      // once a group, in address order
	Write     = Step[WriteInput, Written]{"Write"}        // once a batch, several at a time
	Settle    = Step[SettleInput, Settled]{"Settle"}      // once, after the last batch
	Reconcile = Step[ReconcileInput, Report]{"Reconcile"} // once, whatever happened before
	Notify    = Step[NotifyInput, None]{"Notify"}         // once an outbox row
	Mark      = Step[MarkInput, None]{"Mark"}             // shows a pause or a resume in the import's row

	Plan           = Step[PlanInput, Planned]{"Plan"}                  // of a sync, before its import
	BeginScheduled = Step[ScheduledInput, Scheduled]{"BeginScheduled"} // of a schedule, before its sync
	EndScheduled   = Step[EndScheduledInput, None]{"EndScheduled"}     // behind it

	PlanBackfill   = Step[PlanBackfillInput, BackfillCounts]{"PlanBackfill"}   // once a source of a backfill
	BeginPartition = Step[NextPartitionInput, NextPartition]{"BeginPartition"} // before each import of a backfill
	EndPartition   = Step[EndPartitionInput, BackfillCounts]{"EndPartition"}   // behind it
	Requeue        = Step[RequeueInput, BackfillCounts]{"Requeue"}             // once a decision about parked partitions
	EndBackfill    = Step[EndBackfillInput, None]{"EndBackfill"}
	AwaitSource    = Step[AwaitInput, None]{"AwaitSource"} // until no import of a source is running

	Park   = Step[ParkInput, None]{"Park"}         // once a batch that cannot be written
	Unpark = Step[UnparkInput, Unparked]{"Unpark"} // once a decision about those
	Skip   = Step[SkipInput, Written]{"Skip"}      // once a batch that somebody gives up

	OpenUndo = Step[Request, UndoOpened]{"OpenUndo"}   // of an undo, in place of Open
	Reverse  = Step[ReverseInput, Reversed]{"Reverse"} // some pages of records
	EndUndo  = Step[ReconcileInput, Report]{"EndUndo"} // in place of Reconcile

	OpenRemoval = Step[Request, Removal]{"OpenRemoval"}          // of a source
	RemovePages = Step[RemovePagesInput, Removal]{"RemovePages"} // some pages of what it holds
	EndRemoval  = Step[EndRemovalInput, None]{"EndRemoval"}      // the source itself
)

// None is the result of a step that answers nothing.
type None struct{}

// An Import refers to an import that has been opened. Every step after Open
// receives it; what else a step needs of the import it reads by Number.
type Import struct {
	ID     string `json:"id"`     // minted by launch: a UUID, version 7, in lower case
	Number int64  `json:"number"` // given by the store, rising; stands in every record the import writes
	Source string `json:"source"` // slug of the source
}

// Opened is what Open answers.
type Opened struct {
	Import Import `json:"import"`

	// Earlier is the ID of a finished import of the same file with the same
	// sheet, mapping and mode. When it is set there is nothing to do: the
	// import ends as [AlreadyImported]. Empty otherwise.
	Earlier string `json:"earlier,omitempty"`
}

// FetchInput asks for a file of the import to be in the stage: one of the
// request's, or what the next pages of a partition hold.
type FetchInput struct {
	Import Import  `json:"import"`
	Number int     `json:"number"` // of the file within the import, from 0
	File   FileRef `json:"file,omitzero"`

	Segment *Segment `json:"segment,omitempty"` // nil: File is asked for
}

// FindInput asks which files a pattern stands for.
type FindInput struct {
	Source string  `json:"source"`
	File   FileRef `json:"file"` // with Many
}

// FoundFiles are those files, by name.
type FoundFiles struct {
	Files []FileRef `json:"files"` // at most [MaxFound]
}

// MaxFound is how many files a pattern may stand for in one import.
const MaxFound = 500

// Fetched is what Fetch brought.
type Fetched struct {
	File // whole in the stage; of a segment without rows the zero File

	// Of a segment:
	Rows          int64       `json:"rows,omitempty"`
	Subscriptions int64       `json:"subscriptions,omitempty"` // that were kept by the way
	Cursor        Object      `json:"cursor,omitzero"`         // where the next segment begins; zero with Done
	Done          bool        `json:"done,omitempty"`          // the partition is read
	Instead       []Partition `json:"instead,omitempty"`       // to be read in place of the partition; at most [MaxInstead]
}

// PlanInput asks what there is to read of a source.
type PlanInput struct {
	Source string `json:"source"`

	// Span asks for what was created in a part of time. Zero, it asks for what
	// has changed since the source's watermark; without one, and with Full, for
	// all there is.
	Span Span `json:"span,omitzero"`
	Full bool `json:"full,omitempty"`

	StartedBy string `json:"started_by,omitempty"`
	Tuning    Tuning `json:"tuning,omitzero"`
}

// Planned is what there is to read, as the request of the import that reads it
// all: its Reads, at most [MaxPartitions], may be read by several instead.
type Planned struct {
	Request Request `json:"request"`

	// Full is true when all there is will be read: it was asked for, or the
	// source does not know any more what has changed.
	Full bool   `json:"full,omitempty"`
	Why  string `json:"why,omitempty"` // of a full reading that nobody asked for, a phrase
}

// AwaitInput names the source that is waited for.
type AwaitInput struct {
	Source string `json:"source"`
}

// Limits of a plan: how many partitions it may have, and how many may take the
// place of one that proves too big.
const (
	MaxPartitions = 1000
	MaxInstead    = 4
)

// InspectInput asks what a staged file holds.
type InspectInput struct {
	Import Import `json:"import"`
	File   File   `json:"file"`
}

// Inspected is what Inspect decided. The plan itself (dialect, header, mapping,
// evidence) lies with the import in the store: it has as many entries as the
// file has columns.
type Inspected struct {
	// File is what Parse reads: the file that came, when it is plain UTF-8
	// text, else the UTF-8 CSV it was rewritten as.
	File File `json:"file"`

	// Start is where the first row below the header begins.
	Start Position `json:"start"`
}

// ParseInput asks for the next group of batches of a file.
type ParseInput struct {
	Import Import   `json:"import"`
	File   File     `json:"file"`
	From   Position `json:"from"`
	Batch  int      `json:"batch"` // number for the group's first batch

	// Batches is how many batches a group holds at the most, Rows and Bytes
	// what a batch may hold; a batch ends with the row that reaches either.
	Batches int   `json:"batches"`
	Rows    int   `json:"rows"`
	Bytes   int64 `json:"bytes"`
}

// Parsed is a group of batches, numbered without gaps.
type Parsed struct {
	Batches []Batch  `json:"batches,omitempty"` // at most ParseInput.Batches
	Next    Position `json:"next"`              // where the next group begins
	Done    bool     `json:"done,omitempty"`    // the file ends at Next
	Counts  Counts   `json:"counts"`            // Read, Blank, Rejected and Warnings of the group
	Rejects Reasons  `json:"rejects,omitempty"` // of the group
}

// DedupeInput asks which records of a group repeat an earlier one. Groups are
// judged one after the other, in address order.
type DedupeInput struct {
	Import  Import    `json:"import"`
	Batches []ToJudge `json:"batches"` // one or more, numbered without gaps
	Claims  Claims    `json:"claims"`  // as the group before left them
}

// ToJudge refers to the keys of one batch.
type ToJudge struct {
	Number int    `json:"number"`        // of the batch
	Keys   Object `json:"keys,omitzero"` // a [BatchKeys]; zero when no row of the batch carries records
}

// Claims says how much the claim structure holds, so that a loss is noticed.
type Claims struct {
	// Generation names the structure in Redis. Empty before the first claim.
	// A rebuild after a loss goes under a new name, so that an attempt that
	// was thought dead cannot write into its successor's.
	Generation string `json:"generation,omitempty"`

	// Since is the number of the batch that was the first to claim: a record of
	// an earlier one is none that is repeated.
	Since int `json:"since,omitempty"`

	// Size is the number of distinct keys claimed. It is exact: a structure of
	// another size has lost something and is not believed (invariant 5).
	Size int64 `json:"size"`
}

// Deduped is the verdict on a group.
type Deduped struct {
	Claims   Claims    `json:"claims"`
	Verdicts []Verdict `json:"verdicts,omitempty"` // one a batch, in order
	Counts   Counts    `json:"counts"`             // Duplicate rows and records of the group
}

// A Verdict refers to the staged [BatchVerdict] of one batch.
type Verdict struct {
	Object Object `json:"object"`
}

// WriteInput asks for one batch to be written.
type WriteInput struct {
	Import  Import  `json:"import"`
	Batch   Batch   `json:"batch"`
	Verdict Verdict `json:"verdict"`
}

// Written is what writing a batch did; the same for every attempt.
type Written struct {
	Counts Counts `json:"counts"`
}

// A ParkedBatch is one that cannot be written: it waits for somebody to decide.
type ParkedBatch struct {
	Batch   Batch   `json:"batch"`
	Verdict Verdict `json:"verdict"`
	Failure string  `json:"failure"` // why, for people; never a cell's value
}

// MaxParked is how many batches of an import are parked at the most. What
// stops as many is no fault of theirs.
const MaxParked = 50

// ParkInput asks for a batch to be put aside.
type ParkInput struct {
	Import Import      `json:"import"`
	Parked ParkedBatch `json:"parked"`
}

// UnparkInput asks for the batches that were put aside.
type UnparkInput struct {
	Import Import `json:"import"`
}

// Unparked are the batches to write again, or to skip, by number.
type Unparked struct {
	Parked []ParkedBatch `json:"parked,omitempty"` // at most [MaxParked] and a few
}

// SkipInput asks for a batch to be given up: its rows become rejected.
type SkipInput struct {
	Import Import      `json:"import"`
	Parked ParkedBatch `json:"parked"`
	By     string      `json:"by,omitempty"` // a login name
}

// SettleInput asks for the leftovers of an import to be written.
type SettleInput struct {
	Import Import `json:"import"`
	Batch  int    `json:"batch"` // number for the first batch of leftovers
	Rows   int    `json:"rows"`  // as in ParseInput

	// Skip gives leftovers up that keep failing: see [FailBatchParked].
	Skip bool `json:"skip,omitempty"`
}

// Settled is what the leftovers came to. Its counts are corrections to those
// of the batches the leftovers come from, so some are negative.
type Settled struct {
	Counts  Counts `json:"counts"`
	Batches int    `json:"batches"` // how many batches the leftovers made
}

// ReconcileInput asks for an import to be recounted and ended.
type ReconcileInput struct {
	Import Import `json:"import"`

	// State is the state to end in if the recount agrees: [Done], [Failed]
	// or [Cancelled].
	State State `json:"state"`

	// Failure says why, when State is Failed.
	Failure *Failure `json:"failure,omitempty"`
}

// NotifyInput names one outbox row of an ended import.
type NotifyInput struct {
	Import Import `json:"import"`
	Outbox int64  `json:"outbox"`
}

// MarkInput shows a change of state in the import's row, for those who read
// the database and not the workflow.
type MarkInput struct {
	Import Import `json:"import"`
	State  State  `json:"state"` // [Running] or [Paused]
	By     string `json:"by,omitempty"`

	// Claims are kept alive by the way: an import may be paused for longer
	// than Redis would keep them.
	Claims Claims `json:"claims,omitzero"`
}
