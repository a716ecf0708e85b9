package activities

import (
	"context"
	"errors"
	"time"

	"go.temporal.io/sdk/activity"

	"sluice/internal/crm"
)

// errStopping is the cause of a context that ends because the worker does. A
// step that returns at once is given to another worker at once; one that is
// merely killed is missed only after its heartbeat timeout.
var errStopping = errors.New("the worker is stopping; the step goes on elsewhere")

// asLongAsTheFile are the steps that may take hours. When the worker stops they
// stop too, and go on elsewhere; the others are bounded by a group of batches
// and are let finish.
var asLongAsTheFile = map[string]bool{crm.Fetch.Name: true, crm.Inspect.Name: true, crm.Settle.Name: true, crm.Reconcile.Name: true}

// beating heartbeats until stop is called, and ends the context of a long step
// when the worker is asked to stop. Steps are minutes long, so the beat is a ticker and
// not a place in their loops: a long statement beats too. What a step has done
// is in the stage and in the ledger and not in its heartbeats, which are
// throttled and lost with the process.
//
// A cancel reaches a step with a heartbeat: every 5 s, or three times in a
// shorter heartbeat timeout.
func beating(ctx context.Context) (_ context.Context, stop func()) {
	info := activity.GetInfo(ctx)
	every := 5 * time.Second
	if info.HeartbeatTimeout > 0 {
		every = min(every, info.HeartbeatTimeout/3)
	}
	var stopping <-chan struct{} // never, for a short step
	if asLongAsTheFile[info.ActivityType.Name] {
		stopping = activity.GetWorkerStopChannel(ctx)
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
			case <-stopping:
				cancel(errStopping)
				return
			case <-ctx.Done():
				return
			}
		}
	}()
	return ctx, func() { cancel(nil); <-done }
}
