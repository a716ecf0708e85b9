package workflows

import (
	"fmt"
	"strings"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"sluice/internal/crm"
)

// RemoveInput is the input of RemoveSource: a request that names the source and,
// from the second run of a long removal on, where the run before stopped.
type RemoveInput struct {
	Request crm.Request `json:"request"`
	Carried *Carried    `json:"carried,omitempty"`
}

// RemovalType is the name of the workflow RemoveSource.
const RemovalType = "RemoveSource"

// RemoveSource removes a source with all it holds, page by page: customers with
// what hangs on them, subscriptions, imports, and at last the source with its
// schedule and its secrets. It runs under the ID that imports of the source run
// under, so that Temporal itself keeps the two apart, and answers the same query
// and commands.
//
// Cancelled, or failed, it leaves a source of which a part is gone and into which
// nothing is imported any more. Removing it again goes on there.
func RemoveSource(ctx workflow.Context, in RemoveInput) (crm.Report, error) {
	m := &removing{newImporting(ctx, ImportInput{Request: in.Request, Carried: in.Carried})}
	work, stop := workflow.WithCancel(ctx)
	m.stop = stop
	if m.at.Progress.Removing == nil {
		m.at.Progress.Removing = &crm.Removal{}
		m.at.Progress.Steps = []crm.StepProgress{{Step: removeStep}}
	}
	if err := m.answer(ctx); err != nil {
		return crm.Report{}, err
	}
	report, err := m.run(ctx, work)
	_ = workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
	return report, err
}

// removeStep is what the progress of a removal calls its one step.
const removeStep = "Remove"

// removing is the state of one run of a removal: that of an import without a row
// in the store. How far it is lies with the source.
type removing struct{ *importing }

func (m *removing) run(ctx, work workflow.Context) (crm.Report, error) {
	err := m.open(work)
	if err == nil {
		err = m.remove(work)
	}
	if err == nil && m.continuing {
		return crm.Report{}, m.continueAsNew(ctx)
	}
	return m.end(ctx, err)
}

// open marks the source. A run that continues finds it marked.
func (m *removing) open(ctx workflow.Context) error {
	if m.at.Run > 0 {
		return nil
	}
	m.phase(ctx, phaseOpen)
	at, err := run(ctx, crm.OpenRemoval, m.tuning, m.request.Source, m.request)
	if err != nil {
		return err
	}
	m.at.Progress.Removing = &at
	// What went before this removal is not its pace.
	m.meter.add(workflow.Now(ctx), at.Gone.All())
	return nil
}

// remove goes through what the source holds, and at last takes the source. It
// returns with m.continuing set when this run's history is long enough.
func (m *removing) remove(ctx workflow.Context) error {
	m.phase(ctx, phaseRemove)
	for at := m.at.Progress.Removing; !at.Done; at = m.at.Progress.Removing {
		if err := m.gate(ctx); err != nil {
			return err
		}
		if m.full(ctx) {
			m.continuing = true
			return nil
		}
		out, err := run(ctx, crm.RemovePages, m.tuning, fmt.Sprintf("from page %d", at.Page), m.pages(pagesAtOnce))
		if err != nil {
			return err
		}
		m.groups++
		m.removed(ctx, out)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	m.ending = true
	ctx, _ = workflow.NewDisconnectedContext(ctx) // a moment, after which there is nothing to go on with
	_, err := run(ctx, crm.EndRemoval, m.tuning, "", crm.EndRemovalInput{Source: m.request.Source, ID: m.request.ID})
	return err
}

// pages asks for the next pages.
func (m *removing) pages(n int) crm.RemovePagesInput {
	rows := m.request.Tuning.BatchRows
	if rows <= 0 || rows > crm.RemoveRows {
		rows = crm.RemoveRows
	}
	return crm.RemovePagesInput{Source: m.request.Source, ID: m.request.ID, Page: m.at.Progress.Removing.Page, Pages: n, Rows: rows}
}

// removed notes what has gone, the rate and the time left.
func (m *removing) removed(ctx workflow.Context, at crm.Removal) {
	p := &m.at.Progress
	now, gone := workflow.Now(ctx), at.Gone.All()
	if len(m.meter.samples) == 0 {
		m.meter.add(now, gone) // a run that continues: those before are not its pace
	}
	m.meter.add(now, gone)
	p.Removing, p.Steps[0].Rows, p.UpdatedAt, p.Rate = &at, gone, now, m.meter.rate()
	p.Remaining = timeLeft(float64(max(at.Total.All()-gone, 0)), p.Rate)
	workflow.SetCurrentDetails(ctx, m.details())
}

// end says what the removal came to. Pages in hand when it was cancelled count
// too.
func (m *removing) end(ctx workflow.Context, failed error) (crm.Report, error) {
	m.ending = true
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	p := &m.at.Progress
	r := crm.Report{ImportID: m.request.ID, Source: m.request.Source, State: crm.Done, StartedAt: p.StartedAt}
	switch {
	case failed != nil && (m.cancelled || temporal.IsCanceledError(failed)):
		r.State, failed = crm.Cancelled, nil
		if at, err := run(ctx, crm.RemovePages, m.tuning, "How far it is", m.pages(0)); err == nil {
			p.Removing = &at
		}
	case failed != nil:
		r.State, r.Failure = crm.Failed, failureOf(failed)
	}
	r.Removed, r.EndedAt = p.Removing, workflow.Now(ctx)
	if r.Seconds = r.EndedAt.Sub(r.StartedAt).Seconds(); r.Seconds > 0 {
		r.RowsPerSecond = float64(r.Removed.Gone.All()) / r.Seconds
	}
	p.State = r.State
	m.show(ctx)
	if r.Failure != nil {
		return r, temporal.NewNonRetryableApplicationError(r.Failure.Message, string(r.Failure.Type), nil)
	}
	return r, nil
}

func (m *removing) continueAsNew(ctx workflow.Context) error {
	if err := workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) }); err != nil {
		return err
	}
	next := m.at
	next.Run++
	next.Paused, next.By = m.paused, m.by
	return workflow.NewContinueAsNewError(ctx, RemoveSource, RemoveInput{Request: m.request, Carried: &next})
}

// removalDetails is the markdown table that the Temporal UI shows of a removal.
func removalDetails(p *crm.Progress, run int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "**%s** · phase %s · run %d\n\n| | removed | of |\n|---|---:|---:|\n", p.State, p.Phase, run+1)
	gone, total := p.Removing.Gone, p.Removing.Total
	for _, row := range []struct {
		what     string
		gone, of int64
	}{
		{"customers", gone.Customers, total.Customers}, {"contacts", gone.Contacts, total.Contacts}, {"notes", gone.Notes, total.Notes},
		{"subscriptions", gone.Subscriptions, total.Subscriptions}, {"imports", gone.Imports, total.Imports},
	} {
		fmt.Fprintf(&b, "| %s | %d | %d |\n", row.what, row.gone, row.of)
	}
	return b.String()
}
