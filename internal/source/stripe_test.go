package source

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"sluice/internal/crm"
	"sluice/internal/fakesaas"
)

func stripeIDs(w *fakesaas.World) (ids []string) {
	for _, c := range w.Customers(nil) {
		ids = append(ids, fakesaas.StripeCustomer(c.N))
	}
	return ids
}

func stripeSubscribers(w *fakesaas.World) (ids []string) {
	for _, c := range w.Customers(nil) {
		if len(c.Subscriptions) > 0 {
			ids = append(ids, fakesaas.StripeCustomer(c.N))
		}
	}
	return ids
}

var stripeSubject = subject{connector: Stripe, provider: "stripe", settings: map[string]string{"api_key": fakesaas.Key},
	ids: stripeIDs, subscriptions: stripeSubscribers,
	changes: func(_ *fakesaas.World, changed []int) (ids []string) {
		for _, n := range changed {
			ids = append(ids, fakesaas.StripeCustomer(n))
		}
		return ids
	}}

func init() { subjects = append(subjects, stripeSubject) }

func TestStripeListThatEndsTooEarlyIsAskedAgain(t *testing.T) {
	t.Parallel()
	x := stripeSubject.begin(t)
	x.server.Set(func(t *fakesaas.Traps) { t.EmptyEdge = true })
	// A window that begins in the second of a customer, with more behind a page.
	all := x.world.Customers(nil)
	w := Want{Span: crm.Span{From: all[0].Created, To: start.Add(-time.Hour)}}
	x.checkHaul(x.read(w), x.ids(x.world))
}

func TestStripeEventsAreKeptForThirtyDays(t *testing.T) {
	t.Parallel()
	x := stripeSubject.begin(t)
	now := x.world.Clock().Now()
	_, err := Stripe.Plan(t.Context(), x.access, Want{Span: crm.Span{From: now.Add(-31 * 24 * time.Hour), To: now}, Changes: true})
	if !errors.Is(err, crm.ErrCursorLost) {
		t.Errorf("got %v, want ErrCursorLost", err)
	}
}

func TestStripeSubscriptionsThatAreOverAreFoundToo(t *testing.T) {
	t.Parallel()
	x := stripeSubject.begin(t)
	x.checkStatuses(x.read(x.everything()).subscriptions, fakesaas.StripeCustomer)
}

func TestStripeCustomersThatChangedOftenAreReadOnceAsTheyAreNow(t *testing.T) {
	t.Parallel()
	x := stripeSubject.begin(t)
	since := x.world.Clock().Now().Truncate(time.Second)
	x.world.Clock().Move(time.Minute)
	for range 5 {
		x.world.Change(3)
		x.world.Clock().Move(10 * time.Second)
	}
	x.world.Clock().Move(time.Hour)
	before, _ := x.server.Requests("stripe")
	h := x.read(Want{Span: crm.Span{From: since, To: x.world.Clock().Now().Add(-Stripe.About().Lag)}, Changes: true})
	after, _ := x.server.Requests("stripe")
	now, _ := x.world.Customer(3)
	row := h.rows[fakesaas.StripeCustomer(3)]
	if len(h.rows) != 1 || row.Customer["city"] != now.City || after-before != 2 {
		t.Errorf("%d rows and %d requests for five events of one customer, want 1 and 2; it lives in %q, want %q", len(h.rows), after-before, row.Customer["city"], now.City)
	}
}

func TestStripeDeletedCustomersSayNothingButThat(t *testing.T) {
	t.Parallel()
	x := stripeSubject.begin(t)
	since := x.world.Clock().Now().Truncate(time.Second)
	x.world.Clock().Move(time.Minute)
	x.world.Delete(4)
	x.world.Clock().Move(time.Hour)
	h := x.read(Want{Span: crm.Span{From: since, To: x.world.Clock().Now().Add(-Stripe.About().Lag)}, Changes: true})
	row := h.rows[fakesaas.StripeCustomer(4)]
	if row.Extra["deleted"] != "true" || row.Customer["name"] != "" || row.Customer["email"] != "" {
		t.Errorf("a deleted customer is %+v, want nothing but that it is", row)
	}
}

func TestStripeThatIsBusyWithAnObjectIsTriedAgain(t *testing.T) {
	t.Parallel()
	x := stripeSubject.begin(t)
	var account, version string
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		account, version = r.Header.Get("Stripe-Account"), r.Header.Get("Stripe-Version")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = w.Write([]byte(`{"error":{"type":"invalid_request_error","code":"lock_timeout"}}`))
	}))
	defer web.Close()
	x.access.Settings["api"], x.access.Settings["account"] = web.URL, "acct_17"
	_, err := Stripe.Check(t.Context(), x.access)
	var wait *crm.Throttled
	if err == nil || crm.TypeOf(err) != "" || errors.As(err, &wait) {
		t.Errorf("got %v, want an error that passes and asks for no wait", err)
	}
	if account != "acct_17" || version != stripeVersion {
		t.Errorf("it asked for the account %q in version %q", account, version)
	}
}
