package workflows

import (
	"fmt"
	"strings"

	"go.temporal.io/sdk/workflow"

	"sluice/internal/crm"
)

// UndoInput is the input of Undo: a request whose Undoes names the import to
// undo and, from the second run of a long undo on, where the run before stopped.
type UndoInput struct {
	Request crm.Request   `json:"request"`
	Carried *Carried      `json:"carried,omitempty"`
	Page    int           `json:"page,omitempty"` // number of the next page
	Place   crm.UndoPlace `json:"place,omitzero"` // where it begins
}

// Undo reverses one import, page by page: what it changed becomes what it was,
// what it created goes. It runs under the ID that imports of the source run
// under, so that Temporal itself keeps the two apart, and answers the same query
// and commands.
//
// Records that it keeps do not fail it. Cancelled, or failed, it leaves an
// import that is partly undone and can be undone again.
func Undo(ctx workflow.Context, in UndoInput) (crm.Report, error) {
	m := &undoing{newImporting(ctx, ImportInput{Request: in.Request, Carried: in.Carried}), in.Page, in.Place}
	work, stop := workflow.WithCancel(ctx)
	m.stop = stop
	if m.at.Progress.Undo == nil {
		m.at.Progress.Undo = &crm.UndoCounts{}
		m.at.Progress.Steps = []crm.StepProgress{{Step: crm.Reverse.Name}}
	}
	if err := m.answer(ctx); err != nil {
		return crm.Report{}, err
	}
	report, err := m.run(ctx, work)
	_ = workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
	return report, err
}

// undoing is the state of one run of an undo: that of an import, and a place
// among the records.
type undoing struct {
	*importing
	page  int
	place crm.UndoPlace
}

// pagesAtOnce is how many pages a step reverses: as many as keep it well under
// a minute.
const pagesAtOnce = 8

func (m *undoing) run(ctx, work workflow.Context) (crm.Report, error) {
	err := m.open(work)
	if err == nil {
		err = m.reverse(work)
	}
	if err == nil && m.continuing {
		return crm.Report{}, m.continueAsNew(ctx)
	}
	return m.end(ctx, err)
}

// open enters the undo in the store. A run that continues finds it open.
func (m *undoing) open(ctx workflow.Context) error {
	if m.at.Run > 0 {
		return nil
	}
	m.phase(ctx, phaseOpen)
	opened, err := run(ctx, crm.OpenUndo, m.tuning, m.request.Source, m.request)
	if err != nil {
		return err
	}
	m.at.Import, m.at.Progress.Import, m.at.Progress.UndoTotal = opened.Import, opened.Import, opened.Records
	if m.paused { // before there was a row to show it in
		m.mark(ctx, crm.Paused)
	}
	return nil
}

// reverse goes through the records. It returns with m.continuing set when this
// run's history is long enough.
func (m *undoing) reverse(ctx workflow.Context) error {
	m.phase(ctx, phaseUndo)
	rows := m.request.Tuning.BatchRows
	if rows <= 0 || rows > crm.UndoRows {
		rows = crm.UndoRows
	}
	for !m.place.End() {
		if err := m.gate(ctx); err != nil {
			return err
		}
		if m.full(ctx) {
			m.continuing = true
			return nil
		}
		e, _ := m.place.Entity()
		out, err := run(ctx, crm.Reverse, m.tuning, fmt.Sprintf("%s, from page %d", e.Plural(), m.page),
			crm.ReverseInput{Import: m.at.Import, Page: m.page, From: m.place, Pages: pagesAtOnce, Rows: rows})
		if err != nil {
			return err
		}
		m.groups++
		m.page, m.place = out.Page, out.Next
		m.reversed(ctx, out.Counts)
	}
	return nil
}

// reversed notes what is done, the rate and the time left.
func (m *undoing) reversed(ctx workflow.Context, c crm.UndoCounts) {
	p := &m.at.Progress
	p.Undo.Add(c)
	now, done := workflow.Now(ctx), p.Undo.Total().Records
	if len(m.meter.samples) == 0 {
		m.meter.add(p.StartedAt, 0)
		if m.at.Run > 0 { // the runs before are not this run's pace
			m.meter.samples[0] = sample{now, done - c.Total().Records}
		}
	}
	m.meter.add(now, done)
	p.Steps[0].Rows, p.UpdatedAt, p.Rate = done, now, m.meter.rate()
	p.Remaining = timeLeft(float64(max(p.UndoTotal-done, 0)), p.Rate)
	workflow.SetCurrentDetails(ctx, m.details())
}

func (m *undoing) continueAsNew(ctx workflow.Context) error {
	if err := workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) }); err != nil {
		return err
	}
	next := m.at
	next.Run++
	next.Paused, next.By = m.paused, m.by
	return workflow.NewContinueAsNewError(ctx, Undo, UndoInput{Request: m.request, Carried: &next, Page: m.page, Place: m.place})
}

// undoDetails is the markdown table that the Temporal UI shows of an undo.
func undoDetails(p *crm.Progress, run int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "**%s** · phase %s · run %d\n\n| | created | removed | kept | changed | restored | kept |\n|---|---:|---:|---:|---:|---:|---:|\n",
		p.State, p.Phase, run+1)
	for _, e := range crm.Entities {
		of := p.Undo.Of(e)
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %d | %d |\n", e.Plural(), of.Created.Records, of.Created.Reversed, of.Created.Kept,
			of.Changed.Records, of.Changed.Reversed, of.Changed.Kept)
	}
	fmt.Fprintf(&b, "\n%d records of %d.", p.Undo.Total().Records, p.UndoTotal)
	return b.String()
}
