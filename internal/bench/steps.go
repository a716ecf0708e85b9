package main

import (
	"slices"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/history/v1"
)

// A step is what the history of an import tells of one of its activities. From
// and Until are when its first call began and its last one ended, in seconds
// after the first call of any began.
type step struct {
	Name    string  `json:"name"`
	Calls   int     `json:"calls"`
	Seconds float64 `json:"seconds"` // of all calls, which may overlap
	From    float64 `json:"from"`
	Until   float64 `json:"until"`
}

// calls is the calls of activities in the order in which they came; its zero
// value is ready for use. The runs of one workflow may be added in any order.
type calls struct{ all []call }

type call struct {
	name       string
	begun, end time.Time
}

// run returns what takes the events of one run.
func (c *calls) run() func(*history.HistoryEvent) {
	names, begun := map[int64]string{}, map[int64]time.Time{}
	return func(e *history.HistoryEvent) {
		switch e.GetEventType() {
		case enums.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
			names[e.GetEventId()] = e.GetActivityTaskScheduledEventAttributes().GetActivityType().GetName()
		case enums.EVENT_TYPE_ACTIVITY_TASK_STARTED:
			begun[e.GetActivityTaskStartedEventAttributes().GetScheduledEventId()] = e.GetEventTime().AsTime()
		case enums.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
			id := e.GetActivityTaskCompletedEventAttributes().GetScheduledEventId()
			c.all = append(c.all, call{names[id], begun[id], e.GetEventTime().AsTime()})
		}
	}
}

// steps sums the calls up, in the order in which the steps first began.
func (c *calls) steps() []step {
	slices.SortFunc(c.all, func(a, b call) int { return a.begun.Compare(b.begun) })
	var list []step
	for _, call := range c.all {
		i := slices.IndexFunc(list, func(s step) bool { return s.Name == call.name })
		after := func(t time.Time) float64 { return t.Sub(c.all[0].begun).Seconds() }
		if i < 0 {
			i = len(list)
			list = append(list, step{Name: call.name, From: after(call.begun)})
		}
		s := &list[i]
		s.Calls++
		s.Seconds += call.end.Sub(call.begun).Seconds()
		s.Until = max(s.Until, after(call.end))
	}
	return list
}
