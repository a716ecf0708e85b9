package workflows

import (
	"go.temporal.io/sdk/temporal"
)

// The names under which Temporal knows us. They are API.
const (
	Namespace = "sluice" // unless TEMPORAL_NAMESPACE names another
	TaskQueue = "sluice"
)

// The queries and updates that an Import answers.
const (
	QueryProgress = "progress" // () → crm.Progress
	UpdatePause   = "pause"    // Command → crm.Progress; rejected when paused already or ending
	UpdateResume  = "resume"   // Command → crm.Progress; rejected when not paused
	UpdateCancel  = "cancel"   // Command → crm.Progress; rejected when ending already
	UpdateRetry   = "retry"    // Command → crm.Progress; rejected when no batch is parked
	UpdateSkip    = "skip"     // Command → crm.Progress; rejected when no batch is parked
)

// A Command is the input of the updates.
type Command struct {
	By string `json:"by,omitempty"` // a login name, for those who look later
}

// ImportID returns the workflow ID of the import of a source. It names the
// source and not the import: Temporal itself then keeps a source to one writer
// at a time, and the progress of a source can be asked for by its name.
func ImportID(source string) string { return "import:" + source }

// The search attributes of an import. They must be registered in the namespace
// before a workflow starts: an unregistered one stops it in its tracks.
var (
	AttrSource    = temporal.NewSearchAttributeKeyKeyword("SluiceSource")
	AttrKind      = temporal.NewSearchAttributeKeyKeyword("SluiceKind")
	AttrPhase     = temporal.NewSearchAttributeKeyKeyword("SluicePhase")
	AttrState     = temporal.NewSearchAttributeKeyKeyword("SluiceState")
	AttrStartedBy = temporal.NewSearchAttributeKeyKeyword("SluiceStartedBy")
	AttrRows      = temporal.NewSearchAttributeKeyInt64("SluiceRows")
	AttrRejected  = temporal.NewSearchAttributeKeyInt64("SluiceRejected")
	AttrParked    = temporal.NewSearchAttributeKeyInt64("SluiceParked")
)

// SearchAttributes lists every search attribute, for registration.
var SearchAttributes = []temporal.SearchAttributeKey{
	AttrSource, AttrKind, AttrPhase, AttrState, AttrStartedBy, AttrRows, AttrRejected, AttrParked,
}

// The phases of an import, as the attribute SluicePhase and displays say them:
// the step that sets the pace, in lower case.
const (
	phaseOpen      = "open"
	phaseFetch     = "fetch"
	phaseInspect   = "inspect"
	phaseWrite     = "write"
	phaseSettle    = "settle"
	phaseUndo      = "undo"
	phaseRemove    = "remove"
	phaseReconcile = "reconcile"
	phaseNotify    = "notify"
)
