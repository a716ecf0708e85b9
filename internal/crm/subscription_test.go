package crm

import (
	"testing"
	"time"
)

func TestSubscriptionsFold(t *testing.T) {
	t.Parallel()
	day := func(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }
	for _, tt := range []struct {
		name   string
		all    []Subscription
		status string
		trial  time.Time
	}{
		{"none", nil, StatusNewLead, time.Time{}},
		{"live", []Subscription{{State: SubscriptionOver}, {State: SubscriptionLive}}, StatusActive, time.Time{}},
		{"past due wins", []Subscription{{State: SubscriptionPastDue}, {State: SubscriptionLive}, {State: SubscriptionOver}}, StatusPastDue, time.Time{}},
		{"trying", []Subscription{{State: SubscriptionTrialing, TrialStartedAt: day(3)}}, StatusNewLead, day(3)},
		{"trying again after an end", []Subscription{{State: SubscriptionOver, TrialStartedAt: day(5)}, {State: SubscriptionTrialing, TrialStartedAt: day(9)}}, StatusNewLead, day(5)},
		{"over", []Subscription{{State: SubscriptionFuture}, {State: SubscriptionOver}}, StatusCancelled, time.Time{}},
		{"yet to begin", []Subscription{{State: SubscriptionFuture}}, StatusNewLead, time.Time{}},
		{"deleted", []Subscription{{State: SubscriptionLive, Deleted: true}, {State: SubscriptionOver}}, StatusCancelled, time.Time{}},
	} {
		if status, trial := Fold(tt.all); status != tt.status || !trial.Equal(tt.trial) {
			t.Errorf("%s: %s and %v, want %s and %v", tt.name, status, trial, tt.status, tt.trial)
		}
	}
}
