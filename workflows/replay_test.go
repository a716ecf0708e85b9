package workflows_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.temporal.io/sdk/worker"

	"sluice/workflows"
)

// TestRecordedHistoriesReplay runs today's workflows over histories recorded
// from code that has landed. A failure here means that imports which are
// running when this change is deployed would stop: put the change behind
// workflow.GetVersion. Recording the histories anew is no answer; it only
// hides the question.
func TestRecordedHistoriesReplay(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/histories/*.json")
	if err != nil || len(files) < 7 {
		t.Fatalf("%d histories, %v; want at least 7: see internal/histories", len(files), err)
	}
	versions, err := os.ReadFile("testdata/histories/VERSIONS.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !strings.Contains(string(versions), "| `"+filepath.Base(file)+"` |") {
			t.Errorf("%s is not in VERSIONS.md", file)
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			r := worker.NewWorkflowReplayer()
			workflows.Register(r)
			if err := r.ReplayWorkflowHistoryFromJSONFile(nil, file); err != nil {
				t.Error(err)
			}
		})
	}
}
