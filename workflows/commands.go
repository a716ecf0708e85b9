package workflows

import (
	"errors"
	"time"

	"go.temporal.io/sdk/workflow"

	"sluice/internal/crm"
)

// answer sets up the query and the updates. It comes before the first step, so
// that an import can be asked and commanded from its first moment.
func (m *importing) answer(ctx workflow.Context) error {
	err := workflow.SetQueryHandlerWithOptions(ctx, QueryProgress, func() (crm.Progress, error) {
		return m.progress(), nil
	}, workflow.QueryHandlerOptions{Description: "How far the import is: phase, rows by step, counts, rate and time left."})
	if err != nil {
		return err
	}
	command := func(name, about string, may func() error, do func(workflow.Context, string)) error {
		return workflow.SetUpdateHandlerWithOptions(ctx, name, func(ctx workflow.Context, c Command) (crm.Progress, error) {
			do(ctx, c.By)
			return m.progress(), nil
		}, workflow.UpdateHandlerOptions{Validator: func(Command) error { return may() }, Description: about})
	}
	return errors.Join(
		command(UpdatePause, "No new batch begins; those in hand are finished.", m.mayPause, m.pause),
		command(UpdateResume, "Goes on where the import was paused.", m.mayResume, m.resume),
		command(UpdateCancel, "Ends the import. What is written stays.", m.mayCancel, m.cancel),
		command(UpdateRetry, "Writes the parked batches again.", m.mayDecide, m.decide(retryParked)),
		command(UpdateSkip, "Gives the parked batches up: their rows are rejected.", m.mayDecide, m.decide(skipParked)),
	)
}

var errEnding = errors.New("the import is ending: there is nothing left to command")

func (m *importing) mayPause() error {
	switch {
	case m.ending || m.cancelled:
		return errEnding
	case m.paused:
		return errors.New("the import is paused already")
	}
	return nil
}

func (m *importing) mayResume() error {
	switch {
	case m.ending || m.cancelled:
		return errEnding
	case !m.paused && m.braked == nil:
		return errors.New("the import is not paused")
	}
	return nil
}

func (m *importing) mayDecide() error {
	switch {
	case m.ending || m.cancelled:
		return errEnding
	case len(m.at.Parked) == 0 && !m.stuck:
		return errors.New("no batch is parked")
	}
	return nil
}

func (m *importing) mayCancel() error {
	if m.ending || m.cancelled {
		return errEnding
	}
	return nil
}

// pause is sticky: it crosses into the next run and outlives every worker.
func (m *importing) pause(ctx workflow.Context, by string) {
	m.paused, m.by = true, by
	m.mark(ctx, crm.Paused)
}

// renewal is how often a paused import shows that it is still there. Its claims
// in Redis live for a week.
const renewal = 24 * time.Hour

// keep marks an import that rests anew every day until ctx ends, so that its
// claims outlive the rest. It costs no event while nothing rests.
func (m *importing) keep(ctx workflow.Context) {
	rests := func() bool { return m.paused || m.braked != nil || m.asking }
	for workflow.Await(ctx, rests) == nil {
		resumed, err := workflow.AwaitWithTimeout(ctx, renewal, func() bool { return !rests() })
		if err != nil {
			return
		}
		if !resumed {
			m.mark(ctx, m.at.Progress.State)
		}
	}
}

// resume takes a pause back. What asked for a decision before it, or meanwhile,
// still asks; of an import that is not paused it takes the brake back.
func (m *importing) resume(ctx workflow.Context, by string) {
	state := crm.Running
	switch {
	case m.paused && (m.braked != nil || m.asking):
		state = crm.NeedsAttention
	case m.braked != nil:
		m.braked, m.at.Released = nil, true
		m.at.Progress.Attention = ""
	}
	m.paused, m.by = false, ""
	m.at.Pages.Since = workflow.Now(ctx) // the rest was no reading
	m.mark(ctx, state)
}

// cancel ends the work. Steps in hand are cancelled with their next heartbeat
// and roll back what they have not committed; end recounts what stays.
func (m *importing) cancel(_ workflow.Context, by string) {
	m.cancelled, m.paused, m.by = true, false, by
	if m.at.Progress.State == crm.NeedsAttention { // somebody has decided
		m.at.Progress.State, m.at.Progress.Attention = crm.Running, ""
	}
	m.stop()
}

// mark shows the new state where it is looked for: in the attributes, and in
// the import's row for those who read only the database.
func (m *importing) mark(ctx workflow.Context, s crm.State) {
	m.at.Progress.State = s
	m.show(ctx)
	if m.at.Import.Number == 0 {
		return
	}
	_, err := run(ctx, crm.Mark, m.tuning, string(s), crm.MarkInput{Import: m.at.Import, State: s, By: m.by, Claims: m.at.Claims})
	if err != nil {
		workflow.GetLogger(ctx).Warn("state not shown in the database", "import", m.at.Import.ID, "state", s)
	}
}

// gate lets a step begin unless the import is paused or braked, and returns the
// context's error once the import is cancelled.
func (m *importing) gate(ctx workflow.Context) error {
	return workflow.Await(ctx, func() bool { return !m.paused && m.braked == nil })
}
