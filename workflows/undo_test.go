package workflows_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"sluice/internal/crm"
	"sluice/workflows"
)

// undoEnvironment is the world of an undo of so many pages, which come in
// groups as the workflow asks for them. fail, if set, is what Reverse answers
// from a page on.
func undoEnvironment(t *testing.T, s *steps, pages int, fail func(page int) error) *testsuite.TestWorkflowEnvironment {
	t.Helper()
	env := environment(t, s)
	step(env, crm.OpenUndo, func(_ context.Context, r crm.Request) (crm.UndoOpened, error) {
		s.called("open undo of %s", r.Undoes)
		if fail != nil {
			if err := fail(-1); err != nil {
				return crm.UndoOpened{}, err
			}
		}
		return crm.UndoOpened{Import: crm.Import{ID: r.ID, Number: 4, Source: r.Source}, Records: int64(pages) * 10}, nil
	})
	step(env, crm.Reverse, func(_ context.Context, in crm.ReverseInput) (crm.Reversed, error) {
		s.called("reverse %d from %d %s", in.Page, in.From.Phase, in.From.After)
		out := crm.Reversed{Page: in.Page}
		for ; out.Page < min(in.Page+in.Pages, pages); out.Page++ {
			if fail != nil {
				if err := fail(out.Page); err != nil {
					return crm.Reversed{}, err
				}
			}
			out.Counts.Add(crm.UndoCounts{Notes: crm.UndoneEntity{Changed: crm.UndoTally{Records: 10, Reversed: 9, Kept: 1}},
				Whys: map[crm.Why]int64{crm.WhyGone: 1}})
		}
		out.Next = crm.UndoPlace{Phase: 2, After: fmt.Sprint("id", out.Page)}
		if out.Page == pages {
			out.Next = crm.UndoPlace{Phase: crm.UndoPhases}
		}
		return out, nil
	})
	step(env, crm.EndUndo, s.reconcile)
	return env
}

func undoRequest(groups int) workflows.UndoInput {
	return workflows.UndoInput{Request: crm.Request{Version: 1, ID: "undo", Source: "news", Undoes: "imp", Tuning: crm.Tuning{Groups: groups}}}
}

func TestUndoGoesThroughAllPagesAndEnds(t *testing.T) {
	t.Parallel()
	s := &steps{}
	env := undoEnvironment(t, s, 20, nil)
	env.ExecuteWorkflow(workflows.Undo, undoRequest(50))
	r, err := result(t, env)
	if err != nil || r.State != crm.Done || len(s.ended) != 1 || s.ended[0].Import.Number != 4 {
		t.Fatalf("undo = %v, %v, ended %+v; want done", r.State, err, s.ended)
	}
	for _, call := range []string{"open undo of imp", "reverse 0 from 0 ", "reverse 8 from 2 id8", "reverse 16 from 2 id16", "notify"} {
		if s.count(call) != 1 {
			t.Errorf("%q called %d times, want once: %v", call, s.count(call), s.calls)
		}
	}
	v, err := env.QueryWorkflow(workflows.QueryProgress)
	var p crm.Progress
	if err != nil || v.Get(&p) != nil || p.Undo == nil || p.Undo.Total().Records != 200 || p.UndoTotal != 200 || p.Undo.Whys[crm.WhyGone] != 20 || p.Steps[0].Rows != 200 {
		t.Errorf("progress = %+v, %v; want 200 records", p, err)
	}
}

func TestLongUndoContinuesWhereItStopped(t *testing.T) {
	t.Parallel()
	s := &steps{}
	env := undoEnvironment(t, s, 40, nil)
	env.ExecuteWorkflow(workflows.Undo, undoRequest(3))
	var next *workflow.ContinueAsNewError
	if err := env.GetWorkflowError(); !errors.As(err, &next) {
		t.Fatalf("error = %v, want continue as new", err)
	}
	var in workflows.UndoInput
	if err := converter.GetDefaultDataConverter().FromPayloads(next.Input, &in); err != nil {
		t.Fatal(err)
	}
	if in.Page != 24 || in.Place.After != "id24" || in.Carried.Progress.Undo.Total().Records != 240 || len(s.ended) != 0 || next.Input.Size() > 4000 {
		t.Fatalf("carried %+v in %d bytes, want 24 pages behind it", in, next.Input.Size())
	}
	env = undoEnvironment(t, s, 40, nil)
	env.ExecuteWorkflow(workflows.Undo, in)
	if r, err := result(t, env); err != nil || r.State != crm.Done {
		t.Fatalf("second run = %v, %v; want done", r.State, err)
	}
	if s.count("open undo of imp") != 1 || s.count("reverse 24 from 2 id24") != 1 {
		t.Errorf("calls: %v", s.calls)
	}
}

func TestUndoIsPausedResumedAndCancelled(t *testing.T) {
	t.Parallel()
	s := &steps{}
	env := undoEnvironment(t, s, 200, nil)
	var pause, retry, cancel update
	env.RegisterDelayedCallback(func() { pause.send(env, workflows.UpdatePause) }, 0)
	env.RegisterDelayedCallback(func() { retry.send(env, workflows.UpdateRetry) }, time.Hour)
	env.RegisterDelayedCallback(func() { cancel.send(env, workflows.UpdateCancel) }, 2*time.Hour)
	env.ExecuteWorkflow(workflows.Undo, undoRequest(50))
	if r, err := result(t, env); err != nil || r.State != crm.Cancelled {
		t.Fatalf("undo = %v, %v; want cancelled", r.State, err)
	}
	if !pause.done || !cancel.done || retry.rejected == nil || s.count("mark paused by ana") != 1 || len(s.ended) != 1 || s.count("reverse 192 from 2 id192") != 0 {
		t.Errorf("pause %v, cancel %v, retry %v, calls %v", pause.done, cancel.done, retry.rejected, s.calls)
	}
}

func TestUndoThatFailsIsEndedAsFailed(t *testing.T) {
	t.Parallel()
	for at, ends := range map[int]int{-1: 0, 9: 1} {
		s := &steps{}
		env := undoEnvironment(t, s, 20, func(page int) error {
			if page != at {
				return nil
			}
			return permanent(crm.FailInvalid)
		})
		env.ExecuteWorkflow(workflows.Undo, undoRequest(50))
		if _, err := result(t, env); err == nil || len(s.ended) != ends || ends > 0 && s.ended[0].State != crm.Failed {
			t.Errorf("failure at page %d: %v, ended %+v; want failed, and %d ends", at, err, s.ended, ends)
		}
	}
}
