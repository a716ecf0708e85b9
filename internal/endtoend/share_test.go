package endtoend

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"sluice/internal/crm"
	"sluice/workflows"
)

// TestTwoWorkersShareOneImport starts an import when two worker processes are
// there, and asks Temporal afterwards who carried out what.
func TestTwoWorkersShareOneImport(t *testing.T) {
	t.Parallel()
	rows := someRows(11, 3000)
	calm := newWorld(t, "", "")
	want := calm.run(asCSV(rows), options{})

	c := newCluster(t)
	file := filepath.Join(t.TempDir(), "rows.csv")
	if err := os.WriteFile(file, []byte(asCSV(rows)), 0o600); err != nil {
		t.Fatal(err)
	}
	temporal, err := client.Dial(client.Options{HostPort: c.temporal.Address, Namespace: workflows.Namespace})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(temporal.Close)
	c.worker()
	c.worker()
	c.until("two workers ask for steps", func() bool { return pollers(t, temporal) == 2 })
	// A worker takes along a few of the steps it has decided on. With a writer
	// for every batch of a group there are always some for whoever asks.
	_, stderr, code := c.starter("import", file, "--source", "news", "--batch-rows", "25", "--writers", "64")
	if code != 3 { // done with rejected rows
		t.Fatalf("starter exits %d:\n%s", code, stderr)
	}
	row, err := c.store.Import(t.Context(), "news")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.Counts, row.Report.Counts); diff != "" {
		t.Errorf("counts (-one worker +two):\n%s", diff)
	}
	if export(t, c.store, "news") != calm.export("news") {
		t.Error("the records differ from those of one worker")
	}
	by := writers(t, temporal, workflows.ImportID("news"))
	t.Logf("batches written, by worker: %v", by)
	if len(by) != 2 {
		t.Errorf("%d workers wrote batches of the import, want 2: %v", len(by), by)
	}
}

// pollers says how many workers ask the server for steps.
func pollers(t *testing.T, c client.Client) int {
	t.Helper()
	queue, err := c.DescribeTaskQueue(t.Context(), workflows.TaskQueue, enumspb.TASK_QUEUE_TYPE_ACTIVITY)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, p := range queue.GetPollers() {
		seen[p.GetIdentity()] = true
	}
	return len(seen)
}

// writers says which workers wrote batches of a source's latest import, and how
// many each, by the history of its last run.
func writers(t *testing.T, c client.Client, id string) map[string]int {
	t.Helper()
	write := map[int64]bool{} // the events that scheduled a Write
	by := map[string]int{}
	for events := c.GetWorkflowHistory(t.Context(), id, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); events.HasNext(); {
		e, err := events.Next()
		if err != nil {
			t.Fatal(err)
		}
		if s := e.GetActivityTaskScheduledEventAttributes(); s.GetActivityType().GetName() == crm.Write.Name {
			write[e.GetEventId()] = true
		}
		if s := e.GetActivityTaskStartedEventAttributes(); write[s.GetScheduledEventId()] {
			by[s.GetIdentity()]++
		}
	}
	return by
}
