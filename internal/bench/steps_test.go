package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/history/v1"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// TestStepsAddUpOverRuns has calls that overlap, and the later run added first.
func TestStepsAddUpOverRuns(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	event := func(id int64, second int, e *history.HistoryEvent) *history.HistoryEvent {
		e.EventId, e.EventTime = id, timestamppb.New(at.Add(time.Duration(second)*time.Second))
		return e
	}
	scheduled := func(id int64, name string) *history.HistoryEvent {
		return event(id, 0, &history.HistoryEvent{EventType: enums.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
			Attributes: &history.HistoryEvent_ActivityTaskScheduledEventAttributes{ActivityTaskScheduledEventAttributes: &history.ActivityTaskScheduledEventAttributes{ActivityType: &common.ActivityType{Name: name}}}})
	}
	started := func(id, of int64, second int) *history.HistoryEvent {
		return event(id, second, &history.HistoryEvent{EventType: enums.EVENT_TYPE_ACTIVITY_TASK_STARTED,
			Attributes: &history.HistoryEvent_ActivityTaskStartedEventAttributes{ActivityTaskStartedEventAttributes: &history.ActivityTaskStartedEventAttributes{ScheduledEventId: of}}})
	}
	completed := func(id, of int64, second int) *history.HistoryEvent {
		return event(id, second, &history.HistoryEvent{EventType: enums.EVENT_TYPE_ACTIVITY_TASK_COMPLETED,
			Attributes: &history.HistoryEvent_ActivityTaskCompletedEventAttributes{ActivityTaskCompletedEventAttributes: &history.ActivityTaskCompletedEventAttributes{ScheduledEventId: of}}})
	}
	var c calls
	for _, run := range [][]*history.HistoryEvent{
		{scheduled(1, "Write"), started(2, 1, 20), completed(3, 1, 21)},
		{scheduled(1, "Fetch"), started(2, 1, 10), completed(3, 1, 12),
			scheduled(4, "Write"), scheduled(5, "Write"), started(6, 5, 13), started(7, 4, 14), completed(8, 5, 16), completed(9, 4, 15)},
	} {
		take := c.run()
		for _, e := range run {
			take(e)
		}
	}
	want := []step{{"Fetch", 1, 2, 0, 2}, {"Write", 3, 5, 3, 11}}
	if diff := cmp.Diff(want, c.steps()); diff != "" {
		t.Error(diff)
	}
}
