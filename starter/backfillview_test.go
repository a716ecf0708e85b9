package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/charmbracelet/x/ansi"

	"sluice/internal/crm"
	"sluice/internal/source"
)

// slowAPI lets 100 rows a second through.
func slowAPI(string) bound {
	return bound{source.About{Title: "HubSpot", Ceiling: 100, Quotas: map[string]source.Quota{"": {Requests: 190, Per: 10 * time.Second}}}, 1}
}

func noBounds(string) bound { return bound{} }

func historyOf4() crm.BackfillProgress {
	return crm.BackfillProgress{ID: "019b", State: crm.Running, AtOnce: 2, StartedAt: start, UpdatedAt: start.Add(time.Hour), Sources: []crm.SourceProgress{
		{Source: "webinars", State: crm.Done, BackfillCounts: crm.BackfillCounts{Done: 3, Skipped: 1, Rows: 1200}},
		{Source: "billing", State: crm.Running, Name: "customers-20190101t000000.000-20190131t000000.000", Number: 13, ImportID: "i13",
			Since: start.Add(58 * time.Minute), Tempo: crm.Tempo{Timed: 12, Each: 4 * time.Minute}, LastFailure: &crm.Failure{Type: crm.FailInvalid, Step: "Fetch", Message: "the answer is\nno JSON"},
			BackfillCounts: crm.BackfillCounts{Done: 12, Running: 1, Parked: 2, Left: 27, Rows: 1_204_300}},
		{Source: "crm", State: crm.NeedsAttention, Failure: &crm.Failure{Type: crm.FailDenied, Step: "Fetch", Message: "the key does not hold"},
			BackfillCounts: crm.BackfillCounts{Done: 1, Parked: 1, Left: 1, Rows: 500}},
		{Source: "legacy", State: crm.Queued, BackfillCounts: crm.BackfillCounts{Left: 8}},
	}}
}

func importOfBilling() crm.Progress {
	return crm.Progress{Import: crm.Import{ID: "i13", Source: "billing"}, State: crm.Running, Partitions: 1, Partition: "customers",
		Steps: []crm.StepProgress{{Step: "Parse"}, {Step: "Dedupe"}, {Step: "Write", Rows: 24_000}}}
}

func TestBackfillTableShowsEverySource(t *testing.T) {
	t.Parallel()
	now := start.Add(time.Hour)
	paused := historyOf4()
	paused.State, paused.By = crm.Paused, "ana"
	done := historyOf4()
	done.State, done.UpdatedAt, done.Sources = crm.Done, start.Add(62*time.Minute), done.Sources[:1]
	for _, c := range []struct {
		name          string
		p             crm.BackfillProgress
		bounds        func(string) bound
		width, height int
	}{
		{"wide", historyOf4(), slowAPI, 140, 40}, {"medium", historyOf4(), noBounds, 100, 40}, {"narrow", historyOf4(), noBounds, 60, 40},
		{"low", historyOf4(), noBounds, 140, 14}, {"paused", paused, noBounds, 140, 40}, {"done", done, noBounds, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v := newBackfillView(c.bounds)
			v.imports["billing"] = importOfBilling()
			v.block(c.p, now.Add(-100*time.Second), c.width, c.height)
			at := importOfBilling()
			at.Steps[2].Rows += 9_000 // in 100 s
			v.imports["billing"] = at
			lines := v.block(c.p, now, c.width, c.height)
			golden(t, "backfill_"+c.name+".txt", ansi.Strip(strings.Join(lines, "\n"))+"\n")
			for _, line := range lines {
				if c.name == "narrow" && strings.Contains(line, "webinars") && ansi.StringWidth(line) > c.width {
					t.Errorf("a source's line is %d wide on a terminal of %d", ansi.StringWidth(line), c.width)
				}
			}
			if c.height > 0 && len(lines) > c.height-1 {
				t.Errorf("%d lines on a terminal of %d", len(lines), c.height)
			}
		})
	}
}

func TestBackfillReportNamesEverySource(t *testing.T) {
	t.Parallel()
	golden(t, "backfill_text.txt", newBackfillView(noBounds).text(historyOf4(), start.Add(time.Hour)))
}

func TestTheTimeLeftOfABackfillIsNotMadeUp(t *testing.T) {
	t.Parallel()
	now := start.Add(time.Hour)
	timed := func(name string, left int, each time.Duration) crm.SourceProgress {
		return crm.SourceProgress{Source: name, State: crm.Running, Tempo: crm.Tempo{Timed: 5, Each: each},
			BackfillCounts: crm.BackfillCounts{Done: 5, Left: left, Rows: 5000}}
	}
	vague := crm.SourceProgress{Source: "c", State: crm.Queued}
	stuck := crm.SourceProgress{Source: "d", State: crm.NeedsAttention, BackfillCounts: crm.BackfillCounts{Parked: 3}}
	for _, c := range []struct {
		name    string
		sources []crm.SourceProgress
		bounds  func(string) bound
		state   crm.State
		want    string
	}{
		{"one source", []crm.SourceProgress{timed("a", 10, time.Minute)}, noBounds, crm.Running, "about 10 min 00 s left"},
		{"the longest of two", []crm.SourceProgress{timed("a", 10, time.Minute), timed("b", 30, 4*time.Minute)}, noBounds, crm.Running, "about 2 h 00 min left"},
		{"three by twos", []crm.SourceProgress{timed("a", 60, time.Minute), timed("b", 60, time.Minute), timed("c", 60, time.Minute)}, noBounds, crm.Running, "about 1 h 30 min left"},
		{"one of which nobody knows", []crm.SourceProgress{timed("a", 10, time.Minute), vague}, noBounds, crm.Running, "at least 10 min 00 s left; unknown of 1 source"},
		{"nobody knows anything", []crm.SourceProgress{vague}, noBounds, crm.Running, "time left unknown"},
		{"what waits for somebody takes no time", []crm.SourceProgress{timed("a", 10, time.Minute), stuck}, noBounds, crm.NeedsAttention, "about 10 min 00 s left"},
		{"nothing but what waits", []crm.SourceProgress{stuck}, noBounds, crm.NeedsAttention, ""},
		{"paused", []crm.SourceProgress{timed("a", 10, time.Minute)}, noBounds, crm.Paused, ""},
		// 10 partitions of 1,000 rows at 100 rows a second.
		{"never below what the source allows", []crm.SourceProgress{timed("a", 10, time.Second)}, slowAPI, crm.Running, "about 1 min 40 s left"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := crm.BackfillProgress{State: c.state, AtOnce: 2, Sources: c.sources}
			if got := leftOfBackfill(p, newBackfillView(c.bounds).look(p, now)); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// aBackfill makes progress by the clock.
type aBackfill struct {
	mu    sync.Mutex
	begun time.Time
	asked map[string]int // how often the import of a source was
	most  int            // asked within a second
	now   int
	many  int
	live  func(since time.Duration) bool
}

func (b *aBackfill) at(since time.Duration) crm.BackfillProgress {
	p := crm.BackfillProgress{ID: "019b", State: crm.Running, AtOnce: 50, StartedAt: b.begun, UpdatedAt: time.Now()}
	done := int(since / (10 * time.Second))
	for i := range max(1, b.many) {
		s := crm.SourceProgress{Source: fmt.Sprintf("s%d", i), State: crm.Running, Name: "p", ImportID: "i",
			BackfillCounts: crm.BackfillCounts{Done: done, Running: 1, Left: 2 - done, Rows: int64(done) * 100}}
		if done == 3 {
			p.State, s.State, s.Name, s.ImportID, s.BackfillCounts = crm.Done, crm.Done, "", "", crm.BackfillCounts{Done: 3, Rows: 300}
		}
		p.Sources = append(p.Sources, s)
	}
	return p
}

func (b *aBackfill) BackfillProgress(context.Context, string) (crm.BackfillProgress, bool, error) {
	b.mu.Lock()
	b.most, b.now = max(b.most, b.now), 0
	b.mu.Unlock()
	since := time.Since(b.begun)
	return b.at(min(since, 30*time.Second)), b.live == nil || b.live(since), nil
}

func (b *aBackfill) WaitBackfill(context.Context, string) (crm.BackfillProgress, error) {
	return b.at(30 * time.Second), nil
}

func (b *aBackfill) Progress(_ context.Context, source string) (crm.Progress, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked[source]++
	b.now++
	return crm.Progress{}, errors.New("none")
}

func watching(b *aBackfill, err *bytes.Buffer) *backfillWatch {
	b.begun, b.asked = time.Now(), map[string]int{}
	return &backfillWatch{asks: b, id: "019b", p: newPrinter(streams{nil, nil, err}), view: newBackfillView(noBounds)}
}

func TestBackfillWritesALineWhenSomethingChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var err bytes.Buffer
		p, fail := watching(&aBackfill{}, &err).run(t.Context())
		if fail != nil || p.State != crm.Done {
			t.Fatalf("run = %s, %v", p.State, fail)
		}
		want := "s0: running, 0 of 3 partitions done, 0 rows\n" +
			"backfill: 0 of 3 partitions done, 1 running, 2 left, 0 rows; time left unknown\n" +
			"backfill: 1 of 3 partitions done, 1 running, 1 left, 100 rows, 10 rows/s; time left unknown\n"
		if !strings.HasPrefix(err.String(), want) || strings.Count(err.String(), "\n") != 4 {
			t.Errorf("it says\n%s, want one line when the source begins, and one every ten seconds:\n%s", err.String(), want)
		}
	})
}

func TestImportsOfABackfillAreAskedByTurnsAndTenAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var err bytes.Buffer
		b := &aBackfill{many: 25}
		if _, fail := watching(b, &err).run(t.Context()); fail != nil {
			t.Fatal(fail)
		}
		if b.most != importsMost || len(b.asked) != 25 {
			t.Errorf("%d imports were asked at a time, and %d in all; want %d and 25", b.most, len(b.asked), importsMost)
		}
		for source, n := range b.asked {
			if n < 10 || n > 14 { // in 30 s, with 25 by tens
				t.Errorf("%s was asked %d times", source, n)
			}
		}
	})
}

func TestAnAttachedStarterNoticesThatABackfillHasNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var err bytes.Buffer
		w := watching(&aBackfill{live: func(d time.Duration) bool { return d < 5*time.Second }}, &err)
		w.attached = true
		if _, fail := w.run(t.Context()); codeOf(fail) != exitUnreachable || !strings.Contains(fail.Error(), "starter backfill watch") {
			t.Errorf("run = %v with exit code %d, want 4 and how to go on", fail, codeOf(fail))
		}
	})
}
