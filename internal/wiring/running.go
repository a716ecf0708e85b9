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
	err := r.temporal.GetWorkflow(ctx, workflows.ImportID(source), "").Get(ctx, nil)
	var ended *sdk.WorkflowExecutionError
	var none *serviceerror.NotFound
	if err == nil || errors.As(err, &ended) || errors.As(err, &none) {
		return nil
	}
	return fmt.Errorf("wait for the import of %s: %w", source, err)
}
