package launch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"

	"sluice/internal/crm"
	"sluice/workflows"
)

// removeStore is the part of the store that removing a source needs.
type removeStore interface {
	OpenBackfills(ctx context.Context, source string) ([]string, error)
}

// RemoveOptions is what a person says about the removal of a source.
type RemoveOptions struct {
	Source    string
	StartedBy string
	Tuning    crm.Tuning
}

// Remove starts the removal of a source with all it holds, and returns at once.
// When a removal of the source is running it attaches to that one; one that was
// cut short goes on.
//
// While something else of the source is running it is refused, as
// [crm.ErrDenied]: an import, a sync, or a backfill that names the source. No such
// source wraps [crm.ErrNotFound].
func (l *Launcher) Remove(ctx context.Context, o RemoveOptions) (Started, error) {
	if _, err := l.Store.Source(ctx, o.Source); err != nil {
		return Started{}, err
	}
	started, err := l.Removal(ctx, o.Source)
	if err == nil || !errors.Is(err, crm.ErrNotFound) {
		return started, err
	}
	if err := l.checkRemove(ctx, o.Source); err != nil {
		return Started{}, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return Started{}, err
	}
	r := crm.Request{Version: crm.RequestVersion, ID: id.String(), Source: o.Source, Removes: true, StartedBy: o.StartedBy,
		AskedAt: time.Now().UTC().Truncate(time.Millisecond), Tuning: l.tuned(o.Tuning)}
	started, err = l.execute(ctx, workflows.RemovalType, r, workflows.RemoveInput{Request: r})
	var other *RunningError
	switch {
	case errors.As(err, &other) && other.Number == 0:
		err = fmt.Errorf("source %s cannot be removed: %w: an import is running; wait for its end, or cancel it", o.Source, crm.ErrDenied)
	case errors.As(err, &other):
		err = crm.RemovalPlan{Source: o.Source, Open: other.Number}.Refused()
	}
	return started, err
}

// Removal returns the removal of a source that is running, or an error that
// wraps [crm.ErrNotFound].
func (l *Launcher) Removal(ctx context.Context, source string) (Started, error) {
	id := workflows.ImportID(source)
	kind, run, err := l.running(ctx, id)
	if err == nil && kind != workflows.RemovalType {
		err = fmt.Errorf("removal of %s: %w", source, crm.ErrNotFound)
	}
	if err != nil {
		return Started{}, err
	}
	return Started{Source: source, WorkflowID: id, RunID: run, Attached: true}, nil
}

// checkRemove returns why a source cannot be removed now, nil if it can. An
// import is left to Temporal.
func (l *Launcher) checkRemove(ctx context.Context, source string) error {
	_, _, err := l.running(ctx, workflows.SyncID(source))
	if err == nil {
		return fmt.Errorf("source %s: %w: a sync of it is running; wait for its end, or cancel its import", source, crm.ErrDenied)
	}
	if !errors.Is(err, crm.ErrNotFound) {
		return err
	}
	ids, err := l.Store.OpenBackfills(ctx, source)
	if err != nil {
		return err
	}
	open := crm.RemovalPlan{Source: source}
	for _, id := range ids {
		_, _, err := l.running(ctx, workflows.BackfillID(id))
		if errors.Is(err, crm.ErrNotFound) {
			continue // the store does not know that the workflow was terminated
		}
		if err != nil {
			return err
		}
		open.Backfills = append(open.Backfills, id)
	}
	return open.Refused()
}

// running returns the type and the run of a workflow that is running, or an
// error that wraps [crm.ErrNotFound].
func (l *Launcher) running(ctx context.Context, id string) (kind, run string, err error) {
	d, err := l.Temporal.DescribeWorkflowExecution(ctx, id, "")
	var absent *serviceerror.NotFound
	info := d.GetWorkflowExecutionInfo()
	if errors.As(err, &absent) || err == nil && info.GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
		return "", "", fmt.Errorf("%s: %w", id, crm.ErrNotFound)
	}
	if err != nil {
		return "", "", fmt.Errorf("look for %s: %w", id, err)
	}
	return info.GetType().GetName(), info.GetExecution().GetRunId(), nil
}
