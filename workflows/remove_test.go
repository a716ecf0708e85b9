package workflows_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"sluice/internal/crm"
	"sluice/workflows"
)

// removeEnvironment is the world of a removal of so many pages of ten customers.
// at is how far the removal is, which outlives the environment.
func removeEnvironment(t *testing.T, s *steps, at *crm.Removal, pages int, fail func(page int) error) *testsuite.TestWorkflowEnvironment {
	t.Helper()
	env := environment(t, s)
	step(env, crm.OpenRemoval, func(_ context.Context, r crm.Request) (crm.Removal, error) {
		s.called("open removal of %s", r.Source)
		at.ID, at.Total.Customers = r.ID, int64(pages)*10
		if fail != nil {
			return *at, fail(-1)
		}
		return *at, nil
	})
	step(env, crm.RemovePages, func(_ context.Context, in crm.RemovePagesInput) (crm.Removal, error) {
		s.called("remove %d pages of %d from %d", in.Pages, in.Rows, in.Page)
		for range in.Pages {
			if at.Done {
				break
			}
			if fail != nil {
				if err := fail(at.Page); err != nil {
					return crm.Removal{}, err
				}
			}
			at.Page++
			at.Gone.Customers += 10
			at.Done = at.Page == pages
		}
		return *at, nil
	})
	step(env, crm.EndRemoval, func(_ context.Context, in crm.EndRemovalInput) (crm.None, error) {
		s.called("end removal of %s by %s", in.Source, in.ID)
		return crm.None{}, nil
	})
	return env
}

func removeRequest(groups int) workflows.RemoveInput {
	return workflows.RemoveInput{Request: crm.Request{Version: 1, ID: "removal", Source: "news", Removes: true, Tuning: crm.Tuning{Groups: groups}}}
}

func TestRemovalGoesThroughAllPagesAndThenTheSource(t *testing.T) {
	t.Parallel()
	s := &steps{}
	env := removeEnvironment(t, s, &crm.Removal{}, 20, nil)
	env.ExecuteWorkflow(workflows.RemoveSource, removeRequest(50))
	r, err := result(t, env)
	if err != nil || r.State != crm.Done || r.Removed == nil || r.Removed.Gone.Customers != 200 {
		t.Fatalf("removal = %v, %+v, %v; want done and 200 customers", r.State, r.Removed, err)
	}
	for _, call := range []string{"open removal of news", "remove 8 pages of 5000 from 0", "remove 8 pages of 5000 from 16", "end removal of news by removal"} {
		if s.count(call) != 1 {
			t.Errorf("%q called %d times, want once: %v", call, s.count(call), s.calls)
		}
	}
	v, err := env.QueryWorkflow(workflows.QueryProgress)
	var p crm.Progress
	if err != nil || v.Get(&p) != nil || p.Removing == nil || p.Removing.Gone.Customers != 200 || p.Steps[0].Rows != 200 || p.State != crm.Done {
		t.Errorf("progress = %+v, %v; want 200 of 200", p, err)
	}
}

func TestLongRemovalContinuesWhereItStopped(t *testing.T) {
	t.Parallel()
	s, at := &steps{}, &crm.Removal{}
	env := removeEnvironment(t, s, at, 40, nil)
	env.ExecuteWorkflow(workflows.RemoveSource, removeRequest(3))
	var next *workflow.ContinueAsNewError
	if err := env.GetWorkflowError(); !errors.As(err, &next) {
		t.Fatalf("error = %v, want continue as new", err)
	}
	var in workflows.RemoveInput
	if err := converter.GetDefaultDataConverter().FromPayloads(next.Input, &in); err != nil {
		t.Fatal(err)
	}
	if in.Carried.Progress.Removing.Page != 24 || next.Input.Size() > 4000 {
		t.Fatalf("carried %+v in %d bytes, want 24 pages behind it", in.Carried.Progress.Removing, next.Input.Size())
	}
	env = removeEnvironment(t, s, at, 40, nil)
	env.ExecuteWorkflow(workflows.RemoveSource, in)
	if r, err := result(t, env); err != nil || r.State != crm.Done || r.Removed.Gone.Customers != 400 {
		t.Fatalf("second run = %v, %v; want done", r.State, err)
	}
	if s.count("open removal of news") != 1 || s.count("remove 8 pages of 5000 from 24") != 1 {
		t.Errorf("calls: %v", s.calls)
	}
}

func TestACancelledRemovalSaysHowFarItCameAndAnotherGoesOn(t *testing.T) {
	t.Parallel()
	s, at := &steps{}, &crm.Removal{}
	env := removeEnvironment(t, s, at, 200, nil)
	var pause, cancel update
	env.RegisterDelayedCallback(func() { pause.send(env, workflows.UpdatePause) }, 0)
	env.RegisterDelayedCallback(func() { cancel.send(env, workflows.UpdateCancel) }, time.Hour)
	env.ExecuteWorkflow(workflows.RemoveSource, removeRequest(50))
	r, err := result(t, env)
	if err != nil || r.State != crm.Cancelled || r.Removed == nil || r.Removed.Page != at.Page || r.Removed.Done {
		t.Fatalf("removal = %v, %+v, %v; want cancelled at page %d", r.State, r.Removed, err, at.Page)
	}
	if !pause.done || !cancel.done || s.count("end removal of news by removal") != 0 {
		t.Errorf("pause %v, cancel %v, calls %v", pause.done, cancel.done, s.calls)
	}
	env = removeEnvironment(t, s, at, 200, nil)
	env.ExecuteWorkflow(workflows.RemoveSource, removeRequest(50))
	if r, err := result(t, env); err != nil || r.State != crm.Done || r.Removed.Gone.Customers != 2000 {
		t.Errorf("the second removal = %v, %+v, %v; want done", r.State, r.Removed, err)
	}
}

func TestRemovalThatFailsLeavesTheSource(t *testing.T) {
	t.Parallel()
	for _, at := range []int{-1, 9} {
		s := &steps{}
		env := removeEnvironment(t, s, &crm.Removal{}, 20, func(page int) error {
			if page != at {
				return nil
			}
			return permanent(crm.FailInvalid)
		})
		env.ExecuteWorkflow(workflows.RemoveSource, removeRequest(50))
		if _, err := result(t, env); err == nil || s.count("end removal of news by removal") != 0 {
			t.Errorf("failure at page %d: %v, calls %v; want failed", at, err, s.calls)
		}
	}
}
