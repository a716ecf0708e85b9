package workflows

import (
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// Register makes the workflows known to a worker, a replayer or a test
// environment. It is also what the static check for determinism starts from.
func Register(r worker.WorkflowRegistry) {
	r.RegisterWorkflowWithOptions(Import, workflow.RegisterOptions{Name: "Import"})
	r.RegisterWorkflowWithOptions(Sync, workflow.RegisterOptions{Name: "Sync"})
	r.RegisterWorkflowWithOptions(Scheduled, workflow.RegisterOptions{Name: "Scheduled"})
	r.RegisterWorkflowWithOptions(Backfill, workflow.RegisterOptions{Name: "Backfill"})
	r.RegisterWorkflowWithOptions(Undo, workflow.RegisterOptions{Name: "Undo"})
	r.RegisterWorkflowWithOptions(RemoveSource, workflow.RegisterOptions{Name: RemovalType})
}
