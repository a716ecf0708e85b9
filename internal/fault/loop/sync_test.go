package loop

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/activities"
	"sluice/internal/crm"
	"sluice/internal/fakesaas"
	"sluice/internal/store"
	"sluice/workflows"
)

// billing is the source that is read from the provider.
const billing = "billing"

// paged is the tuning of imports that read it: a page is a segment of two
// batches.
var paged = crm.Tuning{BatchRows: 5, Group: 2, Writers: 2}

// lag is how far behind the provider's clock reading stops.
const lag = 2 * time.Second

func (w *world) addBilling() {
	w.t.Helper()
	err := w.store.AddSource(w.t.Context(), crm.Source{Slug: billing, Kind: "stripe",
		Settings: map[string]string{"api_key": fakesaas.Key, "lag_seconds": "2"}})
	if err != nil {
		w.t.Fatal(err)
	}
}

// prepareSync reads a source whole, and then what has changed since. While it is
// read whole a customer changes that was on the first page, and the one is
// deleted that the second page is to begin behind: all customers of that second
// come again. What has changed names a customer on two pages.
func prepareSync(w *world) course {
	w.addBilling()
	return func(w *world) (any, []string) {
		var v verdict
		p := w.provide(10, 10)
		begun := false
		p.turn = func(r *http.Request) {
			if r.URL.Path == "/v1/customers" && r.URL.Query().Has("starting_after") && !begun {
				begun = true
				p.Change(18)
				p.Delete(12)
			}
		}
		first := w.sync(p, time.Time{}, &v)
		w.checkProvided(p.Customers(nil), []int{12}, &v)
		once := p.Len() // customers, and what subscriptions make of some
		for _, c := range p.Customers(nil) {
			once += min(1, len(c.Subscriptions))
		}
		if first.Report.Read <= int64(once) {
			v.fail("%d rows were read, and no record came twice", first.Report.Read)
		}
		mark := p.Clock().Now().Add(-lag)
		p.Change(5)
		for n := range 4 {
			p.Change(n)
			p.ChangeSubscription(n + 2)
		}
		p.Add()
		p.Delete(7)
		p.Change(5)
		p.Clock().Move(time.Hour)
		second := w.sync(p, mark, &v)
		w.checkProvided(p.Customers(nil), []int{7, 12}, &v)
		w.checkPost(2, &v)
		return []result{first, second}, v
	}
}

// sync syncs the source, which has been read up to an instant.
func (w *world) sync(p *provider, since time.Time, v *verdict) result {
	w.t.Helper()
	var early atomic.Bool
	was := w.steps.Store
	w.steps.Store = watchedStore{was, func() { early.Store(early.Load() || !w.watermark().Equal(since)) }}
	var r crm.Report
	err := w.execute(workflows.Sync, workflows.SyncInput{Version: 1, Source: billing, Tuning: paged}, &r)
	w.steps.Store = was
	if err != nil {
		v.fail("sync: %v", err)
		return result{}
	}
	if early.Load() {
		v.fail("the watermark was saved before all was written")
	}
	if at, want := w.watermark(), p.Clock().Now().Add(-lag); !at.Equal(want) {
		v.fail("the watermark is %v, want %v", at, want)
	}
	w.checkDone(r, true, v)
	out := w.result(r)
	out.Report.ImportID = "" // another one each time
	return out
}

// watermark is up to when the source's changes are in.
func (w *world) watermark() time.Time {
	src, err := w.store.Source(w.t.Context(), billing)
	if err != nil { // the one call that fails may be this one
		src, err = w.store.Source(w.t.Context(), billing)
	}
	if err != nil {
		w.t.Error(err)
	}
	return src.Watermark
}

// watchedStore is a store that looks about before it writes a batch, and when
// it has.
type watchedStore struct {
	activities.Store
	look func()
}

func (s watchedStore) Write(ctx context.Context, in crm.WriteBatch, open crm.PartOpener) (crm.Counts, error) {
	s.look()
	defer s.look()
	return s.Store.Write(ctx, in, open)
}

// checkProvided wants the tables to hold these customers as the provider has
// them, each once, and no other but some that may have been deleted meanwhile.
func (w *world) checkProvided(there []fakesaas.Customer, deleted []int, v *verdict) {
	w.t.Helper()
	want, got := map[string]string{}, map[string]string{}
	for _, c := range there {
		want[fakesaas.StripeCustomer(c.N)] = strings.Join([]string{c.Name, c.City, statusOf(c)}, "|")
	}
	at := map[string]int{}
	head := func(names []string) error {
		for i, name := range names {
			at[name] = i
		}
		return nil
	}
	err := w.store.Export(w.t.Context(), store.ExportQuery{Source: billing, Entity: crm.Customer, Stable: true}, head, func(cells []string) error {
		id := cells[at["external_id"]]
		if _, twice := got[id]; twice {
			v.fail("%s is there twice", id)
		}
		got[id] = strings.Join([]string{cells[at["name"]], cells[at["city"]], cells[at["status"]]}, "|")
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, n := range deleted {
		delete(got, fakesaas.StripeCustomer(n))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		v.fail("customers (-at the provider +in the tables):\n%s", diff)
	}
}

// statusOf is what a customer's subscriptions make of it.
func statusOf(c fakesaas.Customer) string {
	states := map[fakesaas.State]crm.SubscriptionState{fakesaas.PastDue: crm.SubscriptionPastDue, fakesaas.Trialing: crm.SubscriptionTrialing,
		fakesaas.Ended: crm.SubscriptionOver, fakesaas.Future: crm.SubscriptionFuture}
	var all []crm.Subscription
	for _, s := range c.Subscriptions {
		state, ok := states[s.State]
		if !ok {
			state = crm.SubscriptionLive
		}
		all = append(all, crm.Subscription{State: state})
	}
	status, _ := crm.Fold(all)
	return status
}
