package main

import (
	"fmt"
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"sluice/internal/crm"
)

// A view turns what is known of an import into lines. It keeps a few samples
// to tell the rate of each step, and nothing else.
type view struct {
	source string
	bound  bound
	pace   map[string]*pace
	frame  int // counts up, so that what is busy moves
}

func newView(source string, b bound) *view {
	return &view{source: source, bound: b, pace: map[string]*pace{}}
}

var (
	bold = lipgloss.NewStyle().Bold(true)
	dim  = lipgloss.NewStyle().Faint(true)
	good = lipgloss.NewStyle().Foreground(lipgloss.Green)
	warn = lipgloss.NewStyle().Foreground(lipgloss.Yellow)
)

var spinner = []rune("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")

// block is the static display: a title, a line for each step, a bar on bytes or
// partitions, what became of the rows so far, and what is wrong at the moment. trouble is
// why the progress is not fresh, "" if it is.
func (v *view) block(p crm.Progress, now time.Time, width int, trouble string) []string {
	v.frame++
	lines := []string{v.title(p, now)}
	for _, s := range p.Steps {
		lines = append(lines, v.step(p, s, now))
	}
	lines = append(lines, v.bars(p, width)...)
	lines = append(lines, tally(p))
	if p.State == crm.Paused {
		lines = append(lines, warn.Render(pausedText(p)))
	}
	if p.State == crm.NeedsAttention || p.Parked > 0 {
		lines = append(lines, warn.Render("  "+attentionText(p)))
	}
	if p.Retrying != nil {
		lines = append(lines, warn.Render("  "+retryText(*p.Retrying, now)))
	}
	if trouble != "" {
		lines = append(lines, warn.Render("  "+staleText(p, now, trouble)))
	}
	return lines
}

func (v *view) title(p crm.Progress, now time.Time) string {
	parts := []string{bold.Render(v.source)}
	switch {
	case p.Partition != "":
		parts = append(parts, partitionName(p.Partition))
	case p.File != "" && p.Partitions == 0:
		parts = append(parts, p.File)
	}
	if p.Import.Number > 0 {
		parts = append(parts, fmt.Sprintf("import %d", p.Import.Number))
	}
	parts = append(parts, doing(p))
	if !p.State.Open() && !p.UpdatedAt.IsZero() {
		now = p.UpdatedAt
	}
	if !p.StartedAt.IsZero() {
		parts = append(parts, clock(now.Sub(p.StartedAt)))
	}
	return strings.Join(parts, dim.Render(" · "))
}

// doing is the state, with the phase while it is running.
func doing(p crm.Progress) string {
	state := strings.ReplaceAll(string(p.State), "_", " ")
	if p.State == crm.Running && p.Phase != "" {
		return strings.ToLower(p.Phase)
	}
	if p.State.Open() && p.Phase != "" {
		return state + " (" + strings.ToLower(p.Phase) + ")"
	}
	if state == "" {
		return "starting"
	}
	return state
}

func (v *view) step(p crm.Progress, s crm.StepProgress, now time.Time) string {
	rate, moving := v.rate(s, now)
	if (s.Step == crm.Write.Name || s.Step == crm.Reverse.Name) && p.Rate > 0 { // the workflow's own, over two minutes
		rate = p.Rate
	}
	mark := dim.Render("·")
	switch {
	case s.Done:
		mark = good.Render("✓")
	case moving && p.State == crm.Running:
		mark = string(spinner[v.frame%len(spinner)])
	}
	unit := "rows"
	if p.Undo != nil || p.Removing != nil {
		unit = "records"
	}
	return strings.TrimRight(fmt.Sprintf("  %s %-8s %14s %s  %16s", mark, s.Step, number(s.Rows), unit, perSecond(rate)), " ")
}

// rate is what can be seen from here; moving is whether rows passed the step
// lately.
func (v *view) rate(s crm.StepProgress, now time.Time) (rate float64, moving bool) {
	at := v.pace[s.Step]
	if at == nil {
		at = &pace{}
		v.pace[s.Step] = at
	}
	return at.add(now, s.Rows)
}

// bars shows how much is read: of the bytes of files, without a total only how
// many; or of the partitions of a source, and below it how long the others take.
func (v *view) bars(p crm.Progress, width int) []string {
	left := v.bound.importLeft(p)
	switch {
	case p.Partitions > 0:
		lines := []string{gauge(float64(p.PartitionsRead)/float64(p.Partitions), partitionsText(p), width)}
		if left != "" {
			lines = append(lines, "  "+left)
		}
		return lines
	case p.BytesTotal > 0:
		share := min(float64(p.Bytes)/float64(p.BytesTotal), 1)
		return []string{gauge(share, fmt.Sprintf("%3d%%  %s of %s  %s", int(share*100), bytesOf(p.Bytes), bytesOf(p.BytesTotal), left), width)}
	case p.Bytes > 0:
		return []string{strings.TrimRight(fmt.Sprintf("  %s read  %s", bytesOf(p.Bytes), left), " ")}
	}
	return nil
}

// partitionsText says which partition is at hand, or how many are read.
func partitionsText(p crm.Progress) string {
	if p.Partition != "" && p.PartitionsRead < p.Partitions {
		return fmt.Sprintf("partition %d of %d", p.PartitionsRead+1, p.Partitions)
	}
	return fmt.Sprintf("%d of %d partitions read", p.PartitionsRead, p.Partitions)
}

// gauge draws a bar of which a share is full, and text behind it; the text alone
// where the width leaves no room for more.
func gauge(share float64, text string, width int) string {
	cells := 30
	if width > 0 {
		cells = min(cells, width-len(text)-5)
	}
	if cells < 5 {
		return "  " + strings.TrimRight(text, " ")
	}
	full := int(min(share, 1) * float64(cells))
	drawn := good.Render(strings.Repeat("━", full)) + dim.Render(strings.Repeat("─", cells-full))
	return "  " + drawn + "  " + strings.TrimRight(text, " ")
}

func tally(p crm.Progress) string {
	if p.Undo != nil {
		return undoTally(p)
	}
	if p.Removing != nil {
		return removalTally(p)
	}
	return fmt.Sprintf("  accepted %s   duplicate %s   rejected %s",
		number(p.Counts.Accepted), number(p.Counts.Duplicate), number(rejected(p)))
}

// rejected is the greater of what is parsed and what is written: rejections
// are known before the batch they lie beside is in.
func rejected(p crm.Progress) int64 { return max(p.Counts.Rejected, sum(p.Rejects)) }

func sum(r crm.Reasons) (n int64) {
	for _, k := range r {
		n += k
	}
	return n
}

func pausedText(p crm.Progress) string {
	return fmt.Sprintf("  %s: go on with `starter imports resume %s`", pausedBy(p), p.Import.Source)
}

func pausedBy(p crm.Progress) string {
	if p.By == "" {
		return "paused"
	}
	return "paused by " + p.By
}

// attentionText says why an import waits for somebody, and what that one can do.
func attentionText(p crm.Progress) string {
	source := p.Import.Source
	switch {
	case p.Parked > 0 && p.State != crm.NeedsAttention:
		return fmt.Sprintf("batches that cannot be written: %d (%s); the others go on", p.Parked, p.Attention)
	case p.Parked > 0:
		return fmt.Sprintf("batches that cannot be written: %d (%s); mend that and write them with: starter imports retry %s; or reject their rows with: starter imports skip %s",
			p.Parked, p.Attention, source, source)
	}
	return fmt.Sprintf("stopped: %s; go on all the same with: starter imports resume %s; or end it with: starter imports cancel %s",
		p.Attention, source, source)
}

func retryText(r crm.Retrying, now time.Time) string {
	next := "next try now"
	if wait := r.Next.Sub(now); wait > 0 {
		next = "next try in " + roughly(wait)
	}
	return fmt.Sprintf("%s fails, attempt %d: %s; %s", r.Step, r.Attempt, plain(r.Failure), next)
}

func staleText(p crm.Progress, now time.Time, trouble string) string {
	if p.UpdatedAt.IsZero() {
		return trouble
	}
	return fmt.Sprintf("%s; last known %s ago", trouble, roughly(now.Sub(p.UpdatedAt)))
}

// line is the display where no block can stand: everything in one plain line.
func (v *view) line(p crm.Progress, now time.Time, trouble string) string {
	parts := []string{v.source + ": " + doing(p)}
	if p.Import.Number > 0 {
		parts[0] = fmt.Sprintf("%s: import %d %s", v.source, p.Import.Number, doing(p))
	}
	if written := writtenRows(p); written > 0 {
		parts = append(parts, number(written)+" rows written")
	}
	if at := p.Removing; at != nil {
		parts = append(parts, fmt.Sprintf("%s of %s removed", number(at.Gone.All()), number(at.Total.All())))
	}
	switch {
	case p.Partitions > 0:
		parts = append(parts, partitionsText(p))
	case p.BytesTotal > 0:
		parts = append(parts, fmt.Sprintf("%d%% read", int(100*min(float64(p.Bytes)/float64(p.BytesTotal), 1))))
	}
	if rate := perSecond(p.Rate); rate != "" {
		parts = append(parts, rate)
	}
	if left := v.bound.importLeft(p); left != "" && (p.Remaining > 0 || p.Partitions > 0) {
		parts = append(parts, left)
	}
	if n := rejected(p); n > 0 {
		parts = append(parts, number(n)+" rejected")
	}
	if p.Retrying != nil {
		parts = append(parts, retryText(*p.Retrying, now))
	}
	if trouble != "" {
		parts = append(parts, staleText(p, now, trouble))
	}
	return strings.Join(parts, ", ")
}

func writtenRows(p crm.Progress) int64 {
	for _, s := range p.Steps {
		if s.Step == crm.Write.Name {
			return s.Rows
		}
	}
	return 0
}
