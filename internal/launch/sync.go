package launch

import (
	"context"
	"errors"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"sluice/internal/crm"
	"sluice/workflows"
)

// SyncOptions is what a person says about a sync.
type SyncOptions struct {
	Source    string
	Span      crm.Span // zero: what has changed since the last sync
	Full      bool     // all there is
	StartedBy string
	Tuning    crm.Tuning
}

// A SyncStarted is a sync that runs.
type SyncStarted struct {
	Source     string
	WorkflowID string
	RunID      string
	Attached   bool // it was running already, and nothing was started
}

// Sync brings a source up to date and returns at once. When a sync of the source
// is running already it attaches to that one. While an import of the source is
// running the sync waits for it. A source of files wraps [crm.ErrInvalid], and
// one that does not exist [crm.ErrNotFound].
func (l *Launcher) Sync(ctx context.Context, o SyncOptions) (SyncStarted, error) {
	src, err := l.Store.Source(ctx, o.Source)
	if err == nil && src.Kind == crm.KindFile {
		err = fmt.Errorf("source %s: %w: it is one of files; import a file into it", o.Source, crm.ErrInvalid)
	}
	if err == nil {
		err = src.Takes()
	}
	if err != nil {
		return SyncStarted{}, err
	}
	labels := workflows.SyncLabels(o.Source, o.StartedBy)
	out := SyncStarted{Source: o.Source, WorkflowID: workflows.SyncID(o.Source)}
	run, err := l.Temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: out.WorkflowID, TaskQueue: workflows.TaskQueue,
		WorkflowIDConflictPolicy:                 enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
		WorkflowIDReusePolicy:                    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowExecutionErrorWhenAlreadyStarted: true,
		StaticSummary:                            labels.Summary,
		StaticDetails:                            labels.Details,
		TypedSearchAttributes:                    labels.Attributes,
		Priority:                                 labels.Priority,
	}, "Sync", workflows.SyncInput{Version: 1, Source: o.Source, Span: o.Span, Full: o.Full, StartedBy: o.StartedBy, Tuning: l.tuned(o.Tuning)})
	var running *serviceerror.WorkflowExecutionAlreadyStarted
	if errors.As(err, &running) {
		out.RunID, out.Attached = running.RunId, true
		return out, nil
	}
	if err != nil {
		return SyncStarted{}, fmt.Errorf("start sync: %w", err)
	}
	out.RunID = run.GetRunID()
	return out, nil
}

// WaitSync waits for a sync to end and returns the report of its import. A sync
// that failed before its import began has a report too, and no error.
func (l *Launcher) WaitSync(ctx context.Context, s SyncStarted) (crm.Report, error) {
	var report crm.Report
	err := l.Temporal.GetWorkflow(ctx, s.WorkflowID, s.RunID).Get(ctx, &report)
	var closed *temporal.WorkflowExecutionError
	if err == nil || !errors.As(err, &closed) {
		return report, err
	}
	d, err2 := l.Temporal.DescribeWorkflowExecution(ctx, s.WorkflowID, s.RunID)
	row, err3 := l.Store.Import(ctx, s.Source)
	if err2 == nil && err3 == nil && row.Report != nil && row.StartedAt.After(d.GetWorkflowExecutionInfo().GetStartTime().AsTime()) {
		return *row.Report, nil // its import says more than the workflow's error
	}
	out := notOpened(Started{Source: s.Source}, err)
	out.Failure.Step = crm.Plan.Name
	return out, nil
}
