package workflows

import (
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	"sluice/internal/crm"
)

// meter remembers how many rows were behind a step at what time, over the last
// two minutes, at most one sample a second: enough for a rate that is neither
// the mean of the whole import nor the noise of the last batch.
type meter struct {
	samples []sample
}

const window = 2 * time.Minute

type sample struct {
	at   time.Time
	rows int64
}

func (m *meter) add(now time.Time, rows int64) {
	if n := len(m.samples); n > 1 && now.Sub(m.samples[n-2].at) < time.Second {
		m.samples[n-1] = sample{now, rows}
	} else {
		m.samples = append(m.samples, sample{now, rows})
	}
	for len(m.samples) > 2 && now.Sub(m.samples[0].at) > window {
		m.samples = m.samples[1:]
	}
}

// rate returns rows a second; 0 while there is too little to go by.
func (m *meter) rate() float64 {
	if len(m.samples) < 2 {
		return 0
	}
	from, to := m.samples[0], m.samples[len(m.samples)-1]
	if d := to.at.Sub(from.at); d > 0 {
		return float64(to.rows-from.rows) / d.Seconds()
	}
	return 0
}

// The places of the steps in the progress display.
const (
	stepParse = iota
	stepDedupe
	stepWrite
)

func (m *importing) step(i int) *crm.StepProgress {
	p := &m.at.Progress
	if p.Steps == nil {
		p.Steps = []crm.StepProgress{{Step: crm.Parse.Name}, {Step: crm.Dedupe.Name}, {Step: crm.Write.Name}}
	}
	return &p.Steps[i]
}

func (m *importing) parsed(ctx workflow.Context, p crm.Parsed, bytes int64) {
	pr := &m.at.Progress
	m.step(stepParse).Rows += p.Counts.Read
	m.at.Rejected += p.Counts.Rejected
	pr.Bytes += bytes
	if pr.Rejects == nil {
		pr.Rejects = crm.Reasons{}
	}
	pr.Rejects.Add(p.Rejects)
	m.touch(ctx)
}

func (m *importing) deduped(ctx workflow.Context, batches []crm.Batch) {
	for _, b := range batches {
		m.step(stepDedupe).Rows += b.Counts.Read
	}
	m.touch(ctx)
}

func (m *importing) wrote(ctx workflow.Context, c crm.Counts) {
	m.step(stepWrite).Rows += c.Read
	m.at.Progress.Counts.Add(c)
	m.touch(ctx)
}

// touch notes the time, the rate and the time left after a step, and rewrites
// the table that the Temporal UI shows.
func (m *importing) touch(ctx workflow.Context) {
	pr := &m.at.Progress
	now := workflow.Now(ctx)
	if len(m.meter.samples) == 0 {
		m.meter.add(pr.StartedAt, 0)
		if m.at.Run > 0 { // the runs before are not this run's pace
			m.meter.samples[0] = sample{now, pr.Counts.Read}
		}
	}
	m.meter.add(now, m.step(stepWrite).Rows)
	pr.UpdatedAt, pr.Rate = now, m.meter.rate()
	if m.request.Paged() {
		pr.Remaining = m.at.Pages.left(pr, now)
	} else {
		pr.Remaining = remaining(pr, m.step(stepParse).Rows, m.step(stepWrite).Rows)
	}
	workflow.SetCurrentDetails(ctx, m.details())
}

// remaining reckons the time left from how many rows the rest of the bytes
// will make. 0 is unknown.
func remaining(p *crm.Progress, parsed, written int64) time.Duration {
	if p.Rate <= 0 || p.Bytes <= 0 || parsed == 0 || p.BytesTotal < p.Bytes {
		return 0
	}
	total := float64(parsed) * float64(p.BytesTotal) / float64(p.Bytes)
	return timeLeft(total-float64(written), p.Rate)
}

// timeLeft is how long so many rows take at a rate; 0 if that is unknown.
func timeLeft(rows, rate float64) time.Duration {
	if rate <= 0 {
		return 0
	}
	return time.Duration(rows / rate * float64(time.Second)).Round(time.Second)
}

// progress answers the query. It changes nothing.
func (m *importing) progress() crm.Progress {
	p := m.at.Progress
	p.Steps = append([]crm.StepProgress(nil), p.Steps...)
	p.By, p.Parked = m.by, len(m.at.Parked)
	if m.request.Paged() {
		m.paged(&p)
	}
	if m.stuck {
		p.Parked = 1
	}
	if m.paused {
		p.State, p.Remaining = crm.Paused, 0
	}
	return p
}

// paged says how far an import is that reads pages. Its bytes are those of the
// segments that it has read, and no measure of what is to come.
func (m *importing) paged(p *crm.Progress) {
	p.Bytes, p.BytesTotal = 0, 0
	if at := m.reading(); at != nil {
		p.Partition = at.ID
	}
	if m.request.Statuses && !m.at.Pages.Folded {
		p.Partitions++
	}
}

// phase shows which step sets the pace.
func (m *importing) phase(ctx workflow.Context, phase string) {
	m.at.Progress.Phase = phase
	m.show(ctx)
}

// show writes the search attributes and the current details. It is called on
// a change of phase or state, not for every batch: each call is an event.
func (m *importing) show(ctx workflow.Context) {
	p := &m.at.Progress
	p.UpdatedAt = workflow.Now(ctx)
	err := workflow.UpsertTypedSearchAttributes(ctx,
		AttrPhase.ValueSet(p.Phase), AttrState.ValueSet(string(p.State)),
		AttrRows.ValueSet(p.Counts.Read), AttrRejected.ValueSet(p.Counts.Rejected), AttrParked.ValueSet(int64(len(m.at.Parked))))
	if err != nil {
		workflow.GetLogger(ctx).Warn("search attributes not shown", "error", err)
	}
	workflow.SetCurrentDetails(ctx, m.details())
}

// details is the markdown table of the steps that the Temporal UI shows.
func (m *importing) details() string {
	p := &m.at.Progress
	if p.Undo != nil {
		return undoDetails(p, m.at.Run)
	}
	if p.Removing != nil {
		return removalDetails(p, m.at.Run)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "**%s** · phase %s · run %d\n\n", p.State, p.Phase, m.at.Run+1)
	if m.request.Paged() {
		at := *p
		m.paged(&at)
		fmt.Fprintf(&b, "Partitions read: %d of %d. %s\n\n", at.PartitionsRead, at.Partitions, at.Partition)
	}
	b.WriteString("| step | rows |\n|---|---:|\n")
	for _, s := range p.Steps {
		fmt.Fprintf(&b, "| %s | %d |\n", s.Step, s.Rows)
	}
	c := p.Counts
	fmt.Fprintf(&b, "\n| | records | created | updated | unchanged | duplicate |\n|---|---:|---:|---:|---:|---:|\n")
	for _, e := range crm.Entities {
		t := c.Of(e)
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %d |\n", e.Plural(), t.Records, t.Created, t.Updated, t.Unchanged, t.Duplicate)
	}
	fmt.Fprintf(&b, "\nRows accepted %d, duplicate %d, rejected %d.", c.Accepted, c.Duplicate, c.Rejected)
	if n := len(m.at.Parked); n > 0 {
		fmt.Fprintf(&b, " Batches parked: %d.", n)
	}
	if p.Attention != "" {
		fmt.Fprintf(&b, "\n\n**%s**\n\n", p.Attention)
	}
	if p.Rate > 0 {
		fmt.Fprintf(&b, " %.0f rows/s", p.Rate)
		if p.Remaining > 0 {
			fmt.Fprintf(&b, ", about %s left", p.Remaining)
		}
		b.WriteString(".")
	}
	return b.String()
}
