package crm

import "time"

// Progress is how far an import is: what the query "progress" answers and what
// every display shows. Times are the workflow's, so the same query at the same
// event gives the same answer.
type Progress struct {
	Import Import `json:"import"`
	State  State  `json:"state"`
	Phase  string `json:"phase"`          // the step that sets the pace, such as "Write"
	By     string `json:"by,omitempty"`   // who paused it
	File   string `json:"file,omitempty"` // name of the file being read
	Files  int    `json:"files"`          // how many there are

	// Of an import that reads pages of a source; 0 for files. Partitions may
	// become more when one proves too large.
	Partitions     int `json:"partitions,omitempty"`
	PartitionsRead int `json:"partitions_read,omitempty"`

	Bytes      int64 `json:"bytes"`       // read of the files so far
	BytesTotal int64 `json:"bytes_total"` // 0 while unknown

	// Steps says, in the order of the row's journey, how many rows each step
	// has behind it.
	Steps []StepProgress `json:"steps"`

	Counts  Counts  `json:"counts"` // of the batches written; Read and Rejected as parsed
	Rejects Reasons `json:"rejects,omitempty"`

	// Rate is rows written a second over the last two minutes; 0 while there
	// is too little to go by.
	Rate float64 `json:"rate"`

	// Remaining is the time left at that rate; 0 means unknown.
	Remaining time.Duration `json:"remaining"`

	StartedAt time.Time `json:"started_at"`
	UpdatedAt time.Time `json:"updated_at"`

	// Undo is what an undo has done so far, and UndoTotal how many records it
	// has to reverse; nil and 0 for an import.
	Undo      *UndoCounts `json:"undo,omitempty"`
	UndoTotal int64       `json:"undo_total,omitempty"`

	// Parked is how many batches are put aside because they cannot be written,
	// and Attention why somebody has to decide, "" if nobody has.
	Parked    int    `json:"parked,omitempty"`
	Attention string `json:"attention,omitempty"`

	// Retrying describes a step that fails at the moment, if one does.
	Retrying *Retrying `json:"retrying,omitempty"`

	// Ledger is true when no worker answered and the ledger was read instead.
	Ledger bool `json:"ledger,omitempty"`
}

// StepProgress is one line of the progress display.
type StepProgress struct {
	Step string `json:"step"`
	Rows int64  `json:"rows"`
	Done bool   `json:"done"` // no row will pass it any more
}

// Retrying is a step that failed and will be tried again.
type Retrying struct {
	Step    string    `json:"step"`
	Attempt int32     `json:"attempt"`
	Failure string    `json:"failure"`
	Next    time.Time `json:"next,omitzero"`
}
