package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"sluice/internal/crm"
)

// A backfillView turns what is known of a backfill into lines. It remembers how
// many rows of each source were in at what time, to tell rates.
type backfillView struct {
	bounds  func(source string) bound // what is known of a source's limits
	imports map[string]crm.Progress   // how far the imports that are running are, by source
	pace    map[string]*pace          // by source
	known   map[string]bound          // what bounds has answered
	trouble string                    // why what is shown is not fresh; "" if it is
	frame   int                       // counts up, so that what is busy moves
}

func newBackfillView(bounds func(source string) bound) *backfillView {
	return &backfillView{bounds: bounds, imports: map[string]crm.Progress{}, pace: map[string]*pace{}, known: map[string]bound{}}
}

// A sourceLine is what the table says of one source.
type sourceLine struct {
	crm.SourceProgress
	shown crm.State // of its import, where that says more
	rate  float64   // rows a second; 0 while unknown
	left  time.Duration
	bound bound

	running crm.Progress // its import; the zero Progress if it was not asked
}

// look makes the lines of the sources, in the order of the backfill.
func (v *backfillView) look(p crm.BackfillProgress, now time.Time) []sourceLine {
	lines := make([]sourceLine, len(p.Sources))
	for i, s := range p.Sources {
		l := sourceLine{SourceProgress: s, shown: s.State, bound: v.boundOf(s.Source)}
		if at, ok := v.imports[s.Source]; ok && s.ImportID != "" && at.Import.ID == s.ImportID {
			l.running = at
			l.Rows += writtenRows(at)
			if s.State == crm.Running && at.State.Open() && at.State != crm.Running {
				l.shown = at.State
			}
		}
		if l.rate = v.rate(s, l.Rows, now); l.rate == 0 {
			l.rate = l.running.Rate
		}
		l.left = l.bound.atLeast(s.Remaining(now), rowsEach(s.Rows, s.Done)*float64(s.Running+s.Left))
		if s.Left == 0 && l.left == 0 && s.State == crm.Running { // its own import may know
			l.left = l.running.Remaining
		}
		if p.State == crm.Paused {
			l.left = 0
		}
		lines[i] = l
	}
	return lines
}

func (v *backfillView) boundOf(source string) bound {
	b, ok := v.known[source]
	if !ok {
		b = v.bounds(source)
		v.known[source] = b
	}
	return b
}

func (v *backfillView) rate(s crm.SourceProgress, rows int64, now time.Time) float64 {
	if s.State != crm.Running {
		delete(v.pace, s.Source)
		return 0
	}
	at := v.pace[s.Source]
	if at == nil {
		at = &pace{}
		v.pace[s.Source] = at
	}
	rate, _ := at.add(now, rows)
	return rate
}

// block is the display on a terminal: what there is in all, how long it takes,
// and a line for each source; those at work first where not all find room.
func (v *backfillView) block(p crm.BackfillProgress, now time.Time, width, height int) []string {
	v.frame++
	lines := v.look(p, now)
	out := append(v.head(p, lines, now, width), "")
	notes := v.notes(p, lines, now)
	if room := height - 1 - len(out) - len(notes) - 2; height > 0 && len(lines) > max(room, 1) {
		slices.SortStableFunc(lines, func(a, b sourceLine) int { return cmp.Compare(urgency(a), urgency(b)) })
		more := len(lines) - max(room, 1)
		lines = lines[:max(room, 1)]
		notes = append([]string{dim.Render(fmt.Sprintf("  and %s more", count(int64(more), "source")))}, notes...)
	}
	out = append(out, tableLines(v.table(lines, width, true))...)
	return append(out, notes...)
}

// urgency orders sources by how much there is to see of them.
func urgency(l sourceLine) int {
	switch l.shown {
	case crm.NeedsAttention, crm.Failed:
		return 0
	case crm.Queued:
		return 2
	case crm.Done, crm.Cancelled:
		return 3
	}
	return 1
}

// text is the same as plain text with all sources, as reports print it.
func (v *backfillView) text(p crm.BackfillProgress, now time.Time) string {
	lines := v.look(p, now)
	out := append(v.head(p, lines, now, 0), "")
	out = append(out, tableLines(v.table(lines, 0, false))...)
	out = append(out, v.notes(p, lines, now)...)
	return ansi.Strip(strings.Join(out, "\n")) + "\n"
}

// head says what the backfill is, how much of it is done, and how long the rest
// takes.
func (v *backfillView) head(p crm.BackfillProgress, lines []sourceLine, now time.Time, width int) []string {
	title := bold.Render("Backfill "+p.ID) + ": " + stateStyle(p.State).Render(stateText(p.State))
	if !p.State.Open() && !p.UpdatedAt.IsZero() {
		now = p.UpdatedAt
	}
	if !p.StartedAt.IsZero() {
		title += dim.Render(" · ") + clock(now.Sub(p.StartedAt))
	}
	t := p.Total()
	share := 0.0
	if all := t.All(); all > 0 {
		share = float64(t.Done+t.Skipped) / float64(all)
	}
	out := []string{title, gauge(share, totalText(lines), width)}
	if left := leftOfBackfill(p, lines); left != "" {
		out = append(out, "  "+left)
	}
	return out
}

// totalText adds the sources up.
func totalText(lines []sourceLine) string {
	var t crm.BackfillCounts
	var rate float64
	for _, l := range lines {
		t.Add(l.BackfillCounts)
		rate += l.rate
	}
	if t.All() == 0 {
		return "nothing is divided into partitions yet"
	}
	parts := []string{fmt.Sprintf("%d of %d partitions done", t.Done, t.All())}
	for _, c := range []struct {
		n    int
		what string
	}{{t.Running, "running"}, {t.Parked, "parked"}, {t.Skipped, "skipped"}, {t.Left, "left"}} {
		if c.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", c.n, c.what))
		}
	}
	parts = append(parts, count(t.Rows, "row"))
	if text := perSecond(rate); text != "" {
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}

// leftOfBackfill says how long a backfill still takes: "" while it rests, or has
// ended. A time that leaves sources out of which nobody knows is said to be the
// least.
func leftOfBackfill(p crm.BackfillProgress, lines []sourceLine) string {
	if p.State != crm.Running && p.State != crm.NeedsAttention {
		return ""
	}
	var each []time.Duration
	var longest sourceLine
	open, vague := 0, 0
	for _, l := range lines {
		if l.State != crm.Running && l.State != crm.Queued {
			continue
		}
		open++
		if l.left == 0 {
			vague++
		}
		if l.left > longest.left || longest.Source == "" {
			longest = l
		}
		each = append(each, l.left)
	}
	if open == 0 {
		return ""
	}
	text := longest.bound.left(p.Remaining(each), longest.rate)
	if open > 1 {
		text = strings.Replace(text, "; bound by", "; "+longest.Source+" is bound by", 1)
	}
	if vague > 0 && vague < open {
		text = strings.Replace(text, "about ", "at least ", 1)
		text += fmt.Sprintf("; unknown of %s", count(int64(vague), "source"))
	}
	return text
}

// notes says of each source what went wrong, and what somebody can do.
func (v *backfillView) notes(p crm.BackfillProgress, lines []sourceLine, now time.Time) []string {
	var out []string
	add := func(format string, args ...any) { out = append(out, warn.Render("  "+fmt.Sprintf(format, args...))) }
	for _, l := range lines {
		switch {
		case l.Failure != nil:
			add("%s: %s", l.Source, oneLine(failureText(*l.Failure)))
		case l.LastFailure != nil:
			add("%s: %s", l.Source, oneLine(failureText(*l.LastFailure)))
		}
		switch at := l.running; {
		case at.State == crm.NeedsAttention:
			add("%s: %s", l.Source, attentionText(at))
		case at.Retrying != nil:
			add("%s: %s", l.Source, oneLine(retryText(*at.Retrying, now)))
		}
	}
	if p.State == crm.Paused {
		who := ""
		if p.By != "" {
			who = " by " + p.By
		}
		add("paused%s: go on with `starter backfill resume`", who)
	}
	if p.Total().Parked > 0 {
		add("see what is parked with: starter backfill show; then: starter backfill retry, or skip")
	}
	if v.trouble != "" {
		add("%s", v.trouble)
	}
	if len(out) > 0 {
		out = append([]string{""}, out...)
	}
	return out
}
