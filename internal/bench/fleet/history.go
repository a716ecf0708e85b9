package main

import (
	"context"
	"slices"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/proto"
)

// history is what imports left in Temporal, all their runs together.
type history struct {
	runs, events, steps int
	bytes               int64           // as the events are encoded
	longest             int             // events of the longest run
	largest             int             // bytes of the largest event
	payloads            int64           // bytes of the steps' inputs and results
	workers             map[string]bool // that carried out a step

	// What waited for a worker, and how long the workers' answers took.
	stepWaits, taskWaits, taskTimes times
}

// read adds the history of a workflow, from the run given to the last.
func (h *history) read(ctx context.Context, c client.Client, id, run string) error {
	if h.workers == nil {
		h.workers = map[string]bool{}
	}
	for run != "" {
		next, err := h.readRun(ctx, c, id, run)
		if err != nil {
			return err
		}
		run = next
	}
	return nil
}

func (h *history) readRun(ctx context.Context, c client.Client, id, run string) (next string, err error) {
	h.runs++
	events := 0
	scheduled := map[int64]time.Time{} // by the id of the event
	for all := c.GetWorkflowHistory(ctx, id, run, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); all.HasNext(); {
		e, err := all.Next()
		if err != nil {
			return "", err
		}
		events++
		size := proto.Size(e)
		h.bytes += int64(size)
		h.largest = max(h.largest, size)
		h.note(e, scheduled)
		next = e.GetWorkflowExecutionContinuedAsNewEventAttributes().GetNewExecutionRunId()
	}
	h.events += events
	h.longest = max(h.longest, events)
	return next, nil
}

// note takes the times from an event, and the payloads.
func (h *history) note(e *historypb.HistoryEvent, at map[int64]time.Time) {
	now := e.GetEventTime().AsTime()
	at[e.GetEventId()] = now
	switch e.GetEventType() {
	case enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
		h.steps++
		h.payloads += int64(proto.Size(e.GetActivityTaskScheduledEventAttributes().GetInput()))
	case enumspb.EVENT_TYPE_ACTIVITY_TASK_STARTED:
		h.workers[e.GetActivityTaskStartedEventAttributes().GetIdentity()] = true
		h.stepWaits.add(now.Sub(at[e.GetActivityTaskStartedEventAttributes().GetScheduledEventId()]))
	case enumspb.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
		h.payloads += int64(proto.Size(e.GetActivityTaskCompletedEventAttributes().GetResult()))
	case enumspb.EVENT_TYPE_WORKFLOW_TASK_STARTED:
		h.taskWaits.add(now.Sub(at[e.GetWorkflowTaskStartedEventAttributes().GetScheduledEventId()]))
	case enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
		h.taskTimes.add(now.Sub(at[e.GetWorkflowTaskCompletedEventAttributes().GetStartedEventId()]))
	}
}

// times are durations of one kind.
type times []time.Duration

func (t *times) add(d time.Duration) { *t = append(*t, d) }

// at returns the duration below which the given share of them is; 0 if there
// are none.
func (t times) at(share float64) time.Duration {
	if len(t) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(t))
	return sorted[min(len(sorted)-1, int(share*float64(len(sorted))))]
}
