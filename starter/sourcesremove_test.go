package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"sluice/internal/crm"
)

func TestRemovalSaysWhatGoesAndWhatHasGone(t *testing.T) {
	t.Parallel()
	all := crm.Holdings{Customers: 1234, Contacts: 2345, Notes: 12, Subscriptions: 7, Imports: 3, Batches: 40, Files: 3, BeforeImages: 100}
	part := crm.Holdings{Customers: 1000, Contacts: 2000, Notes: 12}
	golden(t, "removal_plan.txt", removalPlanText(crm.RemovalPlan{Source: "billing", Left: all, Schedule: true, Secrets: true}, somewhere.Database))
	golden(t, "removal_refused.txt", removalPlanText(crm.RemovalPlan{Source: "billing", Left: all, Backfills: []string{"b1", "b2"}, Open: 7,
		Removing: &crm.Removal{At: start, Gone: part}}, somewhere.Database))
	golden(t, "removal_done.txt", removalText(removalReport{Source: "billing", State: crm.Done, Removed: all, Of: all, Seconds: 41}, somewhere.Database))
	golden(t, "removal_cancelled.txt", removalText(removalReport{Source: "billing", State: crm.Cancelled, Removed: part, Of: all, Seconds: 9}, somewhere.Database))
}

func TestOnlyTheNameItselfAgreesToARemoval(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{"billing\n": exitDone, " billing \r\n": exitDone, "billing": exitDone,
		"": exitFailed, "\n": exitFailed, "y\n": exitFailed, "Billing\n": exitFailed} {
		if got := codeOf(typed(context.Background(), strings.NewReader(text), "billing")); got != want {
			t.Errorf("%q exits %d, want %d", text, got, want)
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	silent, _ := io.Pipe()
	stop()
	if err := typed(ctx, silent, "billing"); !errors.Is(err, context.Canceled) {
		t.Errorf("Ctrl-C before anything is typed: %v", err)
	}
}
