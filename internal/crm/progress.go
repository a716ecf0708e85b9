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

	// Of an import that reads pages of a source; 0 and "" for files. Partitions
	// may become more when one proves too large. Partition is the ID of the one
	// being read, "" when none is.
	Partitions     int    `json:"partitions,omitempty"`
	PartitionsRead int    `json:"partitions_read,omitempty"`
	Partition      string `json:"partition,omitempty"`

	// Of an import that reads pages both are 0: how much a source will give out
	// nobody knows.
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

	// Remaining is the time left at that rate, or, of an import that reads pages,
	// at the time that a partition took so far; 0 means unknown.
	Remaining time.Duration `json:"remaining"`

	StartedAt time.Time `json:"started_at"`
	UpdatedAt time.Time `json:"updated_at"`

	// Undo is what an undo has done so far, and UndoTotal how many records it
	// has to reverse; nil and 0 for an import.
	Undo      *UndoCounts `json:"undo,omitempty"`
	UndoTotal int64       `json:"undo_total,omitempty"`

	// Removing is how far the removal of a source has come; nil for an import.
	Removing *Removal `json:"removing,omitempty"`

	// Parked is how many batches are put aside because they cannot be written,
	// and Attention why somebody has to decide, "" if nobody has.
	Parked    int    `json:"parked,omitempty"`
	Attention string `json:"attention,omitempty"`

	// Retrying describes a step that fails at the moment, if one does.
	Retrying *Retrying `json:"retrying,omitempty"`

	// Ledger is true when no worker answered and the ledger was read instead.
	Ledger bool `json:"ledger,omitempty"`
}

// A Tempo is how long the partitions of a source take: a mean in which the last
// ones count most, since few sources had as many customers in their first month
// as they have in the last. The zero Tempo knows nothing.
type Tempo struct {
	Timed int           `json:"timed,omitempty"` // how many it is made of
	Each  time.Duration `json:"each,omitempty"`
}

const (
	fewTimed  = 3 // partitions that say nothing yet about the others
	tempoSpan = 5 // about how many of the last ones make the mean
)

// Add counts a partition that took so long.
func (t *Tempo) Add(took time.Duration) {
	t.Timed++
	t.Each += (took - t.Each) / time.Duration(min(t.Timed, tempoSpan))
}

// Left is about how long so many partitions take, of which the first is at hand
// since that long. It is 0 where that is unknown: too few have been timed, or
// the last one takes longer than they did.
func (t Tempo) Left(partitions int, since time.Duration) time.Duration {
	if t.Timed < fewTimed || partitions <= 0 || partitions == 1 && since >= t.Each {
		return 0
	}
	if since > t.Each {
		t.Add(since)
	}
	rest := max(t.Each-since, 0) + time.Duration(partitions-1)*t.Each
	return max(rest.Round(time.Second), time.Second)
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
