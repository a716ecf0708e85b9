package endtoend

import (
	"fmt"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

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

// holdings is what is held of a source: by entity and external id, a line that
// says what there is to compare.
type holdings map[crm.Entity]map[string]string

// compared are the columns of those lines.
var compared = map[crm.Entity][]string{crm.Customer: {"name", "city"}, crm.Contact: {"first_name", "last_name", "email"}}

// stripeOf is what a store is to hold of a world after Stripe was read, of
// customers that were created from a time on.
func stripeOf(world *fakesaas.World, from time.Time) holdings {
	want := map[string]string{}
	for _, one := range world.Customers(func(c *fakesaas.Customer) bool { return !c.Deleted && !c.Created.Before(from) }) {
		want[fakesaas.StripeCustomer(one.N)] = one.Name + " " + one.City + " " + statusOf(one)
	}
	return holdings{crm.Customer: want}
}

// differ lists what differs between what is held of a source and what is to be,
// five of an entity at the most.
func (c *cluster) differ(source string, want holdings, more ...string) (list []string) {
	c.t.Helper()
	for _, e := range slices.Sorted(maps.Keys(want)) {
		got := c.held(source, e, append(compared[e], more...))
		wrong := 0
		for _, id := range slices.Sorted(maps.Keys(want[e])) {
			if got[id] != want[e][id] {
				if wrong++; wrong < 5 {
					list = append(list, fmt.Sprintf("%s %s is %q, want %q", e, id, got[id], want[e][id]))
				}
			}
		}
		if wrong > 0 || len(got) != len(want[e]) {
			list = append(list, fmt.Sprintf("%d %s are there, want %d; %d are wrong", len(got), e.Plural(), len(want[e]), wrong))
		}
	}
	return list
}

// held is what is held of an entity of a source, with its columns in a line.
func (c *cluster) held(source string, e crm.Entity, columns []string) map[string]string {
	c.t.Helper()
	got := map[string]string{}
	at := map[string]int{}
	head := func(names []string) error {
		for i, n := range names {
			at[n] = i
		}
		return nil
	}
	err := c.store.Export(c.t.Context(), store.ExportQuery{Source: source, Entity: e, Stable: true}, head, func(v []string) error {
		var line []string
		for _, name := range columns {
			line = append(line, v[at[name]])
		}
		if _, twice := got[v[at["external_id"]]]; twice {
			c.t.Errorf("%s %s is there twice", e, v[at["external_id"]])
		}
		got[v[at["external_id"]]] = strings.Join(line, " ")
		return nil
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return got
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
		differs = c.differ("billing", stripeOf(world, time.Time{}), "status")
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

}

// What a source refuses has a state of its own, no storm of requests, and no
// secret in what is printed.
func TestASourceThatRefusesSaysSo(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	_, server, address := c.saas(1000)
	c.env = append(c.env, "SLUICE_SOURCE_ACCESS_TOKEN="+fakesaas.Key)
	c.must(0, "sources", "add", "stripe", "--name", "billing", "--set", "api="+address, "--set", "share=100")
	c.must(0, "sources", "add", "hubspot", "--name", "crm", "--set", "api="+address)
	c.worker()
	denied := func(what string, out, errs string, code, wanted int) {
		t.Helper()
		if code != wanted || !strings.Contains(out+errs, "does not take the credentials") || strings.Contains(out+errs, fakesaas.Key) {
			t.Errorf("%s: exit code %d, want %d and what is wrong, without the key:\n%s%s", what, code, wanted, out, errs)
		}
	}
	sync := []string{"sync", "billing", "--batch-rows", "100", "--heartbeat", "2s"}

	server.Set(func(t *fakesaas.Traps) { t.Revoked = true })
	out, errs, code := c.starter("sources", "check", "billing")
	denied("a wrong key, checked", out, errs, code, 4)
	out, errs, code = c.starter(sync...)
	denied("a wrong key", out, errs, code, 1)

	server.Set(func(t *fakesaas.Traps) { t.Revoked, t.Daily = false, 4 })
	c.must(0, "sync", "crm", "--detach")
	c.until("it waits for the next day", func() bool {
		out, _, _ := c.starter("progress", "crm")
		return strings.Contains(out, "asks to wait until")
	})
	all, _ := server.Requests("hubspot")
	for range 5 {
		c.must(0, "progress", "crm")
	}
	if now, _ := server.Requests("hubspot"); now > all+1 {
		t.Errorf("while a day's requests are used up it asked %d times", now-all)
	}
	c.must(0, "imports", "cancel", "crm")
	c.until("the cancelled sync is over", func() bool { _, ended := c.batches("crm"); return ended })

	server.Set(func(t *fakesaas.Traps) { t.Daily, t.ChangeEvery = 0, 1 })
	was, err := c.store.Import(t.Context(), "billing")
	if err != nil {
		t.Fatal(err)
	}
	c.must(0, append(sync, "--detach")...)
	c.until("something is written", func() bool {
		row, err := c.store.Import(t.Context(), "billing")
		return err == nil && row.Number > was.Number && c.read(row.Number) > 0
	})
	server.Set(func(t *fakesaas.Traps) { t.Revoked = true })
	out, errs, code = c.starter("imports", "watch", "billing")
	denied("a key that is revoked meanwhile", out, errs, code, 1)
}
