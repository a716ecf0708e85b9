package source

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"sluice/internal/crm"
)

// Stripe reads customers and subscriptions of one Stripe account.
//
// All lists come newest first, with the last object's id as cursor
// (docs.stripe.com/api/pagination). Customers cannot be asked by when they
// changed, so changes are found in the events, which Stripe keeps for 30 days;
// an event's object may be old or partial, so it only says what to read anew.
// Subscriptions are a stream of their own, as Stripe advises against expanding
// them within customers.
var Stripe = register(stripe{})

type stripe struct{}

// stripeVersion is asked for with every request, whatever the account's own
// default is (docs.stripe.com/api/versioning). The name belongs to it: without
// it Stripe knows no such version.
const stripeVersion = "2026-08-26.dahlia"

const (
	stripePage   = 100                 // the most that a list gives
	stripeWindow = 30 * 24 * time.Hour // of a partition
	stripeReach  = 30 * 24 * time.Hour // how long events are kept
)

// Streams of Stripe.
const (
	stripeCustomers     = "customers"
	stripeSubscriptions = "subscriptions"
	stripeChanges       = "changes"
)

func (stripe) About() About {
	return About{
		Kind: "stripe", Title: "Stripe", Reads: "customers, and from subscriptions their status and trial",
		Settings: []Setting{
			{Name: "api_key", Help: "a restricted key that may read customers, subscriptions and events, rk_…", Secret: true, Required: true},
			{Name: "account", Help: "a connected account, acct_…; the key's own if not set"},
			{Name: "lag_seconds", Help: "how far behind the present it reads: Stripe may show an event late", Default: "60", Check: checkLag},
			apiSetting("https://api.stripe.com"),
		},
		Subscriptions: true, Increments: AllChanges, Lag: time.Minute, Reach: stripeReach,
		// docs.stripe.com/rate-limits: 25 a second for one endpoint, 100 for all.
		Quotas: map[string]Quota{"": {Requests: 100, Per: time.Second},
			stripeCustomers: {Requests: 25, Per: time.Second}, stripeSubscriptions: {Requests: 25, Per: time.Second}, stripeChanges: {Requests: 25, Per: time.Second}},
		Ceiling: 25 * stripePage, CeilingOf: stripeCustomers,
	}
}

// AboutFor is About with the lag that the settings name.
func (s stripe) AboutFor(settings map[string]string) About {
	about := s.About()
	if n, err := strconv.Atoi(settings["lag_seconds"]); err == nil {
		about.Lag = time.Duration(n) * time.Second
	}
	return about
}

// checkLag wants two seconds at the least: Stripe's times have no fractions.
func checkLag(value string) error {
	if n, err := strconv.Atoi(value); err != nil || n < 2 || n > 86400 {
		return fmt.Errorf("%w: use a number of seconds, from 2 to 86400", crm.ErrInvalid)
	}
	return nil
}

func (stripe) Check(ctx context.Context, a *Access) (Account, error) {
	res, err := a.do(ctx, a.stripe(stripeCustomers, "/v1/customers", url.Values{"limit": {"1"}}))
	if err != nil {
		return Account{}, err
	}
	out := Account{Name: res.header.Get("Stripe-Account"), Limits: "25 requests a second for each list, 2,500 customers a second"}
	if len(a.Settings["api_key"]) > 8 && a.Settings["api_key"][2:8] == "_test_" {
		out.Notes = append(out.Notes, "the key is one of a sandbox: it sees no real customers")
	}
	return out, nil
}

func (s stripe) Plan(_ context.Context, a *Access, w Want) ([]crm.Partition, error) {
	if w.Changes {
		if w.From.Before(a.Now().Add(-stripeReach)) {
			return nil, fmt.Errorf("%w: Stripe keeps events for 30 days, and the last sync is older; run a backfill", crm.ErrCursorLost)
		}
		return []crm.Partition{Window(stripeChanges, w.From, w.To)}, nil
	}
	// What holds of a customer of years ago may have begun yesterday.
	subscriptions := w.Span
	subscriptions.To = a.Now().Add(-s.AboutFor(a.Settings).Lag).Truncate(time.Second)
	return append(Windows(stripeCustomers, w.Span, stripeWindow), Windows(stripeSubscriptions, subscriptions, 12*stripeWindow)...), nil
}

// stripeCursor says where in a list the next page begins.
type stripeCursor struct {
	After   string `json:"after,omitempty"`   // the last object's id
	Created int64  `json:"created,omitempty"` // when it was created

	// Again is true when the next page is asked for by time alone, because the
	// object is gone or the list ended in a way that is not to be trusted.
	Again bool `json:"again,omitempty"`
	// Asked is when the object was created at which that was last done.
	Asked int64 `json:"asked,omitempty"`
}

type stripeList struct {
	Data    []json.RawMessage `json:"data"`
	HasMore bool              `json:"has_more"`
}

func (s stripe) Read(ctx context.Context, a *Access, p crm.Partition, c Cursor) (Page, error) {
	var at stripeCursor
	if err := readCursor(c, &at); err != nil {
		return Page{}, err
	}
	list, err := s.list(ctx, a, p, at)
	if err != nil {
		return Page{}, err
	}
	if list == nil { // the cursor's object is gone
		at.Again, at.Asked = true, 0
		if list, err = s.list(ctx, a, p, at); err != nil {
			return Page{}, err
		}
	}
	var page Page
	switch p.Stream {
	case stripeCustomers:
		err = each(list.Data, func(c *stripeCustomer) { page.Rows = append(page.Rows, c.row()) })
	case stripeSubscriptions:
		err = each(list.Data, func(s *stripeSubscription) { page.Subscriptions = append(page.Subscriptions, s.subscription()) })
	case stripeChanges:
		err = s.changes(ctx, a, list.Data, &page)
	default:
		err = noPartition(p)
	}
	if err != nil {
		return Page{}, err
	}
	next, err := at.next(list)
	if err == nil && next != nil {
		page.Next, err = cursor(next)
	}
	return page, err
}

// next says where the page after a list begins; nil if there is none.
//
// A list that is empty behind a cursor is not trusted: Stripe has been seen to
// end a list so when the cursor's object lies at the edge of the window. Then it
// is asked once more by time, which repeats the objects of one second.
func (c stripeCursor) next(l *stripeList) (*stripeCursor, error) {
	if len(l.Data) == 0 {
		if c.After == "" || c.Again || c.Asked == c.Created {
			return nil, nil
		}
		return &stripeCursor{After: c.After, Created: c.Created, Again: true}, nil
	}
	if !l.HasMore {
		return nil, nil
	}
	var last struct {
		ID      string `json:"id"`
		Created int64  `json:"created"`
	}
	if err := json.Unmarshal(l.Data[len(l.Data)-1], &last); err != nil || last.ID == "" {
		return nil, fmt.Errorf("an object of the list has no id")
	}
	next := &stripeCursor{After: last.ID, Created: last.Created}
	if c.Again {
		next.Asked = c.Created
	}
	if c.Asked != 0 {
		next.Asked = c.Asked
	}
	return next, nil
}

// list reads one page; nil if the cursor's object is not there any more.
func (s stripe) list(ctx context.Context, a *Access, p crm.Partition, at stripeCursor) (*stripeList, error) {
	q := url.Values{"limit": {strconv.Itoa(stripePage)}}
	if !p.From.IsZero() {
		q.Set("created[gte]", stripeTime(p.From))
	}
	if !p.To.IsZero() {
		q.Set("created[lt]", stripeTime(p.To))
	}
	path := "/v1/customers"
	switch p.Stream {
	case stripeSubscriptions:
		path = "/v1/subscriptions"
		q.Set("status", "all") // else those that are over are missing
	case stripeChanges:
		path = "/v1/events"
		q["types[]"] = stripeEvents
	}
	switch {
	case at.Again:
		q.Set("created[lte]", strconv.FormatInt(at.Created, 10))
		q.Del("created[lt]")
	case at.After != "":
		q.Set("starting_after", at.After)
	}
	c := a.stripe(p.Stream, path, q)
	gone := false
	refused := c.fault
	c.fault = func(res *answer) error {
		var e stripeError
		if res.status == http.StatusBadRequest && at.After != "" && res.json(&e) == nil &&
			e.Error.Code == "resource_missing" && e.Error.Param == "starting_after" {
			gone = true
		}
		return refused(res)
	}
	res, err := a.do(ctx, c)
	if gone {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var l stripeList
	return &l, res.json(&l)
}

// stripeTime rounds up: Stripe counts in whole seconds, and windows meet.
func stripeTime(t time.Time) string {
	return strconv.FormatInt(t.Add(time.Second-1).Unix(), 10)
}

type stripeError struct {
	Error struct {
		Type  string `json:"type"`
		Code  string `json:"code"`
		Param string `json:"param"`
	} `json:"error"`
}

// stripe is a call to Stripe.
func (a *Access) stripe(class, path string, q url.Values) call {
	h := http.Header{"Authorization": {"Bearer " + a.Settings["api_key"]}, "Stripe-Version": {stripeVersion}}
	if account := a.Settings["account"]; account != "" {
		h.Set("Stripe-Account", account)
	}
	return call{class: class, url: a.api() + path, query: q, header: h, fault: func(res *answer) error {
		var e stripeError
		if res.status == http.StatusTooManyRequests && res.json(&e) == nil && e.Error.Code == "lock_timeout" {
			return fmt.Errorf("Stripe is busy with the object (lock_timeout)")
		}
		return nil
	}}
}

// stripeEvents are the events after which a customer or a subscription is read
// anew.
var stripeEvents = []string{
	"customer.created", "customer.updated", "customer.deleted",
	"customer.subscription.created", "customer.subscription.updated", "customer.subscription.deleted",
	"customer.subscription.paused", "customer.subscription.resumed", "customer.subscription.trial_will_end",
	"customer.subscription.pending_update_applied", "customer.subscription.pending_update_expired",
}

type stripeEvent struct {
	Type    string `json:"type"`
	Created int64  `json:"created"`
	Data    struct {
		Object struct {
			ID     string `json:"id"`
			Object string `json:"object"`
		} `json:"object"`
	} `json:"data"`
}

// changes reads what a page of events names, each once.
func (s stripe) changes(ctx context.Context, a *Access, events []json.RawMessage, page *Page) error {
	type thing struct{ object, id string }
	latest := map[thing]int64{}
	var order []thing
	err := each(events, func(e *stripeEvent) {
		t := thing{e.Data.Object.Object, e.Data.Object.ID}
		if _, there := latest[t]; !there {
			order = append(order, t)
		}
		latest[t] = max(latest[t], e.Created)
	})
	if err != nil {
		return err
	}
	slices.Reverse(order) // the oldest first
	for _, t := range order {
		at := time.Unix(latest[t], 0).UTC()
		switch t.object {
		case "customer":
			var c stripeCustomer
			if err := s.object(ctx, a, stripeCustomers, "/v1/customers/"+url.PathEscape(t.id), &c); err != nil {
				return err
			}
			c.ID = t.id
			row := c.row()
			row.Customer.SetTime("source_updated_at", at)
			page.Rows = append(page.Rows, row)
		case "subscription":
			var sub stripeSubscription
			if err := s.object(ctx, a, stripeSubscriptions, "/v1/subscriptions/"+url.PathEscape(t.id), &sub); err != nil {
				return err
			}
			if sub.Customer != "" {
				out := sub.subscription()
				out.UpdatedAt = at
				page.Subscriptions = append(page.Subscriptions, out)
			}
		}
	}
	return nil
}

// object reads one object; one that is gone leaves into as it is.
func (stripe) object(ctx context.Context, a *Access, class, path string, into any) error {
	missing := false
	c := a.stripe(class, path, nil)
	refused := c.fault
	c.fault = func(res *answer) error {
		missing = res.status == http.StatusNotFound
		return refused(res)
	}
	res, err := a.do(ctx, c)
	if missing {
		return nil
	}
	if err != nil {
		return err
	}
	return res.json(into)
}
