package wiring

import (
	"context"
	"errors"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"sluice/workflows"
)

// running asks Temporal what is running.
type running struct{ temporal client.Client }

// Import reports whether an import of a source is running.
func (r running) Import(ctx context.Context, source string) (bool, error) {
	return r.is(ctx, workflows.ImportID(source))
}

// Sync reports whether a sync of a source is running.
func (r running) Sync(ctx context.Context, source string) (bool, error) {
	return r.is(ctx, workflows.SyncID(source))
}

func (r running) is(ctx context.Context, id string) (bool, error) {
	d, err := r.temporal.DescribeWorkflowExecution(ctx, id, "")
	var none *serviceerror.NotFound
	if errors.As(err, &none) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for %s: %w", id, err)
	}
	return d.GetWorkflowExecutionInfo().GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, nil
}
