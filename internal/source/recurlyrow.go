package source

import (
	"strings"
	"time"

	"sluice/internal/crm"
)

// recurlyTimes are those of every object.
type recurlyTimes struct {
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// recurlyAccount is what is read of an account.
type recurlyAccount struct {
	ID        string `json:"id"`
	Code      string `json:"code"`
	State     string `json:"state"`
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
	Company   string `json:"company"`
	Email     string `json:"email"`
	CCEmails  string `json:"cc_emails"`
	recurlyTimes
	Address struct {
		Phone      string `json:"phone"`
		City       string `json:"city"`
		Region     string `json:"region"`
		PostalCode string `json:"postal_code"`
		Country    string `json:"country"`
	} `json:"address"`
	CustomFields []struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	} `json:"custom_fields"`

	Active   bool `json:"has_active_subscription"`
	Canceled bool `json:"has_canceled_subscription"`
	Paused   bool `json:"has_paused_subscription"`
	PastDue  bool `json:"has_past_due_invoice"`
}

// row has the account's customer, and its person as the contact. A closed
// account says that it is deleted. That does not follow from deleted_at, which
// an account keeps when it is opened again.
func (c *recurlyAccount) row() Row {
	r := Row{ID: c.ID}
	person := strings.TrimSpace(c.FirstName + " " + c.LastName)
	r.Customer.Set("external_id", c.ID)
	r.Customer.Set("name", firstOf(c.Company, person, c.Email, c.Code))
	r.Customer.Set("email", c.Email)
	r.Customer.Set("company", c.Company)
	r.Customer.Set("country", c.Address.Country)
	r.Customer.Set("state", c.Address.Region)
	r.Customer.Set("city", c.Address.City)
	r.Customer.Set("zip", c.Address.PostalCode)
	r.Customer.SetTime("lead_created_at", c.CreatedAt)
	r.Customer.SetTime("source_updated_at", c.UpdatedAt)
	if person != "" || c.Email != "" {
		r.Contact.Set("external_id", c.ID+":primary")
		r.Contact.Set("first_name", c.FirstName)
		r.Contact.Set("last_name", c.LastName)
		r.Contact.Set("email", c.Email)
		r.Contact.Set("phone", c.Address.Phone)
		r.Contact.SetTime("source_updated_at", c.UpdatedAt)
	}
	r.Extra.Set("code", c.Code)
	r.Extra.Set("cc_emails", c.CCEmails)
	for _, f := range c.CustomFields {
		r.Extra.Set("custom_fields."+f.Name, f.Value)
	}
	if c.State == "inactive" {
		r.Extra.Set("deleted", "true")
	}
	return r
}

// dues stands for what an account's flags say of its invoices: past due while
// there is a subscription for which one is due, else nothing that counts. Every
// account has it, as nothing else would take it back. has_live_subscription is
// not asked: it is true of subscriptions that are yet to begin.
func (c *recurlyAccount) dues() crm.Subscription {
	live := c.Active || c.Canceled || c.Paused
	return crm.Subscription{ID: c.ID + ":dues", Customer: c.ID, State: crm.SubscriptionPastDue, Deleted: !c.PastDue || !live}
}

// recurlyOwned is what invoices and subscriptions say of whose they are.
type recurlyOwned struct {
	Account struct {
		ID string `json:"id"`
	} `json:"account"`
}

// recurlySubscription is what is read of a subscription.
type recurlySubscription struct {
	recurlyOwned
	recurlyTimes
	ID             string    `json:"id"`
	State          string    `json:"state"`
	TrialStartedAt time.Time `json:"trial_started_at"`
	TrialEndsAt    time.Time `json:"trial_ends_at"`
}

// recurlyStates translates the states of subscriptions. One that is canceled is
// live until it expires; one that has failed never came about.
var recurlyStates = map[string]crm.SubscriptionState{
	"active": crm.SubscriptionLive, "canceled": crm.SubscriptionLive, "paused": crm.SubscriptionLive,
	"expired": crm.SubscriptionOver, "future": crm.SubscriptionFuture, "failed": crm.SubscriptionFuture,
}

// subscription tells a trial by its end: its state is that of one that is paid
// for.
func (s *recurlySubscription) subscription(now time.Time) crm.Subscription {
	out := crm.Subscription{ID: s.ID, Customer: s.Account.ID, State: crm.SubscriptionFuture, TrialStartedAt: s.TrialStartedAt, UpdatedAt: s.UpdatedAt}
	if state, ok := recurlyStates[s.State]; ok {
		out.State = state
	}
	if out.State == crm.SubscriptionLive && s.TrialEndsAt.After(now) {
		out.State = crm.SubscriptionTrialing
	}
	return out
}
