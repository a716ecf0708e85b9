package fakesaas

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Stripe's lists come newest first (docs.stripe.com/api/pagination); its limits
// and errors are those of docs.stripe.com/rate-limits and /api/errors.

var stripe = &provider{name: "stripe", limit: func(_ *Server, w http.ResponseWriter, _ throttling) {
	w.Header().Set("Stripe-Rate-Limited-Reason", "endpoint-rate")
	stripeFault(w, http.StatusTooManyRequests, "rate_limit", "")
}}

func init() {
	stripe.routes = func(s *Server) {
		all := limit{"stripe", 100, time.Second}
		for _, p := range []struct {
			path string
			do   func(*Server, http.ResponseWriter, *http.Request)
		}{
			{"/v1/customers", (*Server).stripeCustomers}, {"/v1/customers/{id}", (*Server).stripeCustomer},
			{"/v1/subscriptions", (*Server).stripeSubscriptions}, {"/v1/subscriptions/{id}", (*Server).stripeSubscription},
			{"/v1/events", (*Server).stripeEvents},
		} {
			s.handle(stripe, "GET "+p.path, []limit{all, {"stripe " + p.path, 25, time.Second}}, func(w http.ResponseWriter, r *http.Request) {
				switch version := cmp.Or(r.Header.Get("Stripe-Version"), "2020-08-27"); {
				case !s.bearer(r) && !s.user(r, ""):
					stripeFault(w, http.StatusUnauthorized, "", "")
				case !stripeVersion.MatchString(version):
					stripeFault(w, http.StatusBadRequest, "", "")
				default:
					w.Header().Set("Stripe-Version", version)
					p.do(s, w, r)
				}
			})
		}
	}
	provide(*stripe)
}

// stripeVersion is what versions look like: a date, and since the end of
// September 2024 a name too (docs.stripe.com/sdks/versioning).
var stripeVersion = regexp.MustCompile(`^(20(1\d|2[0-3])-\d\d-\d\d|2024-0\d-\d\d|20\d\d-\d\d-\d\d\.[a-z]+)$`)

func stripeFault(w http.ResponseWriter, status int, code, param string) {
	e := map[string]any{"type": "invalid_request_error", "message": "nobody may repeat this: c0@example.com"}
	if code != "" {
		e["code"] = code
	}
	if param != "" {
		e["param"] = param
	}
	writeJSON(w, status, map[string]any{"error": e})
}

// StripeCustomer is the id of a customer there.
func StripeCustomer(n int) string { return fmt.Sprintf("cus_%08d", n) }

// StripeSubscription is the id of a subscription there.
func StripeSubscription(n int) string { return fmt.Sprintf("sub_%08d", n) }

// StripeEvent is the id of the event that tells of a change.
func StripeEvent(n int) string { return fmt.Sprintf("evt_%08d", n) }

// numberOf reads the number out of an id; -1 if it is none of the prefix.
func numberOf(id, prefix string) int {
	rest, ok := strings.CutPrefix(id, prefix)
	n, err := strconv.Atoi(rest)
	if !ok || err != nil {
		return -1
	}
	return n
}

// A stripeObject is what a list holds.
type stripeObject struct {
	id      string
	created int64
	gone    bool // a cursor may not name it
	value   any
}

// stripeList answers a list of objects, which come oldest first.
func (s *Server) stripeList(w http.ResponseWriter, r *http.Request, all []stripeObject) {
	q := r.URL.Query()
	size := atoi(q.Get("limit"), 10)
	if size < 1 || size > 100 {
		stripeFault(w, http.StatusBadRequest, "parameter_invalid_integer", "limit")
		return
	}
	all = slices.DeleteFunc(all, func(o stripeObject) bool { return !stripeWithin(q, o.created) && !o.gone })
	slices.Reverse(all)
	from := 0
	if after := q.Get("starting_after"); after != "" {
		at := slices.IndexFunc(all, func(o stripeObject) bool { return o.id == after })
		if at < 0 || all[at].gone || !stripeWithin(q, all[at].created) {
			stripeFault(w, http.StatusBadRequest, "resource_missing", "starting_after")
			return
		}
		from = at + 1
		if least, err := strconv.ParseInt(q.Get("created[gte]"), 10, 64); s.Traps().EmptyEdge && err == nil && all[at].created == least {
			from = len(all)
		}
	}
	live := slices.DeleteFunc(slices.Clone(all[from:]), func(o stripeObject) bool { return o.gone })
	page := live[:min(size, len(live))]
	data := make([]any, 0, len(page))
	for _, o := range page {
		data = append(data, o.value)
	}
	writeJSON(w, http.StatusOK, map[string]any{"object": "list", "url": r.URL.Path, "has_more": len(live) > size, "data": data})
	s.deleteLast(stripe, len(page) > 0 && r.URL.Path == "/v1/customers", func() { s.World.Delete(numberOf(page[len(page)-1].id, "cus_")) })
}

// deleteLast deletes what an answer ended with, when that is due.
func (s *Server) deleteLast(p *provider, can bool, do func()) {
	n, _ := s.Requests(p.name)
	if every := s.Traps().DeleteEvery; can && every > 0 && n%every == 0 {
		do()
	}
}

// stripeWithin reports whether an object was created in the span of a query.
func stripeWithin(q url.Values, created int64) bool {
	for op, holds := range map[string]func(int64) bool{
		"gte": func(t int64) bool { return created >= t }, "gt": func(t int64) bool { return created > t },
		"lte": func(t int64) bool { return created <= t }, "lt": func(t int64) bool { return created < t },
	} {
		if t, err := strconv.ParseInt(q.Get("created["+op+"]"), 10, 64); err == nil && !holds(t) {
			return false
		}
	}
	return true
}

func (s *Server) stripeCustomers(w http.ResponseWriter, r *http.Request) {
	var all []stripeObject
	for _, c := range s.World.Customers(func(*Customer) bool { return true }) {
		all = append(all, stripeObject{StripeCustomer(c.N), c.Created.Unix(), c.Deleted, stripeCustomerJSON(c)})
	}
	s.stripeList(w, r, all)
}

func (s *Server) stripeCustomer(w http.ResponseWriter, r *http.Request) {
	c, ok := s.World.Customer(numberOf(r.PathValue("id"), "cus_"))
	switch {
	case !ok:
		stripeFault(w, http.StatusNotFound, "resource_missing", "id")
	case c.Deleted:
		writeJSON(w, http.StatusOK, map[string]any{"id": StripeCustomer(c.N), "object": "customer", "deleted": true})
	default:
		writeJSON(w, http.StatusOK, stripeCustomerJSON(c))
	}
}

func stripeCustomerJSON(c Customer) map[string]any {
	return map[string]any{"id": StripeCustomer(c.N), "object": "customer", "created": c.Created.Unix(), "livemode": false,
		"name": c.Name, "business_name": null(c.Company), "individual_name": c.Name, "email": c.Email, "phone": c.Phone, "description": nil,
		"metadata": map[string]string{"plan": fmt.Sprintf("plan-%d", c.N%3)},
		"address":  map[string]any{"country": c.Country, "state": null(c.State), "city": c.City, "postal_code": c.Zip, "line1": nil, "line2": nil}}
}

// null is what a provider writes for a value that is not there.
func null(v string) any {
	if v == "" {
		return nil
	}
	return v
}

var stripeStates = [...]string{Active: "active", PastDue: "past_due", Trialing: "trialing", Paused: "paused", Ending: "active", Ended: "canceled", Future: "incomplete"}

func stripeSubscriptionJSON(c Customer, sub Subscription) map[string]any {
	out := map[string]any{"id": StripeSubscription(sub.N), "object": "subscription", "customer": StripeCustomer(c.N), "status": stripeStates[sub.State],
		"created": sub.Created.Unix(), "cancel_at_period_end": sub.State == Ending, "trial_start": nil, "trial_end": nil}
	if !sub.TrialStarted.IsZero() {
		out["trial_start"], out["trial_end"] = sub.TrialStarted.Unix(), sub.TrialStarted.Add(14*24*time.Hour).Unix()
	}
	return out
}

func (s *Server) stripeSubscriptions(w http.ResponseWriter, r *http.Request) {
	status, customer := r.URL.Query().Get("status"), r.URL.Query().Get("customer")
	var all []stripeObject
	for _, c := range s.World.Customers(nil) {
		for _, sub := range c.Subscriptions {
			word := stripeStates[sub.State]
			switch {
			case customer != "" && customer != StripeCustomer(c.N):
			case status == "" && (sub.State == Ended || sub.State == Future): // as Stripe leaves them out
			case status != "" && status != "all" && status != word:
			default:
				all = append(all, stripeObject{StripeSubscription(sub.N), sub.Created.Unix(), false, stripeSubscriptionJSON(c, sub)})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b stripeObject) int { return int(a.created - b.created) })
	s.stripeList(w, r, all)
}

func (s *Server) stripeSubscription(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	for _, c := range s.World.Customers(nil) {
		for _, sub := range c.Subscriptions {
			if StripeSubscription(sub.N) == id {
				writeJSON(w, http.StatusOK, stripeSubscriptionJSON(c, sub))
				return
			}
		}
	}
	stripeFault(w, http.StatusNotFound, "resource_missing", "id")
}

// stripeEvents answers the events of the last 30 days: Stripe keeps no others.
func (s *Server) stripeEvents(w http.ResponseWriter, r *http.Request) {
	types := r.URL.Query()["types[]"]
	now := s.World.clock.Now()
	var all []stripeObject
	for _, c := range s.World.Log(now.Add(-30*24*time.Hour), now.Add(time.Hour)) {
		kind, object := "customer."+c.Kind, map[string]any{"id": StripeCustomer(c.Customer), "object": "customer"}
		if c.Subscription >= 0 {
			kind, object = "customer.subscription."+c.Kind, map[string]any{"id": StripeSubscription(c.Subscription), "object": "subscription", "customer": StripeCustomer(c.Customer)}
		}
		if len(types) > 0 && !slices.Contains(types, kind) {
			continue
		}
		all = append(all, stripeObject{StripeEvent(c.N), c.At.Unix(), false, map[string]any{"id": StripeEvent(c.N),
			"object": "event", "type": kind, "created": c.At.Unix(), "data": map[string]any{"object": object}}})
	}
	s.stripeList(w, r, all)
}
