package wiring

import (
	"context"
	"errors"
	"fmt"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	sdk "go.temporal.io/sdk/temporal"

	"sluice/workflows"
)

// running asks Temporal which imports are running.
type running struct{ temporal client.Client }

// Await waits until no import of a source is running, however it ends.
func (r running) Await(ctx context.Context, source string) error {
	return r.await(ctx, workflows.ImportID(source))
}

// AwaitSync waits until no sync of a source is running, however it ends.
func (r running) AwaitSync(ctx context.Context, source string) error {
	return r.await(ctx, workflows.SyncID(source))
}

func (r running) await(ctx context.Context, id string) error {
	err := r.temporal.GetWorkflow(ctx, id, "").Get(ctx, nil)
	var ended *sdk.WorkflowExecutionError
	var none *serviceerror.NotFound
	if err == nil || errors.As(err, &ended) || errors.As(err, &none) {
		return nil
	}
	return fmt.Errorf("wait for %s: %w", id, err)
}
