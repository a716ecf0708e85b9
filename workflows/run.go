package workflows

import (
	"errors"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"sluice/internal/crm"
)

// run runs one step and waits for its result. summary is what the Temporal UI
// shows on the step's bar, behind its name: plain text under 200 bytes, no cell
// values; "" if the name says it all.
func run[In, Out any](ctx workflow.Context, s crm.Step[In, Out], t crm.Tuning, summary string, in In) (Out, error) {
	var out Out
	o := options(s.Name, t)
	o.Summary = summary
	err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, o), s.Name, in).Get(ctx, &out)
	return out, err
}

// options returns the timeouts and retries of a step. Steps that wait for
// something outside to come back (a database, Redis, the stage) are tried for
// ever, visibly: attempts are no measure, since deploys and pauses use them
// too. A failure that trying again cannot mend is marked by the step itself.
func options(step string, t crm.Tuning) workflow.ActivityOptions {
	o := workflow.ActivityOptions{
		StartToCloseTimeout: 2 * time.Hour,
		HeartbeatTimeout:    t.Heartbeat,
		WaitForCancellation: true, // what a cancelled step wrote must be known before the recount
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval:    time.Second,
			BackoffCoefficient: 2,
			MaximumInterval:    30 * time.Second,
		},
	}
	switch step {
	case crm.Open.Name:
		o.StartToCloseTimeout, o.HeartbeatTimeout = time.Minute, 0
	case crm.Write.Name:
		o.StartToCloseTimeout = 30 * time.Minute
	case crm.Fetch.Name, crm.Settle.Name, crm.Reconcile.Name:
		o.StartToCloseTimeout = 6 * time.Hour
	case crm.AwaitSource.Name, crm.BeginPartition.Name: // they fail while they wait
		o.StartToCloseTimeout = time.Minute
		o.RetryPolicy.MaximumInterval = 10 * time.Second
	case crm.Notify.Name:
		o.StartToCloseTimeout, o.HeartbeatTimeout = 30*time.Second, 0
		o.ScheduleToCloseTimeout = time.Hour
		o.RetryPolicy.MaximumInterval = 5 * time.Minute
	case crm.Mark.Name:
		o.StartToCloseTimeout, o.HeartbeatTimeout = 10*time.Second, 0
		o.ScheduleToCloseTimeout = time.Minute
	}
	return o
}

// failureOf says why a step failed for good. Go's error values do not survive
// the way through Temporal: the type on the wire does.
func failureOf(err error) *crm.Failure {
	f := &crm.Failure{Type: crm.FailInvalid, Message: err.Error()}
	var a *temporal.ActivityError
	if errors.As(err, &a) {
		f.Step = a.ActivityType().GetName()
	}
	var app *temporal.ApplicationError
	if errors.As(err, &app) {
		f.Message = app.Message()
		if app.Type() != "" {
			f.Type = crm.FailureType(app.Type())
		}
	}
	return f
}
