package source

import (
	"errors"
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
