package main

import (
	"context"
	"errors"

	"sluice/internal/crm"
	"sluice/internal/launch"
)

// A backfillCommand is a command to a backfill that is running.
type backfillCommand struct {
	backfillRef `embed:""`
	Source      string `placeholder:"NAME" env:"SLUICE_SOURCE" help:"Only this source."`
}

func (c backfillCommand) give(ctx context.Context, s *session, name, said string) error {
	return c.with(ctx, s, func(k *stack, id string) error {
		p, err := k.Launcher.CommandBackfill(ctx, id, name, c.Source, login())
		if errors.Is(err, crm.ErrInvalid) {
			return failed(err)
		}
		if err != nil {
			return err
		}
		if err := s.alike(ctx, k, p, name); err != nil {
			return err
		}
		s.say("%s", said)
		if k.ends() && name != launch.PauseBackfill {
			return s.followBackfill(ctx, k, id, false)
		}
		return nil
	})
}

// alike gives the imports that a backfill is running the same command: a pause
// and a resume are of the whole.
func (s *session) alike(ctx context.Context, k *stack, p crm.BackfillProgress, name string) error {
	command := map[string]func(context.Context, string, string) (crm.Progress, error){
		launch.PauseBackfill: k.Launcher.Pause, launch.ResumeBackfill: k.Launcher.Resume}[name]
	if command == nil {
		return nil
	}
	for _, src := range p.Sources {
		if src.Name == "" {
			continue
		}
		_, err := command(ctx, src.Source, login())
		if err != nil && !errors.Is(err, crm.ErrInvalid) && !errors.Is(err, crm.ErrNotFound) {
			return err
		}
	}
	return nil
}

type (
	backfillPauseCmd  struct{ backfillCommand }
	backfillResumeCmd struct{ backfillCommand }
	backfillCancelCmd struct{ backfillCommand }
	backfillRetryCmd  struct{ backfillCommand }
	backfillSkipCmd   struct{ backfillCommand }
	backfillDropCmd   struct{ backfillCommand }
)

// Run lets no new partition begin, and pauses the imports at work.
func (c *backfillPauseCmd) Run(ctx context.Context, s *session) error {
	return c.give(ctx, s, launch.PauseBackfill, "paused; go on with: starter backfill resume")
}

// Run lets a paused backfill go on.
func (c *backfillResumeCmd) Run(ctx context.Context, s *session) error {
	return c.give(ctx, s, launch.ResumeBackfill, "resumed")
}

// Run ends a backfill. What is written stays.
func (c *backfillCancelCmd) Run(ctx context.Context, s *session) error {
	return c.give(ctx, s, launch.CancelBackfill, "cancelled; what is written stays")
}

// Run imports the parked partitions again.
func (c *backfillRetryCmd) Run(ctx context.Context, s *session) error {
	return c.give(ctx, s, launch.RetryParked, "trying the parked partitions again")
}

// Run gives the parked partitions up.
func (c *backfillSkipCmd) Run(ctx context.Context, s *session) error {
	return c.give(ctx, s, launch.SkipParked, "gave the parked partitions up")
}

// Run leaves the rest of a source out.
func (c *backfillDropCmd) Run(ctx context.Context, s *session) error {
	if c.Source == "" {
		return usage("name the source to leave out: --source NAME")
	}
	return c.give(ctx, s, launch.DropSource, "left the rest of "+c.Source+" out")
}

type backfillAddCmd struct {
	Source string   `arg:"" help:"The source."`
	Files  []string `arg:"" optional:"" name:"file" help:"Files to import into a source of files, each by itself."`
	To     string   `name:"backfill" placeholder:"ID" env:"SLUICE_BACKFILL" help:"The backfill to add to. Default: the latest."`
	From   day      `placeholder:"DAY" env:"SLUICE_FROM" help:"What was created on that day or later."`
	Until  day      `placeholder:"DAY" env:"SLUICE_UNTIL" help:"What was created before the end of that day. Default: up to the present."`
}

// Run brings another source into a backfill that is running.
func (c *backfillAddCmd) Run(ctx context.Context, s *session) error {
	w := wantedSource{BackfillSource: crm.BackfillSource{Source: c.Source, Span: span(c.From, c.Until)}}
	if err := w.find("", c.Files); err != nil {
		return err
	}
	return backfillRef{c.To}.with(ctx, s, func(k *stack, id string) error {
		src, err := w.staged(ctx, k)
		if err != nil {
			return err
		}
		_, err = k.Launcher.AddToBackfill(ctx, id, src, login())
		if errors.Is(err, crm.ErrInvalid) {
			return failed(err)
		}
		if err == nil {
			s.say("added %s to the backfill", c.Source)
		}
		return err
	})
}
