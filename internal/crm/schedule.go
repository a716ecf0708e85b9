package crm

import (
	"fmt"
	"time"
)

// A Schedule says when a source is brought up to date by itself. Each source has
// one at the most.
type Schedule struct {
	Source string `json:"source" yaml:"source"`

	// Every and Cron say when: at all times that are multiples of it, or at the
	// times that five-field cron expressions name in Zone. One of them is given.
	Every time.Duration `json:"every,omitempty" yaml:"every"`
	Cron  []string      `json:"cron,omitempty" yaml:"cron"`
	Zone  string        `json:"zone,omitempty" yaml:"zone"` // IANA name; "": UTC

	Jitter  time.Duration `json:"jitter,omitempty" yaml:"jitter"`     // put off by up to so much, at random
	CatchUp time.Duration `json:"catch_up,omitempty" yaml:"catch_up"` // how late a time that was missed is made up for; 0: an hour
	Overlap Overlap       `json:"overlap,omitempty" yaml:"overlap"`   // "": skip

	// FullEvery is how often all there is is read, since a source does not tell
	// of all its changes; 0: never, unless the source tells of none.
	FullEvery time.Duration `json:"full_every,omitempty" yaml:"full_every"`

	// PauseAfter is how many syncs may fail one after the other before the
	// schedule pauses itself; 0: 5.
	PauseAfter int `json:"pause_after,omitempty" yaml:"pause_after"`

	Paused bool   `json:"paused,omitempty" yaml:"paused"`
	Note   string `json:"note,omitempty" yaml:"note"` // why it is paused, or what somebody wrote
}

// Overlap is what becomes of a time at which the sync before it is running.
type Overlap string

// The overlaps.
const (
	OverlapSkip   Overlap = "skip"   // it is left out
	OverlapBuffer Overlap = "buffer" // one sync begins when that one ends
	OverlapCancel Overlap = "cancel" // that one is cancelled, and this one begins
)

// DefaultPauseAfter is what a zero [Schedule.PauseAfter] means, and
// DefaultCatchUp a zero [Schedule.CatchUp].
const (
	DefaultPauseAfter = 5
	DefaultCatchUp    = time.Hour
)

// Check returns an error that wraps [ErrInvalid] and says what is wrong, unless
// the schedule makes sense. Cron expressions are left to who runs it.
func (s Schedule) Check() error {
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("schedule of %s: %w: %s", s.Source, ErrInvalid, fmt.Sprintf(format, args...))
	}
	switch {
	case CheckSlug(s.Source) != nil:
		return fmt.Errorf("schedule: %w", CheckSlug(s.Source))
	case (s.Every == 0) == (len(s.Cron) == 0):
		return wrong("say how often, or at what times, and not both")
	case s.Every != 0 && s.Every < time.Second:
		return wrong("every second is as often as it can be")
	case s.Jitter < 0, s.CatchUp < 0, s.FullEvery < 0, s.PauseAfter < 0:
		return wrong("a time or a number is below 0")
	case s.Overlap != "" && s.Overlap != OverlapSkip && s.Overlap != OverlapBuffer && s.Overlap != OverlapCancel:
		return wrong("overlap is skip, buffer or cancel")
	}
	if _, err := time.LoadLocation(s.Zone); err != nil {
		return wrong("there is no time zone %q", s.Zone)
	}
	return nil
}

// A ScheduleRow is a schedule with what became of it.
type ScheduleRow struct {
	Schedule

	Failures int       `json:"failures,omitempty"` // syncs that failed since the last one that did not
	Failure  *Failure  `json:"failure,omitempty"`  // of the last one
	LastAt   time.Time `json:"last_at,omitzero"`   // when the last sync began
	GoodAt   time.Time `json:"good_at,omitzero"`   // when the last one that did not fail began
	FullAt   time.Time `json:"full_at,omitzero"`   // when the last reading of all there is began that did not fail
	MadeAt   time.Time `json:"made_at"`            // when it was made, or last resumed
}

// A SourceStanding is how a source that has a schedule stands, in one word.
type SourceStanding string

// The standings.
const (
	OnTime  SourceStanding = "on time"
	Delayed SourceStanding = "delayed" // a sync was due some time ago and has not been done
	InError SourceStanding = "error"   // the last sync failed
	Resting SourceStanding = "paused"
	Lost    SourceStanding = "lost" // nothing would start it

	// Of a source without a schedule it is InError, or one of these.
	Unscheduled SourceStanding = "no schedule"
	Leaving     SourceStanding = "being removed" // with a schedule or without
)

// Standing says how the source stands at a time, if the time between two syncs
// is usually so long.
func (s ScheduleRow) Standing(now time.Time, between time.Duration) SourceStanding {
	switch {
	case s.Paused:
		return Resting
	case s.Failures > 0:
		return InError
	case between > 0 && now.Sub(s.good()) > between+between/2+s.Jitter+time.Minute:
		return Delayed
	}
	return OnTime
}

// Late is how long ago the sync was due that has not been done; 0 unless the
// source is [Delayed].
func (s ScheduleRow) Late(now time.Time, between time.Duration) time.Duration {
	if s.Standing(now, between) != Delayed {
		return 0
	}
	return now.Sub(s.good()) - between
}

// good is since when the source counts as up to date.
func (s ScheduleRow) good() time.Time {
	if s.GoodAt.Before(s.MadeAt) {
		return s.MadeAt
	}
	return s.GoodAt
}

// ScheduledInput asks what a schedule is to do at this time.
type ScheduledInput struct {
	Source string `json:"source"`
}

// Scheduled is what it is to do.
type Scheduled struct {
	Full bool `json:"full,omitempty"` // read all there is
}

// EndScheduledInput says how a sync that a schedule began has ended.
type EndScheduledInput struct {
	Source  string    `json:"source"`
	At      time.Time `json:"at"` // when it began
	Full    bool      `json:"full,omitempty"`
	Failure *Failure  `json:"failure,omitempty"` // nil: it did not fail
}
