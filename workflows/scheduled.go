package workflows

import (
	"errors"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"sluice/internal/crm"
)

// ScheduledInput is the input of Scheduled.
type ScheduledInput struct {
	Version int    `json:"version"` // 1
	Source  string `json:"source"`
}

// Scheduled is what a schedule starts: it runs a Sync of its source, under the ID
// that all syncs of the source have, and keeps count of what fails. When too many
// syncs have failed one after the other the schedule is paused, and people are
// told. A sync that is running already, because somebody started it, is left
// to itself.
//
// It fails as its Sync does, so that the schedule's list of runs shows it.
func Scheduled(ctx workflow.Context, in ScheduledInput) (report crm.Report, err error) {
	t := crm.Tuning{}.WithDefaults()
	defer func() { ended(ctx, report, err) }()
	begun := workflow.Now(ctx)
	what, err := run(ctx, crm.BeginScheduled, t, in.Source, crm.ScheduledInput{Source: in.Source})
	if err != nil {
		return crm.Report{}, err
	}
	report, err = syncAsChild(ctx, SyncInput{Version: 1, Source: in.Source, Full: what.Full, StartedBy: "schedule"})
	var running *temporal.ChildWorkflowExecutionAlreadyStartedError
	if errors.As(err, &running) {
		return crm.Report{}, nil
	}
	end := crm.EndScheduledInput{Source: in.Source, At: begun, Full: what.Full}
	switch {
	case ctx.Err() != nil || temporal.IsCanceledError(err):
		return report, err
	case err != nil:
		end.Failure = failureOf(err)
	case report.State != crm.Done && report.State != crm.AlreadyImported:
		end.Failure = report.Failure
	}
	if _, noted := run(ctx, crm.EndScheduled, t, in.Source, end); noted != nil {
		err = errors.Join(err, noted)
	}
	return report, err
}

func syncAsChild(ctx workflow.Context, in SyncInput) (report crm.Report, err error) {
	ctx = childOptions(ctx, SyncID(in.Source), SyncLabels(in.Source, in.StartedBy))
	err = workflow.ExecuteChildWorkflow(ctx, Sync, in).Get(ctx, &report)
	return report, err
}

// ScheduleID is the ID of the schedule of a source, and, with the time behind it,
// of what it starts.
func ScheduleID(source string) string { return "schedule:" + source }
