package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"sluice/internal/crm"
)

func running12() crm.Progress {
	return crm.Progress{
		Import: crm.Import{ID: "019a", Number: 12, Source: "newsletter"}, State: crm.Running, Phase: "write",
		File: "leads.csv", Files: 1, Bytes: 12_400_000, BytesTotal: 28_000_000,
		Steps:   []crm.StepProgress{{Step: "Parse", Rows: 140_000}, {Step: "Dedupe", Rows: 130_000}, {Step: "Write", Rows: 100_000}},
		Counts:  crm.Counts{Read: 100_000, Accepted: 99_900, Duplicate: 12, Rejected: 60},
		Rejects: crm.Reasons{crm.ReasonBadEmail: 88}, Rate: 2_912.4, Remaining: 72 * time.Second,
		StartedAt: start, UpdatedAt: start.Add(40 * time.Second),
	}
}

func TestBlockShowsEverythingThatIsKnown(t *testing.T) {
	t.Parallel()
	now := start.Add(42 * time.Second)
	paused := running12()
	paused.State, paused.By, paused.Remaining = crm.Paused, "ana", 0
	retrying := running12()
	retrying.State = crm.Waiting
	retrying.Retrying = &crm.Retrying{Step: "Write", Attempt: 4, Failure: "connect to database: connection refused", Next: now.Add(12 * time.Second)}
	unsized := running12()
	unsized.BytesTotal, unsized.Remaining = 0, 0
	paged := running12()
	paged.File, paged.Files, paged.Bytes, paged.BytesTotal = "", 0, 0, 0
	paged.Partitions, paged.PartitionsRead, paged.Partition = 14, 2, "customers-20190101t000000.000-20190131t000000.000"
	vague := paged
	vague.Phase, vague.Remaining, vague.Rate = "fetch", 0, 0
	read := paged
	read.State, read.Partition, read.PartitionsRead, read.Remaining = crm.Done, "", 14, 0
	for _, c := range []struct {
		name, trouble string
		p             crm.Progress
		width         int
	}{
		{"running", "", running12(), 100}, {"narrow", "", running12(), 44}, {"paused", "", paused, 100},
		{"retrying", "", retrying, 100}, {"no_total", "", unsized, 100}, {"stale", "no worker answers", running12(), 100},
		{"partitions", "", paged, 100}, {"partitions_vague", "", vague, 60}, {"partitions_read", "", read, 100},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			lines := newView("newsletter", bound{}).block(c.p, now, c.width, c.trouble)
			golden(t, "block_"+c.name+".txt", ansi.Strip(strings.Join(lines, "\n"))+"\n")
		})
	}
}

func TestLinesSayTheSameWithoutATerminal(t *testing.T) {
	t.Parallel()
	now := start.Add(42 * time.Second)
	v := newView("newsletter", bound{})
	starting := crm.Progress{State: crm.Running, Phase: "open"}
	done := running12()
	done.State, done.Remaining = crm.Done, 0
	got := strings.Join([]string{v.line(crm.Progress{}, now, "no worker has answered yet"), v.line(starting, now, ""),
		v.line(running12(), now, ""), v.line(running12(), now, "no worker answers"), v.line(done, now, "")}, "\n") + "\n"
	golden(t, "lines.txt", got)
}

func TestStepsShowTheRateSeenFromHere(t *testing.T) {
	t.Parallel()
	v := newView("newsletter", bound{})
	p := running12()
	for s := range 10 {
		p.Steps[0].Rows += 1000
		v.block(p, start.Add(time.Duration(s)*time.Second), 100, "")
	}
	rate, moving := v.rate(p.Steps[0], start.Add(10*time.Second))
	if rate < 800 || rate > 1000 || !moving {
		t.Errorf("rate = %v, moving = %v, want about 900 rows/s, moving", rate, moving)
	}
	if _, moving := v.rate(p.Steps[0], start.Add(30*time.Second)); moving {
		t.Error("a step without new rows for 20 s is shown as moving")
	}
}

func TestBlockStandsAndNotesScrollAbove(t *testing.T) {
	t.Parallel()
	var out, err bytes.Buffer
	p := &printer{out: &out, err: &err, live: true, size: func() (int, int) { return 20, 4 }}
	p.paint([]string{"title that is far too long", "two", "three", "four"})
	if len(p.block) != 3 {
		t.Errorf("%d lines stand on a terminal of 4, want 3", len(p.block))
	}
	if w := ansi.StringWidth(p.block[0]); w > 19 {
		t.Errorf("a line is %d wide on a terminal of 20", w)
	}
	err.Reset()
	p.say("note")
	if got := ansi.Strip(err.String()); !strings.HasPrefix(strings.TrimLeft(got, "\r"), "note\ntitle") {
		t.Errorf("after a note the screen gets %q, want the note and then the block", got)
	}
	err.Reset()
	p.wipe()
	if want := fmt.Sprintf("\x1b[%dA\r\x1b[J", 3); err.String() != want {
		t.Errorf("wipe writes %q, want %q", err.String(), want)
	}
	if out.Len() != 0 {
		t.Errorf("standard output got %q", out.String())
	}
}
