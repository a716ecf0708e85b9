package crm

import (
	"errors"
	"time"
)

// The kinds of failure that trying again cannot mend. A step whose error wraps
// one of them is not retried; a step that fails in any other way is.
var (
	ErrInvalid  = errors.New("invalid")   // the request or the file is wrong
	ErrNotFound = errors.New("not found") // there is no such thing
	ErrDenied   = errors.New("denied")    // credentials or permissions are refused
)

// A FailureType is how a failure is named on the wire: the type of Temporal's
// application errors, and the failure of a report. Workflows and commands
// switch on it and never on text. FailureTypes are API.
type FailureType string

// The failure types.
const (
	FailInvalid         FailureType = "invalid"
	FailNotFound        FailureType = "not_found"
	FailDenied          FailureType = "denied"
	FailSourceChanged   FailureType = "source_changed"    // the file is not the one it was
	FailTooManyRejected FailureType = "too_many_rejected" // more than the import's owner allows
	FailBatchParked     FailureType = "batch_parked"      // a batch keeps failing
	FailFenced          FailureType = "fenced"            // the import has ended; this attempt is late
	FailThrottled       FailureType = "throttled"         // the source asks to wait
	FailCursorLost      FailureType = "cursor_lost"       // the source forgot where we were
	FailUnbalanced      FailureType = "unbalanced"        // the recount disagrees: invariant 1 is broken
)

// Errors of their own failure type. Each is an [ErrInvalid] too: trying again
// does not help.
var (
	ErrSourceChanged = typed{FailSourceChanged, "source changed"}
	ErrFenced        = typed{FailFenced, "import has ended"}
	ErrUnbalanced    = typed{FailUnbalanced, "counts do not add up"}
	ErrParked        = typed{FailBatchParked, "it keeps failing"}
	ErrCursorLost    = typed{FailCursorLost, "the source no longer knows where we were"}
)

type typed struct {
	failure FailureType
	text    string
}

func (t typed) Error() string        { return t.text }
func (t typed) Is(target error) bool { return target == ErrInvalid }

// Throttled is the error of a source that asks to wait. Trying again before
// Until does not help, and may make the source ask for more.
type Throttled struct {
	Until time.Time
	Why   string // a phrase, such as "190 requests in 10 s"; never what an answer held
}

func (t *Throttled) Error() string {
	return "the source asks to wait until " + t.Until.UTC().Format(time.RFC3339) + ": " + t.Why
}

// TypeOf returns the failure type of an error that trying again cannot mend,
// and "" for every other error.
func TypeOf(err error) FailureType {
	var t typed
	switch {
	case errors.As(err, &t):
		return t.failure
	case errors.Is(err, ErrInvalid):
		return FailInvalid
	case errors.Is(err, ErrNotFound):
		return FailNotFound
	case errors.Is(err, ErrDenied):
		return FailDenied
	}
	return ""
}

// A Failure says why an import failed, or at what it had stopped when it was
// cancelled.
type Failure struct {
	Type    FailureType `json:"type"`
	Step    string      `json:"step,omitempty"` // name of the step that failed
	Message string      `json:"message"`        // for people: where and what to do; never a cell's value
}
