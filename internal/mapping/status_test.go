package mapping

import (
	"slices"
	"strings"
	"testing"

	"sluice/internal/crm"
)

var statusCells = slices.Concat(
	accept("New Lead", "New Lead", "new_lead", "New_Lead", "NEW LEAD", "new-lead", "New\u00a0Lead"), accept("Working Lead", "WORKING LEAD", "Working_Lead"),
	accept("Qualified Lead", "qualifiedLead", "Qualified_Lead"), accept("Unqualified Lead", "Unqualified-Lead", "unqualified_lead"),
	reject(crm.ReasonBadStatus, "Active", "Past Due", "Past_Due", "Cancelled", "lead", "new", "?", "New Leads", "\xff", strings.Repeat("x", 99)))

// A connector may say what follows from subscriptions.
var billedCells = slices.Concat(
	accept("New Lead", "New Lead", "new_lead"), accept("Qualified Lead", "qualifiedLead"), accept("Active", "Active", "active"),
	accept("Past Due", "Past Due", "past_due"), accept("Cancelled", "cancelled"),
	reject(crm.ReasonBadStatus, "Canceled", "trialing", "lead", "?", "\xff", strings.Repeat("x", 99)))

func TestBilledStatus(t *testing.T) {
	t.Parallel()
	checkType(t, billedType, reading{}, billedCells)
}

func TestStatus(t *testing.T) {
	t.Parallel()
	checkType(t, statusType, reading{}, statusCells)
}
