package workflows_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"sluice/internal/crm"
	"sluice/workflows"
)

// steps is an import's world without any I/O: a file of so many batches, and
// what each step was asked.
type steps struct {
	mu      sync.Mutex
	batches int // in the file
	calls   []string
	ended   []crm.ReconcileInput

	pages  *source           // what there is to read, in place of a file
	write  func(n int) error // what Write of batch n answers; nil: success
	bad    int64             // rows rejected of each batch; 1 if it is 0
	parked []crm.ParkedBatch
	notify func() error
	opened crm.Opened
}

const rowsPerBatch = 10

func (s *steps) called(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, fmt.Sprintf(format, args...))
}

func (s *steps) count(call string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.calls {
		if c == call {
			n++
		}
	}
	return n
}

func (s *steps) parse(_ context.Context, in crm.ParseInput) (crm.Parsed, error) {
	s.called("parse %d", in.Batch)
	var p crm.Parsed
	if s.pages != nil { // a segment is one batch
		s.batches = in.Batch + 1
	}
	for n := in.Batch; n < s.batches && len(p.Batches) < in.Batches; n++ {
		p.Batches = append(p.Batches, crm.Batch{Number: n, First: int64(n*rowsPerBatch + 2), Last: int64(n*rowsPerBatch + 11),
			Counts: crm.RowTally{Read: rowsPerBatch, Rejected: max(s.bad, 1)}})
	}
	read := int64(len(p.Batches) * rowsPerBatch)
	p.Counts = crm.Counts{Read: read, Rejected: max(s.bad, 1) * int64(len(p.Batches))}
	p.Rejects = crm.Reasons{crm.ReasonBadEmail: int64(len(p.Batches))}
	p.Next = crm.Position{Offset: in.From.Offset + read, Line: in.From.Line + read}
	p.Done = in.Batch+len(p.Batches) == s.batches
	return p, nil
}

func (s *steps) dedupe(_ context.Context, in crm.DedupeInput) (crm.Deduped, error) {
	s.called("dedupe %d after %d keys", in.Batches[0].Number, in.Claims.Size)
	d := crm.Deduped{Claims: crm.Claims{Generation: "g", Since: in.Claims.Since, Size: in.Claims.Size + int64(len(in.Batches))}}
	for range in.Batches {
		d.Verdicts = append(d.Verdicts, crm.Verdict{Object: crm.Object{Key: "v"}})
	}
	return d, nil
}

func (s *steps) writeBatch(_ context.Context, in crm.WriteInput) (crm.Written, error) {
	s.called("write %d", in.Batch.Number)
	if s.write != nil {
		if err := s.write(in.Batch.Number); err != nil {
			return crm.Written{}, err
		}
	}
	return crm.Written{Counts: crm.Counts{Read: rowsPerBatch, Rejected: 1, Accepted: rowsPerBatch - 1}}, nil
}

func (s *steps) reconcile(_ context.Context, in crm.ReconcileInput) (crm.Report, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = append(s.ended, in)
	return crm.Report{ImportID: in.Import.ID, State: in.State, Failure: in.Failure, Outbox: []int64{7}}, nil
}

// environment registers the workflow as production does, and the steps under
// their recorded names.
func environment(t *testing.T, s *steps) *testsuite.TestWorkflowEnvironment {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(time.Minute)
	env.SetWorkerOptions(worker.Options{DeadlockDetectionTimeout: time.Minute}) // a busy machine is no deadlock
	workflows.Register(env)
	if s.opened.Import.Number == 0 {
		s.opened.Import = crm.Import{ID: "imp", Number: 3, Source: "news"}
	}
	step(env, crm.Open, func(context.Context, crm.Request) (crm.Opened, error) { return s.opened, nil })
	step(env, crm.Fetch, func(_ context.Context, in crm.FetchInput) (crm.Fetched, error) {
		if in.Segment != nil {
			return s.pages.fetch(s, in)
		}
		s.called("fetch %d", in.Number)
		return crm.Fetched{File: crm.File{Number: in.Number, Name: in.File.Name, Object: in.File.Object}}, nil
	})
	step(env, crm.Inspect, func(_ context.Context, in crm.InspectInput) (crm.Inspected, error) {
		return crm.Inspected{File: in.File, Start: crm.Position{Offset: 7, Line: 2}}, nil
	})
	step(env, crm.Parse, s.parse)
	step(env, crm.Dedupe, s.dedupe)
	step(env, crm.Write, s.writeBatch)
	step(env, crm.Settle, func(context.Context, crm.SettleInput) (crm.Settled, error) {
		s.called("settle")
		return crm.Settled{}, nil
	})
	step(env, crm.Reconcile, s.reconcile)
	step(env, crm.Notify, func(context.Context, crm.NotifyInput) (crm.None, error) {
		s.called("notify")
		if s.notify != nil {
			return crm.None{}, s.notify()
		}
		return crm.None{}, nil
	})
	step(env, crm.Mark, func(_ context.Context, in crm.MarkInput) (crm.None, error) {
		s.called("mark %s by %s", in.State, in.By)
		return crm.None{}, nil
	})
	step(env, crm.Park, func(_ context.Context, in crm.ParkInput) (crm.None, error) {
		s.called("park %d: %s", in.Parked.Batch.Number, in.Parked.Failure)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.parked = append(s.parked, in.Parked)
		return crm.None{}, nil
	})
	step(env, crm.Unpark, func(context.Context, crm.UnparkInput) (crm.Unparked, error) {
		s.called("unpark")
		s.mu.Lock()
		defer s.mu.Unlock()
		parked := s.parked
		s.parked = nil
		return crm.Unparked{Parked: parked}, nil
	})
	step(env, crm.Skip, func(_ context.Context, in crm.SkipInput) (crm.Written, error) {
		s.called("skip %d by %s", in.Parked.Batch.Number, in.By)
		return crm.Written{Counts: crm.Counts{Read: rowsPerBatch, Rejected: rowsPerBatch}}, nil
	})
	return env
}

func step[In, Out any](env *testsuite.TestWorkflowEnvironment, s crm.Step[In, Out], do func(context.Context, In) (Out, error)) {
	env.RegisterActivityWithOptions(do, activity.RegisterOptions{Name: s.Name})
}

func request(group, groups int) workflows.ImportInput {
	return workflows.ImportInput{Request: crm.Request{Version: 1, ID: "imp", Source: "news",
		Files:  []crm.FileRef{{Name: "leads.csv", Object: crm.Object{Key: "files/x", Size: 1000}}},
		Tuning: crm.Tuning{Group: group, Groups: groups, Writers: 3}}}
}

func permanent(f crm.FailureType) error {
	return temporal.NewNonRetryableApplicationError("line 4: "+string(f), string(f), nil)
}

func result(t *testing.T, env *testsuite.TestWorkflowEnvironment) (crm.Report, error) {
	t.Helper()
	if !env.IsWorkflowCompleted() {
		t.Fatal("workflow did not complete")
	}
	var r crm.Report
	if err := env.GetWorkflowError(); err != nil {
		return r, err
	}
	return r, env.GetWorkflowResult(&r)
}

func TestImportWritesEveryBatchOnceThenSettlesAndTells(t *testing.T) {
	t.Parallel()
	s := &steps{batches: 20}
	env := environment(t, s)
	env.ExecuteWorkflow(workflows.Import, request(8, 50))
	r, err := result(t, env)
	if err != nil || r.State != crm.Done {
		t.Fatalf("import = %v, %v; want done", r.State, err)
	}
	for n := range 20 {
		if got := s.count(fmt.Sprintf("write %d", n)); got != 1 {
			t.Errorf("batch %d written %d times, want once", n, got)
		}
	}
	// The first groups are small: three writers wait for them.
	for _, call := range []string{"dedupe 0 after 0 keys", "dedupe 3 after 3 keys", "dedupe 6 after 6 keys", "dedupe 12 after 12 keys", "settle", "notify"} {
		if s.count(call) != 1 {
			t.Errorf("%q called %d times, want once", call, s.count(call))
		}
	}
}

func TestAlreadyImportedEndsAtOnce(t *testing.T) {
	t.Parallel()
	s := &steps{batches: 3, opened: crm.Opened{Import: crm.Import{ID: "imp", Number: 3}, Earlier: "before"}}
	env := environment(t, s)
	env.ExecuteWorkflow(workflows.Import, request(8, 50))
	r, err := result(t, env)
	if err != nil || r.State != crm.AlreadyImported || r.Earlier != "before" {
		t.Fatalf("import = %+v, %v; want already_imported by before", r, err)
	}
	if len(s.calls) != 0 {
		t.Errorf("steps ran: %v", s.calls)
	}
}

func TestStepThatFailsForGoodEndsFailedRecountedAndTold(t *testing.T) {
	t.Parallel()
	// Long enough that parse and dedupe are waiting for write when it fails.
	s := &steps{batches: 400, write: func(n int) error {
		if n == 4 {
			return permanent(crm.FailUnbalanced)
		}
		return nil
	}}
	env := environment(t, s)
	env.ExecuteWorkflow(workflows.Import, request(2, 50))
	_, err := result(t, env)
	var app *temporal.ApplicationError
	if !errors.As(err, &app) || app.Type() != string(crm.FailUnbalanced) {
		t.Fatalf("error = %v, want type unbalanced", err)
	}
	if len(s.ended) != 1 || s.ended[0].State != crm.Failed || s.ended[0].Failure.Step != "Write" {
		t.Fatalf("reconciled as %+v, want failed in Write", s.ended)
	}
	if s.count("notify") != 1 || s.count("settle") != 0 {
		t.Errorf("notify ran %d times and settle %d, want once and never", s.count("notify"), s.count("settle"))
	}
}

func TestBatchThatIsLostFromTheStageIsMadeAgain(t *testing.T) {
	t.Parallel()
	lost := true
	s := &steps{batches: 5}
	s.write = func(n int) error {
		if n == 4 && lost {
			lost = false
			return permanent(crm.FailNotFound)
		}
		return nil
	}
	env := environment(t, s)
	env.ExecuteWorkflow(workflows.Import, request(8, 50))
	if r, err := result(t, env); err != nil || r.State != crm.Done {
		t.Fatalf("import = %v, %v; want done", r.State, err)
	}
	if s.count("parse 4") != 1 || s.count("write 4") != 2 {
		t.Errorf("batch 4 parsed again %d times and written %d times, want once and twice", s.count("parse 4"), s.count("write 4"))
	}
}

func TestNotifyFailureNeverFailsAnImport(t *testing.T) {
	t.Parallel()
	s := &steps{batches: 1, notify: func() error { return permanent(crm.FailDenied) }}
	env := environment(t, s)
	env.ExecuteWorkflow(workflows.Import, request(8, 50))
	if r, err := result(t, env); err != nil || r.State != crm.Done {
		t.Fatalf("import = %v, %v; want done", r.State, err)
	}
}

func TestLongImportContinuesAsNewWithEveryParsedBatchWritten(t *testing.T) {
	t.Parallel()
	s := &steps{batches: 20}
	env := environment(t, s)
	env.ExecuteWorkflow(workflows.Import, request(2, 3))
	var next *workflow.ContinueAsNewError
	if err := env.GetWorkflowError(); !errors.As(err, &next) {
		t.Fatalf("error = %v, want continue as new", err)
	}
	var in workflows.ImportInput
	if err := converter.GetDefaultDataConverter().FromPayloads(next.Input, &in); err != nil {
		t.Fatal(err)
	}
	c := in.Carried
	if c.Run != 1 || c.Batch != 6 || c.At.Line != 62 || c.Claims.Size != 6 || c.Progress.Counts.Read != 60 {
		t.Fatalf("carried %+v, want 6 batches behind it", c)
	}
	if len(s.ended) != 0 {
		t.Fatal("an import that continues was ended")
	}
	if size := next.Input.Size(); size > 3000 {
		t.Errorf("carried %d bytes, want under 3000 (invariant 2)", size)
	}
	env = environment(t, s)
	env.ExecuteWorkflow(workflows.Import, workflows.ImportInput{Request: request(2, 50).Request, Carried: c})
	if r, err := result(t, env); err != nil || r.State != crm.Done {
		t.Fatalf("second run = %v, %v; want done", r.State, err)
	}
	for n := range 20 {
		if got := s.count(fmt.Sprintf("write %d", n)); got != 1 {
			t.Errorf("batch %d written %d times, want once", n, got)
		}
	}
}

func TestProgressAddsUp(t *testing.T) {
	t.Parallel()
	s := &steps{batches: 5}
	env := environment(t, s)
	env.ExecuteWorkflow(workflows.Import, request(2, 50))
	v, err := env.QueryWorkflow(workflows.QueryProgress)
	if err != nil {
		t.Fatal(err)
	}
	var p crm.Progress
	if err := v.Get(&p); err != nil {
		t.Fatal(err)
	}
	for _, st := range p.Steps {
		if st.Rows != 50 {
			t.Errorf("%s has %d rows behind it, want 50", st.Step, st.Rows)
		}
	}
	if p.Rejects[crm.ReasonBadEmail] != 5 || p.Bytes != 57 {
		t.Errorf("rejects %v, bytes %d; want 5 and 57", p.Rejects, p.Bytes)
	}
}
