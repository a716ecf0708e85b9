package fakesaas

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Chargebee's lists are those of apidocs.chargebee.com/docs/api/list-ops, its
// errors those of /docs/api/error-handling, and its limits those of a test site:
// chargebee.com/docs, "What are the Chargebee API limits".

var chargebee = &provider{name: "chargebee", limit: func(_ *Server, w http.ResponseWriter, _ throttling) {
	chargebeeFault(w, http.StatusTooManyRequests, "api_request_limit_exceeded", "")
}}

func init() {
	chargebee.routes = func(s *Server) {
		all := limit{"chargebee", 150, time.Minute}
		for path, list := range map[string]func(*chargebeeQuery, []*Customer){"customers": (*chargebeeQuery).customers, "subscriptions": (*chargebeeQuery).subscriptions} {
			s.handle(chargebee, "GET /api/v2/"+path, []limit{all}, func(w http.ResponseWriter, r *http.Request) {
				if !s.user(r, "") {
					chargebeeFault(w, http.StatusUnauthorized, "api_authentication_failed", "")
					return
				}
				s.chargebeeList(w, r, list)
			})
		}
	}
	provide(*chargebee)
}

func chargebeeFault(w http.ResponseWriter, status int, code, param string) {
	const message = "nobody may repeat this: c0@example.com"
	e := map[string]any{"message": message, "error_msg": message, "api_error_code": code, "error_code": code, "http_status_code": status}
	if param != "" {
		e["type"], e["param"] = "invalid_request", param
	}
	writeJSON(w, status, e)
}

// ChargebeeCustomer is the id of a customer there.
func ChargebeeCustomer(n int) string { return fmt.Sprintf("AzCust%08d", n) }

// ChargebeeContact is the id of a contact there.
func ChargebeeContact(n int) string { return fmt.Sprintf("contact_%08d", n) }

// ChargebeeSubscription is the id of a subscription there.
func ChargebeeSubscription(n int) string { return fmt.Sprintf("AzSub%08d", n) }

// A chargebeeQuery is what is asked of a list.
type chargebeeQuery struct {
	keyset
	byUpdate bool // sorted by when things were updated
	deleted  bool // with those that are
	created  chargebeeRange
	updated  chargebeeRange
	shown    time.Time // nothing that has happened since is in lists
	traps    Traps
}

// A chargebeeRange is the seconds that a filter lets pass, both ends inclusive,
// if one is given.
type chargebeeRange struct {
	given    bool
	from, to int64
}

func (r chargebeeRange) passes(at time.Time) bool {
	return !r.given || !at.IsZero() && at.Unix() >= r.from && at.Unix() <= r.to
}

// chargebeeAsked reads a query. If it makes no sense, wrong is the parameter that
// does not.
func chargebeeAsked(v url.Values) (q chargebeeQuery, wrong string) {
	q.most = atoi(v.Get("limit"), 10)
	if q.most < 1 || q.most > 100 {
		return q, "limit"
	}
	q.deleted = v.Get("include_deleted") == "true"
	for order, field := range map[string]string{"asc": v.Get("sort_by[asc]"), "desc": v.Get("sort_by[desc]")} {
		switch field {
		case "":
		case "created_at", "updated_at":
			q.desc, q.byUpdate = order == "desc", field == "updated_at"
		default:
			return q, "sort_by"
		}
	}
	for field, into := range map[string]*chargebeeRange{"created_at": &q.created, "updated_at": &q.updated} {
		var ok bool
		if *into, ok = chargebeeSpan(v, field); !ok {
			return q, field
		}
	}
	if offset := v.Get("offset"); offset != "" {
		var parts []string
		if json.Unmarshal([]byte(offset), &parts) != nil || len(parts) != 2 {
			return q, "offset"
		}
		at, err := strconv.ParseInt(parts[0], 10, 64)
		n, bad := strconv.Atoi(parts[1])
		if err != nil || bad != nil {
			return q, "offset"
		}
		q.after = &spot{at, n}
	}
	return q, ""
}

// chargebeeSpan reads the filters of a time.
func chargebeeSpan(v url.Values, field string) (r chargebeeRange, ok bool) {
	r, ok = chargebeeRange{from: math.MinInt64, to: math.MaxInt64}, true
	read := func(operator string, set func(t int64)) {
		if text := v.Get(field + "[" + operator + "]"); text != "" {
			t, err := strconv.ParseInt(text, 10, 64)
			r.given, ok = true, ok && err == nil
			set(t)
		}
	}
	read("after", func(t int64) { r.from = t + 1 })
	read("before", func(t int64) { r.to = t - 1 })
	read("on", func(t int64) { r.from, r.to = t, t })
	if text := v.Get(field + "[between]"); text != "" {
		var ends []int64
		err := json.Unmarshal([]byte(strings.ReplaceAll(text, `"`, "")), &ends)
		r.given, ok = true, ok && err == nil && len(ends) == 2
		if ok {
			r.from, r.to = max(r.from, ends[0]), min(r.to, ends[1])
		}
	}
	return r, ok
}

func (s *Server) chargebeeList(w http.ResponseWriter, r *http.Request, list func(*chargebeeQuery, []*Customer)) {
	q, wrong := chargebeeAsked(r.URL.Query())
	if wrong != "" {
		chargebeeFault(w, http.StatusBadRequest, "param_wrong_value", wrong)
		return
	}
	q.traps = s.Traps()
	q.shown = s.World.clock.Now().Add(-q.traps.Lag)
	out, entries, last := map[string]any{}, []any{}, listed{}
	s.World.View(func(all []*Customer) {
		list(&q, all)
		page, more := q.page()
		for _, o := range page {
			entries, last = append(entries, q.json(o)), o
		}
		if more {
			offset, _ := json.Marshal([]string{strconv.FormatInt(last.at, 10), strconv.Itoa(last.n)})
			out["next_offset"] = string(offset)
		}
	})
	out["list"] = entries
	writeJSON(w, http.StatusOK, out)
	s.deleteLast(chargebee, len(entries) > 0 && last.sub == nil, func() { s.World.Delete(last.n) })
}

func (q *chargebeeQuery) customers(all []*Customer) {
	inOrder := !q.byUpdate && !q.desc
	if q.created.given && inOrder {
		all = createdSince(all, max(q.created.from, 0)*1000)
	}
	if q.after != nil && inOrder {
		all = createdSince(all, q.after.at)
	}
	for _, c := range all {
		if inOrder && q.full() && c.Created.UnixMilli() > q.kept[q.most].at {
			return
		}
		q.consider(listed{spot: spot{n: c.N}, customer: c})
	}
}

func (q *chargebeeQuery) subscriptions(all []*Customer) {
	inOrder := !q.byUpdate && !q.desc
	for _, c := range all {
		// No subscription is older than its customer.
		if inOrder && q.full() && c.Created.UnixMilli() > q.kept[q.most].at+999 {
			return
		}
		for i := range c.Subscriptions {
			q.consider(listed{spot: spot{n: c.Subscriptions[i].N}, customer: c, sub: &c.Subscriptions[i]})
		}
	}
}

// consider offers to the page what the filters let pass.
func (q *chargebeeQuery) consider(o listed) {
	created, updated := q.times(o)
	at := created
	if q.byUpdate {
		at = updated
	}
	if o.customer.Deleted && !q.deleted || at.After(q.shown) || !q.created.passes(created) || !q.updated.passes(updated) {
		return
	}
	o.at = at.Unix() * 1000
	q.offer(o)
}

// times are when an object was created and updated. What has not been updated
// since September 2016 does not say so, and no filter finds it.
func (q *chargebeeQuery) times(o listed) (created, updated time.Time) {
	c := o.customer
	created, updated = c.Created, c.Updated
	if o.sub != nil {
		created, updated = o.sub.Created, o.sub.Updated
		if c.Deleted { // its subscriptions are deleted with it
			updated = c.Updated
		}
	}
	if q.traps.NullUpdated && c.N%3 == 0 && updated.Equal(created) {
		updated = time.Time{}
	}
	return created, updated
}

// json writes an object, wrapped in its name.
func (q *chargebeeQuery) json(o listed) map[string]any {
	name, out := "customer", map[string]any(nil)
	if o.sub == nil {
		out = chargebeeCustomerJSON(o.customer)
	} else {
		name, out = "subscription", chargebeeSubscriptionJSON(o.customer, o.sub)
	}
	created, updated := q.times(o)
	out["object"], out["deleted"], out["created_at"] = name, o.customer.Deleted, created.Unix()
	if !updated.IsZero() {
		out["updated_at"], out["resource_version"] = updated.Unix(), updated.UnixMilli()
	}
	return map[string]any{name: out}
}

func chargebeeCustomerJSON(c *Customer) map[string]any {
	first, last, _ := strings.Cut(c.Name, " ")
	out := map[string]any{"id": ChargebeeCustomer(c.N), "first_name": first, "last_name": last, "email": c.Email, "phone": c.Phone, "auto_collection": "on",
		"net_term_days": 0, "allow_direct_debit": false, "taxability": "taxable", "pii_cleared": "active", "preferred_currency_code": "EUR",
		"cf_plan": fmt.Sprintf("plan-%d", c.N%3), "meta_data": map[string]any{"seats": c.N % 7}}
	if c.Company != "" {
		out["company"] = c.Company
	}
	address := map[string]any{"object": "billing_address", "country": c.Country, "city": c.City, "zip": c.Zip, "validation_status": "not_validated"}
	if c.State != "" {
		address["state_code"] = c.State
	}
	out["billing_address"] = address
	var contacts []any
	for _, p := range c.Contacts[1:] { // the first is the customer's own
		contacts = append(contacts, map[string]any{"object": "contact", "id": ChargebeeContact(p.N), "first_name": p.First, "last_name": p.Last,
			"email": p.Email, "label": p.Title, "enabled": true, "send_account_email": false, "send_billing_email": true})
	}
	if contacts != nil {
		out["contacts"] = contacts
	}
	return out
}

var chargebeeStates = [...]string{Active: "active", PastDue: "active", Trialing: "in_trial", Paused: "paused", Ending: "non_renewing", Ended: "cancelled", Future: "future"}

func chargebeeSubscriptionJSON(c *Customer, s *Subscription) map[string]any {
	out := map[string]any{"id": ChargebeeSubscription(s.N), "customer_id": ChargebeeCustomer(c.N), "status": chargebeeStates[s.State],
		"currency_code": "EUR", "billing_period": 1, "billing_period_unit": "month", "due_invoices_count": 0}
	if s.State == PastDue {
		out["due_invoices_count"], out["due_since"], out["total_dues"] = 1, s.Updated.Unix(), 4900
	}
	if !s.TrialStarted.IsZero() {
		out["trial_start"], out["trial_end"] = s.TrialStarted.Unix(), s.TrialStarted.Add(14*24*time.Hour).Unix()
	}
	return out
}
