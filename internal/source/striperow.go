package source

import (
	"time"

	"sluice/internal/crm"
)

// stripeCustomer is what is read of a customer (docs.stripe.com/api/customers).
type stripeCustomer struct {
	ID             string            `json:"id"`
	Deleted        bool              `json:"deleted"`
	Created        int64             `json:"created"`
	Name           string            `json:"name"`
	BusinessName   string            `json:"business_name"`
	IndividualName string            `json:"individual_name"`
	Email          string            `json:"email"`
	Phone          string            `json:"phone"`
	Description    string            `json:"description"`
	Metadata       map[string]string `json:"metadata"`
	Address        struct {
		Country    string `json:"country"`
		State      string `json:"state"`
		City       string `json:"city"`
		PostalCode string `json:"postal_code"`
	} `json:"address"`
}

func (c *stripeCustomer) row() Row {
	r := Row{ID: c.ID}
	r.Customer.Set("external_id", c.ID)
	if c.Deleted { // all that Stripe still says of it
		r.Extra.Set("deleted", "true")
		return r
	}
	r.Customer.Set("name", firstOf(c.Name, c.BusinessName, c.IndividualName, c.Email))
	r.Customer.Set("email", c.Email)
	r.Customer.Set("company", c.BusinessName)
	r.Customer.Set("country", c.Address.Country)
	r.Customer.Set("state", c.Address.State)
	r.Customer.Set("city", c.Address.City)
	r.Customer.Set("zip", c.Address.PostalCode)
	if c.Created > 0 {
		r.Customer.SetTime("lead_created_at", time.Unix(c.Created, 0))
	}
	if person := firstOf(c.IndividualName, c.Name); c.Email != "" || person != "" {
		r.Contact.Set("external_id", c.ID+":primary")
		r.Contact.Set("name", person)
		r.Contact.Set("email", c.Email)
		r.Contact.Set("phone", c.Phone)
	}
	r.Extra.Set("description", c.Description)
	for key, value := range c.Metadata {
		r.Extra.Set("metadata."+key, value)
	}
	return r
}

// stripeSubscription is what is read of a subscription
// (docs.stripe.com/api/subscriptions/object).
type stripeSubscription struct {
	ID         string `json:"id"`
	Customer   string `json:"customer"`
	Status     string `json:"status"`
	TrialStart int64  `json:"trial_start"`
}

// stripeStates translates the states of subscriptions. One that is unpaid or
// paused is still there; one whose first payment never came about is none.
var stripeStates = map[string]crm.SubscriptionState{
	"active": crm.SubscriptionLive, "past_due": crm.SubscriptionPastDue, "unpaid": crm.SubscriptionPastDue, "paused": crm.SubscriptionLive,
	"trialing": crm.SubscriptionTrialing, "incomplete": crm.SubscriptionFuture, "incomplete_expired": crm.SubscriptionFuture, "canceled": crm.SubscriptionOver,
}

func (s *stripeSubscription) subscription() crm.Subscription {
	out := crm.Subscription{ID: s.ID, Customer: s.Customer, State: crm.SubscriptionFuture}
	if state, ok := stripeStates[s.Status]; ok {
		out.State = state
	}
	if s.TrialStart > 0 {
		out.TrialStartedAt = time.Unix(s.TrialStart, 0).UTC()
	}
	return out
}
