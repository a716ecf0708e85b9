package crm

import "time"

// A Backfill brings history in: of one or more sources, each partition by
// partition, several sources at a time. What there is to do lies in the database;
// the workflow is given the names alone.
type Backfill struct {
	ID        string           `json:"id"` // minted by launch
	Sources   []BackfillSource `json:"sources"`
	AtOnce    int              `json:"at_once"` // sources at the same time
	StartedBy string           `json:"started_by,omitempty"`
	StartedAt time.Time        `json:"started_at"`
	Tuning    Tuning           `json:"tuning,omitzero"`
}

// A BackfillSource is what a backfill brings in of one source: what was created
// in a span, or files, each of which is imported by itself.
type BackfillSource struct {
	Source  string    `json:"source"`
	Span    Span      `json:"span,omitzero"`
	Files   []FileRef `json:"files,omitempty"`
	Sheet   string    `json:"sheet,omitempty"`
	Mapping Object    `json:"mapping,omitzero"`
	Mode    Mode      `json:"mode,omitempty"`
}

// Limits of a backfill.
const (
	MaxBackfillSources = 200
	MaxBackfillAtOnce  = 50
	DefaultAtOnce      = 4
)

// A PartitionState is where a partition of a backfill stands.
type PartitionState string

// The states of a partition.
const (
	PartitionLeft    PartitionState = "left" // nobody has come to it yet
	PartitionRunning PartitionState = "running"
	PartitionDone    PartitionState = "done"
	PartitionParked  PartitionState = "parked"  // its import failed; the others go on
	PartitionSkipped PartitionState = "skipped" // somebody gave it up
)

// A BackfillPartition is one import of a backfill: done, running or to come.
type BackfillPartition struct {
	Number   int            `json:"number"` // within the source, from 1
	Name     string         `json:"name"`   // the partition's id, or the file's name
	State    PartitionState `json:"state"`
	ImportID string         `json:"import_id,omitempty"` // the last one; "" if none has begun
	Tries    int            `json:"tries"`               // imports that have begun
	Failure  *Failure       `json:"failure,omitempty"`   // of the last one
	Rows     int64          `json:"rows"`                // read by it
}

// BackfillCounts counts partitions by where they stand.
type BackfillCounts struct {
	Done    int `json:"done"`
	Running int `json:"running"`
	Parked  int `json:"parked"`
	Skipped int `json:"skipped"`
	Left    int `json:"left"`

	Rows int64 `json:"rows"` // read by those that are done
}

// All is how many partitions there are.
func (c BackfillCounts) All() int { return c.Done + c.Running + c.Parked + c.Skipped + c.Left }

// Count counts a partition.
func (c *BackfillCounts) Count(p BackfillPartition) {
	switch p.State {
	case PartitionDone:
		c.Done++
		c.Rows += p.Rows
	case PartitionRunning:
		c.Running++
	case PartitionParked:
		c.Parked++
	case PartitionSkipped:
		c.Skipped++
	default:
		c.Left++
	}
}

// Add adds another's counts.
func (c *BackfillCounts) Add(o BackfillCounts) {
	c.Done += o.Done
	c.Running += o.Running
	c.Parked += o.Parked
	c.Skipped += o.Skipped
	c.Left += o.Left
	c.Rows += o.Rows
}

// BackfillProgress is how far a backfill is.
type BackfillProgress struct {
	ID      string           `json:"id"`
	State   State            `json:"state"`
	By      string           `json:"by,omitempty"`      // who paused it
	AtOnce  int              `json:"at_once,omitempty"` // sources at the same time
	Sources []SourceProgress `json:"sources"`

	StartedAt time.Time `json:"started_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// Total adds the sources up.
func (p BackfillProgress) Total() (c BackfillCounts) {
	for _, s := range p.Sources {
		c.Add(s.BackfillCounts)
	}
	return c
}

// Remaining is about how long a backfill takes whose sources take so long each,
// in their order; those that are known. It is 0 if nothing is known.
func (p BackfillProgress) Remaining(each []time.Duration) time.Duration {
	var all, longest time.Duration
	for _, d := range each {
		all, longest = all+d, max(longest, d)
	}
	return max(longest, all/time.Duration(max(1, p.AtOnce)))
}

// SourceProgress is how far a backfill is with one source.
type SourceProgress struct {
	Source string `json:"source"`

	// State is [Queued] until its turn comes, then [Running]; [Done] when all its
	// partitions are done or skipped, [NeedsAttention] when parked ones wait for
	// somebody, [Failed] when nothing can be planned, and [Cancelled].
	State State `json:"state"`

	// Of the partition that is running; zero if none is.
	Name     string    `json:"name,omitempty"`
	Number   int       `json:"number,omitempty"` // as [BackfillPartition.Number]
	ImportID string    `json:"import_id,omitempty"`
	Since    time.Time `json:"since,omitzero"`

	Tempo Tempo `json:"tempo,omitzero"` // of the partitions that are done

	BackfillCounts
	Failure *Failure `json:"failure,omitempty"` // why it needs attention or has failed

	// LastFailure is that of the import that failed last, as long as a partition
	// is parked; nil if none is.
	LastFailure *Failure `json:"last_failure,omitempty"`
}

// Remaining is about how long the source takes from now on, if nothing keeps it
// waiting; 0 if that is unknown, or nothing is to be done for it.
func (s SourceProgress) Remaining(now time.Time) time.Duration {
	if s.State != Running && s.State != Queued {
		return 0
	}
	var since time.Duration
	if !s.Since.IsZero() {
		since = max(0, now.Sub(s.Since))
	}
	return s.Tempo.Left(s.Running+s.Left, since)
}

// PlanBackfillInput asks for a source of a backfill to be divided into
// partitions.
type PlanBackfillInput struct {
	Backfill string `json:"backfill"`
	Source   string `json:"source"`
}

// NextPartitionInput asks for the next partition of a source to import.
type NextPartitionInput struct {
	Backfill string `json:"backfill"`
	Source   string `json:"source"`
}

// NextPartition is the import to run next.
type NextPartition struct {
	Number  int            `json:"number,omitempty"` // 0: there is none
	Name    string         `json:"name,omitempty"`
	Request Request        `json:"request,omitzero"`
	Counts  BackfillCounts `json:"counts"`
}

// EndPartitionInput says how the import of a partition has ended.
type EndPartitionInput struct {
	Backfill string         `json:"backfill"`
	Source   string         `json:"source"`
	Number   int            `json:"number"`
	State    PartitionState `json:"state"`
	Failure  *Failure       `json:"failure,omitempty"`
	Rows     int64          `json:"rows,omitempty"`
}

// RequeueInput changes partitions that are parked.
type RequeueInput struct {
	Backfill string         `json:"backfill"`
	Source   string         `json:"source"`
	To       PartitionState `json:"to"` // PartitionLeft, to try them again, or PartitionSkipped
}

// EndBackfillInput says how a backfill has ended.
type EndBackfillInput struct {
	Backfill string `json:"backfill"`
	State    State  `json:"state"`
}

// A BackfillRow is a backfill as it lies in the database.
type BackfillRow struct {
	Backfill
	State   State     `json:"state"`
	EndedAt time.Time `json:"ended_at,omitzero"` // zero while it is open
}

// A PlannedPartition is one import that a backfill is to run.
type PlannedPartition struct {
	Name    string
	Request Request // without what is given when it begins
}
