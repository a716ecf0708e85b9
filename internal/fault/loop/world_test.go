package loop

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"

	"sluice/activities"
	"sluice/internal/crm"
	"sluice/internal/dedupe"
	"sluice/internal/notify"
	"sluice/internal/servertest"
	"sluice/internal/stage"
	"sluice/internal/store"
	"sluice/workflows"
)

// news is the source whose files are imported.
const news = "news"

// places are where a world keeps things.
type places struct {
	database string // its URL
	stage    string // a directory
}

// newPlaces returns empty ones, on PostgreSQL or on SQLite.
func newPlaces(t *testing.T, postgres bool) places {
	t.Helper()
	dir := tempDir(t)
	t.Cleanup(func() { os.RemoveAll(dir) })
	p := places{stage: filepath.Join(dir, "stage"), database: "sqlite://" + filepath.Join(dir, "loop.db")}
	if postgres {
		p.database = servertest.Postgres(t)
	}
	return p
}

// tempDir returns a new directory for the caller to remove. It lies in memory
// where Linux has a place for that: half the time of a run is spent in waiting
// for a disk, which loses nothing here.
func tempDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "sluice-loop-")
	if err != nil {
		dir, err = os.MkdirTemp("", "sluice-loop-")
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// copied returns places with the same in them, and how to remove them. Nobody
// may be connected.
func (p places) copied(t *testing.T) (to places, remove func()) {
	t.Helper()
	dir := tempDir(t)
	to.stage = filepath.Join(dir, "stage")
	if err := os.CopyFS(to.stage, os.DirFS(p.stage)); err != nil {
		t.Fatal(err)
	}
	file, ok := strings.CutPrefix(p.database, "sqlite://")
	if !ok {
		var drop func()
		to.database, drop = copyPostgres(t, p.database)
		return to, func() { os.RemoveAll(dir); drop() }
	}
	b, err := os.ReadFile(file)
	if err == nil {
		file = filepath.Join(dir, "loop.db")
		err = os.WriteFile(file, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	to.database = "sqlite://" + file
	return to, func() { os.RemoveAll(dir) }
}

// copyPostgres copies a database within its server.
func copyPostgres(t *testing.T, address string) (copied string, drop func()) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	from := path.Base(u.Path)
	name := from + "_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	u.Path = "/postgres"
	admin := u.String()
	sqlOn(t, admin, "CREATE DATABASE "+name+" TEMPLATE "+from)
	u.Path = "/" + name
	return u.String(), func() { sqlOn(t, admin, "DROP DATABASE "+name+" WITH (FORCE)") }
}

// sqlOn asks a PostgreSQL server, and returns the numbers it answers.
func sqlOn(t *testing.T, address, statement string) (out []int64) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, statement)
	if err == nil {
		out, err = pgx.CollectRows(rows, pgx.RowTo[int64])
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A world is the product on real rooms, with the workflow in the SDK's test
// environment. Retries take no time there.
type world struct {
	t     *testing.T
	at    places
	store *store.Store
	stage *stage.Stage
	index *dedupe.Index
	steps *activities.Activities
	calls *calls
	post  *post
	other *outside
	wires []*wire
	end   func()
}

// A wrapping says what of a world may fail.
type wrapping struct {
	rooms bool // the calls of its rooms
	redis bool // what is sent to Redis
	sql   bool // what is sent to PostgreSQL

	// What goes wrong in every run, beside the fault.
	late    bool // the first batch is written after all others
	forgets bool // Redis is emptied once, when the third batch is judged
	parks   bool // the second batch cannot be written before somebody decides about it
}

// open opens a world. The caller ends it.
func open(t *testing.T, at places, how wrapping, f fault) *world {
	t.Helper()
	w := &world{t: t, at: at, calls: newCalls(f), post: &post{}}
	redis := miniredis.NewMiniRedis()
	if err := redis.Start(); err != nil {
		t.Fatal(err)
	}
	ends := []func(){redis.Close}
	w.end = func() {
		w.other.end()
		for i := len(ends) - 1; i >= 0; i-- {
			ends[i]()
		}
	}
	through := func(address, place string) string {
		wire, address, cut := wireTo(t, address, place, w.calls)
		ends = append(ends, cut)
		w.wires = append(w.wires, wire)
		return address
	}
	databaseURL, redisURL := at.database, "redis://"+redis.Addr()
	if how.redis {
		redisURL = through(redisURL, "what is sent to Redis")
	}
	if how.sql {
		databaseURL = through(databaseURL, "what is sent to PostgreSQL")
	}
	var err error
	if w.store, err = store.Open(t.Context(), databaseURL); err != nil {
		t.Fatal(err)
	}
	if w.stage, err = stage.Open(t.Context(), "file://"+at.stage); err != nil {
		t.Fatal(err)
	}
	if w.index, err = dedupe.Open(t.Context(), redisURL); err != nil {
		t.Fatal(err)
	}
	ends = append(ends, func() { w.store.Close(); w.stage.Close(); w.index.Close() })
	w.other = &outside{calls: w.calls, counted: how.rooms, store: w.store}
	w.steps = &activities.Activities{Stage: w.stage, Store: w.store, Judge: dedupe.NewJudge(w.index, nil), Mailer: w.post, MailTo: []string{"ops@example.com"},
		Sources: w.other, Running: w.other, Schedules: w.other}
	if how.late {
		w.steps.Store = &lateStore{Store: w.steps.Store}
	}
	if how.parks {
		w.steps.Store = &parkingStore{Store: w.steps.Store}
	}
	if how.forgets {
		w.steps.Judge = &forgettingJudge{Judge: w.steps.Judge, forget: redis.FlushAll}
	}
	if how.rooms {
		w.steps.Stage, w.steps.Store = stageRoom{w.steps.Stage, w.calls}, storeRoom{w.steps.Store, w.calls}
		w.steps.Judge, w.steps.Mailer = judgeRoom{w.steps.Judge, w.calls}, mailRoom{w.steps.Mailer, w.calls}
	}
	return w
}

// post is a mailer that keeps what is sent.
type post struct {
	mu   sync.Mutex
	sent []crm.Message
}

func (p *post) Compose(r crm.Report) (subject, body string) { return notify.Compose(r, "") }

func (p *post) Send(_ context.Context, m crm.Message) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent = append(p.sent, m)
	return nil
}

// of counts the messages whose stable ids begin so, by these.
func (p *post) of(prefix string) map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	sent := map[string]int{}
	for _, m := range p.sent {
		if strings.HasPrefix(m.Stable, prefix) {
			sent[m.Stable]++
		}
	}
	return sent
}

// request makes a request for one file.
func (w *world) request(text string) crm.Request {
	w.t.Helper()
	o, err := w.stage.PutContent(w.t.Context(), "files", strings.NewReader(text))
	if err == nil {
		err = w.store.AddSource(w.t.Context(), crm.Source{Slug: news, Title: news, Kind: crm.KindFile})
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return crm.Request{Version: crm.RequestVersion, ID: uuid.Must(uuid.NewV7()).String(), Source: news, AskedAt: time.Now().UTC(),
		MaxRejected: 100, Tuning: crm.Tuning{BatchRows: batchRows, Group: 2, Writers: 2},
		Files: []crm.FileRef{{Name: "rows.csv", Object: o}}}
}

// A command is what somebody does to an import.
type command struct {
	update string
	after  time.Duration // the import's start
}

// run carries out a request.
func (w *world) run(r crm.Request, commands ...command) (report crm.Report, err error) {
	w.t.Helper()
	switch {
	case r.Removes:
		err = w.execute(workflows.RemoveSource, workflows.RemoveInput{Request: r}, &report, commands...)
	case r.Undoes != "":
		err = w.execute(workflows.Undo, workflows.UndoInput{Request: r}, &report, commands...)
	default:
		err = w.execute(workflows.Import, workflows.ImportInput{Request: r}, &report, commands...)
	}
	return report, err
}

// execute runs a workflow to its end, and reads what it answers into out.
func (w *world) execute(flow, in, out any, commands ...command) error {
	w.t.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(time.Minute)
	env.SetWorkerOptions(worker.Options{DeadlockDetectionTimeout: time.Minute}) // a busy machine is no deadlock
	workflows.Register(env)
	activities.Register(env, w.steps)
	for _, c := range commands {
		env.RegisterDelayedCallback(func() {
			env.UpdateWorkflowNoRejection(c.update, c.update, w.t, workflows.Command{By: "ana"})
		}, c.after)
	}
	w.count(true)
	env.ExecuteWorkflow(flow, in)
	w.count(false)
	if !env.IsWorkflowCompleted() {
		return errors.New("it did not end")
	}
	if err := env.GetWorkflowError(); err != nil {
		return err
	}
	return env.GetWorkflowResult(out)
}

// count has the wires count, or not.
func (w *world) count(on bool) {
	for _, wire := range w.wires {
		wire.count.Store(on)
	}
}

// text reads an object whole.
func (w *world) text(in io.ReadCloser, err error) string {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
	defer in.Close()
	b, err := io.ReadAll(in)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(b)
}
