package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"sluice/internal/crm"
	"sluice/internal/launch"
)

type scheduleCreateCmd struct {
	Source     string        `arg:"" help:"The source."`
	Every      time.Duration `placeholder:"TIME" env:"SLUICE_EVERY" help:"How often, such as 15m."`
	Cron       []string      `sep:"none" placeholder:"EXPR" env:"SLUICE_CRON" help:"At what times, as a cron expression of five fields, such as '0 3 * * *'; may be repeated."`
	Zone       string        `placeholder:"ZONE" env:"SLUICE_ZONE" help:"Time zone of the cron expressions. Default: UTC."`
	Jitter     time.Duration `placeholder:"TIME" env:"SLUICE_JITTER" help:"Put off by up to so much, at random."`
	CatchUp    time.Duration `placeholder:"TIME" env:"SLUICE_CATCH_UP" help:"How late a time that was missed is made up for. Default: 1h."`
	Overlap    string        `enum:"skip,buffer,cancel" default:"skip" env:"SLUICE_OVERLAP" help:"When the sync before is running: skip this one, buffer it, or cancel the other."`
	FullEvery  time.Duration `placeholder:"TIME" env:"SLUICE_FULL_EVERY" help:"How often all there is is read, such as 168h. Default: never."`
	PauseAfter int           `placeholder:"N" env:"SLUICE_PAUSE_AFTER" help:"Pause after so many syncs that failed one after the other. Default: 5."`
	Paused     bool          `env:"SLUICE_PAUSED" help:"Make it, and let it begin nothing yet."`
}

// Run makes a schedule, or changes the one that the source has.
func (c *scheduleCreateCmd) Run(ctx context.Context, s *session) error {
	return s.save(ctx, []crm.Schedule{{Source: c.Source, Every: c.Every, Cron: c.Cron, Zone: c.Zone, Jitter: c.Jitter, CatchUp: c.CatchUp,
		Overlap: crm.Overlap(c.Overlap), FullEvery: c.FullEvery, PauseAfter: c.PauseAfter, Paused: c.Paused}})
}

type scheduleApplyCmd struct {
	File string `short:"f" required:"" placeholder:"FILE" env:"SLUICE_SCHEDULES" help:"A YAML file with the list schedules, each with source, every or cron, and what else schedule create takes."`
}

// Run makes the schedules that a file names, and changes those that are there
// already. Applied twice it changes nothing the second time.
func (c *scheduleApplyCmd) Run(ctx context.Context, s *session) error {
	text, err := os.ReadFile(c.File)
	if err != nil {
		return unreadable(c.File, err)
	}
	var file struct {
		Schedules []crm.Schedule `yaml:"schedules"`
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&file); err != nil && !errors.Is(err, io.EOF) {
		return usage("%s: %v", c.File, err)
	}
	if len(file.Schedules) == 0 {
		return usage("%s: it names no schedules", c.File)
	}
	for _, one := range file.Schedules {
		if err := one.Check(); err != nil {
			return usage("%s: %s", c.File, fault(err))
		}
	}
	return s.save(ctx, file.Schedules)
}

func (s *session) save(ctx context.Context, list []crm.Schedule) error {
	for _, one := range list {
		if err := one.Check(); err != nil {
			return usage("%s", fault(err))
		}
	}
	k, err := s.start(ctx)
	if err != nil {
		return err
	}
	defer s.stop(k)
	for _, one := range list {
		changed, err := k.Launcher.SaveSchedule(ctx, one)
		if err != nil {
			return err
		}
		if !changed {
			s.say("the schedule of %s is so already", one.Source)
			continue
		}
		st, err := k.Launcher.ScheduleStatus(ctx, one.Source)
		if err != nil {
			return err
		}
		s.say("scheduled %s; next: %s", one.Source, nextText(st))
	}
	if k.ends() {
		s.say("schedules run only while a worker does: keep one with starter schedule run, or set TEMPORAL_ADDRESS and the rest and start a worker")
	}
	return nil
}

func nextText(st launch.ScheduleStatus) string {
	if st.Paused {
		return "none, it is paused"
	}
	var times []string
	for _, at := range st.Next {
		times = append(times, when(at))
	}
	return strings.Join(times, ", ")
}

type scheduleListCmd struct {
	Output string `short:"o" enum:"text,json" default:"text" env:"SLUICE_OUTPUT" help:"text, or json: one object a line."`
}

// Run lists schedules and how their sources stand.
func (c *scheduleListCmd) Run(ctx context.Context, s *session) error {
	s.json = c.Output == "json"
	k, err := s.start(ctx)
	if err != nil {
		return err
	}
	defer s.stop(k)
	list, err := k.Launcher.Schedules(ctx)
	if err != nil {
		return err
	}
	if s.json {
		return each(list, s.object)
	}
	if len(list) == 0 {
		s.say("no schedules yet")
		return nil
	}
	var rows [][]string
	for _, st := range list {
		next := ""
		if len(st.Next) > 0 {
			next = when(st.Next[0])
		}
		rows = append(rows, []string{st.Source, standingText(st.Standing, st.Late), timesText(st.Schedule), when(st.LastAt), next, st.Note})
	}
	return s.data(grid([]string{"source", "stands", "when", "last", "next", ""}, rows))
}

// timesText says when a schedule runs.
func timesText(s crm.Schedule) string {
	if s.Every > 0 {
		return "every " + s.Every.String()
	}
	zone := s.Zone
	if zone == "" {
		zone = "UTC"
	}
	return strings.Join(s.Cron, "; ") + " " + zone
}

// A scheduleRef names a schedule by its source.
type scheduleRef struct {
	Source string `arg:"" help:"The source."`
}

func (r scheduleRef) with(ctx context.Context, s *session, do func(*stack) error) error {
	if err := crm.CheckSlug(r.Source); err != nil {
		return err
	}
	k, err := s.start(ctx)
	if err != nil {
		return err
	}
	defer s.stop(k)
	err = do(k)
	if errors.Is(err, crm.ErrNotFound) {
		return fmt.Errorf("schedule of %s: %w; see starter schedule list", r.Source, crm.ErrNotFound)
	}
	return err
}

type scheduleShowCmd struct {
	scheduleRef `embed:""`
	Output      string `short:"o" enum:"text,json" default:"text" env:"SLUICE_OUTPUT" help:"text or json."`
}

// Run shows a schedule with the five times to come.
func (c *scheduleShowCmd) Run(ctx context.Context, s *session) error {
	s.json = c.Output == "json"
	return c.with(ctx, s, func(k *stack) error {
		st, err := k.Launcher.ScheduleStatus(ctx, c.Source)
		if err != nil {
			return err
		}
		if s.json {
			return s.object(st)
		}
		return s.data(scheduleText(st))
	})
}

func scheduleText(st launch.ScheduleStatus) string {
	rows := [][]string{{"source", st.Source}, {"stands", standingText(st.Standing, st.Late)}, {"when", timesText(st.Schedule)}, {"overlap", string(st.Overlap)}}
	add := func(name, value string) {
		if value != "" {
			rows = append(rows, []string{name, value})
		}
	}
	if st.FullEvery > 0 {
		add("all there is", "every "+st.FullEvery.String())
	}
	for name, at := range map[string]time.Time{"last": st.LastAt, "last good": st.GoodAt, "last full": st.FullAt} {
		if !at.IsZero() {
			add(name, when(at))
		}
	}
	if st.Failures > 0 {
		add("failures", fmt.Sprintf("%d in a row", st.Failures))
	}
	if st.Failure != nil {
		add("failure", failureText(*st.Failure))
	}
	add("note", st.Note)
	for i, at := range st.Next {
		name := ""
		if i == 0 {
			name = "next"
		}
		rows = append(rows, []string{name, when(at)})
	}
	return grid(nil, rows)
}

type schedulePauseCmd struct {
	scheduleRef `embed:""`
	Note        string `placeholder:"TEXT" env:"SLUICE_NOTE" help:"Why, for others to read."`
}

// Run keeps a schedule from beginning anything.
func (c *schedulePauseCmd) Run(ctx context.Context, s *session) error {
	note := c.Note
	if note == "" {
		note = "paused by " + login()
	}
	return c.with(ctx, s, func(k *stack) error {
		err := k.Launcher.PauseSchedule(ctx, c.Source, note)
		if err == nil {
			s.say("paused the schedule of %s; go on with: starter schedule resume %s", c.Source, c.Source)
		}
		return err
	})
}

type scheduleResumeCmd struct {
	scheduleRef `embed:""`
}

// Run lets a paused schedule go on.
func (c *scheduleResumeCmd) Run(ctx context.Context, s *session) error {
	return c.with(ctx, s, func(k *stack) error {
		if err := k.Launcher.ResumeSchedule(ctx, c.Source); err != nil {
			return err
		}
		st, err := k.Launcher.ScheduleStatus(ctx, c.Source)
		if err == nil {
			s.say("the schedule of %s goes on; next: %s", c.Source, nextText(st))
		}
		return err
	})
}

type scheduleTriggerCmd struct {
	scheduleRef `embed:""`
}

// Run has a schedule do now what it does at its times.
func (c *scheduleTriggerCmd) Run(ctx context.Context, s *session) error {
	return c.with(ctx, s, func(k *stack) error {
		err := k.Launcher.TriggerSchedule(ctx, c.Source)
		if err == nil {
			s.say("triggered; follow it with: starter progress %s", c.Source)
		}
		return err
	})
}

type scheduleDeleteCmd struct {
	scheduleRef `embed:""`
}

// Run removes a schedule. What is running goes on.
func (c *scheduleDeleteCmd) Run(ctx context.Context, s *session) error {
	return c.with(ctx, s, func(k *stack) error {
		err := k.Launcher.RemoveSchedule(ctx, c.Source)
		if err == nil {
			s.say("removed the schedule of %s; its records stay", c.Source)
		}
		return err
	})
}

type scheduleRunCmd struct{}

// Run keeps the embedded worker running until it is interrupted, so that
// schedules do what they are for on a machine without servers.
func (*scheduleRunCmd) Run(ctx context.Context, s *session) error {
	k, err := s.start(ctx)
	if err != nil {
		return err
	}
	defer s.stop(k)
	if !k.ends() {
		return usage("a worker runs elsewhere; there is nothing to keep running here")
	}
	s.say("schedules run until Ctrl-C")
	<-ctx.Done()
	return end(exitInterrupted)
}
