package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"go.temporal.io/api/enums/v1"

	"sluice/internal/crm"
	"sluice/workflows"
)

// An order is one import to measure.
type order struct {
	measure   string
	source    string
	file      string
	mapping   string // file; "" for none
	was       before
	customers bool
}

// importInto runs a worker on a new database, name, and hands it to do, which
// imports. What do leaves behind is removed.
func (b *bench) importInto(ctx context.Context, name string, do func(ctx context.Context, c *cluster) error) error {
	database, err := b.stack.database(ctx, name)
	if err != nil {
		return err
	}
	defer func() { _ = b.stack.drop(context.WithoutCancel(ctx), name) }()
	c := &cluster{bench: b, name: name, stage: filepath.Join(b.stack.dir, "stage-"+name)}
	if err := os.Mkdir(c.stage, 0o755); err != nil {
		return err
	}
	defer os.RemoveAll(c.stage)
	if err := b.stack.claims.FlushAll(ctx).Err(); err != nil {
		return err
	}
	c.env = b.stack.cluster(database, c.stage)
	settings := c.env
	if b.profile {
		if c.pprof, err = freeAddress(); err != nil {
			return err
		}
		settings = append(slices.Clone(settings), "SLUICE_PPROF_ADDRESS="+c.pprof)
	}
	if c.worker, err = b.stack.startWorker(ctx, settings); err != nil {
		return err
	}
	defer c.worker.stop()
	ctx, cancel := c.worker.watched(ctx)
	defer cancel()
	return errors.Join(do(ctx, c), context.Cause(ctx))
}

// A cluster is the stack at work on one database.
type cluster struct {
	*bench
	name   string // of the database, and of the source
	stage  string // the folder
	env    []string
	worker *worker
	pprof  string // address; "" if the worker offers none
}

// take imports a file and notes what that took. Counts that are not those
// expected are an error.
func (c *cluster) take(ctx context.Context, o order) (figure, error) {
	f := figure{Measure: o.measure, Rows: int64(c.rows), CPUSeconds: map[string]float64{}, PeakBytes: map[string]int64{}}
	if err := c.stack.checkpoint(ctx); err != nil {
		return f, err
	}
	look := &sampler{claims: c.stack.claims, stage: c.stage}
	if err := look.start(ctx); err != nil {
		return f, err
	}
	m, err := startMeter(map[string]int{postgresProcess: c.stack.postgres.PID, redisProcess: c.stack.redis.PID,
		temporalProcess: c.stack.temporalPID, workerProcess: c.worker.pid()})
	if err != nil {
		return f, err
	}
	if err := c.starter(ctx, c.env, o, look, &f); err != nil {
		return f, err
	}
	if err := m.read(&f); err != nil {
		return f, err
	}
	f.RedisBytes = look.most.redis - look.before.redis
	f.StageBytes, f.StagedBytes = look.most.stage-look.before.stage, look.most.staged-look.before.staged
	want := c.data.expected(o.was, o.customers)
	for _, e := range crm.Entities {
		f.Keys += want.Of(e).Records - want.Of(e).Duplicate
	}
	return f, c.history(ctx, workflows.ImportID(o.source), &f)
}

// starter runs `starter import` and waits for its end. It fills in the times
// and what the starter itself used.
func (b *bench) starter(ctx context.Context, env []string, o order, look *sampler, f *figure) error {
	args := []string{"import", o.file, "--source", o.source, "--again", "--no-progress", "-o", "json"}
	if o.mapping != "" {
		args = append(args, "--mapping", o.mapping)
	}
	cmd := exec.CommandContext(ctx, b.stack.program("starter"), args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopTime
	var out, said bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr = env, &out, &said
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		return err
	}
	look.pid = cmd.Process.Pid
	err := look.during(ctx, cmd.Wait)
	f.CommandSeconds = time.Since(begun).Seconds()
	// 3 says that rows were rejected.
	if err != nil && cmd.ProcessState.ExitCode() != 3 {
		return fmt.Errorf("starter import: %w\n%s%s", err, said.String(), out.String())
	}
	f.CPUSeconds[starterProcess] = used(cmd)
	f.PeakBytes[starterProcess] = look.peakBytes
	var report crm.Report
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	f.Seconds = report.Seconds
	return check(report, b.data.expected(o.was, o.customers))
}

// used returns the processor time of a command that has ended, and of all it
// started and waited for.
func used(cmd *exec.Cmd) float64 {
	return (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
}

// check compares an import's report with the counts that it must have.
func check(r crm.Report, want crm.Counts) error {
	got := r.Counts
	got.Warnings = 0
	if r.State != crm.Done || got != want {
		return fmt.Errorf("a benchmark of wrong results is none: state %s, counts %+v, want %+v", r.State, got, want)
	}
	return nil
}

// history fills in what the latest import's history tells: that of the latest
// run of the workflow, and of all that it continues.
func (b *bench) history(ctx context.Context, workflow string, f *figure) error {
	var steps calls
	for run := ""; ; {
		d, err := b.stack.flows.DescribeWorkflowExecution(ctx, workflow, run)
		if err != nil {
			return err
		}
		info := d.GetWorkflowExecutionInfo()
		f.HistoryEvents += info.GetHistoryLength()
		f.HistoryBytes += info.GetHistorySizeBytes()
		h := b.stack.flows.GetWorkflowHistory(ctx, workflow, info.GetExecution().GetRunId(), false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
		take := steps.run()
		for first := true; h.HasNext(); first = false {
			e, err := h.Next()
			if err != nil {
				return err
			}
			if first {
				run = e.GetWorkflowExecutionStartedEventAttributes().GetContinuedExecutionRunId()
			}
			take(e)
		}
		if run == "" {
			f.Steps = steps.steps()
			return nil
		}
	}
}

// embedded imports with the starter alone, in a data directory of its own.
func (b *bench) embedded(ctx context.Context) (figure, error) {
	f := figure{Measure: serverless, Rows: int64(b.rows), CPUSeconds: map[string]float64{}, PeakBytes: map[string]int64{}}
	dir := filepath.Join(b.stack.dir, "embedded")
	defer os.RemoveAll(dir)
	env := environment("SLUICE_DATA_DIR=" + dir)
	err := b.starter(ctx, env, order{measure: serverless, source: "embedded", file: b.csv}, &sampler{}, &f)
	return f, err
}
