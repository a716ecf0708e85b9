package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"sluice/internal/crm"
	"sluice/internal/launch"
	"sluice/internal/mapping"
)

type backfillStartCmd struct {
	Source string   `arg:"" optional:"" help:"The source."`
	Files  []string `arg:"" optional:"" name:"file" help:"Files to import into a source of files, each by itself; patterns such as 'exports/*.csv' too."`

	From day `placeholder:"DAY" env:"SLUICE_FROM" help:"What was created on that day or later, such as 2015-01-01."`
	To   day `placeholder:"DAY" env:"SLUICE_TO" help:"What was created before the end of that day. Default: up to the present."`

	Plan    string `placeholder:"FILE" env:"SLUICE_BACKFILL_PLAN" help:"A file that names several sources, in place of one."`
	Mapping string `placeholder:"FILE" env:"SLUICE_MAPPING" help:"Which column of the files is which field. Default: the source's saved mapping, else what the header says."`
	Sheet   string `placeholder:"NAME" env:"SLUICE_SHEET" help:"The sheet of workbooks."`
	AtOnce  int    `default:"4" env:"SLUICE_AT_ONCE" placeholder:"N" help:"Sources at the same time."`
	Detach  bool   `env:"SLUICE_DETACH" help:"Start it and return; needs a worker that runs elsewhere."`

	backfillOutput `embed:""`
}

type backfillOutput struct {
	NoProgress bool   `env:"SLUICE_NO_PROGRESS" help:"Show no progress."`
	Output     string `short:"o" enum:"text,json" default:"text" env:"SLUICE_OUTPUT" help:"text or json."`
}

// A day is a day of the calendar, in UTC.
type day struct{ time.Time }

// UnmarshalText is called by kong.
func (d *day) UnmarshalText(text []byte) (err error) {
	if d.Time, err = time.Parse(time.DateOnly, string(text)); err != nil {
		return errors.New("write a day as 2015-01-31")
	}
	return nil
}

// read reads a day that need not be given.
func (d *day) read(text string) error {
	if text == "" {
		return nil
	}
	return d.UnmarshalText([]byte(text))
}

// span is from the beginning of one day to the end of another.
func span(from, to day) crm.Span {
	s := crm.Span{From: from.Time}
	if !to.IsZero() {
		s.To = to.AddDate(0, 0, 1)
	}
	return s
}

// Run starts a backfill and follows it to its end.
func (c *backfillStartCmd) Run(ctx context.Context, s *session) error {
	s.json = c.Output == "json"
	wanted, err := c.wanted()
	if err != nil {
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
	b := crm.Backfill{AtOnce: c.AtOnce, StartedBy: login()}
	for _, w := range wanted {
		src, err := w.staged(ctx, k)
		if err != nil {
			return err
		}
		b.Sources = append(b.Sources, src)
	}
	if b, err = k.Launcher.Backfill(ctx, b); err != nil {
		return err
	}
	if c.Detach {
		s.say("follow it with: starter backfill watch")
		if s.json {
			return s.object(b)
		}
		return s.data(b.ID + "\n")
	}
	return s.followBackfill(ctx, k, b.ID, c.NoProgress)
}

// A wantedSource is what is asked for of one source, with files where this
// process can read them.
type wantedSource struct {
	crm.BackfillSource
	files   []input
	mapping string // the mapping file; "" if there is none
}

// wanted reads what is asked for: a source, or a plan.
func (c *backfillStartCmd) wanted() ([]wantedSource, error) {
	if (c.Plan == "") == (c.Source == "") {
		return nil, usage("name a source, or a plan file with --plan")
	}
	if c.Plan != "" {
		return readPlan(c.Plan)
	}
	w := wantedSource{BackfillSource: crm.BackfillSource{Source: c.Source, Span: span(c.From, c.To), Sheet: c.Sheet}, mapping: c.Mapping}
	return []wantedSource{w}, w.find("", c.Files)
}

// find looks for files, which may be named by patterns, below a folder.
func (w *wantedSource) find(dir string, names []string) error {
	for _, name := range names {
		if !filepath.IsAbs(name) {
			name = filepath.Join(dir, name)
		}
		list := []string{name}
		if strings.ContainsAny(name, "*?[") {
			var err error
			if list, err = filepath.Glob(name); err != nil {
				return usage("%s: it is no pattern", name)
			}
			if len(list) == 0 {
				return usage("%s: no file is like that", name)
			}
		}
		for _, path := range list {
			in, copied, err := oneInput(context.Background(), path, strings.NewReader(""))
			if err != nil {
				return err
			}
			if copied != "" {
				_ = os.Remove(copied)
				return usage("%s: it can be read only once; import it by itself", path)
			}
			w.files = append(w.files, in)
		}
	}
	if len(w.files) > 0 && w.Span != (crm.Span{}) {
		return usage("source %s: files have no span; leave from and to away", w.Source)
	}
	if w.mapping == "" {
		return nil
	}
	text, err := os.ReadFile(w.mapping)
	if err != nil {
		return unreadable(w.mapping, err)
	}
	if _, err := mapping.ParseSpec(text); err != nil {
		return usage("%s: %s", w.mapping, fault(err))
	}
	return nil
}

// staged brings the files and the mapping into the stage.
func (w *wantedSource) staged(ctx context.Context, k *stack) (crm.BackfillSource, error) {
	src := w.BackfillSource
	for _, f := range w.files {
		ref, err := stageInput(ctx, k, f)
		if err != nil {
			return src, err
		}
		src.Files = append(src.Files, ref)
	}
	if w.mapping == "" {
		return src, nil
	}
	text, err := os.ReadFile(w.mapping)
	if err != nil {
		return src, unreadable(w.mapping, err)
	}
	src.Mapping, err = k.Launcher.StageMapping(ctx, text)
	return src, err
}

// followBackfill follows a backfill to its end and says what came of it.
func (s *session) followBackfill(ctx context.Context, k *stack, id string, quiet bool) error {
	p, err := watchBackfill(ctx, k.Launcher, id, s.printer, quiet)
	if ctx.Err() != nil {
		if k.ends() {
			s.say("stopping; batches in hand are finished. Go on with: starter backfill watch")
		} else {
			s.say("detached: the backfill goes on; watch it with: starter backfill watch")
		}
		return end(exitInterrupted)
	}
	if err != nil {
		return err
	}
	if s.json {
		err = s.object(p)
	} else {
		err = s.data(backfillText(p))
	}
	return errors.Join(err, end(codeOfBackfill(p)))
}

// watchBackfill shows a backfill until it ends, or waits for somebody.
func watchBackfill(ctx context.Context, l *launch.Launcher, id string, p *printer, quiet bool) (crm.BackfillProgress, error) {
	defer p.wipe()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	var said time.Time
	for {
		now, _, err := l.BackfillProgress(ctx, id)
		if err != nil {
			return now, err
		}
		switch {
		case !now.State.Open():
			return l.WaitBackfill(ctx, id)
		case now.State == crm.NeedsAttention && settled(now):
			return now, nil
		case quiet:
		case p.live:
			p.paint(strings.Split(strings.TrimRight(backfillText(now), "\n"), "\n"))
		case time.Since(said) >= lineEvery:
			said = time.Now()
			p.say("%s", backfillLine(now))
		}
		select {
		case <-ctx.Done():
			return now, ctx.Err()
		case <-tick.C:
		}
	}
}

// settled reports whether nothing goes on that nobody has to decide about.
func settled(p crm.BackfillProgress) bool {
	return !slices.ContainsFunc(p.Sources, func(s crm.SourceProgress) bool { return s.State == crm.Running || s.State == crm.Queued })
}

func backfillLine(p crm.BackfillProgress) string {
	t := p.Total()
	return fmt.Sprintf("backfill: %d of %d partitions done, %d running, %d parked; %s rows", t.Done+t.Skipped, t.All(), t.Running, t.Parked, number(t.Rows))
}

// backfillText is the table of a backfill's sources.
func backfillText(p crm.BackfillProgress) string {
	var rows [][]string
	add := func(name, state, running string, c crm.BackfillCounts) {
		rows = append(rows, []string{name, state, fmt.Sprintf("%d of %d", c.Done+c.Skipped, c.All()), fmt.Sprint(c.Parked), number(c.Rows), running})
	}
	var failures strings.Builder
	for _, s := range p.Sources {
		add(s.Source, stateText(s.State), s.Name, s.BackfillCounts)
		if s.Failure != nil {
			fmt.Fprintf(&failures, "\n%s: %s\n", s.Source, failureText(*s.Failure))
		}
	}
	if len(p.Sources) > 1 {
		add("all", "", "", p.Total())
	}
	text := fmt.Sprintf("Backfill %s: %s\n\n%s", p.ID, stateText(p.State), indent(grid([]string{"source", "", "done", "parked", "rows", "running"}, rows, 3, 4)))
	text += failures.String()
	if p.Total().Parked > 0 {
		text += "\nSee what is parked with: starter backfill show; then: starter backfill retry, or skip\n"
	}
	return text
}

func codeOfBackfill(p crm.BackfillProgress) int {
	if p.State == crm.Done {
		return exitDone
	}
	return exitFailed
}

// A backfillRef names a backfill.
type backfillRef struct {
	ID string `arg:"" optional:"" help:"A backfill's id. Default: the latest."`
}

// row finds the backfill in the database.
func (r backfillRef) row(ctx context.Context, s *session) (crm.BackfillRow, error) {
	db, err := s.readStore(ctx)
	if err != nil {
		return crm.BackfillRow{}, err
	}
	defer db.Close()
	row, err := db.Backfill(ctx, r.ID)
	if errors.Is(err, crm.ErrNotFound) {
		err = fmt.Errorf("backfill: %w; see starter backfill list", crm.ErrNotFound)
	}
	return row, err
}

type backfillWatchCmd struct {
	backfillRef    `embed:""`
	backfillOutput `embed:""`
}

// Run follows a backfill to its end; the way back after a detach or Ctrl-C.
func (c *backfillWatchCmd) Run(ctx context.Context, s *session) error {
	s.json = c.Output == "json"
	row, err := c.row(ctx, s)
	if err != nil {
		return err
	}
	k, err := s.start(ctx)
	if err != nil {
		return err
	}
	defer s.stop(k)
	return s.followBackfill(ctx, k, row.ID, c.NoProgress)
}

type backfillListCmd struct {
	Output string `short:"o" enum:"text,json" default:"text" env:"SLUICE_OUTPUT" help:"text, or json: one object a line."`
}

// Run lists backfills from the database alone.
func (c *backfillListCmd) Run(ctx context.Context, s *session) error {
	s.json = c.Output == "json"
	db, err := s.readStore(ctx)
	if errors.Is(err, crm.ErrNotFound) {
		s.say("no backfills yet")
		return nil
	}
	if err != nil {
		return err
	}
	defer db.Close()
	list, err := db.Backfills(ctx, 100)
	if err != nil {
		return err
	}
	if s.json {
		return each(list, s.object)
	}
	if len(list) == 0 {
		s.say("no backfills yet")
		return nil
	}
	var rows [][]string
	for _, b := range list {
		var names []string
		for _, src := range b.Sources {
			names = append(names, src.Source)
		}
		rows = append(rows, []string{b.ID, stateText(b.State), when(b.StartedAt), b.StartedBy, strings.Join(names, ", ")})
	}
	return s.data(grid([]string{"backfill", "state", "started", "by", "sources"}, rows))
}

type backfillShowCmd struct {
	backfillRef `embed:""`
	Source      string `placeholder:"NAME" env:"SLUICE_SOURCE" help:"Only this source."`
	Output      string `short:"o" enum:"text,json" default:"text" env:"SLUICE_OUTPUT" help:"text, or json: one partition a line."`
}

// Run lists the partitions of a backfill from the database alone.
func (c *backfillShowCmd) Run(ctx context.Context, s *session) error {
	s.json = c.Output == "json"
	row, err := c.row(ctx, s)
	if err != nil {
		return err
	}
	db, err := s.readStore(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	var rows [][]string
	for _, src := range row.Sources {
		if c.Source != "" && c.Source != src.Source {
			continue
		}
		parts, err := db.BackfillPartitions(ctx, row.ID, src.Source)
		if err != nil {
			return err
		}
		for _, p := range parts {
			if s.json {
				if err := s.object(struct {
					Source string `json:"source"`
					crm.BackfillPartition
				}{src.Source, p}); err != nil {
					return err
				}
				continue
			}
			why := ""
			if p.Failure != nil {
				why = failureText(*p.Failure)
			}
			rows = append(rows, []string{src.Source, fmt.Sprint(p.Number), p.Name, string(p.State), number(p.Rows), p.ImportID, why})
		}
	}
	if s.json {
		return nil
	}
	return s.data(fmt.Sprintf("Backfill %s: %s\n\n", row.ID, stateText(row.State)) +
		grid([]string{"source", "", "partition", "state", "rows", "import", "failure"}, rows, 1, 4))
}

// A backfillCommand is a command to a backfill that is running.
type backfillCommand struct {
	backfillRef `embed:""`
	Source      string `placeholder:"NAME" env:"SLUICE_SOURCE" help:"Only this source."`
}

func (c backfillCommand) give(ctx context.Context, s *session, name, said string) error {
	row, err := c.row(ctx, s)
	if err != nil {
		return err
	}
	k, err := s.start(ctx)
	if err != nil {
		return err
	}
	defer s.stop(k)
	p, err := k.Launcher.CommandBackfill(ctx, row.ID, name, c.Source, login())
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
		return s.followBackfill(ctx, k, row.ID, false)
	}
	return nil
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
	row, err := backfillRef{c.To}.row(ctx, s)
	if err != nil {
		return err
	}
	k, err := s.start(ctx)
	if err != nil {
		return err
	}
	defer s.stop(k)
	src, err := w.staged(ctx, k)
	if err != nil {
		return err
	}
	_, err = k.Launcher.AddToBackfill(ctx, row.ID, src, login())
	if errors.Is(err, crm.ErrInvalid) {
		return failed(err)
	}
	if err == nil {
		s.say("added %s to the backfill", c.Source)
	}
	return err
}
