package activities

import (
	"context"
	"errors"

	"go.temporal.io/sdk/temporal"

	"sluice/internal/crm"
)

// onTheWire turns a step's error into Temporal's, and is the only place that
// does. Marked kinds become failures that are not retried, with the failure
// type of internal/crm; a cancelled context stays a cancel; everything else
// passes as it is, and is retried. What crosses keeps its text and its type
// and loses its Go identity.
func onTheWire(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); cause != nil {
		if errors.Is(cause, errStopping) {
			return errStopping
		}
		return ctx.Err()
	}
	if t := crm.TypeOf(err); t != "" {
		return temporal.NewNonRetryableApplicationError(err.Error(), string(t), nil)
	}
	return err
}
