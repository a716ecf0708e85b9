package workflows

import (
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"sluice/internal/crm"
)

// SyncInput is the input of Sync.
type SyncInput struct {
	Version int    `json:"version"` // 1
	Source  string `json:"source"`

	// Span asks for what was created in a part of time, in place of what has
	// changed; see [crm.PlanInput].
	Span crm.Span `json:"span,omitzero"`
	Full bool     `json:"full,omitempty"`

	StartedBy string     `json:"started_by,omitempty"`
	Tuning    crm.Tuning `json:"tuning,omitzero"`
}

// Sync brings a source up to date: it plans what there is to read since the last
// time, and runs one Import of it as a child, under the id that all imports of
// the source have. While another import of the source is running it waits, and
// then plans anew.
//
// It ends as its Import does, with the same report. The next sync begins where
// the last one that was done has ended, so one that fails loses nothing.
func Sync(ctx workflow.Context, in SyncInput) (report crm.Report, err error) {
	t := in.Tuning.WithDefaults()
	defer func() { ended(ctx, report, err) }()
	for {
		planned, err := run(ctx, crm.Plan, t, in.Source, crm.PlanInput{
			Source: in.Source, Span: in.Span, Full: in.Full, StartedBy: in.StartedBy, Tuning: in.Tuning})
		if err != nil {
			return crm.Report{}, err
		}
		workflow.SetCurrentDetails(ctx, planText(planned))
		report, err := imported(ctx, planned.Request)
		var running *temporal.ChildWorkflowExecutionAlreadyStartedError
		if !errors.As(err, &running) {
			return report, err
		}
		if _, err := run(ctx, crm.AwaitSource, t, in.Source+": another import is running", crm.AwaitInput{Source: in.Source}); err != nil {
			return crm.Report{}, err
		}
	}
}

// planText says what a sync is about to read, for the Temporal UI.
func planText(p crm.Planned) string {
	r := p.Request
	text := fmt.Sprintf("Reads what has changed: %s, up to %s.", plural(len(r.Reads), "partition"), r.Watermark.Format(time.RFC3339))
	switch {
	case r.Watermark.IsZero():
		text = fmt.Sprintf("Reads what was created in a part of time: %s.", plural(len(r.Reads), "partition"))
	case p.Full:
		text = fmt.Sprintf("Reads all there is: %s, up to %s.", plural(len(r.Reads), "partition"), r.Watermark.Format(time.RFC3339))
	}
	if p.Why != "" {
		text += " Because " + p.Why + "."
	}
	return text + fmt.Sprintf("\n\nHow far it is says `%s`.", ImportID(r.Source))
}

// ended shows in the search attributes how a workflow has ended that only runs
// another.
func ended(ctx workflow.Context, report crm.Report, err error) {
	state := report.State
	switch {
	case err != nil && temporal.IsCanceledError(err):
		state = crm.Cancelled
	case err != nil:
		state = crm.Failed
	case state == "": // there was nothing for it to do
		state = crm.Done
	}
	if err := workflow.UpsertTypedSearchAttributes(ctx, AttrState.ValueSet(string(state)), AttrRows.ValueSet(report.Read)); err != nil {
		workflow.GetLogger(ctx).Warn("search attributes not shown", "error", err)
	}
}

// imported runs an import as a child, which is cancelled with its parent.
func imported(ctx workflow.Context, r crm.Request) (report crm.Report, err error) {
	ctx = childOptions(ctx, ImportID(r.Source), LabelsOf(r))
	err = workflow.ExecuteChildWorkflow(ctx, Import, ImportInput{Request: r}).Get(ctx, &report)
	return report, err
}

func childOptions(ctx workflow.Context, id string, l Labels) workflow.Context {
	return workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID:            id,
		WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		ParentClosePolicy:     enumspb.PARENT_CLOSE_POLICY_REQUEST_CANCEL,
		WaitForCancellation:   true,
		StaticSummary:         l.Summary,
		StaticDetails:         l.Details,
		TypedSearchAttributes: l.Attributes,
		Priority:              l.Priority,
	})
}

// SyncID is the ID of the workflow that brings a source up to date.
func SyncID(source string) string { return "sync:" + source }
