// Command histories records the workflow histories that the replay test reads:
// imports that end clean, with rejected rows, paused and resumed, cancelled,
// failed, and in two runs; stopped for their rejected rows, with a batch that was
// parked and retried, or skipped; an undo; and what reads sources.
//
//	go run ./internal/histories -o DIR
//
// Run it in a checkout of a commit that has landed, never of the change under
// test: a change always replays what it recorded itself, and so proves nothing.
// workflows/testdata/histories/VERSIONS.md says how to go about it.
// It starts an embedded stack in a temporary directory and removes it.
package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/history/v1"
	"google.golang.org/protobuf/encoding/protojson"
	_ "modernc.org/sqlite" // sqlite

	"sluice/internal/crm"
	"sluice/internal/embedded"
	"sluice/internal/launch"
	"sluice/internal/wiring"
)

func main() {
	out := flag.String("o", "", "directory for the histories")
	flag.Parse()
	if err := run(context.Background(), *out); err != nil {
		fmt.Fprintln(os.Stderr, "histories:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out string) (err error) {
	if out == "" {
		return fmt.Errorf("name a directory with -o")
	}
	dir, err := os.MkdirTemp("", "histories-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	config := wiring.Config{DataDir: dir, Networks: []string{"127.0.0.1"}}
	stack, err := wiring.Start(ctx, config, func(format string, args ...any) {
		fmt.Fprintf(os.Stderr, format+"\n", args...)
	})
	if err != nil {
		return err
	}
	defer stack.Close()
	r := &recorder{stack.Launcher, (&embedded.Dir{Path: dir}).Database(), out}
	for _, s := range scenes {
		if err := r.record(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return r.recordSources(ctx, config, stack)
}

// A scene is one import to record.
type scene struct {
	name   string // of the file
	rows   int
	bad    int // every bad-th row has no e-mail address; 0: none
	header string
	tuning crm.Tuning
	when   func(crm.Progress) bool // then is done once the progress says so; nil: there is nothing to do
	then   []command
	broken bool // one of its records cannot be written
	mended bool // until then
	undone bool // the history is that of undoing it
}

// command is a method of the launcher.
type command func(l *launch.Launcher, ctx context.Context, source, by string) (crm.Progress, error)

const header = "external_id,company,email,first_name\n"

var scenes = []scene{
	{name: "clean", rows: 200, header: header, tuning: crm.Tuning{BatchRows: 20, Group: 2}},
	{name: "rejected", rows: 100, bad: 7, header: header, tuning: crm.Tuning{BatchRows: 20}},
	{name: "two-runs", rows: 200, header: header, tuning: crm.Tuning{BatchRows: 20, Group: 2, Groups: 3}},
	{name: "paused", rows: 4000, header: header, tuning: crm.Tuning{BatchRows: 200, Group: 2}, when: underWay, then: []command{(*launch.Launcher).Pause, (*launch.Launcher).Resume}},
	{name: "cancelled", rows: 4000, header: header, tuning: crm.Tuning{BatchRows: 200, Group: 2}, when: underWay, then: []command{(*launch.Launcher).Cancel}},
	{name: "failed", rows: 10, bad: 1, header: "nobody,knows,these,columns\n"},
	{name: "stopped", rows: 4000, bad: 3, header: header, tuning: crm.Tuning{BatchRows: 200, Group: 2}, when: asks, then: []command{(*launch.Launcher).Resume}},
	{name: "parked", rows: 200, header: header, tuning: crm.Tuning{BatchRows: 20, Group: 2}, broken: true, mended: true, when: asks, then: []command{(*launch.Launcher).Retry}},
	{name: "skipped", rows: 200, header: header, tuning: crm.Tuning{BatchRows: 20, Group: 2}, broken: true, when: asks, then: []command{(*launch.Launcher).Skip}},
	{name: "undone", rows: 200, header: header, tuning: crm.Tuning{BatchRows: 20}, undone: true},
}

// until waits for something that the progress of an import says.
func (r *recorder) until(ctx context.Context, source string, is func(crm.Progress) bool) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		p, err := r.launcher.Progress(ctx, source)
		if err != nil || is(p) {
			return err
		}
	}
	return nil
}

func underWay(p crm.Progress) bool { return p.Counts.Read > 0 }

func asks(p crm.Progress) bool { return p.State == crm.NeedsAttention }

type recorder struct {
	launcher *launch.Launcher
	database string // its file
	out      string
}

// execute runs a statement behind the product's back.
func (r *recorder) execute(ctx context.Context, statement string) error {
	db, err := sql.Open("sqlite", "file:"+r.database+"?_pragma=busy_timeout(30000)")
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, statement)
	return errors.Join(err, db.Close())
}

// breakOne makes an index that a contact of the scene cannot enter: its
// address is no JSON. That is the fault of no value, so the batch is parked.
func (r *recorder) breakOne(ctx context.Context, s scene) error {
	return r.execute(ctx, fmt.Sprintf("CREATE INDEX broken ON contacts (json_extract(email, '$')) WHERE email = '%s'", s.email(s.rows/2)))
}

// act does what is done to the import of a scene while it runs.
func (r *recorder) act(ctx context.Context, s scene) error {
	if s.when == nil {
		return nil
	}
	if err := r.until(ctx, s.name, s.when); err != nil {
		return err
	}
	if s.mended {
		if err := r.execute(ctx, "DROP INDEX broken"); err != nil {
			return err
		}
	}
	for _, do := range s.then {
		if _, err := do(r.launcher, ctx, s.name, "recorder"); err != nil {
			return err
		}
	}
	return nil
}

func (r *recorder) record(ctx context.Context, s scene) error {
	file, err := r.launcher.StageFile(ctx, s.name+".csv", strings.NewReader(s.text()))
	if err != nil {
		return err
	}
	if s.broken {
		if err := r.breakOne(ctx, s); err != nil {
			return err
		}
	}
	started, err := r.launcher.Start(ctx, launch.Options{Source: s.name, Files: []crm.FileRef{file}, StartedBy: "recorder", Tuning: s.tuning})
	if err != nil {
		return err
	}
	if err := r.act(ctx, s); err != nil {
		return err
	}
	report, err := r.launcher.Wait(ctx, started)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "%s: %s\n", s.name, report.State)
	if s.undone {
		if started, err = r.launcher.Undo(ctx, launch.UndoOptions{Import: started.ImportID, StartedBy: "recorder"}); err != nil {
			return err
		}
		if report, err = r.launcher.Wait(ctx, started); err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "its undo: %s\n", report.State)
	}
	return r.save(ctx, s.name, started.WorkflowID, started.RunID)
}

func (s scene) email(row int) string { return fmt.Sprintf("p%d@%s.example.com", row, s.name) }

func (s scene) text() string {
	var b strings.Builder
	b.WriteString(s.header)
	for i := range s.rows {
		email := s.email(i)
		if s.bad > 0 && i%s.bad == 0 {
			email = "none"
		}
		fmt.Fprintf(&b, "c-%d,Firm %d,%s,Ann\n", i/2, i/2, email)
	}
	return b.String()
}

// save writes the history of a run and of those that it continued as.
func (r *recorder) save(ctx context.Context, name, id, run string) error {
	for n := 1; run != ""; n++ {
		h := &history.History{}
		events := r.launcher.Temporal.GetWorkflowHistory(ctx, id, run, false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
		run = ""
		for events.HasNext() {
			e, err := events.Next()
			if err != nil {
				return err
			}
			h.Events = append(h.Events, e)
			run = e.GetWorkflowExecutionContinuedAsNewEventAttributes().GetNewExecutionRunId()
		}
		b, err := protojson.MarshalOptions{Indent: " "}.Marshal(h)
		if err != nil {
			return err
		}
		path := filepath.Join(r.out, fmt.Sprintf("%s-%d.json", name, n))
		if err := os.WriteFile(path, b, 0o644); err != nil {
			return err
		}
	}
	return nil
}
