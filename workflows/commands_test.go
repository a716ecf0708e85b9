package workflows_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"go.temporal.io/sdk/testsuite"

	"sluice/internal/crm"
	"sluice/workflows"
)

// update sends an update and records how it was answered.
type update struct {
	accepted bool
	rejected error
	done     bool
	answer   any    // a crm.Progress, once it is done
	then     func() // after it was rejected
}

func (u *update) send(env *testsuite.TestWorkflowEnvironment, name string) {
	u.with(env, name, workflows.Command{By: "ana"})
}

// with sends a command with an input of its own.
func (u *update) with(env *testsuite.TestWorkflowEnvironment, name string, in any) {
	env.UpdateWorkflow(name, name+fmt.Sprint(time.Now().UnixNano()), &testsuite.TestUpdateCallback{
		OnAccept: func() { u.accepted = true },
		OnReject: func(err error) {
			u.rejected = err
			if u.then != nil {
				u.then()
			}
		},
		OnComplete: func(answer any, _ error) { u.done, u.answer = true, answer },
	}, in)
}

func TestPauseHoldsEveryNewBatchUntilResume(t *testing.T) {
	t.Parallel()
	s := &steps{batches: 40}
	env := environment(t, s)
	var pause, again, resume, early update
	var paused crm.Progress
	before := 0
	early.then = func() { pause.send(env, workflows.UpdatePause) }
	env.RegisterDelayedCallback(func() { early.send(env, workflows.UpdateResume) }, 0)
	env.RegisterDelayedCallback(func() {
		again.send(env, workflows.UpdatePause)
		v, err := env.QueryWorkflow(workflows.QueryProgress)
		if err != nil || v.Get(&paused) != nil {
			t.Errorf("query while paused: %v", err)
		}
		before = len(s.calls)
	}, time.Hour)
	env.RegisterDelayedCallback(func() {
		if len(s.calls) != before {
			t.Errorf("steps ran while paused: %v", s.calls[before:])
		}
		resume.send(env, workflows.UpdateResume)
	}, 2*time.Hour)
	env.ExecuteWorkflow(workflows.Import, request(2, 50))
	if r, err := result(t, env); err != nil || r.State != crm.Done {
		t.Fatalf("import = %v, %v; want done", r.State, err)
	}
	if paused.State != crm.Paused || paused.By != "ana" {
		t.Errorf("progress while paused = %s by %q, want paused by ana", paused.State, paused.By)
	}
	if early.rejected == nil || again.rejected == nil || !pause.accepted || !resume.done {
		t.Errorf("early resume %v, second pause %v, pause %v, resume %v", early.rejected, again.rejected, pause.accepted, resume.done)
	}
	if s.count("mark paused by ana") != 1 || s.count("mark running by ") != 1 {
		t.Errorf("marks: %v", s.calls)
	}
}

func TestLongPauseKeepsTheClaimsAlive(t *testing.T) {
	t.Parallel()
	s := &steps{batches: 40}
	env := environment(t, s)
	var pause, resume update
	env.RegisterDelayedCallback(func() { pause.send(env, workflows.UpdatePause) }, 0)
	env.RegisterDelayedCallback(func() { resume.send(env, workflows.UpdateResume) }, 60*time.Hour)
	env.ExecuteWorkflow(workflows.Import, request(2, 50))
	if r, err := result(t, env); err != nil || r.State != crm.Done {
		t.Fatalf("import = %v, %v; want done", r.State, err)
	}
	if n := s.count("mark paused by ana"); n < 3 {
		t.Errorf("marked %d times in 60 hours, want three", n)
	}
}

func TestCancelEndsCancelledAndIsRecounted(t *testing.T) {
	t.Parallel()
	for _, paused := range []bool{false, true} {
		t.Run(fmt.Sprintf("paused=%v", paused), func(t *testing.T) {
			t.Parallel()
			s := &steps{batches: 400}
			env := environment(t, s)
			var pause, cancel, late update
			env.RegisterDelayedCallback(func() { pause.send(env, workflows.UpdatePause) }, 0)
			env.RegisterDelayedCallback(func() {
				if !paused {
					pause.send(env, workflows.UpdateResume)
				}
				cancel.send(env, workflows.UpdateCancel)
				late.send(env, workflows.UpdateCancel)
			}, time.Minute)
			env.ExecuteWorkflow(workflows.Import, request(2, 500))
			r, err := result(t, env)
			if err != nil || r.State != crm.Cancelled {
				t.Fatalf("import = %v, %v; want cancelled", r.State, err)
			}
			if !cancel.done || late.rejected == nil {
				t.Errorf("cancel done %v, second cancel rejected %v", cancel.done, late.rejected)
			}
			if len(s.ended) != 1 || s.ended[0].State != crm.Cancelled || s.count("settle") != 0 {
				t.Errorf("ended %+v, settled %d times", s.ended, s.count("settle"))
			}
		})
	}
}

func TestCancelAmidTheWorkReleasesWhatWaits(t *testing.T) {
	t.Parallel()
	s := &steps{batches: 400}
	env := environment(t, s)
	var cancel update
	var sent sync.Once // several batches are written at the same time
	s.write = func(n int) error {
		if n >= 10 {
			sent.Do(func() {
				env.RegisterDelayedCallback(func() { cancel.send(env, workflows.UpdateCancel) }, 0)
			})
		}
		return nil
	}
	env.ExecuteWorkflow(workflows.Import, request(2, 500))
	if r, err := result(t, env); err != nil || r.State != crm.Cancelled || !cancel.done {
		t.Fatalf("import = %v, %v, cancel done %v; want cancelled", r.State, err, cancel.done)
	}
	if n := len(s.calls); n > 300 {
		t.Errorf("%d steps ran, as if nothing had been cancelled", n)
	}
}

func TestCancelBeforeTheFirstStepEndsCancelled(t *testing.T) {
	t.Parallel()
	s := &steps{batches: 400}
	env := environment(t, s)
	var cancel update
	env.RegisterDelayedCallback(func() { cancel.send(env, workflows.UpdateCancel) }, 0)
	env.ExecuteWorkflow(workflows.Import, request(2, 500))
	if r, err := result(t, env); err != nil || r.State != crm.Cancelled || !cancel.done {
		t.Fatalf("import = %v, %v, cancel done %v; want cancelled", r.State, err, cancel.done)
	}
}

func TestTemporalsOwnCancelEndsCancelledToo(t *testing.T) {
	t.Parallel()
	s := &steps{batches: 400}
	env := environment(t, s)
	var pause update
	env.RegisterDelayedCallback(func() { pause.send(env, workflows.UpdatePause) }, 0)
	env.RegisterDelayedCallback(env.CancelWorkflow, time.Minute)
	env.ExecuteWorkflow(workflows.Import, request(2, 500))
	if r, err := result(t, env); err != nil || r.State != crm.Cancelled {
		t.Fatalf("import = %v, %v; want cancelled", r.State, err)
	}
}
