package endtoend

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/uuid"
	"go.temporal.io/sdk/activity"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"

	"sluice/activities"
	"sluice/internal/crm"
	"sluice/internal/dedupe"
	"sluice/internal/stage"
	"sluice/internal/store"
	"sluice/workflows"
)

// A world is the product on real rooms (a database, a Redis, a stage) with the
// workflow in the SDK's test environment: everything but the Temporal server,
// and so fast.
type world struct {
	t     *testing.T
	store *store.Store
	stage *stage.Stage
	index *dedupe.Index
	steps *activities.Activities

	log *slog.Logger // of the workflow and the steps; nil: nobody listens

	// wrap, if set, stands around the registration of every step.
	wrap func(worker.ActivityRegistry) worker.ActivityRegistry
}

func newWorld(t *testing.T, databaseURL, redisURL string) *world {
	t.Helper()
	ctx := t.Context()
	if databaseURL == "" {
		databaseURL = "sqlite://" + filepath.Join(t.TempDir(), "test.db")
	}
	if redisURL == "" {
		redisURL = "redis://" + miniredis.RunT(t).Addr()
	}
	w := &world{t: t}
	var err error
	if w.store, err = store.Open(ctx, databaseURL); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.store.Close() })
	if err := w.store.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	if w.stage, err = stage.Open(ctx, "file://"+t.TempDir()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.stage.Close() })
	if w.index, err = dedupe.Open(ctx, redisURL); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.index.Close() })
	w.steps = &activities.Activities{Stage: w.stage, Store: w.store, Judge: dedupe.NewJudge(w.index, nil)}
	return w
}

// options is what a test says about an import.
type options struct {
	source  string // "news" if ""
	mode    crm.Mode
	mapping string
	again   bool
	plan    bool
	parent  string   // id of the import whose rejected rows are retried
	more    []string // files after the first
	named   []string // what the files are called; "test.csv" if nothing is said
	tuning  crm.Tuning
}

// run imports one file and returns the report. It fails the test if the
// workflow does not end.
func (w *world) run(file string, o options) crm.Report {
	w.t.Helper()
	r, err := w.try(file, o)
	if err != nil {
		w.t.Fatalf("import: %v", err)
	}
	return r
}

func (w *world) try(file string, o options) (crm.Report, error) {
	w.t.Helper()
	return w.execute(workflows.Import, workflows.ImportInput{Request: w.request(file, o)})
}

// undo undoes an import and returns the report.
func (w *world) undo(id string, rows int) crm.Report {
	w.t.Helper()
	r, err := w.execute(workflows.Undo, workflows.UndoInput{Request: crm.Request{Version: crm.RequestVersion,
		ID: uuid.Must(uuid.NewV7()).String(), Source: "news", Undoes: id, AskedAt: time.Now().UTC(), Tuning: crm.Tuning{BatchRows: rows}}})
	if err != nil {
		w.t.Fatalf("undo: %v", err)
	}
	return r
}

// execute runs a workflow to its end.
func (w *world) execute(workflow, input any) (crm.Report, error) {
	w.t.Helper()
	var suite testsuite.WorkflowTestSuite
	log := w.log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	suite.SetLogger(sdklog.NewStructuredLogger(log))
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(5 * time.Minute)
	env.SetWorkerOptions(worker.Options{DeadlockDetectionTimeout: time.Minute}) // a busy machine is no deadlock
	workflows.Register(env)
	var registry worker.ActivityRegistry = env
	if w.wrap != nil {
		registry = w.wrap(env)
	}
	activities.Register(registry, w.steps)
	env.ExecuteWorkflow(workflow, input)
	if !env.IsWorkflowCompleted() {
		w.t.Fatal("the import did not end")
	}
	var report crm.Report
	if err := env.GetWorkflowError(); err != nil {
		return report, err
	}
	return report, env.GetWorkflowResult(&report)
}

func (w *world) request(file string, o options) crm.Request {
	w.t.Helper()
	ctx := w.t.Context()
	if o.source == "" {
		o.source = "news"
	}
	if err := w.store.AddSource(ctx, crm.Source{Slug: o.source, Title: o.source, Kind: crm.KindFile}); err != nil {
		w.t.Fatal(err)
	}
	r := crm.Request{Version: crm.RequestVersion, ID: uuid.Must(uuid.NewV7()).String(), Source: o.source, Mode: o.mode,
		Again: o.again, Plan: o.plan, Parent: o.parent, AskedAt: time.Now().UTC(), Tuning: o.tuning}
	for i, text := range append([]string{file}, o.more...) {
		name := "test.csv"
		if i < len(o.named) {
			name = o.named[i]
		}
		r.Files = append(r.Files, crm.FileRef{Name: name, Object: w.put(text)})
	}
	if o.mapping != "" {
		r.Mapping = w.put(o.mapping)
	}
	return r
}

func (w *world) put(text string) crm.Object {
	w.t.Helper()
	o, err := w.stage.PutContent(w.t.Context(), "files", strings.NewReader(text))
	if err != nil {
		w.t.Fatal(err)
	}
	return o
}

// export returns all that a source holds, as `export --stable` prints it.
func (w *world) export(source string) string {
	w.t.Helper()
	return export(w.t, w.store, source)
}

func export(t *testing.T, s *store.Store, source string) string {
	t.Helper()
	return exportAs(t, s, store.ExportQuery{Source: source, Stable: true})
}

// exportAs exports every entity.
func exportAs(t *testing.T, s *store.Store, q store.ExportQuery) string {
	t.Helper()
	var b bytes.Buffer
	for _, e := range crm.Entities {
		out := csv.NewWriter(&b)
		q.Entity = e
		err := s.Export(context.WithoutCancel(t.Context()), q, out.Write, out.Write)
		if err != nil {
			t.Fatalf("export %s: %v", e.Plural(), err)
		}
		out.Flush()
	}
	return b.String()
}

// rejected returns the rejected rows of a report.
func (w *world) rejected(r crm.Report) []crm.RejectedRow { return w.list(r.RejectObject) }

// list returns the rows of a staged list.
func (w *world) list(o crm.Object) []crm.RejectedRow {
	w.t.Helper()
	if o.IsZero() {
		return nil
	}
	in, err := w.stage.ReadCompressed(w.t.Context(), o)
	if err != nil {
		w.t.Fatal(err)
	}
	defer in.Close()
	var rows []crm.RejectedRow
	for d := json.NewDecoder(in); ; {
		var row crm.RejectedRow
		if err := d.Decode(&row); err == io.EOF {
			return rows
		} else if err != nil {
			w.t.Fatal(err)
		}
		rows = append(rows, row)
	}
}

// wrapped registers steps with something around them.
type wrapped struct {
	worker.ActivityRegistry
	around func(do any, name string) any
}

func (w wrapped) RegisterActivityWithOptions(do any, o activity.RegisterOptions) {
	w.ActivityRegistry.RegisterActivityWithOptions(w.around(do, o.Name), o)
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Error(err)
	}
	return string(b)
}
