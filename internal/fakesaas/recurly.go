package fakesaas

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Recurly's lists, errors and heads are those of
// recurly.com/developers/api/v2021-02-25, its limits those of
// docs.recurly.com, "What are Recurly's API rate limits".

// recurlyLimit is reckoned over the last five minutes.
var recurlyLimit = limit{"recurly", 5 * 1000, 5 * time.Minute}

var recurly = &provider{name: "recurly", limit: func(_ *Server, w http.ResponseWriter, why throttling) {
	recurlyHeads(w, 0, why.until)
	recurlyFault(w, http.StatusTooManyRequests, "rate_limited")
}}

func init() {
	recurly.routes = func(s *Server) {
		for name, write := range recurlyLists {
			s.handle(recurly, "GET /"+name, []limit{recurlyLimit}, func(w http.ResponseWriter, r *http.Request) {
				recurlyHeads(w, s.left(recurlyLimit), s.World.clock.Now().Add(recurlyLimit.per))
				switch {
				case !s.user(r, ""):
					recurlyFault(w, http.StatusUnauthorized, "unauthorized")
				case !strings.HasPrefix(r.Header.Get("Accept"), "application/vnd.recurly.v2021-02-25"):
					recurlyFault(w, http.StatusNotAcceptable, "invalid_api_version")
				default:
					s.recurlyList(w, r, write)
				}
			})
		}
	}
	provide(*recurly)
}

// recurlyHeads says how many requests are left, and at which second all are to
// be had again.
func recurlyHeads(w http.ResponseWriter, left int, until time.Time) {
	w.Header().Set("X-RateLimit-Limit", strconv.Itoa(recurlyLimit.most))
	w.Header().Set("X-RateLimit-Remaining", strconv.Itoa(left))
	w.Header().Set("X-RateLimit-Reset", strconv.FormatInt(until.Add(time.Second-1).Unix(), 10))
	w.Header().Set("Recurly-Version", "recurly.v2021-02-25")
}

func recurlyFault(w http.ResponseWriter, status int, kind string) {
	writeJSON(w, status, map[string]any{"error": map[string]any{"type": kind, "message": "nobody may repeat this: c0@example.com", "params": []any{}}})
}

// RecurlyAccount is the id of an account there.
func RecurlyAccount(n int) string { return fmt.Sprintf("ra%010d", n) }

// RecurlySubscription is the id of a subscription there.
func RecurlySubscription(n int) string { return fmt.Sprintf("rs%010d", n) }

// RecurlyInvoice is the id of a subscription's invoice there.
func RecurlyInvoice(n int) string { return fmt.Sprintf("ri%010d", n) }

// recurlyLists are the lists, by what they are of, each with how it writes one of
// them. Every subscription has one invoice, which changes whenever it does.
var recurlyLists = map[string]func(o listed, now time.Time) map[string]any{
	recurlyAccounts: recurlyAccountJSON, "subscriptions": recurlySubscriptionJSON, "invoices": recurlyInvoiceJSON,
}

const recurlyAccounts = "accounts"

// recurlyTimes are when an object was created and updated. A subscription ends,
// and so changes, when its account is closed.
func recurlyTimes(o listed) (created, updated time.Time) {
	switch {
	case o.sub == nil:
		return o.customer.Created, o.customer.Updated
	case o.customer.Deleted:
		return o.sub.Created, o.customer.Updated
	}
	return o.sub.Created, o.sub.Updated
}

// A recurlyQuery is what is asked of a list.
type recurlyQuery struct {
	keyset
	byUpdate   bool
	begin, end time.Time // inclusive; zero: none
	pastDue    string
	ids        []string
	matching   int  // how many the list has, on all pages
	count      bool // only that is asked for
}

// recurlyAsked reads a query; false if it makes no sense.
func recurlyAsked(v url.Values) (q recurlyQuery, ok bool) {
	q.most = atoi(v.Get("limit"), 20)
	if ids := v.Get("ids"); ids != "" { // they come all at once
		q.ids = strings.Split(ids, ",")
		q.most = 200
		return q, len(q.ids) <= q.most
	}
	q.pastDue = v.Get("past_due")
	order, sort := v.Get("order"), v.Get("sort")
	q.desc, q.byUpdate = order != "asc", sort == "updated_at"
	ok = q.most >= 1 && q.most <= 200 && slices.Contains([]string{"", "asc", "desc"}, order) && slices.Contains([]string{"", "created_at", "updated_at"}, sort)
	for name, into := range map[string]*time.Time{"begin_time": &q.begin, "end_time": &q.end} {
		if given := v.Get(name); given != "" {
			at, err := time.Parse(time.RFC3339Nano, given)
			*into, ok = at, ok && err == nil
		}
	}
	if c := v.Get("cursor"); c != "" {
		var at spot
		text, err := base64.StdEncoding.DecodeString(c)
		_, wrong := fmt.Sscanf(string(text), "%d:%d", &at.at, &at.n)
		q.after, ok = &at, ok && err == nil && wrong == nil
	}
	return q, ok
}

// recurlyList answers a list, or, to a HEAD, how long it is.
func (s *Server) recurlyList(w http.ResponseWriter, r *http.Request, write func(listed, time.Time) map[string]any) {
	q, ok := recurlyAsked(r.URL.Query())
	if !ok {
		recurlyFault(w, http.StatusBadRequest, "bad_request")
		return
	}
	q.count = r.Method == http.MethodHead
	data, last, more := []any{}, listed{}, false
	now := s.World.clock.Now()
	s.World.View(func(all []*Customer) {
		q.read(all, r.URL.Path == "/"+recurlyAccounts)
		var page []listed
		page, more = q.page()
		for _, o := range page {
			data = append(data, write(o, now))
			last = o
		}
	})
	if q.count {
		w.Header().Set("Recurly-Total-Records", strconv.Itoa(q.matching))
		w.Header().Set("Content-Type", "application/json")
		return
	}
	var next any
	if more {
		v := r.URL.Query()
		v.Set("cursor", base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%d:%d", last.at, last.n)))
		next = r.URL.Path + "?" + v.Encode()
	}
	writeJSON(w, http.StatusOK, map[string]any{"object": "list", "has_more": more, "next": next, "data": data})
	s.deleteLast(recurly, len(data) > 0 && last.sub == nil, func() { s.World.Delete(last.n) })
}

// read offers to the page what the query asks for: accounts or subscriptions.
func (q *recurlyQuery) read(all []*Customer, accounts bool) {
	inOrder := !q.byUpdate && !q.desc && !q.count
	switch {
	case q.ids != nil:
		all, inOrder = recurlyNamed(all, q.ids), false
	case inOrder && accounts && q.after != nil:
		all = createdSince(all, q.after.at)
	case inOrder && accounts && !q.begin.IsZero():
		all = createdSince(all, q.begin.UnixMilli())
	}
	for _, c := range all {
		// Nothing of a customer's is older than the customer.
		if inOrder && q.full() && c.Created.UnixMilli() > q.kept[q.most].at {
			return
		}
		if q.pastDue != "" && q.pastDue != strconv.FormatBool(recurlyPastDue(c)) {
			continue
		}
		if accounts {
			q.consider(listed{spot: spot{n: c.N}, customer: c})
			continue
		}
		for i := range c.Subscriptions {
			q.consider(listed{spot: spot{n: c.Subscriptions[i].N}, customer: c, sub: &c.Subscriptions[i]})
		}
	}
}

func (q *recurlyQuery) consider(o listed) {
	at, updated := recurlyTimes(o)
	if q.byUpdate {
		at = updated
	}
	if at.Before(q.begin) || !q.end.IsZero() && at.After(q.end) {
		return
	}
	o.at = at.UnixMilli()
	q.matching++
	q.offer(o)
}

// recurlyNamed returns the customers whose accounts have the ids; one that there
// is not is passed over.
func recurlyNamed(all []*Customer, ids []string) (out []*Customer) {
	for _, id := range ids {
		if n := numberOf(id, "ra"); n >= 0 && n < len(all) {
			out = append(out, all[n])
		}
	}
	return out
}

// recurlyTime writes a time as Recurly does, in whole seconds; null if it is
// zero.
func recurlyTime(at time.Time) any {
	if at.IsZero() {
		return nil
	}
	return at.UTC().Format("2006-01-02T15:04:05Z")
}

func recurlyPastDue(c *Customer) bool {
	return !c.Deleted && slices.ContainsFunc(c.Subscriptions, func(s Subscription) bool { return s.State == PastDue })
}

func recurlyAccountJSON(o listed, _ time.Time) map[string]any {
	c, has := o.customer, map[string]bool{}
	for i := range c.Subscriptions {
		has[recurlyState(c, &c.Subscriptions[i])] = true
	}
	first, last, _ := strings.Cut(c.Name, " ")
	out := map[string]any{"id": RecurlyAccount(c.N), "object": "account", "code": fmt.Sprintf("code-%d", c.N), "state": "active",
		"first_name": first, "last_name": last, "company": null(c.Company), "email": c.Email, "cc_emails": nil, "username": nil, "vat_number": nil,
		"preferred_locale": nil, "parent_account_id": nil, "bill_to": "self", "shipping_addresses": []any{}, "tax_exempt": false,
		"created_at": recurlyTime(c.Created), "updated_at": recurlyTime(c.Updated), "deleted_at": nil,
		"address": map[string]any{"phone": null(c.Phone), "street1": nil, "street2": nil, "city": c.City, "region": null(c.State), "postal_code": c.Zip,
			"country": c.Country, "geo_code": nil},
		"custom_fields":           []any{map[string]any{"name": "plan", "value": fmt.Sprintf("plan-%d", c.N%3)}},
		"has_active_subscription": has["active"], "has_canceled_subscription": has["canceled"], "has_future_subscription": has["future"],
		"has_paused_subscription": has["paused"], "has_live_subscription": has["active"] || has["canceled"] || has["future"] || has["paused"],
		"has_past_due_invoice": recurlyPastDue(c)}
	if c.Deleted { // an account is closed, and stays
		out["state"], out["deleted_at"] = "inactive", recurlyTime(c.Updated)
	}
	return out
}

var recurlyStates = [...]string{Active: "active", PastDue: "active", Trialing: "active", Paused: "paused", Ending: "canceled", Ended: "expired", Future: "future"}

func recurlyState(c *Customer, s *Subscription) string {
	if c.Deleted {
		return "expired"
	}
	return recurlyStates[s.State]
}

// recurlyMini is how objects of an account name it.
func recurlyMini(c *Customer) map[string]any {
	return map[string]any{"id": RecurlyAccount(c.N), "object": "account_mini", "code": fmt.Sprintf("code-%d", c.N), "email": c.Email, "company": null(c.Company)}
}

// recurlySubscriptionJSON writes a subscription. Only the end of its trial tells
// one that is on trial from one that is paid for.
func recurlySubscriptionJSON(o listed, now time.Time) map[string]any {
	var ends time.Time
	if started := o.sub.TrialStarted; !started.IsZero() {
		ends = started.Add(14 * 24 * time.Hour)
		if passed := now.Add(-time.Minute); ends.After(passed) {
			ends = passed
		}
	}
	if o.sub.State == Trialing {
		ends = now.Add(7 * 24 * time.Hour)
	}
	created, updated := recurlyTimes(o)
	return map[string]any{"id": RecurlySubscription(o.sub.N), "object": "subscription", "uuid": fmt.Sprintf("%032d", o.sub.N), "account": recurlyMini(o.customer),
		"state": recurlyState(o.customer, o.sub), "trial_started_at": recurlyTime(o.sub.TrialStarted), "trial_ends_at": recurlyTime(ends),
		"created_at": recurlyTime(created), "updated_at": recurlyTime(updated), "quantity": 1, "currency": "EUR", "add_ons": []any{}}
}

func recurlyInvoiceJSON(o listed, _ time.Time) map[string]any {
	state := "paid"
	if o.sub.State == PastDue && !o.customer.Deleted {
		state = "past_due"
	}
	created, updated := recurlyTimes(o)
	return map[string]any{"id": RecurlyInvoice(o.sub.N), "object": "invoice", "type": "charge", "number": strconv.Itoa(1000 + o.sub.N), "state": state,
		"account": recurlyMini(o.customer), "created_at": recurlyTime(created), "updated_at": recurlyTime(updated)}
}
