package activities

import (
	"context"
	"errors"
	"time"

	"go.temporal.io/sdk/activity"
)

// errStopping is the cause of a context that ends because the worker does. A
// step that returns at once is given to another worker at once; one that is
// merely killed is missed only after its heartbeat timeout.
var errStopping = errors.New("the worker is stopping; the step goes on elsewhere")

// beating heartbeats until stop is called, and ends the context when the
// worker is asked to stop. Steps are minutes long, so the beat is a ticker and
// not a place in their loops: a long statement beats too. What a step has done
// is in the stage and in the ledger and not in its heartbeats, which are
// throttled and lost with the process.
//
// A cancel reaches a step with a heartbeat: every 5 s, or three times in a
// shorter heartbeat timeout.
func beating(ctx context.Context) (_ context.Context, stop func()) {
	every := 5 * time.Second
	if t := activity.GetInfo(ctx).HeartbeatTimeout; t > 0 {
		every = min(every, t/3)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				activity.RecordHeartbeat(ctx)
			case <-activity.GetWorkerStopChannel(ctx):
				cancel(errStopping)
				return
			case <-ctx.Done():
				return
			}
		}
	}()
	return ctx, func() { cancel(nil); <-done }
}
