package launch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"sluice/internal/crm"
	"sluice/workflows"
)

// scheduleStore is the part of the store that schedules need.
type scheduleStore interface {
	SaveSchedule(ctx context.Context, s crm.Schedule) error
	Schedule(ctx context.Context, source string) (crm.ScheduleRow, error)
	Schedules(ctx context.Context) ([]crm.ScheduleRow, error)
	RemoveSchedule(ctx context.Context, source string) error
}

// overlaps are Temporal's words for ours.
var overlaps = map[crm.Overlap]enumspb.ScheduleOverlapPolicy{
	"":                enumspb.SCHEDULE_OVERLAP_POLICY_SKIP,
	crm.OverlapSkip:   enumspb.SCHEDULE_OVERLAP_POLICY_SKIP,
	crm.OverlapBuffer: enumspb.SCHEDULE_OVERLAP_POLICY_BUFFER_ONE,
	crm.OverlapCancel: enumspb.SCHEDULE_OVERLAP_POLICY_CANCEL_OTHER,
}

// SaveSchedule makes a schedule of a source, or changes the one it has into it;
// changed is false if it was so already. One that is paused stays so: only
// [Launcher.ResumeSchedule] lets it go on. A schedule that makes no sense, a time
// that nothing is scheduled at, and a source of files wrap [crm.ErrInvalid]; a
// source that is not there wraps [crm.ErrNotFound].
func (l *Launcher) SaveSchedule(ctx context.Context, s crm.Schedule) (changed bool, err error) {
	if err := s.Check(); err != nil {
		return false, err
	}
	src, err := l.Store.Source(ctx, s.Source)
	if err == nil && src.Kind == crm.KindFile {
		err = fmt.Errorf("schedule of %s: %w: it is a source of files", s.Source, crm.ErrInvalid)
	}
	if err == nil {
		err = src.Takes()
	}
	if err != nil {
		return false, err
	}
	had, err := l.Store.Schedule(ctx, s.Source)
	there := err == nil
	if err != nil && !errors.Is(err, crm.ErrNotFound) {
		return false, err
	}
	if there && !s.Paused {
		s.Paused, s.Note = had.Paused, cmp.Or(s.Note, had.Note)
	}
	if err := l.putSchedule(ctx, s, false); err != nil {
		return false, err
	}
	if there && reflect.DeepEqual(had.Schedule, s) {
		return false, nil
	}
	return true, l.Store.SaveSchedule(ctx, s)
}

// putSchedule makes the schedule at the server, or changes it. If it does not
// resume it, one that was paused there by other means stays paused.
func (l *Launcher) putSchedule(ctx context.Context, s crm.Schedule, resume bool) error {
	made := scheduleOptions(s)
	_, err := l.Temporal.ScheduleClient().Create(ctx, made)
	if errors.Is(err, temporal.ErrScheduleAlreadyRunning) {
		err = l.schedule(ctx, s.Source).Update(ctx, client.ScheduleUpdateOptions{
			DoUpdate: func(in client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
				state := &client.ScheduleState{Paused: made.Paused, Note: made.Note}
				if was := in.Description.Schedule.State; !resume && !made.Paused && was.Paused {
					state = was
				}
				return &client.ScheduleUpdate{Schedule: &client.Schedule{Action: made.Action, Spec: &made.Spec, State: state,
					Policy: &client.SchedulePolicies{Overlap: made.Overlap, CatchupWindow: made.CatchupWindow}}}, nil
			}})
	}
	var invalid *serviceerror.InvalidArgument
	if errors.As(err, &invalid) {
		return fmt.Errorf("schedule of %s: %w: %s", s.Source, crm.ErrInvalid, invalid.Message)
	}
	if err != nil {
		return fmt.Errorf("schedule of %s: %w", s.Source, err)
	}
	return nil
}

func scheduleOptions(s crm.Schedule) client.ScheduleOptions {
	labels := workflows.SyncLabels(s.Source, "schedule")
	labels.Priority.PriorityKey = workflows.PriorityScheduled
	spec := client.ScheduleSpec{CronExpressions: s.Cron, Jitter: s.Jitter, TimeZoneName: s.Zone}
	if s.Every > 0 {
		spec.Intervals = []client.ScheduleIntervalSpec{{Every: s.Every}}
	}
	catchUp := s.CatchUp
	if catchUp == 0 {
		catchUp = crm.DefaultCatchUp
	}
	return client.ScheduleOptions{ID: workflows.ScheduleID(s.Source), Spec: spec, Overlap: overlaps[s.Overlap], CatchupWindow: catchUp,
		Paused: s.Paused, Note: s.Note,
		Action: &client.ScheduleWorkflowAction{ID: workflows.ScheduleID(s.Source), Workflow: "Scheduled", TaskQueue: workflows.TaskQueue,
			Args: []any{workflows.ScheduledInput{Version: 1, Source: s.Source}}, StaticSummary: "By schedule · " + labels.Summary,
			TypedSearchAttributes: labels.Attributes, Priority: labels.Priority}}
}

func (l *Launcher) schedule(ctx context.Context, source string) client.ScheduleHandle {
	return l.Temporal.ScheduleClient().GetHandle(ctx, workflows.ScheduleID(source))
}

// A ScheduleStatus is a schedule, how its source stands, and when it comes next.
type ScheduleStatus struct {
	crm.ScheduleRow
	Standing crm.SourceStanding `json:"standing"`
	Late     time.Duration      `json:"late,omitempty"` // how long ago the sync was due that has not been done
	Next     []time.Time        `json:"next,omitempty"` // at most five; none while it is paused
	Running  bool               `json:"running,omitempty"`
}

// ScheduleStatus says how the schedule of a source stands. A source without one
// wraps [crm.ErrNotFound].
func (l *Launcher) ScheduleStatus(ctx context.Context, source string) (ScheduleStatus, error) {
	row, err := l.Store.Schedule(ctx, source)
	if err != nil {
		return ScheduleStatus{}, err
	}
	return l.status(ctx, row)
}

// Schedules says how all schedules stand, by source.
func (l *Launcher) Schedules(ctx context.Context) ([]ScheduleStatus, error) {
	rows, err := l.Store.Schedules(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]ScheduleStatus, len(rows))
	for i, row := range rows {
		if out[i], err = l.status(ctx, row); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// nextTimes is how many times to come are told.
const nextTimes = 5

func (l *Launcher) status(ctx context.Context, row crm.ScheduleRow) (ScheduleStatus, error) {
	out := ScheduleStatus{ScheduleRow: row}
	d, err := l.schedule(ctx, row.Source).Describe(ctx)
	var absent *serviceerror.NotFound
	if errors.As(err, &absent) {
		out.Standing = crm.Lost
		out.Note = "the Temporal server does not know it; starter schedule resume " + row.Source + " puts it back"
		return out, nil
	}
	if err != nil {
		return out, fmt.Errorf("schedule of %s: %w", row.Source, err)
	}
	times := d.Info.NextActionTimes
	if d.Schedule.State.Paused {
		out.Paused, out.Note = true, d.Schedule.State.Note // somebody may have paused it in the Temporal UI
	} else {
		out.Next = times[:min(nextTimes, len(times))]
	}
	out.Running = len(d.Info.RunningWorkflows) > 0
	var between time.Duration // the longest: nights and weekends are no delay
	for i := 1; i < len(times); i++ {
		between = max(between, times[i].Sub(times[i-1]))
	}
	now := time.Now()
	out.Standing, out.Late = out.ScheduleRow.Standing(now, between), out.ScheduleRow.Late(now, between)
	return out, nil
}

// StoredSchedule says how a schedule stands by what the store alone knows. When
// one comes next that keeps to a calendar only the server can tell.
func StoredSchedule(row crm.ScheduleRow, now time.Time) ScheduleStatus {
	out := ScheduleStatus{ScheduleRow: row, Standing: row.Standing(now, row.Every), Late: row.Late(now, row.Every)}
	if row.Every > 0 && !row.Paused {
		begun := time.Unix(0, 0).UTC()
		out.Next = []time.Time{begun.Add(now.Sub(begun).Truncate(row.Every) + row.Every)}
	}
	return out
}

// PauseSchedule keeps a schedule from beginning anything; what is running goes
// on.
func (l *Launcher) PauseSchedule(ctx context.Context, source, note string) error {
	return l.changeSchedule(ctx, source, func(s *crm.Schedule) { s.Paused, s.Note = true, note })
}

// ResumeSchedule lets a paused schedule go on. What failed before is forgotten.
func (l *Launcher) ResumeSchedule(ctx context.Context, source string) error {
	return l.changeSchedule(ctx, source, func(s *crm.Schedule) { s.Paused, s.Note = false, "" })
}

func (l *Launcher) changeSchedule(ctx context.Context, source string, change func(*crm.Schedule)) error {
	row, err := l.Store.Schedule(ctx, source)
	if err != nil {
		return err
	}
	src, err := l.Store.Source(ctx, source)
	if err == nil {
		err = src.Takes() // its schedule goes with it, and is not put back
	}
	if err != nil {
		return err
	}
	change(&row.Schedule)
	if err := l.putSchedule(ctx, row.Schedule, !row.Paused); err != nil {
		return err
	}
	return l.Store.SaveSchedule(ctx, row.Schedule)
}

// TriggerSchedule has a schedule do now what it does at its times, paused or not.
func (l *Launcher) TriggerSchedule(ctx context.Context, source string) error {
	if _, err := l.Store.Schedule(ctx, source); err != nil {
		return err
	}
	if err := l.schedule(ctx, source).Trigger(ctx, client.ScheduleTriggerOptions{}); err != nil {
		return fmt.Errorf("schedule of %s: %w", source, err)
	}
	return nil
}

// RemoveSchedule removes the schedule of a source; what is running goes on.
func (l *Launcher) RemoveSchedule(ctx context.Context, source string) error {
	if _, err := l.Store.Schedule(ctx, source); err != nil {
		return err
	}
	err := l.schedule(ctx, source).Delete(ctx)
	var absent *serviceerror.NotFound
	if err != nil && !errors.As(err, &absent) {
		return fmt.Errorf("schedule of %s: %w", source, err)
	}
	return l.Store.RemoveSchedule(ctx, source)
}
