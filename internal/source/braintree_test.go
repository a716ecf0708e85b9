package source

import (
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/internal/crm"
	"sluice/internal/fakesaas"
)

// braintreeSubject has its customers in a few windows, of several pages each.
var braintreeSubject = subject{connector: Braintree, provider: "braintree", customers: 220, clock: fakesaas.Begin.AddDate(0, 0, 40),
	settings: map[string]string{"merchant_id": fakesaas.BraintreeMerchant, "public_key": fakesaas.BraintreePublic, "private_key": fakesaas.Key},
	ids: func(w *fakesaas.World) (ids []string) {
		for _, c := range w.Customers(nil) {
			ids = append(ids, fakesaas.BraintreeCustomer(c.N))
		}
		return ids
	},
	subscriptions: func(w *fakesaas.World) (ids []string) {
		for _, c := range w.Customers(nil) {
			if len(c.Subscriptions) > 0 {
				ids = append(ids, fakesaas.BraintreeCustomer(c.N))
			}
		}
		slices.Sort(ids)
		return ids
	},
	changes: func(w *fakesaas.World, changed []int) (ids []string) {
		for _, n := range changed { // only the new ones are found
			if c, _ := w.Customer(n); c.Version == 0 {
				ids = append(ids, fakesaas.BraintreeCustomer(n))
			}
		}
		return ids
	}}

func init() { subjects = append(subjects, braintreeSubject) }

func TestBraintreeWindowWithMoreThanASearchGivesIsReadAsTwo(t *testing.T) {
	t.Parallel()
	s := braintreeSubject
	s.customers, s.clock = 10_600, fakesaas.Begin.Add(47*time.Hour)
	x := s.begin(t)
	parts, err := x.connector.Plan(t.Context(), x.access, x.everything())
	found, divided := map[string]bool{}, 0
	for err == nil && len(parts) > 0 {
		var page Page
		p := parts[0]
		if page, err = x.page(p, nil); page.Instead != nil {
			divided++
			checkHalves(t, p, page.Instead)
		} else if err == nil { // all pages of it come from this search
			var ids []string
			ids, err = persist(x, func() ([]string, error) { return braintree{}.search(t.Context(), x.access, p.From, p.To) })
			for _, id := range ids {
				found[id] = true
			}
		}
		parts = append(slices.Clone(page.Instead), parts[1:]...)
	}
	if err != nil || divided == 0 || len(found) != s.customers {
		t.Errorf("%d windows were divided, and %d of %d customers are in those that were not (%v)", divided, len(found), s.customers, err)
	}
}

// page reads one page, and tries again what passes.
func (x *trial) page(p crm.Partition, at Cursor) (Page, error) {
	x.t.Helper()
	return persist(x, func() (Page, error) { return x.connector.Read(x.t.Context(), x.access, p, at) })
}

func checkHalves(t *testing.T, p crm.Partition, halves []crm.Partition) {
	t.Helper()
	if len(halves) != 2 || !halves[0].From.Equal(p.From) || !halves[0].To.Equal(halves[1].From) || !halves[1].To.Equal(p.To) {
		t.Errorf("instead of %+v there are %+v", p, halves)
	}
}

func TestBraintreeSecondWithMoreThanASearchGivesIsSaid(t *testing.T) {
	t.Parallel()
	s := braintreeSubject
	s.customers, s.clock = 10_600, fakesaas.Begin.Add(24*time.Hour+900*time.Millisecond)
	x := s.begin(t)
	parts, err := x.connector.Plan(t.Context(), x.access, Want{Span: crm.Span{From: fakesaas.Begin, To: fakesaas.Begin.Add(8 * time.Second)}})
	for err == nil && len(parts) > 0 {
		var page Page
		page, err = x.page(parts[0], nil)
		parts = append(slices.Clone(page.Instead), parts[1:]...)
	}
	if !errors.Is(err, crm.ErrInvalid) || !strings.Contains(err.Error(), "in the second of 2019-03-04T09:30:00Z") {
		t.Errorf("got %v, want ErrInvalid, and which second it is", err)
	}
}

func TestBraintreeCustomerBetweenTwoWindowsIsInOne(t *testing.T) {
	t.Parallel()
	x := braintreeSubject.begin(t)
	all := x.world.Customers(nil)
	h := haul{rows: map[string]Row{}, subscriptions: map[string][]crm.Subscription{}}
	from := fakesaas.Begin
	for _, c := range all[1:20] { // which were created in the midst of a second
		x.readPartition(Window(braintreeCustomers, from, c.Created), &h)
		from = c.Created
	}
	for _, c := range all[:19] {
		if _, there := h.rows[fakesaas.BraintreeCustomer(c.N)]; !there {
			t.Errorf("customer %d, created at %v, is in no window", c.N, c.Created)
		}
	}
}

func TestBraintreeBatchThatIsTooMuchIsAskedForInParts(t *testing.T) {
	t.Parallel()
	for name, most := range map[string]int{"down to a few": 7, "down to one": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := braintreeSubject
			s.customers = 60
			x := s.begin(t)
			x.server.Set(func(t *fakesaas.Traps) { t.MaxBatch = most })
			x.checkHaul(x.read(x.everything()), x.ids(x.world))
		})
	}
}

func TestBraintreeSearchThatTakesTooLongIsPassing(t *testing.T) {
	t.Parallel()
	x := braintreeSubject.begin(t)
	x.server.Set(func(t *fakesaas.Traps) { t.SearchTimeout = 1 })
	_, err := x.connector.Check(t.Context(), x.access)
	if err == nil || crm.TypeOf(err) != "" {
		t.Errorf("got %v, want a passing error", err)
	}
	x.server.Set(func(t *fakesaas.Traps) { t.SearchTimeout = 3 })
	x.checkHaul(x.read(x.everything()), x.ids(x.world))
}

func TestBraintreeReadsUpToWhereSearchesFindEverything(t *testing.T) {
	t.Parallel()
	x := braintreeSubject.begin(t)
	lag := Braintree.About().Lag
	x.server.Set(func(t *fakesaas.Traps) { t.Lag = lag })
	since := x.world.Clock().Now()
	n := x.world.Add()
	x.world.Clock().Move(lag + time.Second)
	h := x.read(Want{Span: crm.Span{From: since, To: x.world.Clock().Now().Add(-lag)}, Changes: true})
	if _, there := h.rows[fakesaas.BraintreeCustomer(n)]; !there {
		t.Error("the new customer is not found, and the next sync begins behind it")
	}
}

func TestBraintreeIdsAreNotSearchedForEachPage(t *testing.T) {
	t.Parallel()
	s := braintreeSubject
	s.customers, s.clock = 400, fakesaas.Begin.AddDate(0, 0, 20)
	x := s.begin(t)
	h := x.read(x.everything())
	x.checkHaul(h, x.ids(x.world))
	if requests, _ := x.server.Requests("braintree"); len(h.reads) != 8 || requests > 10 {
		t.Errorf("%d pages took %d requests, want 8 with 10 at the most", len(h.reads), requests)
	}
}

func TestBraintreeWindowsHaveBoundsWhateverIsAskedFor(t *testing.T) {
	t.Parallel()
	a := braintreeAccess(nil)
	for _, w := range []Want{{}, {Span: crm.Span{To: start}}, {Span: crm.Span{From: start.Add(-time.Hour)}, Changes: true}} {
		parts, err := Braintree.Plan(t.Context(), a, w)
		if err != nil || len(parts) == 0 || len(parts) > crm.MaxPartitions/2 || parts[0].From.IsZero() || parts[len(parts)-1].To.IsZero() {
			t.Errorf("%+v: %d windows, %v", w, len(parts), err)
		}
	}
}

func TestBraintreeSaysThatChangesAreNotFound(t *testing.T) {
	t.Parallel()
	x := braintreeSubject.begin(t)
	about := x.connector.About()
	account, err := x.connector.Check(t.Context(), x.access)
	if err != nil || about.Increments != CreatesOnly || !strings.Contains(strings.Join(account.Notes, "\n"), "full reading") {
		t.Errorf("increments are %q, and its notes %q (%v)", about.Increments, account.Notes, err)
	}
}

// canned is a Doer that has its answers ready.
type canned func(req *http.Request, class string) (status int, body string)

func (c canned) Do(req *http.Request, class string) (*http.Response, error) {
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	status, body := c(req, class)
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: req}, nil
}

func braintreeAccess(do canned, settings ...string) *Access {
	a := &Access{Settings: map[string]string{"merchant_id": "m", "public_key": "p", "private_key": "secret"}, HTTP: do, Now: func() time.Time { return start }}
	for i := 0; i < len(settings); i += 2 {
		a.Settings[settings[i]] = settings[i+1]
	}
	return a
}

func TestBraintreeEnvironmentsHaveTheirHosts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		settings []string
		want     string
	}{
		"production":      {nil, "https://api.braintreegateway.com/merchants/m/customers/advanced_search_ids"},
		"sandbox":         {[]string{"environment", "sandbox"}, "https://api.sandbox.braintreegateway.com/merchants/m/customers/advanced_search_ids"},
		"another address": {[]string{"environment", "sandbox", "api", "http://127.0.0.1:1/"}, "http://127.0.0.1:1/merchants/m/customers/advanced_search_ids"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ""
			a := braintreeAccess(func(req *http.Request, _ string) (int, string) {
				got = req.URL.String()
				return 200, `<search-results><page-size type="integer">50</page-size><ids type="array"/></search-results>`
			}, c.settings...)
			if _, err := Braintree.Check(t.Context(), a); err != nil || got != c.want {
				t.Errorf("asked %s (%v), want %s", got, err, c.want)
			}
		})
	}
}

// An answer with a page of what was asked for, and no word of the rest, has cost
// others all but fifty customers of a day.
func TestBraintreeAnswerThatHoldsFewerThanItCountsIsAskedForInHalves(t *testing.T) {
	t.Parallel()
	a := braintreeAccess(func(req *http.Request, _ string) (int, string) {
		if strings.HasSuffix(req.URL.Path, "_ids") {
			return 200, `<search-results><ids type="array"><item>a1</item><item>a2</item></ids></search-results>`
		}
		body, _ := io.ReadAll(req.Body)
		total := strings.Count(string(body), `"a`)
		one := "a1"
		if !strings.Contains(string(body), one) {
			one = "a2"
		}
		return 200, `<customers type="collection"><total-items type="integer">` + string(rune('0'+total)) + `</total-items><customer><id>` + one + `</id></customer></customers>`
	})
	page, err := Braintree.Read(t.Context(), a, Window(braintreeCustomers, start.Add(-time.Hour), start), nil)
	if err != nil || len(page.Rows) != 2 {
		t.Errorf("%d rows, %v; want 2", len(page.Rows), err)
	}
}

func TestBraintreeWhatIsNoAnswerIsPassing(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", "<html>c0@example.com</html>", "{}", "<search-results><ids><item>c0@example.com", "<customers/>"} {
		_, err := Braintree.Check(t.Context(), braintreeAccess(func(*http.Request, string) (int, string) { return 200, body }))
		if err == nil || crm.TypeOf(err) != "" || strings.Contains(err.Error(), "c0@") {
			t.Errorf("%q: %v, want a passing error that does not repeat it", body, err)
		}
	}
}

const braintreeExample = `<?xml version="1.0" encoding="UTF-8"?>
<customer>
  <id>c1</id><merchant-id>m</merchant-id>
  <first-name>Zoë</first-name><last-name>O&apos;Neil</last-name><company nil="true"/><email>zoe@example.com</email>
  <phone>0151 555</phone><international-phone><country-code>49</country-code><national-number>151555</national-number></international-phone>
  <website>https://zoe.example.com</website><fax></fax>
  <created-at type="datetime">2024-02-29T13:45:00Z</created-at><updated-at type="datetime">2025-01-01T00:00:00Z</updated-at>
  <custom-fields><favorite-color>green &amp; gold</favorite-color><empty nil="true"/></custom-fields>
  <credit-cards type="array"><credit-card><token>t1</token><subscriptions type="array">
    <subscription><id>s1</id><status>Active</status><trial-period type="boolean">true</trial-period>
      <first-billing-date type="date">2024-04-01</first-billing-date><next-billing-date type="date">2024-04-01</next-billing-date>
      <created-at type="datetime">2024-03-01T00:00:00Z</created-at><transactions type="array"><transaction><id>x</id><status>settled</status></transaction></transactions></subscription>
    <subscription><id>s2</id><status>Past Due</status><trial-period type="boolean">true</trial-period>
      <first-billing-date type="date">2023-04-01</first-billing-date><next-billing-date type="date">2024-04-01</next-billing-date>
      <created-at type="datetime">2023-03-01T00:00:00Z</created-at></subscription>
  </subscriptions></credit-card></credit-cards>
  <paypal-accounts type="array"><paypal-account><subscriptions type="array">
    <subscription><id>s3</id><status>Canceled</status><trial-period type="boolean">false</trial-period></subscription>
  </subscriptions></paypal-account></paypal-accounts>
  <teleport-accounts type="array"><teleport-account><subscriptions type="array">
    <subscription><id>s4</id><status>Pending</status></subscription><subscription><id>s5</id><status>Expired</status></subscription><subscription><id>s6</id><status>Active</status>
      <trial-period>true</trial-period><first-billing-date>2023-04-01</first-billing-date><next-billing-date>2024-04-01</next-billing-date><created-at>2023-03-01T00:00:00Z</created-at></subscription>
  </subscriptions></teleport-account></teleport-accounts>
  <addresses type="array"><address><locality>Köln</locality><region>NW</region><postal-code>50667</postal-code><country-code-alpha2>DE</country-code-alpha2></address>
    <address><locality>Paris</locality></address></addresses>
</customer>`

func TestBraintreeCustomerBecomesARow(t *testing.T) {
	t.Parallel()
	var c braintreeCustomer
	if err := xml.Unmarshal([]byte(braintreeExample), &c); err != nil {
		t.Fatal(err)
	}
	got := c.row()
	want := Row{ID: "c1",
		Customer: Fields{"external_id": "c1", "name": "Zoë O'Neil", "email": "zoe@example.com", "website_url": "https://zoe.example.com", "country": "DE", "state": "NW", "city": "Köln", "zip": "50667",
			"lead_created_at": "2024-02-29T13:45:00Z", "source_updated_at": "2025-01-01T00:00:00Z"},
		Contact: Fields{"external_id": "c1:primary", "first_name": "Zoë", "last_name": "O'Neil", "email": "zoe@example.com", "phone": "+49 151555"},
		Extra:   Fields{"custom_fields.favorite_color": "green & gold"}}
	if !sameRows([]Row{got}, []Row{want}) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestBraintreeSubscriptionsOfEveryPaymentMethodAreFound(t *testing.T) {
	t.Parallel()
	var c braintreeCustomer
	if err := xml.Unmarshal([]byte(braintreeExample), &c); err != nil {
		t.Fatal(err)
	}
	got, trials := map[string]crm.SubscriptionState{}, map[string]bool{}
	for _, s := range c.subscriptions() {
		got[s.ID], trials[s.ID] = s.State, !s.TrialStartedAt.IsZero()
		if s.Customer != "c1" {
			t.Errorf("subscription %s is that of %q", s.ID, s.Customer)
		}
	}
	want := map[string]crm.SubscriptionState{"s1": crm.SubscriptionTrialing, "s2": crm.SubscriptionPastDue, "s3": crm.SubscriptionOver,
		"s4": crm.SubscriptionFuture, "s5": crm.SubscriptionOver, "s6": crm.SubscriptionLive}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if want := map[string]bool{"s1": true, "s2": true, "s3": false, "s4": false, "s5": false, "s6": true}; !maps.Equal(trials, want) {
		t.Errorf("these had a trial: %v, want %v", trials, want)
	}
}

func TestBraintreeStatesAreTranslated(t *testing.T) {
	t.Parallel()
	x := braintreeSubject.begin(t)
	want := map[fakesaas.State]crm.SubscriptionState{fakesaas.Active: crm.SubscriptionLive, fakesaas.PastDue: crm.SubscriptionPastDue, fakesaas.Trialing: crm.SubscriptionTrialing,
		fakesaas.Paused: crm.SubscriptionLive, fakesaas.Ending: crm.SubscriptionLive, fakesaas.Ended: crm.SubscriptionOver, fakesaas.Future: crm.SubscriptionFuture}
	got := map[string]crm.Subscription{}
	for _, of := range x.read(x.everything()).subscriptions {
		for _, s := range of {
			got[s.ID] = s
		}
	}
	for _, c := range x.world.Customers(nil) {
		for _, s := range c.Subscriptions {
			is := got[fakesaas.BraintreeSubscription(s.N)]
			if is.State != want[s.State] || is.Customer != fakesaas.BraintreeCustomer(c.N) || is.TrialStartedAt.IsZero() != s.TrialStarted.IsZero() {
				t.Errorf("subscription %d in state %d of customer %d is %+v", s.N, s.State, c.N, is)
			}
		}
	}
}
