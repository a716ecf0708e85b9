package wiring

import (
	"context"
	"errors"
	"fmt"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"sluice/workflows"
)

// schedules changes schedules at the Temporal server.
type schedules struct{ temporal client.Client }

// Pause keeps the schedule of a source from beginning anything.
func (s schedules) Pause(ctx context.Context, source, note string) error {
	err := s.temporal.ScheduleClient().GetHandle(ctx, workflows.ScheduleID(source)).Pause(ctx, client.SchedulePauseOptions{Note: note})
	if err != nil {
		return fmt.Errorf("pause the schedule of %s: %w", source, err)
	}
	return nil
}

// Remove removes the schedule of a source, if it has one.
func (s schedules) Remove(ctx context.Context, source string) error {
	err := s.temporal.ScheduleClient().GetHandle(ctx, workflows.ScheduleID(source)).Delete(ctx)
	var absent *serviceerror.NotFound
	if err != nil && !errors.As(err, &absent) {
		return fmt.Errorf("remove the schedule of %s: %w", source, err)
	}
	return nil
}
