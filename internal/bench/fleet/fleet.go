package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"

	"sluice/internal/crm"
	"sluice/internal/embedded"
	"sluice/workflows"
)

// A fleet is a Temporal server and workers that serve it, all of this process
// but for the server, which is its only child.
type fleet struct {
	settings settings
	dir      string // of the server's database
	temporal *embedded.Server
	client   client.Client // for what a starter does
	steps    *steps
	clients  []client.Client
	workers  []worker.Worker
	started  int // imports, so that each has a source of its own
}

// launch starts the server, makes it fit for imports, and starts the workers.
// The caller closes the fleet. On an error nothing is left running.
func launch(ctx context.Context, s settings) (_ *fleet, err error) {
	f := &fleet{settings: s, steps: newSteps(s.model)}
	defer func() {
		if err != nil {
			f.close()
		}
	}()
	if f.dir, err = os.MkdirTemp("", "fleet-*"); err != nil {
		return nil, err
	}
	o := embedded.TemporalOptions{Namespace: workflows.Namespace, Port: embedded.AnyPort, LogFile: filepath.Join(f.dir, "temporal.log"),
		Notify: func(line string) { fmt.Fprintln(os.Stderr, line) }}
	if !s.memory {
		o.DB = filepath.Join(f.dir, "temporal.db")
	}
	if f.temporal, err = embedded.StartTemporal(ctx, o); err != nil {
		return nil, err
	}
	if f.client, err = f.dial(ctx, "fleet"); err != nil {
		return nil, err
	}
	if err := f.register(ctx); err != nil {
		return nil, err
	}
	for i := range s.workers {
		if err := f.work(ctx, i); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (f *fleet) dial(ctx context.Context, identity string) (client.Client, error) {
	c, err := client.DialContext(ctx, client.Options{HostPort: f.temporal.Address, Namespace: workflows.Namespace,
		Identity: identity, Logger: sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler))})
	if err == nil {
		f.clients = append(f.clients, c)
	}
	return c, err
}

// register adds the search attributes that imports write; the server shows
// them at once.
func (f *fleet) register(ctx context.Context) error {
	types := map[string]enumspb.IndexedValueType{}
	for _, a := range workflows.SearchAttributes {
		types[a.GetName()] = a.GetValueType()
	}
	_, err := f.client.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
		Namespace: workflows.Namespace, SearchAttributes: types})
	return err
}

// work starts one worker, set up as the product's.
func (f *fleet) work(ctx context.Context, number int) error {
	c, err := f.dial(ctx, "fleet-"+strconv.Itoa(number))
	if err != nil {
		return err
	}
	w := worker.New(c, workflows.TaskQueue, worker.Options{MaxConcurrentActivityExecutionSize: f.settings.slots})
	workflows.Register(w)
	f.steps.register(w)
	if err := w.Start(); err != nil {
		return err
	}
	f.workers = append(f.workers, w)
	return nil
}

// close ends the workers, then the server, and forgets what it kept.
func (f *fleet) close() {
	var wg sync.WaitGroup
	for _, w := range f.workers {
		wg.Go(w.Stop) // each waits for its polls to end
	}
	wg.Wait()
	for _, c := range f.clients {
		c.Close()
	}
	if f.temporal != nil {
		_ = f.temporal.Stop(context.Background()) // it resorts to killing by itself
	}
	os.RemoveAll(f.dir)
}

// idle measures what the workers cost while they only ask.
func (f *fleet) idle(ctx context.Context) (usage, error) {
	before := used()
	select {
	case <-time.After(f.settings.idle):
		return used().since(before), nil
	case <-ctx.Done():
		return usage{}, ctx.Err()
	}
}

// measured is what a number of imports at a time came to.
type measured struct {
	imports int
	rows    int64 // of all imports
	batches int
	usage   usage // while they ran
	history history
}

// measure runs n imports at a time, of so many rows each, to their ends. An
// import that does not end as done, or that did not write each of its rows
// once, is an error.
func (f *fleet) measure(ctx context.Context, n int, rows int64) (measured, error) {
	m := measured{imports: n, rows: int64(n) * rows}
	fmt.Fprintf(os.Stderr, "%d imports of %d rows\n", n, rows)
	before := used()
	runs := make([]client.WorkflowRun, n)
	ids, first := make([]string, n), make([]string, n)
	for i := range runs {
		var err error
		if runs[i], ids[i], err = f.start(ctx, rows); err != nil {
			return m, err
		}
		first[i] = runs[i].GetRunID() // after the end it is the last one's
	}
	for i, run := range runs {
		var r crm.Report
		if err := run.Get(ctx, &r); err != nil {
			return m, fmt.Errorf("import %s: %w", run.GetID(), err)
		}
		if err := f.check(r, rows, ids[i]); err != nil {
			return m, fmt.Errorf("import %s: %w", run.GetID(), err)
		}
		m.batches += r.Batches
	}
	m.usage = used().since(before)
	for i, run := range runs {
		if err := m.history.read(ctx, f.client, run.GetID(), first[i]); err != nil {
			return m, fmt.Errorf("history of %s: %w", run.GetID(), err)
		}
	}
	return m, nil
}

func (f *fleet) check(r crm.Report, rows int64, id string) error {
	switch again := f.steps.repeats(id); {
	case r.State != crm.Done:
		return fmt.Errorf("ended as %s", r.State)
	case r.Read != rows || !r.Balanced():
		return fmt.Errorf("%d rows read, want %d; counts %+v", r.Read, rows, r.Counts)
	case again > 0:
		return fmt.Errorf("%d batches written more than once", again)
	}
	return nil
}

// start starts an import of so many rows of a source of its own, as the
// launcher would, and returns the import's id with it.
func (f *fleet) start(ctx context.Context, rows int64) (client.WorkflowRun, string, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return nil, "", err
	}
	f.started++
	source := fmt.Sprintf("fleet-%04d", f.started)
	file := object("", rows*f.settings.model.RowBytes)
	file.Key = "files/" + file.BLAKE3 // as long as the SHA-256 that it would be
	run, err := f.client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: workflows.ImportID(source), TaskQueue: workflows.TaskQueue,
		StaticSummary: "Import of 1 file into " + source,
		TypedSearchAttributes: temporal.NewSearchAttributes(workflows.AttrSource.ValueSet(source), workflows.AttrKind.ValueSet("import"),
			workflows.AttrState.ValueSet(string(crm.Running)), workflows.AttrStartedBy.ValueSet("fleet")),
	}, "Import", workflows.ImportInput{Request: crm.Request{Version: crm.RequestVersion, ID: id.String(), Source: source, Mode: crm.Upsert,
		Files: []crm.FileRef{{Name: source + ".csv", Object: file}}, StartedBy: "fleet", AskedAt: time.Now().UTC(), Tuning: f.settings.tuning}})
	return run, id.String(), err
}

// server says what the server's process has come to in memory and on disk, in
// bytes.
func (f *fleet) server() (s serverSize) {
	s.version = f.temporal.Version
	for _, p := range children() {
		s.memory += p.peak()
	}
	files, _ := filepath.Glob(filepath.Join(f.dir, "temporal.db*"))
	for _, name := range files {
		if info, err := os.Stat(name); err == nil { // a journal comes and goes
			s.disk += info.Size()
		}
	}
	return s
}

type serverSize struct {
	version      string
	memory, disk int64 // in bytes; memory is the peak, 0 where it is not known
}
