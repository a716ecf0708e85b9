package workflows

import (
	"fmt"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"sluice/internal/crm"
)

// A decision is what somebody wants done with the batches that are parked.
type decision struct {
	Do string `json:"do,omitempty"` // retryParked, skipParked; "" is none
	By string `json:"by,omitempty"`
}

const (
	retryParked = "retry"
	skipParked  = "skip"
)

// park puts a batch aside, or returns why it cannot: the failure ends the
// import then, as that of a step does. What is not of one batch is nothing to park
// for: the import has ended, nothing is allowed, or counts do not add up, which
// is a fault of ours.
func (m *importing) park(ctx workflow.Context, j judged, err error) error {
	f := failureOf(err)
	switch {
	case temporal.IsCanceledError(err) || ctx.Err() != nil:
		return err
	case f.Type != crm.FailBatchParked && f.Type != crm.FailNotFound:
		return err
	case len(m.at.Parked) >= crm.MaxParked:
		return temporal.NewNonRetryableApplicationError(fmt.Sprintf("%d batches cannot be written, the last of them because of: %s",
			len(m.at.Parked)+1, f.Message), string(crm.FailBatchParked), nil)
	}
	m.at.Parked = append(m.at.Parked, j.batch.Number) // at once: other writers may be about to
	p := crm.ParkedBatch{Batch: j.batch, Verdict: j.verdict, Failure: f.Message}
	if _, err := run(ctx, crm.Park, m.tuning, fmt.Sprintf("batch %d", j.batch.Number), crm.ParkInput{Import: m.at.Import, Parked: p}); err != nil {
		return err
	}
	m.at.Progress.Attention = f.Message
	m.show(ctx)
	return nil
}

// attend waits until every parked batch is written or skipped. It comes when all
// others are written: a decision that is taken before is kept until then.
func (m *importing) attend(ctx workflow.Context) error {
	for len(m.at.Parked) > 0 {
		if err := m.ask(ctx); err != nil {
			return err
		}
		if err := m.gate(ctx); err != nil {
			return err
		}
		did := m.at.Decision
		m.at.Decision, m.at.Progress.Attention = decision{}, ""
		m.mark(ctx, crm.Running)
		if err := m.takeUp(ctx, did); err != nil {
			return err
		}
	}
	return nil
}

// attendLeftovers waits for a decision about leftovers that keep failing, and
// says whether they are to be given up. Any other failure it returns.
func (m *importing) attendLeftovers(ctx workflow.Context, why error) (skip bool, err error) {
	f := failureOf(why)
	if temporal.IsCanceledError(why) || ctx.Err() != nil || f.Type != crm.FailBatchParked {
		return false, why
	}
	m.stuck, m.at.Progress.Attention = true, f.Message
	defer func() { m.stuck = false }()
	if err := m.ask(ctx); err != nil {
		return false, err
	}
	did := m.at.Decision
	m.at.Decision, m.at.Progress.Attention = decision{}, ""
	m.mark(ctx, crm.Running)
	if did.Do == skipParked {
		return true, nil
	}
	_, err = run(ctx, crm.Unpark, m.tuning, "leftovers", crm.UnparkInput{Import: m.at.Import})
	return false, err
}

// ask waits for a decision.
func (m *importing) ask(ctx workflow.Context) error {
	decided := func() bool { return m.at.Decision.Do != "" }
	if decided() {
		return nil
	}
	m.asking = true
	defer func() { m.asking = false }()
	if !m.paused {
		m.mark(ctx, crm.NeedsAttention)
	}
	return workflow.Await(ctx, decided)
}

// takeUp does with every parked batch what was decided. One that fails again
// is parked again.
func (m *importing) takeUp(ctx workflow.Context, d decision) error {
	m.phase(ctx, phaseWrite)
	unparked, err := run(ctx, crm.Unpark, m.tuning, d.Do, crm.UnparkInput{Import: m.at.Import})
	if err != nil {
		return err
	}
	m.at.Parked = nil
	for _, p := range unparked.Parked {
		if err := m.gate(ctx); err != nil {
			return err
		}
		if d.Do == retryParked {
			err = m.writeOrPark(ctx, judged{p.Batch, p.Verdict})
		} else {
			err = m.skip(ctx, p, d.By)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (m *importing) skip(ctx workflow.Context, p crm.ParkedBatch, by string) error {
	w, err := run(ctx, crm.Skip, m.tuning, fmt.Sprintf("batch %d", p.Batch.Number), crm.SkipInput{Import: m.at.Import, Parked: p, By: by})
	if err != nil {
		return err
	}
	m.wrote(ctx, w.Counts)
	return nil
}

// decide takes a decision about the parked batches.
func (m *importing) decide(do string) func(workflow.Context, string) {
	return func(_ workflow.Context, by string) {
		m.at.Decision = decision{Do: do, By: by}
		if m.asking {
			m.at.Progress.State, m.at.Progress.Attention = crm.Running, ""
		}
	}
}

// brake stops an import of which so many rows are rejected that something else
// must be wrong, before more of it is written. It goes on when somebody resumes
// it, and never asks again. Cancelled instead, it says why.
func (m *importing) brake(ctx workflow.Context) error {
	most := int64(m.request.MaxRejected)
	if most == 0 {
		most = crm.DefaultMaxRejected
	}
	read := m.step(stepParse).Rows
	if m.at.Released || m.request.Plan || m.request.Parent != "" || read < crm.FewRows || m.at.Rejected*100 <= most*read {
		return nil
	}
	m.at.Progress.Attention = fmt.Sprintf("%d of %d rows are rejected, more than %d %%", m.at.Rejected, read, most)
	m.braked = &crm.Failure{Type: crm.FailTooManyRejected, Step: crm.Parse.Name, Message: m.at.Progress.Attention}
	if !m.paused {
		m.mark(ctx, crm.NeedsAttention)
	}
	return m.gate(ctx)
}
