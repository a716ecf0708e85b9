package main

import (
	"time"

	"sluice/internal/fakesaas"
	"sluice/internal/source"
)

// A vendor is one provider: our connector to it, and what is known of it that
// others' software must find.
type vendor struct {
	title    string
	script   string // of js, without its extension
	library  string // the vendor's own, as npm calls it
	settings map[string]string

	// lists are the ids of all that the library must count.
	lists func(w *fakesaas.World) map[string][]string

	// mock starts a server that knows the vendor's description of the API; nil:
	// there is none to be had, and the library is told to ask for the same.
	mock func(b *toolbox) (mock, error)

	// Without a mock: same is the path by which the library asks for what we ask
	// for by another, empty what it is answered, and note a phrase about that.
	same        func(path string) string
	empty, note string
}

func (v vendor) connector() source.Connector { return source.MustOf(v.script) }

var vendors = []vendor{
	{title: "Stripe", script: "stripe", library: "stripe", settings: map[string]string{"api_key": fakesaas.Key}, lists: stripeLists, mock: stripeMock},
	{title: "HubSpot", script: "hubspot", library: "@hubspot/api-client", settings: map[string]string{"access_token": fakesaas.Key}, lists: hubspotLists,
		same: hubspotSame, empty: `{"results":[]}`, note: ", by the paths of version 3; `account-info` is sent as it was told"},
	{title: "Recurly", script: "recurly", library: "recurly", settings: map[string]string{"api_key": fakesaas.Key}, lists: recurlyLists, mock: recurlyMock},
	{title: "Chargebee", script: "chargebee", library: "chargebee", settings: map[string]string{"api_key": fakesaas.Key}, lists: chargebeeLists,
		same: chargebeeSame, empty: `{"list":[]}`},
	{title: "Braintree", script: "braintree", library: "braintree", lists: braintreeLists,
		settings: map[string]string{"merchant_id": fakesaas.BraintreeMerchant, "public_key": fakesaas.BraintreePublic, "private_key": fakesaas.Key},
		same:     braintreeSame, note: ", by its paths for ids", empty: `<search-results><page-size type="integer">50</page-size><ids type="array"/></search-results>`},
}

// everybody keeps deleted customers too.
func everybody(*fakesaas.Customer) bool { return true }

// customers lists the ids of customers.
func customers(all []fakesaas.Customer, id func(n int) string) (ids []string) {
	for _, c := range all {
		ids = append(ids, id(c.N))
	}
	return ids
}

// subscriptions lists the ids of the customers' subscriptions.
func subscriptions(all []fakesaas.Customer, id func(n int) string) (ids []string) {
	for _, c := range all {
		for _, s := range c.Subscriptions {
			ids = append(ids, id(s.N))
		}
	}
	return ids
}

func stripeLists(w *fakesaas.World) map[string][]string {
	live := w.Customers(nil)
	now := w.Clock().Now()
	var events []string
	for _, c := range w.Log(now.Add(-30*24*time.Hour), now.Add(time.Hour)) {
		events = append(events, fakesaas.StripeEvent(c.N))
	}
	return map[string][]string{"customers": customers(live, fakesaas.StripeCustomer), "subscriptions": subscriptions(live, fakesaas.StripeSubscription),
		"events": events}
}

func hubspotLists(w *fakesaas.World) map[string][]string {
	var companies, contacts, links []string
	for _, c := range w.Customers(nil) {
		if c.Company != "" {
			companies = append(companies, fakesaas.HubSpotCompany(c.N))
		}
		neighbour, ok := w.Customer(c.N - 1)
		ok = ok && c.N%5 == 0 && neighbour.Company != "" && !neighbour.Deleted
		for _, p := range c.Contacts {
			id := fakesaas.HubSpotContact(p.N)
			contacts = append(contacts, id)
			if c.Company == "" {
				continue
			}
			own := id + " " + fakesaas.HubSpotCompany(c.N)
			links = append(links, own+" contact_to_company", own+" contact_to_company_unlabeled")
			if ok {
				links = append(links, id+" "+fakesaas.HubSpotCompany(c.N-1)+" contact_to_company_unlabeled")
			}
		}
	}
	return map[string][]string{"companies": companies, "contacts": contacts, "contacts of companies": links, "companies found": companies, "contacts found": contacts}
}

// recurlyLists keeps closed accounts: Recurly deletes none.
func recurlyLists(w *fakesaas.World) map[string][]string {
	all := w.Customers(everybody)
	return map[string][]string{"accounts": customers(all, fakesaas.RecurlyAccount), "accounts counted": make([]string, len(all)),
		"subscriptions": subscriptions(all, fakesaas.RecurlySubscription), "invoices": subscriptions(all, fakesaas.RecurlyInvoice)}
}

func chargebeeLists(w *fakesaas.World) map[string][]string {
	live := w.Customers(nil)
	var contacts []string
	for _, c := range live {
		for _, p := range c.Contacts[1:] { // the first is the customer's own
			contacts = append(contacts, fakesaas.ChargebeeContact(p.N))
		}
	}
	return map[string][]string{"customers": customers(live, fakesaas.ChargebeeCustomer), "further contacts": contacts,
		"customers, deleted ones too": customers(w.Customers(everybody), fakesaas.ChargebeeCustomer),
		"subscriptions":               subscriptions(live, fakesaas.ChargebeeSubscription)}
}

func braintreeLists(w *fakesaas.World) map[string][]string {
	live := w.Customers(nil)
	ids := customers(live, fakesaas.BraintreeCustomer)
	return map[string][]string{"customers": ids, "addresses": ids, "subscriptions": subscriptions(live, fakesaas.BraintreeSubscription)}
}

// worlds are those that the libraries page through: one of many pages of
// everything, one of few, and one of nobody.
func worlds() []*fakesaas.World {
	return []*fakesaas.World{world(1, 1873), world(2, 437), world(3, 0)}
}

// someWorld is the one that connectors read.
func someWorld() *fakesaas.World { return world(4, 437) }

// world makes a world in which a day goes by and customers come, change and go.
func world(seed uint64, customers int) *fakesaas.World {
	const changes = 300
	w := fakesaas.NewWorld(seed, customers, fakesaas.FixedClock(time.Now().Truncate(time.Second)))
	for i := range min(changes, customers) {
		w.Clock().Move(24 * time.Hour / changes)
		switch at := i * 7919 % w.Len(); i % 5 {
		case 0:
			w.Delete(at)
		case 1:
			w.Add()
		case 2:
			w.ChangeSubscription(at)
		default:
			w.Change(at)
		}
	}
	w.Clock().Move(time.Hour)
	return w
}
