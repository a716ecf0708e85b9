package workflows

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.temporal.io/sdk/workflow"

	"sluice/internal/crm"
)

// SourceCommand is the input of a command to a backfill that is about one of its
// sources. An empty source means all of them, where that makes sense.
type SourceCommand struct {
	Source string `json:"source,omitempty"`
	By     string `json:"by,omitempty"`
}

// Commands of a backfill beside pause, resume, cancel, retry and skip.
const (
	UpdateAddSource  = "add_source"
	UpdateDropSource = "drop_source"
)

// answer sets up the query and the updates of a backfill.
func (b *backfilling) answer(ctx, work workflow.Context) error {
	err := workflow.SetQueryHandlerWithOptions(ctx, QueryProgress, func() (crm.BackfillProgress, error) { return b.progress(), nil },
		workflow.QueryHandlerOptions{Description: "How far the backfill is with each of its sources."})
	command := func(name, about string, may func(SourceCommand) error, do func(workflow.Context, SourceCommand)) {
		err = errors.Join(err, workflow.SetUpdateHandlerWithOptions(ctx, name, func(ctx workflow.Context, c SourceCommand) (crm.BackfillProgress, error) {
			do(ctx, c)
			b.show(ctx)
			return b.progress(), nil
		}, workflow.UpdateHandlerOptions{Description: about, Validator: func(c SourceCommand) error {
			if b.ending || b.cancelled {
				return errors.New("the backfill is ending: there is nothing left to command")
			}
			return may(c)
		}}))
	}
	anytime := func(SourceCommand) error { return nil }
	command(UpdatePause, "No new partition begins.", func(SourceCommand) error { return refuseIf(b.at.Paused, "the backfill is paused already") },
		func(_ workflow.Context, c SourceCommand) {
			b.at.Paused, b.at.By = true, c.By
			for _, s := range b.at.Progress.Sources { // not the lanes: a map has no order
				if l := b.lanes[s.Source]; l != nil {
					l.rested = true
				}
			}
		})
	command(UpdateResume, "Goes on where it was paused.", func(SourceCommand) error { return refuseIf(!b.at.Paused, "the backfill is not paused") },
		func(workflow.Context, SourceCommand) { b.at.Paused, b.at.By = false, "" })
	command(UpdateCancel, "Ends the backfill. What is written stays.", anytime,
		func(_ workflow.Context, c SourceCommand) {
			b.cancelled, b.at.Paused, b.at.By = true, false, c.By
			b.stop()
		})
	command(UpdateRetry, "Imports the parked partitions again.", b.mayDecide, b.decide(UpdateRetry))
	command(UpdateSkip, "Gives the parked partitions up.", b.mayDecide, b.decide(UpdateSkip))
	command(UpdateAddSource, "Brings another source in too.", b.mayAdd, func(_ workflow.Context, c SourceCommand) {
		b.at.Progress.Sources = append(b.at.Progress.Sources, crm.SourceProgress{Source: c.Source, State: crm.Queued})
		b.start(work, c.Source)
	})
	command(UpdateDropSource, "Leaves the rest of a source out.", b.mayDrop, func(_ workflow.Context, c SourceCommand) {
		l := b.lanes[c.Source]
		l.dropped = true
		l.stop()
	})
	return err
}

func refuseIf(unfit bool, why string) error {
	if unfit {
		return errors.New(why)
	}
	return nil
}

func (b *backfilling) has(source string) bool {
	return slices.ContainsFunc(b.at.Progress.Sources, func(s crm.SourceProgress) bool { return s.Source == source })
}

func (b *backfilling) mayAdd(c SourceCommand) error {
	switch {
	case crm.CheckSlug(c.Source) != nil:
		return errors.New("name the source to add")
	case b.has(c.Source):
		return fmt.Errorf("source %s is in the backfill already", c.Source)
	case b.draining:
		return errors.New("the backfill is between two runs; try again")
	case len(b.at.Progress.Sources) >= crm.MaxBackfillSources:
		return fmt.Errorf("a backfill has at most %d sources", crm.MaxBackfillSources)
	}
	return nil
}

func (b *backfilling) mayDrop(c SourceCommand) error {
	if !b.has(c.Source) {
		return fmt.Errorf("source %q is not in the backfill", c.Source)
	}
	if l := b.lanes[c.Source]; l == nil || l.dropped {
		return fmt.Errorf("the backfill is through with source %s", c.Source)
	}
	return nil
}

// asking lists the sources that a decision is about.
func (b *backfilling) asking(c SourceCommand) (list []*lane) {
	for _, s := range b.at.Progress.Sources {
		if s.State == crm.NeedsAttention && (c.Source == "" || c.Source == s.Source) && b.lanes[s.Source] != nil {
			list = append(list, b.lanes[s.Source])
		}
	}
	return list
}

func (b *backfilling) mayDecide(c SourceCommand) error {
	return refuseIf(len(b.asking(c)) == 0, "nothing is parked that waits for a decision")
}

func (b *backfilling) decide(what string) func(workflow.Context, SourceCommand) {
	return func(_ workflow.Context, c SourceCommand) {
		for _, l := range b.asking(c) {
			l.decision = what
		}
	}
}

// progress answers the query.
func (b *backfilling) progress() crm.BackfillProgress {
	p := b.at.Progress
	p.Sources = slices.Clone(p.Sources)
	p.By = b.at.By
	switch {
	case b.at.Paused:
		p.State = crm.Paused
	case p.State == crm.Running && slices.ContainsFunc(p.Sources, func(s crm.SourceProgress) bool { return s.State == crm.NeedsAttention }):
		p.State = crm.NeedsAttention
	}
	return p
}

// show writes the search attributes and the table that the Temporal UI shows.
func (b *backfilling) show(ctx workflow.Context) {
	b.at.Progress.UpdatedAt = workflow.Now(ctx)
	p := b.progress()
	total := p.Total()
	err := workflow.UpsertTypedSearchAttributes(ctx, AttrState.ValueSet(string(p.State)), AttrRows.ValueSet(total.Rows), AttrParked.ValueSet(int64(total.Parked)))
	if err != nil {
		workflow.GetLogger(ctx).Warn("search attributes not shown", "error", err)
	}
	var t strings.Builder
	fmt.Fprintf(&t, "**%s**\n\n| source | state | done | running | parked | left | rows |\n|---|---|---:|---|---:|---:|---:|\n", p.State)
	for _, s := range p.Sources {
		fmt.Fprintf(&t, "| %s | %s | %d | %s | %d | %d | %d |\n", s.Source, s.State, s.Done, s.Name, s.Parked, s.Left, s.Rows)
	}
	workflow.SetCurrentDetails(ctx, t.String())
}
