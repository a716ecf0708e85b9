package main

import (
	"context"
	"errors"
	"fmt"

	"sluice/internal/crm"
	"sluice/internal/launch"
)

type importsPauseCmd struct {
	Import string `arg:"" name:"id|source" help:"An import's id or number, or a source, which means its latest."`
}

type importsResumeCmd struct {
	Import string `arg:"" name:"id|source" help:"An import's id or number, or a source, which means its latest."`
}

type importsSkipCmd struct {
	Import string `arg:"" name:"id|source" help:"An import's id or number, or a source, which means its latest."`
}

type importsCancelCmd struct {
	Import string `arg:"" name:"id|source" help:"An import's id or number, or a source, which means its latest."`
	Output string `short:"o" enum:"text,json" default:"text" env:"SLUICE_OUTPUT" help:"text or json, of the report."`
}

// Run pauses an import: batches in hand are finished, and no new one begins
// until somebody resumes it, across restarts.
func (c *importsPauseCmd) Run(ctx context.Context, s *session) error {
	return s.command(ctx, c.Import, "pause", func(k *stack, row crm.ImportRow) error {
		_, err := k.Launcher.Pause(ctx, row.Source, login())
		if err == nil {
			s.say("paused import %d of %s; go on with: starter imports resume %s", row.Number, row.Source, row.Source)
		}
		return err
	})
}

// Run lets an import go on that was paused, or that stopped because so many of
// its rows are rejected.
func (c *importsResumeCmd) Run(ctx context.Context, s *session) error {
	return s.goOn(ctx, c.Import, "resume", "resumed import %d of %s", (*launch.Launcher).Resume)
}

// Run gives the parked batches of an import up, and lets it go on.
func (c *importsSkipCmd) Run(ctx context.Context, s *session) error {
	return s.goOn(ctx, c.Import, "skip", "skipping the parked batches of import %d of %s", (*launch.Launcher).Skip)
}

// goOn lets an import go on that waits for somebody. Where this process is the
// worker, it stays to do the work.
func (s *session) goOn(ctx context.Context, ref, verb, said string,
	do func(l *launch.Launcher, ctx context.Context, source, by string) (crm.Progress, error)) error {
	return s.command(ctx, ref, verb, func(k *stack, row crm.ImportRow) error {
		if _, err := do(k.Launcher, ctx, row.Source, login()); err != nil {
			return err
		}
		s.say(said, row.Number, row.Source)
		if !k.ends() {
			return nil
		}
		started, err := running(ctx, k, row)
		if err != nil {
			return err
		}
		return s.finish(ctx, k, started, false)
	})
}

// Run cancels an import, waits until it has ended, and prints its report.
func (c *importsCancelCmd) Run(ctx context.Context, s *session) error {
	s.json = c.Output == "json"
	return s.command(ctx, c.Import, "cancel", func(k *stack, row crm.ImportRow) error {
		started, err := running(ctx, k, row)
		if err != nil {
			return err
		}
		if _, err := k.Launcher.Cancel(ctx, row.Source, login()); err != nil {
			return err
		}
		s.say("cancelling import %d of %s; what is written stays", row.Number, row.Source)
		err = s.finish(ctx, k, started, true)
		var e ending
		if errors.As(err, &e) && e != exitInterrupted {
			return nil // it ended, which is what was asked for
		}
		return err
	})
}

// command finds an open import, reaches where it runs, and does something to
// it. What the import refuses has failed; it was no wrong usage.
func (s *session) command(ctx context.Context, ref, verb string, do func(*stack, crm.ImportRow) error) error {
	row, err := s.find(ctx, ref)
	if err != nil {
		return err
	}
	if !row.State.Open() {
		return failed(fmt.Errorf("import %d of %s is %s: there is nothing to %s", row.Number, row.Source, stateText(row.State), verb))
	}
	k, err := s.start(ctx)
	if err != nil {
		return err
	}
	defer s.stop(k)
	err = do(k, row)
	if errors.Is(err, crm.ErrInvalid) {
		return failed(err)
	}
	return err
}
