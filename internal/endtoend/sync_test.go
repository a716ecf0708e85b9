package endtoend

import (
	"fmt"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"sluice/internal/crm"
	"sluice/internal/fakesaas"
	"sluice/internal/secret"
	"sluice/internal/store"
)

// saas is a made-up provider beside a cluster.
func (c *cluster) saas(customers int) (*fakesaas.World, *fakesaas.Server, string) {
	c.t.Helper()
	world := fakesaas.NewWorld(3, customers, nil)
	server := fakesaas.New(world)
	web := httptest.NewServer(server)
	c.t.Cleanup(web.Close)
	c.t.Cleanup(server.Close)
	key, err := secret.New()
	if err != nil {
		c.t.Fatal(err)
	}
	c.env = append(c.env, "SLUICE_KEY="+key, "SLUICE_EGRESS_NETWORKS=127.0.0.1", "SLUICE_SOURCE_API_KEY="+fakesaas.Key)
	return world, server, web.URL
}

// statusOf is what a customer's subscriptions make of it.
func statusOf(c fakesaas.Customer) string {
	var all []crm.Subscription
	for _, s := range c.Subscriptions {
		state := map[fakesaas.State]crm.SubscriptionState{fakesaas.PastDue: crm.SubscriptionPastDue, fakesaas.Trialing: crm.SubscriptionTrialing,
			fakesaas.Ended: crm.SubscriptionOver, fakesaas.Future: crm.SubscriptionFuture}[s.State]
		if state == "" {
			state = crm.SubscriptionLive
		}
		all = append(all, crm.Subscription{State: state})
	}
	status, _ := crm.Fold(all)
	return status
}

// differences lists what differs between the customers of a source and those of
// a world, five at the most.
func (c *cluster) differences(source string, world *fakesaas.World) (list []string) {
	c.t.Helper()
	want := map[string]string{}
	for _, one := range world.Customers(nil) {
		want[fakesaas.StripeCustomer(one.N)] = one.Name + " " + one.City + " " + statusOf(one)
	}
	got := map[string]string{}
	var at map[string]int
	head := func(names []string) error {
		at = map[string]int{}
		for i, n := range names {
			at[n] = i
		}
		return nil
	}
	err := c.store.Export(c.t.Context(), store.ExportQuery{Source: source, Entity: crm.Customer, Stable: true}, head, func(v []string) error {
		got[v[at["external_id"]]] = v[at["name"]] + " " + v[at["city"]] + " " + v[at["status"]]
		return nil
	})
	if err != nil {
		c.t.Fatal(err)
	}
	for _, id := range slices.Sorted(maps.Keys(want)) {
		if got[id] != want[id] && len(list) < 5 {
			list = append(list, fmt.Sprintf("%s is %q, want %q", id, got[id], want[id]))
		}
	}
	if len(got) != len(want) {
		list = append(list, fmt.Sprintf("%d customers are there, want %d", len(got), len(want)))
	}
	return list
}

// TestASourceIsReadThroughKillsAndLimitsAndKeptUpToDate reads a source whole
// while the worker is killed, the source throttles and fails and its customers
// change, and then what has changed, until both are the same.
func TestASourceIsReadThroughKillsAndLimitsAndKeptUpToDate(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	world, server, address := c.saas(1500)
	c.must(0, "sources", "add", "stripe", "--name", "billing", "--set", "api="+address, "--set", "share=100", "--set", "lag_seconds=2")
	if out := c.must(0, "sources", "check", "billing"); !strings.Contains(out, "it answers") {
		t.Errorf("check says:\n%s", out)
	}
	server.Set(func(t *fakesaas.Traps) { t.Throttle, t.Fail, t.Truncate, t.ChangeEvery = 37, 11, 17, 3 })
	kill := c.worker()
	sync := []string{"sync", "billing", "--batch-rows", "100", "--heartbeat", "2s"}
	c.must(0, append(sync, "--detach")...)
	for n := range 3 {
		c.until(fmt.Sprintf("%d batches are in", 3*n+1), func() bool { got, ended := c.batches("billing"); return got > 3*n || ended })
		kill()
		kill = c.worker()
	}
	c.must(0, sync...) // reaches the sync that is running
	first, err := c.store.Import(t.Context(), "billing")
	if err != nil {
		t.Fatal(err)
	}
	if created := first.Report.Customers.Created; created != 1500 || first.Report.State != crm.Done {
		t.Errorf("the first sync is %s and created %d customers, want 1500", first.Report.State, created)
	}

	server.Set(func(t *fakesaas.Traps) { *t = fakesaas.Traps{} })
	for i := 0; i < 1500; i += 37 {
		world.Change(i)
		world.ChangeSubscription(i + 1)
	}
	world.Add()
	// A change shows when it is two seconds old.
	var differs []string
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("last: %s", strings.Join(differs, "; "))
		}
	})
	c.until("the source and the store are the same", func() bool {
		c.must(0, sync...)
		differs = c.differences("billing", world)
		return differs == nil
	})
	for n := first.Number + 1; ; n++ {
		row, err := c.store.Import(t.Context(), fmt.Sprint(n))
		if err != nil {
			break
		}
		if row.Report.Read > 1000 {
			t.Errorf("import %d read %d rows: it should have asked for changes alone", n, row.Report.Read)
		}
	}

	server.Set(func(t *fakesaas.Traps) { t.Revoked = true })
	out, errs, code := c.starter(sync...)
	if code != 1 || !strings.Contains(out+errs, "denied") || strings.Contains(out+errs, fakesaas.Key) {
		t.Errorf("with a key that does not hold it exits %d and says:\n%s%s", code, out, errs)
	}
}
