package activities

import (
	"context"
	"errors"
	"time"

	"go.temporal.io/sdk/temporal"

	"sluice/internal/crm"
)

// onTheWire turns a step's error into Temporal's, and is the only place that
// does. Marked kinds become failures that are not retried, with the failure
// type of internal/crm; a cancelled context stays a cancel; everything else
// passes as it is, and is retried; when the source asks to wait, not before.
// What crosses keeps its text and its type and loses its Go identity.
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
	var wait *crm.Throttled
	if errors.As(err, &wait) {
		// Retries before the source's own time would only make it longer.
		return temporal.NewApplicationErrorWithOptions(err.Error(), string(crm.FailThrottled), temporal.ApplicationErrorOptions{
			NextRetryDelay: max(time.Until(wait.Until), time.Second)})
	}
	return err
}
