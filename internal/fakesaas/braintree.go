package fakesaas

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
)

// Braintree's gateway is documented by its libraries: requests, answers and
// the names in them are those of github.com/braintree/braintree_node and
// braintree_ruby, its objects those of
// developer.paypal.com/braintree/docs/reference/response. Its limits are
// written down nowhere; five requests a second stand for them.

var braintree = &provider{name: "braintree", limit: func(_ *Server, w http.ResponseWriter, _ throttling) {
	w.WriteHeader(http.StatusTooManyRequests)
}}

func init() {
	braintree.routes = func(s *Server) {
		limits := []limit{{"braintree", 5, time.Second}}
		for path, do := range map[string]func(*Server, http.ResponseWriter, *http.Request, braintreeSearch){
			"advanced_search_ids": (*Server).braintreeIDs, "advanced_search": (*Server).braintreeCustomers,
		} {
			s.handle(braintree, "POST /merchants/{merchant}/customers/"+path, limits, func(w http.ResponseWriter, r *http.Request) {
				s.braintreeAsked(w, r, do)
			})
		}
	}
	provide(*braintree)
}

// What a client of Braintree has to know beside [Key], which is the private
// key.
const (
	BraintreeMerchant = "fakesaasmerchant"
	BraintreePublic   = "fakesaaspublic"
)

const (
	braintreeMost = 10_000 // ids, in the answer to a search
	braintreePage = 50     // customers, in an answer
)

// BraintreeCustomer is the id of a customer there. In the order of their text
// ids are not in that of creation.
func BraintreeCustomer(n int) string { return fmt.Sprintf("%d%010d", 1+n%9, n) }

// braintreeNumber is the customer of an id; -1 if there can be none.
func braintreeNumber(id string) int {
	if len(id) != 11 {
		return -1
	}
	n, err := strconv.Atoi(id[1:])
	if err != nil || n < 0 || BraintreeCustomer(n) != id {
		return -1
	}
	return n
}

// A braintreeSearch is what a request asks for. Bounds are inclusive and zero
// for none; ids are nil for all.
type braintreeSearch struct {
	min, max time.Time
	ids      []string
}

// braintreeAsked reads a request. What it cannot be searched by it refuses, as
// Braintree does by 422.
func (s *Server) braintreeAsked(w http.ResponseWriter, r *http.Request, do func(*Server, http.ResponseWriter, *http.Request, braintreeSearch)) {
	public, private, _ := r.BasicAuth()
	var body struct {
		Search map[string]json.RawMessage `json:"search"`
	}
	switch {
	case public != BraintreePublic || !s.holds(private):
		w.WriteHeader(http.StatusUnauthorized)
		return
	case r.PathValue("merchant") != BraintreeMerchant:
		w.WriteHeader(http.StatusNotFound)
		return
	case r.Header.Get("X-ApiVersion") != "6":
		w.WriteHeader(http.StatusUpgradeRequired)
		return
	case json.NewDecoder(r.Body).Decode(&body) != nil:
		braintreeRefuse(w, "body")
		return
	}
	var out braintreeSearch
	for field, value := range body.Search {
		var err error
		switch field {
		case "created_at":
			var between struct{ Min, Max string }
			if err = json.Unmarshal(value, &between); err == nil {
				out.min, err = braintreeTime(between.Min)
			}
			if err == nil {
				out.max, err = braintreeTime(between.Max)
			}
		case "ids":
			err = json.Unmarshal(value, &out.ids)
		default:
			err = fmt.Errorf("no such field")
		}
		if err != nil {
			braintreeRefuse(w, field)
			return
		}
	}
	n, _ := s.Requests("braintree")
	if every := s.Traps().SearchTimeout; every > 0 && n%every == 0 {
		braintreeRefuse(w, "timeout")
		return
	}
	do(s, w, r, out)
}

func braintreeTime(v string) (time.Time, error) {
	if v == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.DateTime, v); err == nil {
		return t, nil
	}
	return time.Parse(time.RFC3339, v)
}

func braintreeRefuse(w http.ResponseWriter, reason string) {
	var x xmlText
	x.open("unprocessable-entity")
	x.element("reason", reason)
	x.close("unprocessable-entity")
	x.answer(w, http.StatusUnprocessableEntity)
}

// braintreeIDs answers with the ids of what a search finds, newest first, and
// no more than Braintree gives.
func (s *Server) braintreeIDs(w http.ResponseWriter, _ *http.Request, q braintreeSearch) {
	var x xmlText
	x.open("search-results")
	x.typed("page-size", "integer", strconv.Itoa(braintreePage))
	x.openTyped("ids", "array")
	left := braintreeMost
	s.braintreeFound(q, func(c *Customer) bool {
		x.element("item", BraintreeCustomer(c.N))
		left--
		return left > 0
	})
	x.close("ids")
	x.close("search-results")
	x.answer(w, http.StatusOK)
}

// braintreeFound calls do with the customers that a search finds, newest
// first, until it wants no more.
func (s *Server) braintreeFound(q braintreeSearch, do func(*Customer) bool) {
	shown := s.World.clock.Now().Add(-s.Traps().Lag)
	ids := map[int]bool{}
	for _, id := range q.ids {
		ids[braintreeNumber(id)] = true
	}
	second := func(c *Customer) time.Time { return c.Created.Truncate(time.Second) }
	s.World.View(func(all []*Customer) {
		from, to := 0, len(all)
		if !q.min.IsZero() {
			from = sort.Search(len(all), func(i int) bool { return !second(all[i]).Before(q.min) })
		}
		if !q.max.IsZero() {
			to = sort.Search(len(all), func(i int) bool { return second(all[i]).After(q.max) })
		}
		finds := func(i int) bool {
			return i >= from && i < to && !all[i].Deleted && !all[i].Created.After(shown)
		}
		if q.ids == nil {
			for i := to - 1; i >= from; i-- {
				if finds(i) && !do(all[i]) {
					return
				}
			}
			return
		}
		var numbers []int
		for n := range ids {
			numbers = append(numbers, n)
		}
		slices.Sort(numbers)
		slices.Reverse(numbers)
		for _, n := range numbers {
			if finds(n) && !do(all[n]) {
				return
			}
		}
	})
}

// braintreeCustomers answers with customers, fifty at the most, of all that a
// search finds.
func (s *Server) braintreeCustomers(w http.ResponseWriter, _ *http.Request, q braintreeSearch) {
	if most := s.Traps().MaxBatch; most > 0 && len(q.ids) > most {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	var customers xmlText
	total, last := 0, -1
	s.braintreeFound(q, func(c *Customer) bool {
		if total++; total <= braintreePage {
			braintreeCustomerXML(&customers, c)
			last = c.N
		}
		return true
	})
	var x xmlText
	x.openTyped("customers", "collection")
	x.typed("current-page-number", "integer", "1")
	x.typed("page-size", "integer", strconv.Itoa(braintreePage))
	x.typed("total-items", "integer", strconv.Itoa(total))
	x.WriteString(customers.String())
	x.close("customers")
	x.answer(w, http.StatusOK)
	s.deleteLast(braintree, last >= 0, func() { s.World.Delete(last) })
}

func braintreeCustomerXML(x *xmlText, c *Customer) {
	id := BraintreeCustomer(c.N)
	own := c.Contacts[0]
	x.open("customer")
	x.element("id", id)
	x.element("merchant-id", BraintreeMerchant)
	x.element("first-name", own.First)
	x.element("last-name", own.Last)
	x.element("company", c.Company)
	x.element("email", c.Email)
	x.element("phone", c.Phone)
	x.open("international-phone")
	x.element("country-code", "")
	x.element("national-number", "")
	x.close("international-phone")
	x.element("fax", "")
	x.element("website", "")
	x.time("created-at", c.Created)
	x.time("updated-at", c.Updated)
	x.open("custom-fields")
	x.element("favorite-color", []string{"", "blue", "green & gold"}[c.N%3])
	x.close("custom-fields")
	x.openTyped("credit-cards", "array")
	braintreeMethodXML(x, c, "credit-card", 0)
	x.close("credit-cards")
	if len(c.Subscriptions) > 1 {
		x.openTyped("paypal-accounts", "array")
		braintreeMethodXML(x, c, "paypal-account", 1)
		x.close("paypal-accounts")
	}
	x.openTyped("addresses", "array")
	x.open("address")
	x.element("id", "aa")
	x.element("customer-id", id)
	x.element("street-address", "")
	x.element("locality", c.City)
	x.element("region", c.State)
	x.element("postal-code", c.Zip)
	x.element("country-code-alpha2", c.Country)
	x.close("address")
	x.close("addresses")
	x.close("customer")
}

// braintreeMethodXML writes a payment method with every other subscription of
// the customer, from the first or the second on.
func braintreeMethodXML(x *xmlText, c *Customer, kind string, from int) {
	x.open(kind)
	x.element("token", fmt.Sprintf("%s%d", kind[:1], c.N))
	x.element("customer-id", BraintreeCustomer(c.N))
	if kind == "credit-card" {
		x.element("bin", "411111")
		x.element("last-4", "1111")
		x.element("card-type", "Visa")
		x.element("expiration-month", "12")
		x.element("expiration-year", "2030")
	}
	x.typed("default", "boolean", strconv.FormatBool(from == 0))
	x.time("created-at", c.Created)
	x.time("updated-at", c.Updated)
	x.openTyped("subscriptions", "array")
	for i := from; i < len(c.Subscriptions); i += 2 {
		braintreeSubscriptionXML(x, c.Subscriptions[i])
	}
	x.close("subscriptions")
	x.openTyped("verifications", "array")
	x.close("verifications")
	x.close(kind)
}

// braintreeStates has no word for who tries or rests: both are Active.
var braintreeStates = [...]string{Active: "Active", PastDue: "Past Due", Trialing: "Active", Paused: "Active", Ending: "Active", Ended: "Canceled", Future: "Pending"}

// BraintreeSubscription is the id of a subscription there.
func BraintreeSubscription(n int) string { return fmt.Sprintf("s%05d", n) }

func braintreeSubscriptionXML(x *xmlText, sub Subscription) {
	status := braintreeStates[sub.State]
	if sub.State == Ended && sub.N%2 == 0 {
		status = "Expired"
	}
	trial := sub.State == Trialing || !sub.TrialStarted.IsZero()
	first := sub.Created
	if trial {
		first = first.Add(14 * 24 * time.Hour)
	}
	next := first
	if sub.State != Trialing && sub.State != Future {
		next = next.AddDate(0, 1, 0)
	}
	x.open("subscription")
	x.element("id", BraintreeSubscription(sub.N))
	x.element("plan-id", "monthly")
	x.element("status", status)
	x.element("price", "12.34")
	x.typed("trial-period", "boolean", strconv.FormatBool(trial))
	x.typed("first-billing-date", "date", first.Format(time.DateOnly))
	x.typed("next-billing-date", "date", next.Format(time.DateOnly))
	x.time("created-at", sub.Created)
	x.time("updated-at", sub.Updated)
	x.openTyped("transactions", "array")
	x.close("transactions")
	x.close("subscription")
}

// xmlText is XML as Braintree writes it.
type xmlText struct{ strings.Builder }

func (x *xmlText) open(name string) { fmt.Fprintf(x, "<%s>", name) }

func (x *xmlText) openTyped(name, kind string) { fmt.Fprintf(x, "<%s type=%q>", name, kind) }

func (x *xmlText) close(name string) { fmt.Fprintf(x, "</%s>", name) }

// element writes a text; a blank one is nil.
func (x *xmlText) element(name, value string) {
	if value == "" {
		fmt.Fprintf(x, `<%s nil="true"/>`, name)
		return
	}
	x.open(name)
	x.escape(value)
	x.close(name)
}

func (x *xmlText) typed(name, kind, value string) {
	x.openTyped(name, kind)
	x.escape(value)
	x.close(name)
}

// time writes an instant, of which Braintree keeps whole seconds.
func (x *xmlText) time(name string, at time.Time) {
	x.typed(name, "datetime", at.UTC().Truncate(time.Second).Format(time.RFC3339))
}

func (x *xmlText) escape(value string) {
	if err := xml.EscapeText(x, []byte(value)); err != nil {
		panic(err) // a strings.Builder takes everything
	}
}

func (x *xmlText) answer(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "application/xml; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(xml.Header + x.String() + "\n"))
}
