package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"sluice/internal/crm"
	"sluice/internal/launch"
	"sluice/internal/wiring"
)

type progressCmd struct {
	Source string `arg:"" help:"The source."`
	Output string `short:"o" enum:"text,json" default:"text" env:"SLUICE_OUTPUT" help:"text or json."`
}

// Run asks the workflow when there is one to reach, and else the ledger. It
// starts nothing.
func (c *progressCmd) Run(ctx context.Context, s *session) error {
	s.json = c.Output == "json"
	p, b, err := s.progressOf(ctx, c.Source)
	if err != nil {
		return err
	}
	if s.json {
		return s.object(p)
	}
	switch {
	case p.Ledger && p.State.Open():
		s.say("from the ledger: no workflow answers, so what is between two steps is not known; if nothing works on it, it goes on with: starter imports watch %s", c.Source)
	case p.Ledger:
		s.say("from the ledger: the import has ended")
	default:
		s.say("from the workflow")
	}
	lines := newView(c.Source, b).block(p, time.Now(), 0, "")
	return s.data(ansi.Strip(strings.Join(lines, "\n")) + "\n")
}

// progressOf says how far the import of a source is, and what is known of the
// source's limits.
func (s *session) progressOf(ctx context.Context, source string) (crm.Progress, bound, error) {
	k, err := s.reach(ctx)
	if err == nil {
		defer s.stop(k)
		call, cancel := context.WithTimeout(ctx, pollLimit)
		defer cancel()
		p, err := k.Launcher.Progress(call, source)
		if err == nil {
			return p, s.boundOf(ctx, k.Store, source), nil
		}
		if errors.Is(err, crm.ErrNotFound) || ctx.Err() != nil {
			return p, bound{}, err
		}
	} else if !errors.Is(err, crm.ErrNotFound) {
		s.say("%s", plain(err.Error()))
	}
	db, err := s.readStore(ctx)
	if err != nil {
		return crm.Progress{}, bound{}, err
	}
	defer db.Close()
	row, err := db.Import(ctx, source)
	if err != nil {
		return crm.Progress{}, bound{}, err
	}
	stage, err := wiring.OpenStage(ctx, s.config)
	if err != nil {
		return crm.Progress{}, bound{}, err
	}
	defer stage.Close()
	p, err := launch.Ledgered(ctx, db, stage, row, time.Now())
	return p, s.boundOf(ctx, db, source), err
}
