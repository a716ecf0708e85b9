package workflows_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"sluice/internal/crm"
	"sluice/workflows"
)

// history is a backfill's world: of each source its partitions, and what their
// imports come to.
type history struct {
	mu           sync.Mutex
	parts        map[string][]crm.BackfillPartition
	fails        map[string]int   // how often the import of a partition fails, by its name
	denied       map[string]bool  // sources whose credentials do not hold
	plan         map[string]error // what planning a source comes to
	atOnce, most int              // imports under way
	order        []string         // names of the imports that ran
	ended        crm.State
}

func newHistory(sources map[string]int) *history {
	h := &history{parts: map[string][]crm.BackfillPartition{}, fails: map[string]int{}, denied: map[string]bool{}, plan: map[string]error{}}
	for source, n := range sources {
		for i := range n {
			h.parts[source] = append(h.parts[source], crm.BackfillPartition{Number: i + 1, Name: fmt.Sprintf("%s-%d", source, i+1), State: crm.PartitionLeft})
		}
	}
	return h
}

func (h *history) counts(source string) (c crm.BackfillCounts) {
	for _, p := range h.parts[source] {
		switch p.State {
		case crm.PartitionLeft:
			c.Left++
		case crm.PartitionRunning:
			c.Running++
		case crm.PartitionDone:
			c.Done++
			c.Rows += p.Rows
		case crm.PartitionParked:
			c.Parked++
		case crm.PartitionSkipped:
			c.Skipped++
		}
	}
	return c
}

func (h *history) begin(_ context.Context, in crm.NextPartitionInput) (crm.NextPartition, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range h.parts[in.Source] {
		p := &h.parts[in.Source][i]
		if p.State == crm.PartitionLeft || p.State == crm.PartitionRunning {
			p.State = crm.PartitionRunning
			p.Tries++
			return crm.NextPartition{Number: p.Number, Name: p.Name, Request: crm.Request{ID: p.Name, Source: in.Source}, Counts: h.counts(in.Source)}, nil
		}
	}
	return crm.NextPartition{Counts: h.counts(in.Source)}, nil
}

// run is the import of a partition: it takes an hour.
func (h *history) run(ctx workflow.Context, in workflows.ImportInput) (crm.Report, error) {
	h.mu.Lock()
	h.atOnce++
	h.most = max(h.most, h.atOnce)
	h.mu.Unlock()
	err := workflow.Sleep(ctx, time.Hour)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.atOnce--
	if err != nil {
		return crm.Report{State: crm.Cancelled}, nil
	}
	h.order = append(h.order, in.Request.ID)
	switch {
	case h.denied[in.Request.Source]:
		return crm.Report{}, permanent(crm.FailDenied)
	case h.fails[in.Request.ID] > 0:
		h.fails[in.Request.ID]--
		return crm.Report{}, permanent(crm.FailInvalid)
	}
	return crm.Report{State: crm.Done, Counts: crm.Counts{Read: 10}}, nil
}

func (h *history) environment(t *testing.T) *testsuite.TestWorkflowEnvironment {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(time.Minute)
	env.SetWorkerOptions(worker.Options{DeadlockDetectionTimeout: time.Minute})
	env.RegisterWorkflowWithOptions(workflows.Backfill, workflow.RegisterOptions{Name: "Backfill"})
	env.RegisterWorkflowWithOptions(h.run, workflow.RegisterOptions{Name: "Import"})
	step(env, crm.PlanBackfill, func(_ context.Context, in crm.PlanBackfillInput) (crm.BackfillCounts, error) {
		h.mu.Lock()
		defer h.mu.Unlock()
		return h.counts(in.Source), h.plan[in.Source]
	})
	step(env, crm.BeginPartition, h.begin)
	step(env, crm.EndPartition, func(_ context.Context, in crm.EndPartitionInput) (crm.BackfillCounts, error) {
		h.mu.Lock()
		defer h.mu.Unlock()
		p := &h.parts[in.Source][in.Number-1]
		p.State, p.Failure, p.Rows = in.State, in.Failure, in.Rows
		return h.counts(in.Source), nil
	})
	step(env, crm.Requeue, func(_ context.Context, in crm.RequeueInput) (crm.BackfillCounts, error) {
		h.mu.Lock()
		defer h.mu.Unlock()
		for i := range h.parts[in.Source] {
			if p := &h.parts[in.Source][i]; p.State == crm.PartitionParked {
				p.State = in.To
			}
		}
		return h.counts(in.Source), nil
	})
	step(env, crm.EndBackfill, func(_ context.Context, in crm.EndBackfillInput) (crm.None, error) {
		h.ended = in.State
		return crm.None{}, nil
	})
	return env
}

func backfillOf(sources ...string) workflows.BackfillInput {
	return workflows.BackfillInput{Version: 1, ID: "b", Sources: sources, AtOnce: 2}
}

func backfilled(t *testing.T, env *testsuite.TestWorkflowEnvironment) crm.BackfillProgress {
	t.Helper()
	if !env.IsWorkflowCompleted() {
		t.Fatal("the backfill did not end")
	}
	var p crm.BackfillProgress
	if err := env.GetWorkflowError(); err != nil {
		t.Fatal(err)
	}
	if err := env.GetWorkflowResult(&p); err != nil {
		t.Fatal(err)
	}
	return p
}

// standing says how far each source is, as one line.
func standing(p crm.BackfillProgress) string {
	var parts []string
	for _, s := range p.Sources {
		parts = append(parts, fmt.Sprintf("%s %s %d/%d/%d/%d", s.Source, s.State, s.Done, s.Parked, s.Skipped, s.Left))
	}
	return strings.Join(parts, ", ")
}

func askBackfill(t *testing.T, env *testsuite.TestWorkflowEnvironment) (p crm.BackfillProgress) {
	t.Helper()
	v, err := env.QueryWorkflow(workflows.QueryProgress)
	if err == nil {
		err = v.Get(&p)
	}
	if err != nil {
		t.Error(err)
	}
	return p
}

// sendTo sends a command about a source.
func (u *update) sendTo(env *testsuite.TestWorkflowEnvironment, name, source string) {
	u.with(env, name, workflows.SourceCommand{Source: source, By: "kim"})
}

func TestABackfillImportsEverySourcePartitionByPartition(t *testing.T) {
	t.Parallel()
	h := newHistory(map[string]int{"a": 3, "b": 2, "c": 2})
	env := h.environment(t)
	env.ExecuteWorkflow(workflows.Backfill, backfillOf("a", "b", "c"))
	p := backfilled(t, env)
	if got, want := standing(p), "a done 3/0/0/0, b done 2/0/0/0, c done 2/0/0/0"; got != want || h.ended != crm.Done {
		t.Errorf("it ends as %s, %s; want %s", got, h.ended, want)
	}
	if h.most != 2 {
		t.Errorf("%d imports at a time, want 2", h.most)
	}
	for _, source := range []string{"a", "b", "c"} {
		if mine := slices.DeleteFunc(slices.Clone(h.order), func(n string) bool { return !strings.HasPrefix(n, source) }); !slices.IsSorted(mine) {
			t.Errorf("the partitions of %s came in the order %v", source, mine)
		}
	}
	if total := p.Total(); total.Rows != 70 {
		t.Errorf("%d rows in all, want 70", total.Rows)
	}
}

func TestAPartitionThatFailsIsParkedTriedAgainAndThenAskedAbout(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		fails   int
		decides string
		want    string
	}{
		"once":               {1, "", "a done 3/0/0/0"},
		"until it is mended": {2, workflows.UpdateRetry, "a done 3/0/0/0"},
		"for ever":           {99, workflows.UpdateSkip, "a done 2/0/1/0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHistory(map[string]int{"a": 3})
			h.fails["a-2"] = tt.fails
			env := h.environment(t)
			var decide update
			env.RegisterDelayedCallback(func() {
				if p := askBackfill(t, env); tt.decides != "" && (p.State != crm.NeedsAttention || standing(p) != "a needs_attention 2/1/0/0") {
					t.Errorf("it stands at %s, %s; want it to ask", p.State, standing(p))
				}
				if tt.decides != "" {
					decide.sendTo(env, tt.decides, "")
				}
			}, 10*time.Hour)
			env.ExecuteWorkflow(workflows.Backfill, backfillOf("a"))
			if got := standing(backfilled(t, env)); got != tt.want {
				t.Errorf("it ends as %s, want %s", got, tt.want)
			}
			if tt.decides != "" && !decide.done {
				t.Errorf("the decision was refused: %v", decide.rejected)
			}
		})
	}
}

func TestASourceThatRefusesItsKeyStopsAloneAndWithoutAStorm(t *testing.T) {
	t.Parallel()
	h := newHistory(map[string]int{"a": 5, "b": 2})
	h.denied["a"] = true
	h.plan["c"] = permanent(crm.FailDenied)
	env := h.environment(t)
	var drop update
	env.RegisterDelayedCallback(func() {
		p := askBackfill(t, env)
		if got, want := standing(p), "a needs_attention 0/1/0/4, b done 2/0/0/0, c failed 0/0/0/0"; got != want {
			t.Errorf("it stands at %s, want %s", got, want)
		}
		if p.Sources[0].Failure == nil || p.Sources[0].Failure.Type != crm.FailDenied {
			t.Errorf("the source says %+v, want that it is denied", p.Sources[0].Failure)
		}
		drop.sendTo(env, workflows.UpdateDropSource, "a")
	}, 20*time.Hour)
	env.ExecuteWorkflow(workflows.Backfill, backfillOf("a", "b", "c"))
	p := backfilled(t, env)
	if got, want := standing(p), "a cancelled 0/1/0/4, b done 2/0/0/0, c failed 0/0/0/0"; got != want || p.State != crm.Failed {
		t.Errorf("it ends as %s, %s; want %s", p.State, got, want)
	}
	if n := len(h.order); n != 3 {
		t.Errorf("%d imports, want one that was refused and two of the other source: %v", n, h.order)
	}
}

func TestABackfillIsPausedResumedAddedToAndCancelled(t *testing.T) {
	t.Parallel()
	h := newHistory(map[string]int{"a": 9, "b": 2})
	env := h.environment(t)
	var pause, resume, add, again, cancel update
	at := func(d time.Duration, do func()) { env.RegisterDelayedCallback(do, d) }
	at(90*time.Minute, func() { pause.sendTo(env, workflows.UpdatePause, "") })
	at(20*time.Hour, func() {
		if p := askBackfill(t, env); p.State != crm.Paused || standing(p) != "a running 2/0/0/7" {
			t.Errorf("paused it stands at %s, %s", p.State, standing(p))
		}
		resume.sendTo(env, workflows.UpdateResume, "")
	})
	at(20*time.Hour+30*time.Minute, func() { add.sendTo(env, workflows.UpdateAddSource, "b") })
	at(20*time.Hour+40*time.Minute, func() { again.sendTo(env, workflows.UpdateAddSource, "b") })
	at(23*time.Hour+30*time.Minute, func() { cancel.sendTo(env, workflows.UpdateCancel, "") })
	env.ExecuteWorkflow(workflows.Backfill, backfillOf("a"))
	p := backfilled(t, env)
	if p.State != crm.Cancelled || p.Sources[1].State != crm.Done || p.Sources[0].State != crm.Cancelled || p.Sources[0].Done != 5 {
		t.Errorf("it ends as %s: %s", p.State, standing(p))
	}
	if !pause.done || !resume.done || !add.done || !cancel.done || again.rejected == nil {
		t.Errorf("commands: pause %v, resume %v, add %v, cancel %v, add again %v", pause.rejected, resume.rejected, add.rejected, cancel.rejected, again.rejected)
	}
}

func TestALongBackfillGoesOnInTheNextRun(t *testing.T) {
	t.Parallel()
	h := newHistory(map[string]int{"a": 150, "b": 80})
	in := backfillOf("a", "b")
	for runs := 1; ; runs++ {
		env := h.environment(t)
		env.ExecuteWorkflow(workflows.Backfill, in)
		var next *workflow.ContinueAsNewError
		if errors.As(env.GetWorkflowError(), &next) {
			in = workflows.BackfillInput{}
			if err := converter.GetDefaultDataConverter().FromPayloads(next.Input, &in); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if got, want := standing(backfilled(t, env)), "a done 150/0/0/0, b done 80/0/0/0"; got != want {
			t.Errorf("it ends as %s, want %s", got, want)
		}
		if runs != 3 || len(h.order) != 230 {
			t.Errorf("%d runs and %d imports, want 3 and 230", runs, len(h.order))
		}
		break
	}
}

// TestTheProgressOfABackfillSaysWhatIsAtHandAndForHowLong: the imports take an
// hour each, and the third has run for half of one.
func TestTheProgressOfABackfillSaysWhatIsAtHandAndForHowLong(t *testing.T) {
	t.Parallel()
	h := newHistory(map[string]int{"a": 6})
	h.fails["a-1"] = 1
	env := h.environment(t)
	var pause, resume update
	asked := false
	at := func(d time.Duration, do func()) { env.RegisterDelayedCallback(do, d) }
	at(3*time.Hour+30*time.Minute, func() { pause.sendTo(env, workflows.UpdatePause, "") })
	at(10*time.Hour, func() { resume.sendTo(env, workflows.UpdateResume, "") })
	at(11*time.Hour+30*time.Minute, func() {
		asked = true
		p := askBackfill(t, env)
		s := p.Sources[0]
		if s.Name != "a-6" || s.Number != 6 || s.ImportID != "a-6" || p.AtOnce != 2 {
			t.Errorf("at hand is %q, number %d, import %q, of %d at once", s.Name, s.Number, s.ImportID, p.AtOnce)
		}
		// The first failed, and during the fourth it was paused: neither is a measure.
		if s.Tempo.Timed != 3 || s.Tempo.Each != time.Hour {
			t.Errorf("tempo %+v, want an hour, of three", s.Tempo)
		}
		if left := s.Remaining(s.Since.Add(30 * time.Minute)); s.Left != 0 || left != 30*time.Minute {
			t.Errorf("half an hour into the last one %s are left of %d more", left, s.Left)
		}
		if s.LastFailure == nil || s.LastFailure.Type != crm.FailInvalid || s.Failure != nil {
			t.Errorf("the last failure is %+v", s.LastFailure)
		}
	})
	env.ExecuteWorkflow(workflows.Backfill, backfillOf("a"))
	p := backfilled(t, env)
	if !asked || !pause.done || !resume.done {
		t.Errorf("asked %v, paused %v, resumed %v", asked, pause.done, resume.done)
	}
	if s := p.Sources[0]; s.State != crm.Done || s.LastFailure != nil || s.Name != "" || s.ImportID != "" || !s.Since.IsZero() {
		t.Errorf("it ends as %+v", s)
	}
}

func TestSourcesThatAreAddedDoNotHideTheProgressOfOthers(t *testing.T) {
	t.Parallel()
	h := newHistory(map[string]int{"a": 5, "b": 1, "c": 1, "d": 1})
	h.fails["a-5"] = 99
	env := h.environment(t)
	var b, c, d, skip update
	for i, add := range []*update{&b, &c, &d} {
		env.RegisterDelayedCallback(func() { add.sendTo(env, workflows.UpdateAddSource, string(rune('b'+i))) }, 90*time.Minute)
	}
	env.RegisterDelayedCallback(func() {
		if got, want := standing(askBackfill(t, env)), "a running 3/0/0/1, b done 1/0/0/0, c done 1/0/0/0, d done 1/0/0/0"; got != want {
			t.Errorf("it stands at %s, want %s", got, want)
		}
	}, 3*time.Hour+30*time.Minute)
	env.RegisterDelayedCallback(func() { skip.sendTo(env, workflows.UpdateSkip, "a") }, 20*time.Hour)
	in := backfillOf("a")
	in.AtOnce = 4
	env.ExecuteWorkflow(workflows.Backfill, in)
	if got, want := standing(backfilled(t, env)), "a done 4/0/1/0, b done 1/0/0/0, c done 1/0/0/0, d done 1/0/0/0"; got != want || !skip.done {
		t.Errorf("it ends as %s, want %s; skipped %v", got, want, skip.done)
	}
}
