package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"sluice/internal/crm"
	"sluice/internal/launch"
)

type syncCmd struct {
	Source     string `arg:"" help:"The source."`
	Full       bool   `env:"SLUICE_FULL" help:"Read all there is, and not only what has changed since the last time."`
	Detach     bool   `env:"SLUICE_DETACH" help:"Start it and return at once."`
	NoProgress bool   `env:"SLUICE_NO_PROGRESS" help:"Show no progress."`
	Output     string `short:"o" enum:"text,json" default:"text" env:"SLUICE_OUTPUT" help:"text or json, of the report."`

	BatchRows positive      `group:"tuning" placeholder:"N" env:"SLUICE_BATCH_ROWS" help:"Rows a batch; 25000."`
	Heartbeat time.Duration `group:"tuning" placeholder:"TIME" env:"SLUICE_HEARTBEAT" help:"How long a step may be silent before another worker takes it; 30s."`
}

// Run brings a source up to date and follows that to its end. A sync that is
// running already is watched.
func (c *syncCmd) Run(ctx context.Context, s *session) error {
	s.json = c.Output == "json"
	if err := crm.CheckSlug(c.Source); err != nil {
		return err
	}
	k, err := s.start(ctx)
	if err != nil {
		return err
	}
	defer s.stop(k)
	if c.Detach && k.ends() {
		return usage("--detach needs a worker that runs elsewhere, and here this command is the worker; leave --detach away, or set TEMPORAL_ADDRESS and the rest")
	}
	started, err := k.Launcher.Sync(ctx, launch.SyncOptions{Source: c.Source, Full: c.Full, StartedBy: login(),
		Tuning: crm.Tuning{BatchRows: int(c.BatchRows), Heartbeat: c.Heartbeat}})
	if err != nil {
		return err
	}
	if started.Attached {
		s.say("a sync of %s is running already: watching it", c.Source)
	}
	if c.Detach {
		s.say("follow it with: starter progress %s", c.Source)
		return nil
	}
	return s.finishSync(ctx, k, started, c.NoProgress)
}

// finishSync follows a sync to its end and prints the report of its import.
func (s *session) finishSync(ctx context.Context, k *stack, started launch.SyncStarted, quiet bool) error {
	as := launch.Started{Source: started.Source, WorkflowID: started.WorkflowID, RunID: started.RunID}
	if link := k.Launcher.Link(as); link != "" && !quiet {
		s.say("Temporal UI: %s", link)
	}
	report, err := follow(ctx, syncWatch{k.Launcher, k.Launcher, started, time.Now()}, as, s.printer, following{quiet: quiet, attached: k.Attached, bound: s.boundOf(ctx, k.Store, as.Source)})
	if ctx.Err() != nil {
		return s.interrupted(k, as)
	}
	if err != nil {
		return err
	}
	as.ImportID = report.ImportID
	if s.json && !quiet {
		s.say("%s", headline(report, 0))
	}
	if err := s.printReport(report, k.aside(ctx, as, report)); err != nil {
		return err
	}
	return end(codeOfReport(report))
}

// syncWatch watches a sync as an import is watched: its progress is that of the
// source's import.
type syncWatch struct {
	watched
	waits interface {
		WaitSync(ctx context.Context, s launch.SyncStarted) (crm.Report, error)
	}
	sync  launch.SyncStarted
	since time.Time
}

// Progress says how far the sync's import is. While that is planned, the source's
// latest import is one of before, which is none of the sync's.
func (w syncWatch) Progress(ctx context.Context, source string) (crm.Progress, error) {
	p, err := w.watched.Progress(ctx, source)
	before := p.Ledger && !p.State.Open() && p.UpdatedAt.Before(w.since)
	if before || errors.Is(err, crm.ErrNotFound) {
		return crm.Progress{State: crm.Running, Phase: strings.ToLower(crm.Plan.Name), StartedAt: w.since}, nil
	}
	return p, err
}

// Wait waits for the sync to end.
func (w syncWatch) Wait(ctx context.Context, _ launch.Started) (crm.Report, error) {
	return w.waits.WaitSync(ctx, w.sync)
}
