package crm

import (
	"slices"
	"time"
)

// A Request is the input of the workflow Import: what somebody asked for. It
// holds references only, and encodes to a few hundred bytes for each file.
type Request struct {
	// Version is [RequestVersion] of the code that made the request. Fields are
	// added, never renamed or retyped.
	Version int `json:"version"`

	ID     string `json:"id"`     // of the import, minted by launch
	Source string `json:"source"` // slug; the source exists already
	Mode   Mode   `json:"mode"`

	Files []FileRef `json:"files"` // at most [MaxFiles]; none when there is something to read

	// Asked stands for what was asked for, when some files lie elsewhere: which
	// these are is known later. "" when all files are in the stage from the start.
	Asked string `json:"asked,omitempty"`

	// Reads is what to read of the source, in this order; at most
	// [MaxPartitions]. Each segment that has rows becomes a file of the import.
	Reads []Partition `json:"reads,omitempty"`
	// Named is true when the columns of what is read bear the names of fields.
	Named bool `json:"named,omitempty"`
	// Statuses is true when the source has subscriptions: what they make of their
	// customers is read at the end.
	Statuses bool `json:"statuses,omitempty"`
	// Watermark is kept with the source when the import is done: changes up to
	// then are in. Zero: the source's own stays. Since is what the source's was
	// when the import was planned, and is again when it is undone; zero: nothing
	// was in, or all there is was read.
	Watermark time.Time `json:"watermark,omitzero"`
	Since     time.Time `json:"since,omitzero"`
	Sheet     string    `json:"sheet,omitempty"`

	// Mapping refers to the mapping file as it was given; zero when there was
	// none, and then the source's saved mapping holds, or the header decides.
	Mapping Object `json:"mapping,omitzero"`

	// MaxRejected is how many per cent of the rows may be rejected, once there
	// are [FewRows], before the import stops and asks. 0 means 20; 100 means any.
	// A dry run and a retry never ask.
	MaxRejected int `json:"max_rejected,omitempty"`

	Again bool `json:"again,omitempty"` // import even what is already imported
	Plan  bool `json:"plan,omitempty"`  // a dry run: nothing is kept

	// Parent is the ID of the import of which this one retries rejected rows;
	// empty otherwise. Rows of a reject file keep the address they had there,
	// and give way to what was changed since: see [ReasonChangedSince].
	Parent string `json:"parent,omitempty"`
	// Undoes is the ID of the import that this one undoes; empty otherwise. An
	// undo has no files.
	Undoes string `json:"undoes,omitempty"`
	// Removes is true when the source is to be removed with all it holds.
	Removes bool `json:"removes,omitempty"`

	StartedBy string    `json:"started_by,omitempty"` // a login name or a schedule; shown to operators
	AskedAt   time.Time `json:"asked_at"`

	Tuning Tuning `json:"tuning,omitzero"`
}

// Kind is the kind of import that is asked for, such as [KindImport].
func (r Request) Kind() string {
	switch {
	case r.Removes:
		return KindRemove
	case r.Undoes != "":
		return KindUndo
	case r.Parent != "":
		return KindRetry
	case r.Paged():
		return KindSync
	}
	return KindImport
}

// Paged reports whether the import reads pages of a source, and not files. How
// many files it has is known only afterwards, and one record may come in
// several of them.
func (r Request) Paged() bool { return len(r.Reads) > 0 }

// Elsewhere reports whether files are still to be brought into the stage.
func (r Request) Elsewhere() bool { return slices.ContainsFunc(r.Files, FileRef.Elsewhere) }

// FilesAtMost is how many files the import may have come to.
func (r Request) FilesAtMost() int {
	if r.Paged() {
		return MaxFiles
	}
	return len(r.Files)
}

// RequestVersion is the version that this code writes into a [Request].
const RequestVersion = 1

// DefaultMaxRejected is what a zero [Request.MaxRejected] means, and FewRows how
// many rows say nothing yet about the rest of a file.
const (
	DefaultMaxRejected = 20
	FewRows            = 1000
)

// MaxFiles is how many files one import may have: an [Address] has room for
// that many in a record's id.
const MaxFiles = 1 << 14

// Tuning holds what changes the speed of an import and never its result
// (invariant 6). Zero fields mean the defaults given.
type Tuning struct {
	BatchRows  int   `json:"batch_rows,omitempty"`  // rows a batch; 25,000
	BatchBytes int64 `json:"batch_bytes,omitempty"` // bytes of source text a batch; 6 MiB
	Group      int   `json:"group,omitempty"`       // batches a Parse call, but fewer at first; 8
	Writers    int   `json:"writers,omitempty"`     // batches written at the same time; 2, at most 64

	// Heartbeat is how long a step may be silent before it is given to another
	// worker; 30 s. It is the price of a killed worker.
	Heartbeat time.Duration `json:"heartbeat,omitempty"`

	// Groups is how many groups one run of the workflow handles before it
	// continues as new; 50.
	Groups int `json:"groups,omitempty"`
}

// WithDefaults returns t with its zero fields filled and the others held
// within their bounds.
func (t Tuning) WithDefaults() Tuning {
	def := func(v *int, d, most int) {
		if *v <= 0 {
			*v = d
		}
		*v = min(*v, most)
	}
	def(&t.BatchRows, 25_000, 1_000_000)
	def(&t.Group, 8, 64)
	def(&t.Writers, 2, 64)
	def(&t.Groups, 50, 500)
	if t.BatchBytes <= 0 {
		t.BatchBytes = 6 << 20
	}
	if t.Heartbeat <= 0 {
		t.Heartbeat = 30 * time.Second
	}
	return t
}

// A Mode says what to do about records that exist and records that do not.
type Mode string

// The modes. The empty Mode means Upsert.
const (
	Upsert     Mode = "upsert"      // create what is absent, update what exists
	CreateOnly Mode = "create_only" // a record that exists rejects its row, as [ReasonExists]
	UpdateOnly Mode = "update_only" // a record that is absent rejects its row, as [ReasonAbsent]
)

// A State is where an import stands, as lists and reports say it.
type State string

// The states of an import. The first five are open: a workflow answers for
// the import. The others are final, except that Undone follows one of them.
const (
	Queued          State = "queued" // asked for; another import of the source is running
	Running         State = "running"
	Paused          State = "paused"          // by somebody; no new batch begins
	Waiting         State = "waiting"         // for something outside to come back: the database, Redis
	NeedsAttention  State = "needs_attention" // parked batches wait for retry, skip or cancel
	Done            State = "done"            // rejected rows do not keep an import from being done
	AlreadyImported State = "already_imported"
	Failed          State = "failed"
	Cancelled       State = "cancelled"
	Interrupted     State = "interrupted" // its workflow was terminated; what was written stays
	Undone          State = "undone"
)

// Open reports whether an import in state s may still write.
func (s State) Open() bool {
	switch s {
	case Queued, Running, Paused, Waiting, NeedsAttention:
		return true
	}
	return false
}
