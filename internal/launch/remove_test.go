package launch

import (
	"context"
	"errors"
	"strings"
	"testing"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"sluice/internal/crm"
)

// server is a Temporal server that runs workflows of these types, by their ids.
type server struct {
	client.Client
	runs    map[string]string
	started []string
}

func (s *server) DescribeWorkflowExecution(_ context.Context, id, _ string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	kind, ok := s.runs[id]
	if !ok {
		return nil, serviceerror.NewNotFound("no such workflow")
	}
	return &workflowservice.DescribeWorkflowExecutionResponse{WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{
		Status: enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, Type: &commonpb.WorkflowType{Name: kind},
		Execution: &commonpb.WorkflowExecution{WorkflowId: id, RunId: "run of " + kind}}}, nil
}

func (s *server) ExecuteWorkflow(_ context.Context, o client.StartWorkflowOptions, workflow any, _ ...any) (client.WorkflowRun, error) {
	if kind, ok := s.runs[o.ID]; ok {
		return nil, serviceerror.NewWorkflowExecutionAlreadyStarted("it runs", "", "run of "+kind)
	}
	s.started = append(s.started, o.ID+" "+workflow.(string))
	return begun{}, nil
}

type begun struct{ client.WorkflowRun }

func (begun) GetRunID() string { return "new run" }

// backfilled is a store of a source that open backfills name.
type backfilled struct {
	rows
	ids []string
}

func (b backfilled) OpenBackfills(context.Context, string) ([]string, error) { return b.ids, nil }

func TestASourceIsRemovedOnlyWhenNothingOfItRuns(t *testing.T) {
	t.Parallel()
	sync := crm.ImportRow{Import: crm.Import{ID: "imp", Number: 7}, Request: crm.Request{Reads: []crm.Partition{{ID: "p"}}}}
	for name, c := range map[string]struct {
		runs      map[string]string
		open      *crm.ImportRow
		backfills []string
		says      string // "": it is removed
		attached  bool
	}{
		"nothing runs":                    {},
		"an import":                       {runs: map[string]string{"import:news": "Import"}, open: &crm.ImportRow{Import: crm.Import{ID: "imp", Number: 7}}, says: "import 7 is running"},
		"an import that reads the source": {runs: map[string]string{"import:news": "Import"}, open: &sync, says: "import 7 is running"},
		"an import that begins":           {runs: map[string]string{"import:news": "Import"}, says: "an import is running"},
		"a sync":                          {runs: map[string]string{"sync:news": "Sync"}, says: "a sync of it is running"},
		"backfills":                       {runs: map[string]string{"backfill:b2": "Backfill", "backfill:b3": "Backfill"}, backfills: []string{"b1", "b2", "b3"}, says: "by backfill b2 and b3;"},
		"a backfill that was terminated":  {backfills: []string{"b1"}},
		"its own removal":                 {runs: map[string]string{"import:news": "RemoveSource"}, attached: true},
	} {
		s := &server{runs: c.runs}
		l := &Launcher{Temporal: s, Store: backfilled{rows{open: c.open}, c.backfills}}
		got, err := l.Remove(t.Context(), RemoveOptions{Source: "news"})
		switch {
		case c.says != "":
			if !errors.Is(err, crm.ErrDenied) || !strings.Contains(err.Error(), c.says) || len(s.started) > 0 {
				t.Errorf("%s: %+v, %v, started %q; want it refused: %s", name, got, err, s.started, c.says)
			}
		case err != nil || got.Attached != c.attached || (len(s.started) == 1) == c.attached || got.RunID == "":
			t.Errorf("%s: %+v, %v, started %q", name, got, err, s.started)
		}
	}
}

func TestNothingIsBegunForASourceThatIsBeingRemoved(t *testing.T) {
	t.Parallel()
	l := &Launcher{Temporal: &server{}, Store: leaving{}}
	_, synced := l.Sync(t.Context(), SyncOptions{Source: "news"})
	_, scheduled := l.SaveSchedule(t.Context(), crm.Schedule{Source: "news", Every: 3600e9})
	_, filled := l.Backfill(t.Context(), crm.Backfill{Sources: []crm.BackfillSource{{Source: "news"}}})
	for what, err := range map[string]error{"sync": synced, "schedule": scheduled, "resume": l.ResumeSchedule(t.Context(), "news"), "backfill": filled} {
		if !errors.Is(err, crm.ErrInvalid) || !strings.Contains(err.Error(), "being removed") {
			t.Errorf("%s: %v, want invalid", what, err)
		}
	}
}

// leaving is a store of a source that is being removed.
type leaving struct{ rows }

func (leaving) Source(context.Context, string) (crm.Source, error) {
	return crm.Source{Slug: "news", Kind: "stripe", Removing: &crm.Removal{}}, nil
}

func (leaving) Schedule(context.Context, string) (crm.ScheduleRow, error) {
	return crm.ScheduleRow{Schedule: crm.Schedule{Source: "news"}}, nil
}
