package main

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sluice/internal/crm"
	"sluice/internal/launch"
)

// aWatched ends after some time, and fails to answer in between.
type aWatched struct {
	ends   time.Duration
	silent func(since time.Duration) bool
	begun  time.Time
	paused bool
	stuck  bool // nothing moves
}

func (w *aWatched) Progress(ctx context.Context, _ string) (crm.Progress, error) {
	since := time.Since(w.begun)
	if w.silent(since) {
		<-ctx.Done()
		return crm.Progress{}, ctx.Err()
	}
	p := running12()
	p.StartedAt, p.UpdatedAt = w.begun, time.Now()
	if w.paused {
		p.State, p.By = crm.Paused, "ana"
	} else if !w.stuck {
		p.Bytes += int64(since.Seconds()) * p.BytesTotal / 100
	}
	if since > 25*time.Second {
		p.Phase = "settle"
	}
	return p, nil
}

func (w *aWatched) Wait(ctx context.Context, _ launch.Started) (crm.Report, error) {
	select {
	case <-ctx.Done():
		return crm.Report{}, ctx.Err()
	case <-time.After(w.ends):
		return doneReport(), nil
	}
}

func (w *aWatched) Running(ctx context.Context, _ string) (launch.Started, error) {
	if w.silent(time.Since(w.begun)) {
		return launch.Started{}, context.DeadlineExceeded
	}
	return launch.Started{}, nil
}

func TestAnAttachedStarterNoticesThatTheOtherHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var err bytes.Buffer
		w := &aWatched{ends: time.Hour, begun: time.Now(), silent: func(d time.Duration) bool { return d > 5*time.Second }}
		_, fail := follow(t.Context(), w, launch.Started{Source: "newsletter"}, newPrinter(streams{nil, nil, &err}), following{attached: true})
		if codeOf(fail) != exitUnreachable || !strings.Contains(fail.Error(), "starter imports watch newsletter") {
			t.Errorf("follow = %v with exit code %d, want 4 and how to go on", fail, codeOf(fail))
		}
		if d := time.Since(w.begun); d > 30*time.Second {
			t.Errorf("noticed after %s", d)
		}
	})
}

func never(time.Duration) bool { return false }

func TestFollowWritesALineAtOnceEveryTenSecondsAndAtEachPhase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var err bytes.Buffer
		p := newPrinter(streams{nil, nil, &err})
		report, fail := follow(t.Context(), &aWatched{ends: 32 * time.Second, silent: never, begun: time.Now()},
			launch.Started{Source: "newsletter"}, p, following{})
		if fail != nil || report.Number != 12 {
			t.Fatalf("follow = import %d, %v", report.Number, fail)
		}
		lines := strings.Split(strings.TrimSpace(err.String()), "\n")
		if len(lines) != 4 { // at 0 s, 10 s, 20 s, and 25 s for the phase
			t.Errorf("%d lines in 32 s, want 4:\n%s", len(lines), err.String())
		}
	})
}

func TestFollowSaysNothingTwice(t *testing.T) {
	for name, c := range map[string]struct {
		w     aWatched
		lines int
		says  string
	}{
		"a paused import":        {aWatched{paused: true}, 2, "\npaused by ana; go on with: starter imports resume newsletter\n"},
		"one that does not move": {aWatched{stuck: true}, 2, "settle"}, // at 0 s, and at 25 s for the phase
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var err bytes.Buffer
				c.w.ends, c.w.silent, c.w.begun = time.Minute, never, time.Now()
				if _, fail := follow(t.Context(), &c.w, launch.Started{Source: "newsletter"}, newPrinter(streams{nil, nil, &err}), following{}); fail != nil {
					t.Fatal(fail)
				}
				if text := err.String(); strings.Count(text, "\n") != c.lines || !strings.Contains(text, c.says) {
					t.Errorf("%d lines, want %d that say %q:\n%s", strings.Count(text, "\n"), c.lines, c.says, text)
				}
			})
		})
	}
}

func TestFollowSaysThatNoWorkerAnswersAndGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var err bytes.Buffer
		p := newPrinter(streams{nil, nil, &err})
		w := &aWatched{ends: 30 * time.Second, begun: time.Now(), silent: func(d time.Duration) bool { return d > 5*time.Second && d < 15*time.Second }}
		if _, fail := follow(t.Context(), w, launch.Started{Source: "newsletter"}, p, following{}); fail != nil {
			t.Fatal(fail)
		}
		if !strings.Contains(err.String(), "no worker answers; last known") {
			t.Errorf("the silence is not told:\n%s", err.String())
		}
	})
}

func TestInterruptEndsTheWatchingOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var err bytes.Buffer
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(3*time.Second, cancel)
		_, fail := follow(ctx, &aWatched{ends: time.Hour, silent: never, begun: time.Now()},
			launch.Started{Source: "newsletter"}, newPrinter(streams{nil, nil, &err}), following{})
		if !errors.Is(fail, context.Canceled) || codeOf(fail) != exitInterrupted {
			t.Errorf("follow = %v with exit code %d, want cancelled and 130", fail, codeOf(fail))
		}
	})
}

// latest answers as the launcher does when no import of the source is running.
type latest struct {
	aWatched
	last crm.Progress
	err  error
}

func (l *latest) Progress(context.Context, string) (crm.Progress, error) { return l.last, l.err }

func TestASyncThatIsPlannedDoesNotShowTheImportBeforeIt(t *testing.T) {
	t.Parallel()
	ended := crm.Progress{State: crm.Done, Ledger: true, UpdatedAt: start.Add(-time.Minute)}
	own := ended
	own.UpdatedAt = start.Add(time.Minute)
	for _, c := range []struct {
		name string
		is   latest
		want crm.State
	}{
		{"the import before", latest{last: ended}, crm.Running}, {"none before", latest{err: crm.ErrNotFound}, crm.Running},
		{"its own that has ended", latest{last: own}, crm.Done}, {"one that is running", latest{last: running12()}, crm.Running},
	} {
		p, err := syncWatch{watched: &c.is, since: start}.Progress(t.Context(), "billing")
		if planned := p.Phase == "plan"; err != nil || p.State != c.want || planned != (c.want == crm.Running && p.Import.Number == 0) {
			t.Errorf("%s: %s (%s), %v; want %s", c.name, p.State, p.Phase, err, c.want)
		}
	}
}
