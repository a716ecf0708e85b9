package crm

import (
	"testing"
	"time"
)

func timed(took ...time.Duration) (t Tempo) {
	for _, d := range took {
		t.Add(d)
	}
	return t
}

func TestTempoGuessesFromThreePartitionsOnAndFollowsTheLastOnes(t *testing.T) {
	t.Parallel()
	const m = time.Minute
	for name, c := range map[string]struct {
		tempo      Tempo
		partitions int
		since      time.Duration
		least      time.Duration
		most       time.Duration
	}{
		"nothing is timed":                {Tempo{}, 5, 0, 0, 0},
		"two say nothing":                 {timed(m, m), 5, 0, 0, 0},
		"three do":                        {timed(m, m, m), 5, 0, 5 * m, 5 * m},
		"what is behind counts":           {timed(m, m, m), 5, m / 2, 4*m + m/2, 4*m + m/2},
		"nothing is left":                 {timed(m, m, m), 0, 0, 0, 0},
		"the last ones count most":        {timed(m, m, m, m, m, m, m, m, 9*m, 9*m, 9*m, 9*m, 9*m), 1, 0, 6 * m, 8 * m},
		"a slow one makes others slow":    {timed(m, m, m), 5, 11 * m, 4 * 3 * m, 4 * 4 * m},
		"the last one that is over is so": {timed(m, m, m), 1, 2 * m, 0, 0},
		"it is never nothing":             {timed(m, m, m), 1, m - time.Millisecond, time.Second, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := c.tempo.Left(c.partitions, c.since); got < c.least || got > c.most {
				t.Errorf("Left(%d, %s) = %s, want %s to %s", c.partitions, c.since, got, c.least, c.most)
			}
		})
	}
}

func TestABackfillTakesAsLongAsItsLongestSourceOrAsAllByTurns(t *testing.T) {
	t.Parallel()
	p := BackfillProgress{AtOnce: 2}
	for _, c := range []struct {
		each []time.Duration
		want time.Duration
	}{
		{nil, 0}, {[]time.Duration{0, 0}, 0},
		{[]time.Duration{time.Hour, time.Minute}, time.Hour},
		{[]time.Duration{time.Hour, time.Hour, time.Hour}, 90 * time.Minute},
	} {
		if got := p.Remaining(c.each); got != c.want {
			t.Errorf("Remaining(%v) = %s, want %s", c.each, got, c.want)
		}
	}
}

func TestASourceThatRestsHasNoTimeLeft(t *testing.T) {
	t.Parallel()
	now := time.Date(2027, 1, 2, 12, 0, 0, 0, time.UTC)
	s := SourceProgress{State: Running, Since: now.Add(-20 * time.Second), Tempo: timed(time.Minute, time.Minute, time.Minute),
		BackfillCounts: BackfillCounts{Done: 3, Running: 1, Left: 2}}
	if got, want := s.Remaining(now), 160*time.Second; got != want {
		t.Errorf("Remaining = %s, want %s", got, want)
	}
	for _, s.State = range []State{Done, NeedsAttention, Failed, Cancelled} {
		if got := s.Remaining(now); got != 0 {
			t.Errorf("%s: Remaining = %s, want 0", s.State, got)
		}
	}
}

func TestStandingIsSaidWithHowLateItIs(t *testing.T) {
	t.Parallel()
	now := time.Date(2027, 1, 2, 12, 0, 0, 0, time.UTC)
	at := func(ago time.Duration) ScheduleRow {
		return ScheduleRow{MadeAt: now.Add(-1000 * time.Hour), GoodAt: now.Add(-ago)}
	}
	failing, paused, jittered, young := at(9*time.Hour), at(9*time.Hour), at(3*time.Hour), ScheduleRow{MadeAt: now.Add(-time.Hour)}
	failing.Failures, paused.Paused, jittered.Jitter = 1, true, 2*time.Hour
	for name, c := range map[string]struct {
		row  ScheduleRow
		want SourceStanding
		late time.Duration
	}{
		"in time":                     {at(61 * time.Minute), OnTime, 0},
		"a little late":               {at(90 * time.Minute), OnTime, 0},
		"late":                        {at(3 * time.Hour), Delayed, 2 * time.Hour},
		"late within what it may be":  {jittered, OnTime, 0},
		"late, because it fails":      {failing, InError, 0},
		"late, because it is paused":  {paused, Resting, 0},
		"made a while ago, never run": {young, OnTime, 0},
	} {
		if got, late := c.row.Standing(now, time.Hour), c.row.Late(now, time.Hour); got != c.want || late != c.late {
			t.Errorf("%s: %s by %s, want %s by %s", name, got, late, c.want, c.late)
		}
	}
	for name, c := range map[string]struct {
		src  SourceStatus
		want SourceStanding
	}{
		"never run":     {SourceStatus{}, Unscheduled},
		"run":           {SourceStatus{Latest: &ImportRow{State: Done}}, Unscheduled},
		"failed":        {SourceStatus{Latest: &ImportRow{State: Failed}}, InError},
		"interrupted":   {SourceStatus{Latest: &ImportRow{State: Interrupted}}, InError},
		"being removed": {SourceStatus{Source: Source{Removing: &Removal{}}, Latest: &ImportRow{State: Failed}}, Leaving},
	} {
		if got := c.src.Standing(); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
