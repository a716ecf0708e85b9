package activities

import (
	"context"
	"fmt"
	"strings"

	"go.temporal.io/sdk/activity"
)

// attempt names this attempt of this step among all that there will ever be of
// the import: the run, the activity within it, and the attempt's number. A
// workflow that is reset in the Temporal UI runs its steps again under another
// run, and so under other names.
func attempt(ctx context.Context) string {
	info := activity.GetInfo(ctx)
	run, _, _ := strings.Cut(info.WorkflowExecution.RunID, "-")
	return strings.ToLower(fmt.Sprintf("%s-%s-%d", run, info.ActivityID, info.Attempt))
}
