package launch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"sluice/internal/crm"
	"sluice/workflows"
)

// Pause keeps new batches of a source's import from beginning; those in hand
// are finished. It outlives workers and restarts. An import that is paused or
// ending already refuses, as [crm.ErrInvalid]; no import is [crm.ErrNotFound].
func (l *Launcher) Pause(ctx context.Context, source, by string) (crm.Progress, error) {
	return l.command(ctx, source, workflows.UpdatePause, by)
}

// Resume lets a paused import go on. It refuses as [Launcher.Pause] does.
func (l *Launcher) Resume(ctx context.Context, source, by string) (crm.Progress, error) {
	return l.command(ctx, source, workflows.UpdateResume, by)
}

// Cancel ends an import. What is written stays. It returns when the import has
// accepted to end; [Launcher.Wait] tells what it came to.
func (l *Launcher) Cancel(ctx context.Context, source, by string) (crm.Progress, error) {
	return l.command(ctx, source, workflows.UpdateCancel, by)
}

// Retry has the parked batches of an import written again, once all others
// are. It refuses, as [crm.ErrInvalid], where none is parked.
func (l *Launcher) Retry(ctx context.Context, source, by string) (crm.Progress, error) {
	return l.command(ctx, source, workflows.UpdateRetry, by)
}

// Skip gives the parked batches of an import up: their rows are rejected, as
// [crm.ReasonSkipped]. It refuses as [Launcher.Retry] does.
func (l *Launcher) Skip(ctx context.Context, source, by string) (crm.Progress, error) {
	return l.command(ctx, source, workflows.UpdateSkip, by)
}

func (l *Launcher) command(ctx context.Context, source, name, by string) (p crm.Progress, err error) {
	err = l.update(ctx, workflows.ImportID(source), name, workflows.Command{By: by}, &p)
	if errors.Is(err, crm.ErrNotFound) {
		return p, fmt.Errorf("source %s: running import: %w", source, crm.ErrNotFound)
	}
	if err != nil {
		return p, fmt.Errorf("%s %s: %w", name, source, err)
	}
	return p, nil
}

// update gives a command to a workflow that is running and waits for its answer.
// A workflow that is not running is [crm.ErrNotFound], a command that it refuses
// wraps [crm.ErrInvalid].
func (l *Launcher) update(ctx context.Context, workflow, name string, in, out any) error {
	h, err := l.Temporal.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: workflow, UpdateName: name, Args: []any{in}, WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err == nil {
		err = h.Get(ctx, out)
	}
	var absent *serviceerror.NotFound
	var refused *temporal.ApplicationError
	switch {
	case errors.As(err, &absent):
		return crm.ErrNotFound
	case errors.As(err, &refused):
		return fmt.Errorf("%w: %s", crm.ErrInvalid, refused.Message())
	}
	return err
}

// Progress says how far the import of a source is. It asks the workflow, and
// adds what only the server knows: which step is failing at the moment. When
// no worker answers within the context's time it returns an error; see
// [Ledgered] for what the store then knows. Without a running import the
// latest one is told from the store; if it is open there, its workflow was
// terminated or Temporal has lost it, and it is [crm.Interrupted].
func (l *Launcher) Progress(ctx context.Context, source string) (crm.Progress, error) {
	var p crm.Progress
	id := workflows.ImportID(source)
	d, err := l.Temporal.DescribeWorkflowExecution(ctx, id, "")
	var absent *serviceerror.NotFound
	if errors.As(err, &absent) || err == nil && d.GetWorkflowExecutionInfo().GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
		row, err := l.Store.Import(ctx, source)
		if err != nil {
			return p, err
		}
		if row.State.Open() {
			row.State = crm.Interrupted
		}
		return FromLedger(row), nil
	}
	if err != nil {
		return p, fmt.Errorf("progress of %s: %w", source, err)
	}
	v, err := l.Temporal.QueryWorkflow(ctx, id, "", workflows.QueryProgress)
	if err != nil {
		return p, fmt.Errorf("progress of %s: %w", source, err)
	}
	if err := v.Get(&p); err != nil {
		return p, fmt.Errorf("progress of %s: %w", source, err)
	}
	for _, a := range d.GetPendingActivities() {
		if f := a.GetLastFailure(); f != nil && a.GetAttempt() > 1 {
			p.Retrying = &crm.Retrying{Step: a.GetActivityType().GetName(), Attempt: a.GetAttempt(),
				Failure: f.GetMessage(), Next: a.GetScheduledTime().AsTime()}
			if p.State == crm.Running {
				p.State = crm.Waiting
			}
		}
	}
	return p, nil
}

func bytesReader(b []byte) io.Reader { return bytes.NewReader(b) }
