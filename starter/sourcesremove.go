package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/charmbracelet/x/term"

	"sluice/internal/crm"
	"sluice/internal/launch"
)

type sourcesRemoveCmd struct {
	Name string `arg:"" help:"The source."`

	DryRun     bool   `env:"SLUICE_DRY_RUN" help:"Remove nothing: say what would go."`
	Yes        bool   `env:"SLUICE_YES" help:"Do not ask; needed where there is no terminal to ask on."`
	Cancel     bool   `env:"SLUICE_CANCEL" help:"End a removal that is running. What is gone stays gone."`
	Detach     bool   `env:"SLUICE_DETACH" help:"Start it and return; needs a worker that runs elsewhere."`
	Output     string `short:"o" enum:"text,json" default:"text" env:"SLUICE_OUTPUT" help:"text or json."`
	NoProgress bool   `env:"SLUICE_NO_PROGRESS" help:"Show no progress."`

	BatchRows positive      `group:"tuning" placeholder:"N" env:"SLUICE_BATCH_ROWS" help:"Records of a kind removed in one transaction; 5000, and no more."`
	Heartbeat time.Duration `group:"tuning" placeholder:"TIME" env:"SLUICE_HEARTBEAT" help:"How long a step may be silent before another worker takes it; 30s."`
}

// Run says what goes with a source, and removes it once somebody has said that
// it may go. Of a removal that was cut short it removes the rest.
func (c *sourcesRemoveCmd) Run(ctx context.Context, s *session) error {
	s.json = c.Output == "json"
	if c.Cancel {
		return c.cancel(ctx, s)
	}
	plan, err := s.planRemoval(ctx, c.Name)
	if err != nil {
		return err
	}
	if c.DryRun {
		return errors.Join(s.previewRemoval(plan), plan.Refused())
	}
	s.say("%s", strings.TrimRight(removalPlanText(plan, databaseName(s.config)), "\n"))
	if err := c.agreed(ctx, s, plan); err != nil {
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
	started, err := k.Launcher.Remove(ctx, launch.RemoveOptions{Source: c.Name, StartedBy: login(),
		Tuning: crm.Tuning{BatchRows: int(c.BatchRows), Heartbeat: c.Heartbeat}})
	if err != nil {
		return err
	}
	if c.Detach {
		s.say("follow it with: starter sources remove %s", c.Name)
		if s.json {
			return s.object(started)
		}
		return s.data(started.WorkflowID + "\n")
	}
	return s.finishRemoval(ctx, k, started, plan, c.NoProgress)
}

// cancel ends a removal that is running, and says how far it has come. That it
// ends is what was asked for.
func (c *sourcesRemoveCmd) cancel(ctx context.Context, s *session) error {
	plan, err := s.planRemoval(ctx, c.Name)
	if err != nil {
		return err
	}
	k, err := s.start(ctx)
	if err != nil {
		return err
	}
	defer s.stop(k)
	started, err := k.Launcher.Removal(ctx, c.Name)
	if err == nil {
		_, err = k.Launcher.Cancel(ctx, c.Name, login())
	}
	switch {
	case errors.Is(err, crm.ErrNotFound):
		return failed(fmt.Errorf("no removal of %s is running: there is nothing to cancel", c.Name))
	case errors.Is(err, crm.ErrInvalid):
		return failed(err) // it is ending
	case err != nil:
		return err
	}
	s.say("cancelling the removal of %s; what is gone stays gone", c.Name)
	err = s.finishRemoval(ctx, k, started, plan, true)
	var e ending
	if errors.As(err, &e) && e != exitInterrupted {
		return nil
	}
	return err
}

// planRemoval reads what removing a source would come to, from the database alone.
func (s *session) planRemoval(ctx context.Context, name string) (crm.RemovalPlan, error) {
	if err := crm.CheckSlug(name); err != nil {
		return crm.RemovalPlan{}, err
	}
	db, err := s.readStore(ctx)
	if err != nil {
		return crm.RemovalPlan{}, err
	}
	defer db.Close()
	plan, err := db.PlanRemoval(ctx, name)
	if errors.Is(err, crm.ErrNotFound) {
		err = fmt.Errorf("source %s: %w; see starter sources list", name, crm.ErrNotFound)
	}
	return plan, err
}

func (s *session) previewRemoval(plan crm.RemovalPlan) error {
	if s.json {
		return s.object(struct {
			DryRun bool `json:"dry_run"`
			crm.RemovalPlan
		}{true, plan})
	}
	return s.data(removalPlanText(plan, databaseName(s.config)))
}

// agreed returns nil once somebody has said that the source may go: with --yes,
// or by typing its name at the terminal.
func (c *sourcesRemoveCmd) agreed(ctx context.Context, s *session, plan crm.RemovalPlan) error {
	if c.Yes {
		return nil
	}
	in, ok := s.in.(*os.File)
	if !ok || !term.IsTerminal(in.Fd()) {
		return usage("removing %s cannot be taken back: go on with --yes, or see what goes with --dry-run", plan.Source)
	}
	s.say("remove source %s and its %s? type the name to go on:", plan.Source, recordsText(plan.Left))
	return typed(ctx, in, plan.Source)
}

// typed reads a line and returns an error unless it is the name. The reading
// itself cannot be stopped: after Ctrl-C it ends with the program.
func typed(ctx context.Context, in io.Reader, name string) error {
	lines := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(in).ReadString('\n')
		lines <- strings.TrimSpace(line)
	}()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case line := <-lines:
		if line != name {
			return failed(fmt.Errorf("nothing was removed: that is not the name of the source, %s", name))
		}
		return nil
	}
}

// finishRemoval follows a removal to its end and says what it came to. plan is
// what was there before.
func (s *session) finishRemoval(ctx context.Context, k *stack, started launch.Started, plan crm.RemovalPlan, quiet bool) error {
	if started.Attached && !quiet {
		s.say("the source is being removed already: watching that")
	}
	if link := k.Launcher.Link(started); link != "" && !quiet {
		s.say("Temporal UI: %s", link)
	}
	report, err := follow(ctx, k.Launcher, started, s.printer, following{quiet: quiet, attached: k.Attached})
	if ctx.Err() != nil {
		s.say("%s", removalRests(k.ends(), started.Source))
		return end(exitInterrupted)
	}
	if err != nil {
		return err
	}
	out := removalReport{Source: started.Source, State: report.State, Schedule: plan.Schedule, Secrets: plan.Secrets, Seconds: report.Seconds, Failure: report.Failure}
	if at := report.Removed; at != nil {
		out.Removed, out.Of = at.Gone, at.Total
	} else if src, err := k.Store.Source(ctx, started.Source); err == nil && src.Removing != nil {
		out.Removed, out.Of = src.Removing.Gone, src.Removing.Total // it failed, and that is all its workflow says
	}
	if s.json {
		err = s.object(out)
	} else {
		err = s.data(removalText(out, databaseName(s.config)))
	}
	return errors.Join(err, end(codeOfState(report.State, 0)))
}

func removalRests(ends bool, source string) string {
	if ends {
		return fmt.Sprintf("stopping; the removal goes on when anything is started here, such as: starter sources remove %s", source)
	}
	return fmt.Sprintf("detached: the removal goes on; watch it with: starter sources remove %s", source)
}
