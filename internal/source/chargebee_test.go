package source

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/internal/crm"
	"sluice/internal/fakesaas"
)

// chargebeeRowIDs are those of a customer's rows: the customer's own, and those
// of the other contacts.
func chargebeeRowIDs(c fakesaas.Customer) []string {
	ids := []string{fakesaas.ChargebeeCustomer(c.N)}
	for _, p := range c.Contacts[1:] {
		ids = append(ids, ids[0]+"/"+fakesaas.ChargebeeContact(p.N))
	}
	return ids
}

func chargebeeIDs(w *fakesaas.World) (ids []string) {
	for _, c := range w.Customers(nil) {
		ids = append(ids, chargebeeRowIDs(c)...)
	}
	return ids
}

func chargebeeSubscribers(w *fakesaas.World) (ids []string) {
	for _, c := range w.Customers(nil) {
		if len(c.Subscriptions) > 0 {
			ids = append(ids, fakesaas.ChargebeeCustomer(c.N))
		}
	}
	return ids
}

var chargebeeSubject = subject{connector: Chargebee, provider: "chargebee", settings: map[string]string{"api_key": fakesaas.Key},
	ids: chargebeeIDs, subscriptions: chargebeeSubscribers,
	changes: func(w *fakesaas.World, changed []int) (ids []string) {
		for _, n := range changed {
			c, _ := w.Customer(n)
			ids = append(ids, chargebeeRowIDs(c)...)
		}
		return ids
	}}

func init() { subjects = append(subjects, chargebeeSubject) }

func TestChargebeeBackfillHasWhatWasNeverUpdated(t *testing.T) {
	t.Parallel()
	x := chargebeeSubject.begin(t)
	x.server.Set(func(t *fakesaas.Traps) { t.NullUpdated = true })
	h := x.read(x.everything())
	x.checkHaul(h, x.ids(x.world))
	x.checkStatuses(h.subscriptions, fakesaas.ChargebeeCustomer)
}

func TestChargebeeChangesHaveWhatIsNewAndWasNeverUpdated(t *testing.T) {
	t.Parallel()
	x := chargebeeSubject.begin(t)
	x.server.Set(func(t *fakesaas.Traps) { t.NullUpdated = true })
	since := x.world.Clock().Now()
	var want []int
	for range 9 { // some of whose numbers are threefold
		x.world.Clock().Move(time.Minute)
		want = append(want, x.world.Add())
	}
	x.world.Clock().Move(time.Hour)
	h := x.read(Want{Span: crm.Span{From: since, To: x.world.Clock().Now()}, Changes: true})
	x.checkHaul(h, x.changes(x.world, want))
}

func TestChargebeeDeletedCustomersComeWithTheChangesAlone(t *testing.T) {
	t.Parallel()
	x := chargebeeSubject.begin(t)
	var gone int
	for _, c := range x.world.Customers(nil) {
		if len(c.Subscriptions) > 0 {
			gone = c.N
		}
	}
	id := fakesaas.ChargebeeCustomer(gone)
	since := x.world.Clock().Now()
	x.world.Clock().Move(time.Minute)
	x.world.Delete(gone)
	x.world.Clock().Move(time.Hour)
	if _, ok := x.read(x.everything()).rows[id]; ok {
		t.Error("a backfill brings a deleted customer")
	}
	h := x.read(Want{Span: crm.Span{From: since, To: x.world.Clock().Now()}, Changes: true})
	if row := h.rows[id]; row.Extra["deleted"] != "true" || row.Customer["external_id"] != id || len(row.Contact) > 0 {
		t.Errorf("the changes say of a deleted customer %+v", row)
	}
	for _, s := range h.subscriptions[id] {
		if !s.Deleted {
			t.Errorf("a subscription of a deleted customer is %+v", s)
		}
	}
	if len(h.subscriptions[id]) == 0 {
		t.Error("the subscriptions of a deleted customer still count")
	}
}

func TestChargebeeChangesStopWhereListsAreWhole(t *testing.T) {
	t.Parallel()
	x := chargebeeSubject.begin(t)
	lag := Chargebee.About().Lag
	x.server.Set(func(t *fakesaas.Traps) { t.Lag = 5 * time.Minute })
	clock := x.world.Clock()
	watermark := clock.Now().Add(-lag)
	h := haul{rows: map[string]Row{}}
	var want []int
	for n := range 60 { // a sync a minute, with a change between any two
		clock.Move(30 * time.Second)
		x.world.Change(n)
		want = append(want, n)
		clock.Move(30 * time.Second)
		end := clock.Now().Add(-lag)
		maps.Copy(h.rows, x.read(Want{Span: crm.Span{From: watermark, To: end}, Changes: true}).rows)
		watermark = end
	}
	clock.Move(time.Hour)
	maps.Copy(h.rows, x.read(Want{Span: crm.Span{From: watermark, To: clock.Now().Add(-lag)}, Changes: true}).rows)
	x.checkHaul(h, x.changes(x.world, want))
}

func TestChargebeeWindowsMeetAndDoNotOverlap(t *testing.T) {
	t.Parallel()
	x := chargebeeSubject.begin(t)
	for _, c := range x.world.Customers(func(c *fakesaas.Customer) bool { return c.N < 50 }) {
		id := fakesaas.ChargebeeCustomer(c.N)
		for _, cut := range []time.Time{c.Created, c.Created.Truncate(time.Second), c.Created.Truncate(time.Second).Add(time.Second)} {
			_, before := x.rowsOf(chargebeeCustomers, cut.Add(-time.Hour), cut)[id]
			_, behind := x.rowsOf(chargebeeCustomers, cut, cut.Add(time.Hour))[id]
			if before == behind {
				t.Errorf("what was created at %v is in both or none of the windows that meet at %v", c.Created, cut)
			}
		}
	}
}

func TestChargebeeAsksForASecondMoreOnEitherSide(t *testing.T) {
	t.Parallel()
	from, to := time.Unix(1_000_000, 0), time.Unix(2_000_000, 5)
	for _, test := range []struct {
		name, field, want string
		from, to          time.Time
		updated           bool
	}{
		{"a window", "created_at[between]", "[999999,2000001]", from, to, false},
		{"a window of changes", "updated_at[between]", "[999999,2000001]", from, to, true},
		{"from a time on", "created_at[after]", "999999", from, time.Time{}, false},
		{"up to a time", "created_at[before]", "2000001", time.Time{}, to, false},
	} {
		q := chargebeeQuery(crm.Partition{From: test.from, To: test.to}, test.updated, chargebeeCursor{})
		if got := q.Get(test.field); got != test.want {
			t.Errorf("%s: %s is %q, want %q", test.name, test.field, got, test.want)
		}
		if got := q.Get("include_deleted"); (got == "true") != test.updated {
			t.Errorf("%s: include_deleted is %q", test.name, got)
		}
	}
}

func TestChargebeeOffsetThatIsRefusedIsLost(t *testing.T) {
	t.Parallel()
	chargebeeSubject.begin(t).wantLost(crm.Partition{ID: "customers", Stream: chargebeeCustomers}, chargebeeCursor{"nonsense"})
}

func TestChargebeeLimitHoldsForItsMinute(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, after string
		want        time.Duration
	}{{"it does not say how long", "", time.Minute}, {"it says how long", "17", 17 * time.Second}} {
		a := against(t, func(w http.ResponseWriter, _ *http.Request) {
			if test.after != "" {
				w.Header().Set("Retry-After", test.after)
			}
			w.WriteHeader(http.StatusTooManyRequests)
			fmt.Fprint(w, `{"api_error_code":"api_request_limit_exceeded","message":"c0@example.com"}`)
		})
		_, err := Chargebee.Check(t.Context(), a)
		var wait *crm.Throttled
		if !errors.As(err, &wait) || !wait.Until.Equal(start.Add(test.want)) {
			t.Errorf("%s: got %v, want to wait for %v", test.name, err, test.want)
		}
	}
}

func TestChargebeeQuotaIsThatOfThePlan(t *testing.T) {
	t.Parallel()
	for setting, want := range map[string]float64{"": 150, "1000": 1000, "3500": 3500} {
		about := AboutFor(Chargebee, map[string]string{"requests_per_minute": setting})
		if got := about.Quotas[""]; got.Requests != want || got.Per != time.Minute {
			t.Errorf("with the setting %q: %+v, want %v a minute", setting, got, want)
		}
	}
	for _, bad := range []string{"0", "-1", "many", "1e9"} {
		if err := checkRequests(bad); !errors.Is(err, crm.ErrInvalid) {
			t.Errorf("requests_per_minute %q: %v, want ErrInvalid", bad, err)
		}
	}
}

func TestChargebeeSiteIsNeededUnlessThereIsAnAddress(t *testing.T) {
	t.Parallel()
	_, err := Chargebee.Check(t.Context(), &Access{Settings: map[string]string{"api_key": fakesaas.Key}})
	if !errors.Is(err, crm.ErrInvalid) || !strings.Contains(err.Error(), "site") {
		t.Errorf("got %v, want ErrInvalid that names the setting", err)
	}
	for _, bad := range []string{"acme.chargebee.com", "https://acme", "evil.com/", "a@b", "acme#"} {
		if err := checkSite(bad); !errors.Is(err, crm.ErrInvalid) {
			t.Errorf("site %q: %v, want ErrInvalid", bad, err)
		}
	}
	if err := checkSite("acme-test"); err != nil {
		t.Error(err)
	}
}

func TestChargebeeSiteThatThereIsNotIsNotFound(t *testing.T) {
	t.Parallel()
	a := against(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"api_error_code":"site_not_found","message":"c0@example.com"}`)
	})
	if _, err := Chargebee.Check(t.Context(), a); !errors.Is(err, crm.ErrNotFound) || !strings.Contains(err.Error(), "site") {
		t.Errorf("got %v, want ErrNotFound that names the setting", err)
	}
}

func TestChargebeeCheckFindsTheOldestCustomer(t *testing.T) {
	t.Parallel()
	x := chargebeeSubject.begin(t)
	x.access.Settings["site"] = "acme-test"
	got, err := Chargebee.Check(t.Context(), x.access)
	if err != nil || !got.Oldest.Equal(fakesaas.Begin) || got.Name != "acme-test" || len(got.Notes) != 1 {
		t.Errorf("check: %+v, %v; want the oldest at %v, and a note that it is a test site", got, err, fakesaas.Begin)
	}
}

func TestChargebeeSubscriptionStates(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, in string
		want     crm.SubscriptionState
	}{
		{"active", `{"status":"active"}`, crm.SubscriptionLive},
		{"non_renewing is live until it ends", `{"status":"non_renewing"}`, crm.SubscriptionLive},
		{"paused", `{"status":"paused"}`, crm.SubscriptionLive},
		{"in trial", `{"status":"in_trial"}`, crm.SubscriptionTrialing},
		{"cancelled", `{"status":"cancelled"}`, crm.SubscriptionOver},
		{"transferred to another customer", `{"status":"transferred"}`, crm.SubscriptionOver},
		{"future", `{"status":"future"}`, crm.SubscriptionFuture},
		{"active, and an invoice is due", `{"status":"active","due_invoices_count":1}`, crm.SubscriptionPastDue},
		{"cancelled, and an invoice is due", `{"status":"cancelled","due_invoices_count":1}`, crm.SubscriptionOver},
		{"a word of tomorrow", `{"status":"dreaming"}`, crm.SubscriptionFuture},
	} {
		var s chargebeeSubscription
		if err := json.Unmarshal([]byte(test.in), &s); err != nil {
			t.Fatal(err)
		}
		if got := s.subscription().State; got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

func TestChargebeeRowsHaveAPersonEach(t *testing.T) {
	t.Parallel()
	const both = `"id":"Az1","company":"Berg & Co","created_at":1557133689,"updated_at":1746515289,
		"billing_address":{"country":"US","state":"California","state_code":"CA","city":"Oakland","zip":"94607"},
		"cf_size":"big","cf_seats":12,"cf_vip":true,"cf_tree":{"a":1},"meta_data":{"plan":"pro","more":[1]}`
	person := func(id, first, email string) Fields {
		f := Fields{"external_id": id, "first_name": first, "source_updated_at": "2025-05-06T07:08:09Z"}
		f.Set("email", email)
		return f
	}
	whole := Row{ID: "Az1",
		Customer: Fields{"external_id": "Az1", "name": "Berg & Co", "company": "Berg & Co", "country": "US", "state": "CA", "city": "Oakland", "zip": "94607",
			"lead_created_at": "2019-05-06T09:08:09Z", "source_updated_at": "2025-05-06T07:08:09Z"},
		Extra: Fields{"cf_size": "big", "cf_seats": "12", "cf_vip": "true", "meta_data.plan": "pro"}}
	first := func(email string, contact Fields) Row {
		r := whole
		r.Customer = maps.Clone(whole.Customer)
		r.Customer.Set("email", email)
		r.Contact = contact
		return r
	}
	other := func(contact Fields) Row {
		return Row{ID: "Az1/" + contact["external_id"], Customer: Fields{"external_id": "Az1"}, Contact: contact}
	}
	for _, test := range []struct {
		name, in string
		want     []Row
	}{
		{"no contacts: the customer itself", `{` + both + `,"first_name":"Bo","email":"bo@example.com"}`,
			[]Row{first("bo@example.com", person("Az1:primary", "Bo", "bo@example.com"))}},
		{"contacts beside the customer itself", `{` + both + `,"first_name":"Bo","email":"bo@example.com","contacts":[{"id":"c1","first_name":"Mei"},{"id":"c2","first_name":"Noor"}]}`,
			[]Row{first("bo@example.com", person("Az1:primary", "Bo", "bo@example.com")), other(person("c1", "Mei", "")), other(person("c2", "Noor", ""))}},
		{"the customer is among its contacts", `{` + both + `,"first_name":"Bo","email":"bo@example.com","contacts":[{"id":"c1","first_name":"Mei"},{"id":"c2","first_name":"Bo","email":"Bo@Example.com"}]}`,
			[]Row{first("bo@example.com", person("c1", "Mei", "")), other(person("c2", "Bo", "Bo@Example.com"))}},
		{"a company alone", `{` + both + `}`, []Row{first("", nil)}},
		{"a company with a contact", `{` + both + `,"contacts":[{"id":"c1","first_name":"Mei","label":null}]}`, []Row{first("", person("c1", "Mei", ""))}},
	} {
		var c chargebeeCustomer
		if err := json.Unmarshal([]byte(test.in), &c); err != nil {
			t.Fatal(err)
		}
		if got := c.rows(); !sameRows(got, test.want) {
			t.Errorf("%s: got %+v, want %+v", test.name, got, test.want)
		}
	}
}

func TestChargebeeStreamsHoldWhatWasAskedFor(t *testing.T) {
	t.Parallel()
	a := against(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"list":[{"card":{}}]}`) })
	for _, stream := range []string{chargebeeCustomers, chargebeeSubscriptions} {
		if _, err := Chargebee.Read(t.Context(), a, crm.Partition{ID: stream, Stream: stream}, nil); err == nil {
			t.Errorf("%s: an entry without an object is passed over", stream)
		}
	}
	parts, err := Chargebee.Plan(t.Context(), a, Want{Span: crm.Span{From: start.Add(-time.Hour), To: start}, Changes: true})
	var streams []string
	for _, p := range parts {
		streams = append(streams, p.Stream)
	}
	if want := []string{"customers", "updated-customers", "subscriptions", "updated-subscriptions"}; err != nil || !slices.Equal(streams, want) {
		t.Errorf("changes are read from %v, %v; want %v", streams, err, want)
	}
}
