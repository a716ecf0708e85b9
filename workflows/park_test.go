package workflows_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"sluice/internal/crm"
	"sluice/workflows"
)

// failing makes Write of some batches fail for good as long as it is true.
func failing(on *bool, batches ...int) func(int) error {
	return func(n int) error {
		for _, b := range batches {
			if *on && n == b {
				return permanent(crm.FailBatchParked)
			}
		}
		return nil
	}
}

func asked(t *testing.T, env *testsuite.TestWorkflowEnvironment) crm.Progress {
	t.Helper()
	var p crm.Progress
	v, err := env.QueryWorkflow(workflows.QueryProgress)
	if err == nil {
		err = v.Get(&p)
	}
	if err != nil {
		t.Errorf("query: %v", err)
	}
	return p
}

func TestBatchThatKeepsFailingIsParkedAndItsSiblingsGoOn(t *testing.T) {
	t.Parallel()
	for _, verb := range []string{workflows.UpdateRetry, workflows.UpdateSkip} {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			broken := true
			s := &steps{batches: 20, write: failing(&broken, 3, 7)}
			env := environment(t, s)
			var early, decide update
			early.then = func() {}
			env.RegisterDelayedCallback(func() { early.send(env, verb) }, 0)
			env.RegisterDelayedCallback(func() {
				if p := asked(t, env); p.State != crm.NeedsAttention || p.Parked != 2 || p.Attention == "" {
					t.Errorf("progress = %s with %d parked because of %q, want needs_attention with 2", p.State, p.Parked, p.Attention)
				}
				for n := range 20 {
					if got := s.count(fmt.Sprintf("write %d", n)); got != 1 {
						t.Errorf("batch %d written %d times before anybody decided, want once", n, got)
					}
				}
				if s.count("settle") != 0 {
					t.Error("settled with batches parked")
				}
				broken = false
				decide.send(env, verb)
			}, time.Hour)
			env.ExecuteWorkflow(workflows.Import, request(2, 50))
			if r, err := result(t, env); err != nil || r.State != crm.Done {
				t.Fatalf("import = %v, %v; want done", r.State, err)
			}
			if early.rejected == nil || !decide.done {
				t.Errorf("%s of nothing parked was rejected: %v; the one that counts is done: %v", verb, early.rejected, decide.done)
			}
			written, skipped := 2, 0
			if verb == workflows.UpdateSkip {
				written, skipped = 1, 1
			}
			for _, n := range []int{3, 7} {
				if s.count(fmt.Sprintf("write %d", n)) != written || s.count(fmt.Sprintf("skip %d by ana", n)) != skipped {
					t.Errorf("batch %d: %v", n, s.calls)
				}
			}
			if s.count("settle") != 1 || s.count("mark needs_attention by ") != 1 {
				t.Errorf("settled %d times, marked %v", s.count("settle"), s.calls)
			}
		})
	}
}

func TestBatchThatFailsAgainIsParkedAgain(t *testing.T) {
	t.Parallel()
	broken := true
	s := &steps{batches: 4, write: failing(&broken, 2)}
	env := environment(t, s)
	var first, second update
	env.RegisterDelayedCallback(func() { first.send(env, workflows.UpdateRetry) }, time.Hour)
	env.RegisterDelayedCallback(func() {
		if p := asked(t, env); p.State != crm.NeedsAttention || p.Parked != 1 {
			t.Errorf("after a retry that failed: %s with %d parked", p.State, p.Parked)
		}
		second.send(env, workflows.UpdateSkip)
	}, 2*time.Hour)
	env.ExecuteWorkflow(workflows.Import, request(2, 50))
	if r, err := result(t, env); err != nil || r.State != crm.Done {
		t.Fatalf("import = %v, %v; want done", r.State, err)
	}
	if s.count("write 2") != 2 || s.count("skip 2 by ana") != 1 {
		t.Errorf("calls: %v", s.calls)
	}
}

func TestParkedBatchesCrossIntoTheNextRun(t *testing.T) {
	t.Parallel()
	broken := true
	s := &steps{batches: 20, write: failing(&broken, 1)}
	env := environment(t, s)
	env.ExecuteWorkflow(workflows.Import, request(2, 3))
	var next *workflow.ContinueAsNewError
	if err := env.GetWorkflowError(); !errors.As(err, &next) {
		t.Fatalf("error = %v, want continue as new", err)
	}
	if !strings.Contains(next.Input.String(), `\"parked\":[1]`) {
		t.Errorf("the next run gets %v", next.Input)
	}
}

func TestCancelEndsAnImportThatWaitsForADecision(t *testing.T) {
	t.Parallel()
	broken := true
	s := &steps{batches: 4, write: failing(&broken, 2)}
	env := environment(t, s)
	var cancel update
	env.RegisterDelayedCallback(func() {
		cancel.then = func() { t.Error("cancel was refused") }
		cancel.send(env, workflows.UpdateCancel)
	}, time.Hour)
	env.ExecuteWorkflow(workflows.Import, request(2, 50))
	if r, err := result(t, env); err != nil || r.State != crm.Cancelled || !cancel.done {
		t.Fatalf("import = %v, %v; want cancelled", r.State, err)
	}
	if p, ok := cancel.answer.(crm.Progress); !ok || p.State == crm.NeedsAttention || p.Attention != "" {
		t.Errorf("the cancel answers %+v: it still asks", cancel.answer)
	}
}

func TestTooManyParkedBatchesEndTheImport(t *testing.T) {
	t.Parallel()
	s := &steps{batches: 400, write: func(int) error { return permanent(crm.FailBatchParked) }}
	env := environment(t, s)
	env.ExecuteWorkflow(workflows.Import, request(2, 500))
	_, err := result(t, env)
	var app *temporal.ApplicationError
	if !errors.As(err, &app) || app.Type() != string(crm.FailBatchParked) {
		t.Fatalf("error = %v, want type batch_parked", err)
	}
	if len(s.ended) != 1 || s.ended[0].State != crm.Failed || len(s.parked) > crm.MaxParked || len(s.parked) < crm.MaxParked-3 { // three are written at a time
		t.Errorf("%d parked, ended as %+v", len(s.parked), s.ended)
	}
}

func TestManyRejectedRowsStopAnImportBeforeItWritesOn(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		bad   int64 // of ten rows
		set   func(*crm.Request)
		stops bool
	}{
		{"two of ten", 2, func(*crm.Request) {}, false},
		{"three of ten", 3, func(*crm.Request) {}, true},
		{"three of ten are allowed", 3, func(r *crm.Request) { r.MaxRejected = 30 }, false},
		{"all are allowed", 10, func(r *crm.Request) { r.MaxRejected = 100 }, false},
		{"a dry run", 10, func(r *crm.Request) { r.Plan = true }, false},
		{"a retry", 10, func(r *crm.Request) { r.Parent = "before" }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := &steps{batches: 150, bad: tt.bad}
			env := environment(t, s)
			var resume update
			stopped := false
			env.RegisterDelayedCallback(func() {
				p := asked(t, env)
				stopped = p.State == crm.NeedsAttention && strings.Contains(p.Attention, "rejected") && writtenFrom(s, 96) == 0
				resume.send(env, workflows.UpdateResume)
			}, time.Hour)
			in := request(100, 50)
			tt.set(&in.Request)
			env.ExecuteWorkflow(workflows.Import, in)
			if r, err := result(t, env); err != nil || r.State != crm.Done {
				t.Fatalf("import = %v, %v; want done", r.State, err)
			}
			if stopped != tt.stops {
				t.Errorf("stopped: %v, want %v", stopped, tt.stops)
			}
			if s.count("write 149") != 1 {
				t.Error("it did not go on to its end")
			}
		})
	}
}

// writtenFrom says how often batches from a number on were written. With three
// writers groups end before batches 3, 6, 12, 24, 48 and 96: until then fewer
// than a thousand rows have been parsed, and what was may be written.
func writtenFrom(s *steps, batch int) (n int) {
	for ; batch < s.batches; batch++ {
		n += s.count(fmt.Sprintf("write %d", batch))
	}
	return n
}

func TestPauseHidesNoQuestion(t *testing.T) {
	t.Parallel()
	broken := true
	for name, tt := range map[string]struct {
		s     *steps
		gives crm.FailureType
	}{
		"a parked batch":     {&steps{batches: 4, write: failing(&broken, 2)}, ""},
		"many rejected rows": {&steps{batches: 150, bad: 9}, crm.FailTooManyRejected},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := environment(t, tt.s)
			var pause, resume, cancel update
			env.RegisterDelayedCallback(func() { pause.send(env, workflows.UpdatePause) }, time.Hour)
			env.RegisterDelayedCallback(func() { resume.send(env, workflows.UpdateResume) }, 2*time.Hour)
			env.RegisterDelayedCallback(func() {
				if p := asked(t, env); !pause.done || !resume.done || p.State != crm.NeedsAttention || p.Attention == "" {
					t.Errorf("after a pause that was taken back: %s because of %q, want needs_attention", p.State, p.Attention)
				}
				cancel.send(env, workflows.UpdateCancel)
			}, 3*time.Hour)
			env.ExecuteWorkflow(workflows.Import, request(100, 50))
			r, err := result(t, env)
			if err != nil || r.State != crm.Cancelled {
				t.Fatalf("import = %v, %v; want cancelled", r.State, err)
			}
			if f := r.Failure; f == nil && tt.gives != "" || f != nil && f.Type != tt.gives {
				t.Errorf("it was cancelled at the failure %+v, want one of type %q", f, tt.gives)
			}
		})
	}
}
