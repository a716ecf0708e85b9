package activities

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sluice/internal/crm"
)

// Schedules changes what runs by itself.
type Schedules interface {
	// Pause keeps the schedule of a source from beginning anything. It may be
	// repeated.
	Pause(ctx context.Context, source, note string) error

	// Remove removes the schedule of a source, if it has one.
	Remove(ctx context.Context, source string) error
}

// scheduleStore is the part of the store that schedules need.
type scheduleStore interface {
	Schedule(ctx context.Context, source string) (crm.ScheduleRow, error)
	SaveSchedule(ctx context.Context, in crm.Schedule) error
	EndScheduled(ctx context.Context, in crm.EndScheduledInput) (crm.ScheduleRow, error)
}

// BeginScheduled says what is due of a source: what has changed, or all there is,
// if that is due. It changes nothing. A source whose schedule is gone is brought
// up to date once more.
func (a *Activities) BeginScheduled(ctx context.Context, in crm.ScheduledInput) (crm.Scheduled, error) {
	s, err := a.Store.Schedule(ctx, in.Source)
	if errors.Is(err, crm.ErrNotFound) {
		return crm.Scheduled{}, nil
	}
	return crm.Scheduled{Full: err == nil && s.FullEvery > 0 && time.Since(s.FullAt) >= s.FullEvery}, err
}

// EndScheduled notes how a sync has ended. When too many in a row have failed it
// pauses the schedule and tells people, once. It may be repeated.
func (a *Activities) EndScheduled(ctx context.Context, in crm.EndScheduledInput) (crm.None, error) {
	s, err := a.Store.EndScheduled(ctx, in)
	if errors.Is(err, crm.ErrNotFound) {
		return crm.None{}, nil
	}
	if err != nil {
		return crm.None{}, err
	}
	most := s.PauseAfter
	if most == 0 {
		most = crm.DefaultPauseAfter
	}
	if s.Failures < most || s.Paused || s.Failure == nil {
		return crm.None{}, nil
	}
	note := fmt.Sprintf("paused by itself after %d syncs that failed; the last: %s", s.Failures, s.Failure.Message)
	if err := a.Schedules.Pause(ctx, in.Source, note); err != nil {
		return crm.None{}, err
	}
	if err := a.tellPaused(ctx, s, note); err != nil {
		return crm.None{}, err
	}
	s.Paused, s.Note = true, note
	return crm.None{}, a.Store.SaveSchedule(ctx, s.Schedule)
}

// tellPaused tells people that a source is not brought up to date any more. The
// id of the message is the same whenever it is sent for the same pause.
func (a *Activities) tellPaused(ctx context.Context, s crm.ScheduleRow, note string) error {
	if a.Mailer == nil {
		return nil
	}
	for i, to := range a.MailTo {
		m := crm.Message{Channel: "email", To: to, Event: "source_paused", Subject: s.Source + ": its schedule is paused",
			Body:   fmt.Sprintf("%s is not brought up to date any more: it was %s.\n\nMend what it says, then: starter schedule resume %s\n", s.Source, note, s.Source),
			Stable: fmt.Sprintf("%s.source_paused.%d.%d", s.Source, s.LastAt.UnixMilli(), i)}
		if err := a.Mailer.Send(ctx, m); err != nil {
			return err
		}
	}
	return nil
}
