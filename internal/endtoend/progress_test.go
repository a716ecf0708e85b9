package endtoend

import (
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"

	"sluice/activities"
	"sluice/internal/crm"
	"sluice/internal/launch"
	"sluice/workflows"
)

// TestLedgerTellsTheProgressThatTheWorkflowTells pauses an import of two files
// at several batches, and asks both.
func TestLedgerTellsTheProgressThatTheWorkflowTells(t *testing.T) {
	t.Parallel()
	for _, at := range []int32{2, 9, 13} {
		t.Run(fmt.Sprintf("at batch %d", at), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "", "")
			request := w.request(asCSV(someRows(31, 400)), options{more: []string{asCSV(someRows(32, 400))}, named: []string{"a.csv", "b.csv"},
				tuning: crm.Tuning{BatchRows: 50, Group: 1, Writers: 1}})
			var suite testsuite.WorkflowTestSuite
			suite.SetLogger(sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)))
			env := suite.NewTestWorkflowEnvironment()
			env.SetTestTimeout(5 * time.Minute)
			env.SetWorkerOptions(worker.Options{DeadlockDetectionTimeout: time.Minute})
			workflows.Register(env)
			tell := func(name string) {
				env.UpdateWorkflow(name, name, &testsuite.TestUpdateCallback{OnAccept: func() {}, OnComplete: func(any, error) {},
					OnReject: func(err error) { t.Errorf("%s: %v", name, err) }}, workflows.Command{By: "ana"})
			}
			asked := false
			w.before(crm.Write.Name, at, func() {
				env.RegisterDelayedCallback(func() { tell(workflows.UpdatePause) }, 0)
				env.RegisterDelayedCallback(func() {
					asked = true
					w.compareProgress(env, request.ID)
					tell(workflows.UpdateResume)
				}, time.Hour)
			})
			activities.Register(w.wrap(env), w.steps)
			env.ExecuteWorkflow(workflows.Import, workflows.ImportInput{Request: request})
			if err := env.GetWorkflowError(); err != nil || !asked {
				t.Fatalf("import: %v, asked %v", err, asked)
			}
			w.compareProgress(env, request.ID)
		})
	}
}

// compareProgress holds both progresses against each other, field by field.
func (w *world) compareProgress(env *testsuite.TestWorkflowEnvironment, id string) {
	w.t.Helper()
	var told crm.Progress
	v, err := env.QueryWorkflow(workflows.QueryProgress)
	if err == nil {
		err = v.Get(&told)
	}
	row, rowErr := w.store.Import(w.t.Context(), id)
	if err = errors.Join(err, rowErr); err != nil {
		w.t.Fatal(err)
	}
	got, err := launch.Ledgered(w.t.Context(), w.store, w.stage, row, time.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	// These differ, and how: the workflow's clock is the test's; a pause keeps
	// batches between Parse and Write, which no ledger has.
	if row.State.Open() {
		if got.Rate <= 0 || got.UpdatedAt.IsZero() || got.StartedAt.IsZero() || !got.Ledger {
			w.t.Errorf("from the ledger: %+v", got)
		}
		for i, s := range told.Steps {
			if between := s.Rows - got.Steps[i].Rows; between < 0 || between > 250 || s.Step == crm.Write.Name && between != 0 {
				w.t.Errorf("%s: %d rows, and %d from the ledger", s.Step, s.Rows, got.Steps[i].Rows)
			}
		}
		if between := told.Bytes - got.Bytes; between < 0 || between > told.BytesTotal/2 {
			w.t.Errorf("%d bytes, and %d from the ledger, of %d", told.Bytes, got.Bytes, told.BytesTotal)
		}
		for reason, n := range got.Rejects {
			if n > told.Rejects[reason] || n == 0 {
				w.t.Errorf("%d rows are %s, and %d from the ledger", told.Rejects[reason], reason, n)
			}
		}
	}
	ignored := []string{"Ledger", "StartedAt", "UpdatedAt", "Rate", "Remaining"}
	if row.State.Open() {
		ignored = append(ignored, "Steps", "Bytes", "Rejects", "File")
	} else { // what has ended has no line of steps to end
		told.Steps = markDone(told.Steps)
		told.By, told.Phase = got.By, got.Phase
	}
	if diff := cmp.Diff(told, got, cmpopts.IgnoreFields(crm.Progress{}, ignored...)); diff != "" {
		w.t.Errorf("the workflow (-) and the ledger (+) differ:\n%s", diff)
	}
}

func markDone(steps []crm.StepProgress) []crm.StepProgress {
	for i := range steps {
		steps[i].Done = true
	}
	return steps
}
