package source

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"sluice/internal/crm"
	"sluice/internal/egress"
	"sluice/internal/fakesaas"
)

// against is access to a server of a test's own.
func against(t *testing.T, do http.HandlerFunc) *Access {
	t.Helper()
	web := httptest.NewServer(do)
	t.Cleanup(web.Close)
	policy, err := egress.ParsePolicy("127.0.0.1", "", "")
	if err != nil {
		t.Fatal(err)
	}
	return &Access{Source: "on-trial", Settings: map[string]string{"api_key": fakesaas.Key, "api": web.URL}, HTTP: direct{c: egress.New(policy)},
		Now: func() time.Time { return start }}
}

// rowsOf reads a span of one stream to its end.
func (x *trial) rowsOf(stream string, from, to time.Time) map[string]Row {
	x.t.Helper()
	out := haul{rows: map[string]Row{}, subscriptions: map[string][]crm.Subscription{}}
	x.readPartition(crm.Partition{ID: stream, Stream: stream, From: from, To: to}, &out)
	return out.rows
}

// meant are the states of the world's subscriptions in our words.
var meant = map[fakesaas.State]crm.SubscriptionState{
	fakesaas.Active: crm.SubscriptionLive, fakesaas.PastDue: crm.SubscriptionPastDue, fakesaas.Trialing: crm.SubscriptionTrialing,
	fakesaas.Paused: crm.SubscriptionLive, fakesaas.Ending: crm.SubscriptionLive, fakesaas.Ended: crm.SubscriptionOver, fakesaas.Future: crm.SubscriptionFuture,
}

// checkStatuses compares the statuses and trials that follow from what was read
// with those that hold in the world.
func (x *trial) checkStatuses(all map[string][]crm.Subscription, id func(n int) string) {
	x.t.Helper()
	seen := map[string]int{}
	for _, c := range x.world.Customers(nil) {
		var had []crm.Subscription
		for _, s := range c.Subscriptions {
			had = append(had, crm.Subscription{State: meant[s.State], TrialStartedAt: s.TrialStarted})
		}
		wantStatus, wantTrial := crm.Fold(had)
		status, trial := crm.Fold(all[id(c.N)])
		if status != wantStatus || !trial.Equal(wantTrial) {
			x.t.Errorf("customer %d is %s since %v, want %s since %v", c.N, status, trial, wantStatus, wantTrial)
		}
		seen[status]++
	}
	if len(seen) != 4 {
		x.t.Errorf("the world has only the statuses %v", seen)
	}
}

// latest adds what was read later to what is known, as the store does: each
// subscription once.
func latest(known, later map[string][]crm.Subscription) {
	for customer, all := range later {
		for _, s := range all {
			known[customer] = slices.DeleteFunc(known[customer], func(k crm.Subscription) bool { return k.ID == s.ID })
			known[customer] = append(known[customer], s)
		}
	}
}

// wantLost reads from a cursor that the source refuses.
func (x *trial) wantLost(p crm.Partition, at any) {
	x.t.Helper()
	c, err := cursor(at)
	if err != nil {
		x.t.Fatal(err)
	}
	_, err = x.connector.Read(x.t.Context(), x.access, p, c)
	if !errors.Is(err, crm.ErrCursorLost) {
		x.t.Errorf("got %v, want ErrCursorLost", err)
	}
	x.checkError(err)
}
