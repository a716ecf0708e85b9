package source

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"sluice/internal/crm"
)

// chargebeeTime is an instant given in seconds since 1970; zero if there is none.
func chargebeeTime(seconds int64) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}

// chargebeePerson is what is read of a contact, and of a customer as a person
// (apidocs.chargebee.com/docs/api/contacts).
type chargebeePerson struct {
	ID        string `json:"id"`
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
	Email     string `json:"email"`
	Phone     string `json:"phone"`
	Label     string `json:"label"`
}

func (p chargebeePerson) name() string { return strings.TrimSpace(p.FirstName + " " + p.LastName) }

// chargebeeCustomer is what is read of a customer
// (apidocs.chargebee.com/docs/api/customers).
type chargebeeCustomer struct {
	chargebeePerson
	Company   string `json:"company"`
	CreatedAt int64  `json:"created_at"`
	UpdatedAt int64  `json:"updated_at"` // 0: not since September 2016
	Deleted   bool   `json:"deleted"`
	Address   struct {
		Country   string `json:"country"`
		StateCode string `json:"state_code"`
		State     string `json:"state"`
		City      string `json:"city"`
		Zip       string `json:"zip"`
	} `json:"billing_address"`
	Contacts []chargebeePerson `json:"contacts"`
	Meta     map[string]any    `json:"meta_data"`

	custom map[string]any // the site's own fields, which begin with cf_
}

// UnmarshalJSON reads the site's own fields beside the others.
func (c *chargebeeCustomer) UnmarshalJSON(b []byte) error {
	type plain chargebeeCustomer
	if err := json.Unmarshal(b, (*plain)(c)); err != nil {
		return err
	}
	return json.Unmarshal(b, &c.custom)
}

// rows has a row for each person: the customer stands whole on the first and by
// its id on the others.
func (c *chargebeeCustomer) rows() []Row {
	r := Row{ID: c.ID}
	r.Customer.Set("external_id", c.ID)
	r.Customer.SetTime("source_updated_at", chargebeeTime(c.UpdatedAt))
	if c.Deleted {
		r.Extra.Set("deleted", "true")
		return []Row{r}
	}
	r.Customer.Set("name", firstOf(c.Company, c.name(), c.Email))
	r.Customer.Set("email", c.Email)
	r.Customer.Set("company", c.Company)
	r.Customer.Set("country", c.Address.Country)
	r.Customer.Set("state", firstOf(c.Address.StateCode, c.Address.State))
	r.Customer.Set("city", c.Address.City)
	r.Customer.Set("zip", c.Address.Zip)
	r.Customer.SetTime("lead_created_at", chargebeeTime(c.CreatedAt))
	for key, value := range c.Meta {
		r.Extra.Set("meta_data."+key, chargebeeScalar(value))
	}
	for key, value := range c.custom {
		if strings.HasPrefix(key, "cf_") {
			r.Extra.Set(key, chargebeeScalar(value))
		}
	}
	rows := []Row{r}
	for i, p := range c.people() {
		if i > 0 {
			rows = append(rows, Row{ID: c.ID + "/" + p.ID, Customer: Fields{"external_id": c.ID}})
		}
		contact := &rows[i].Contact
		contact.Set("external_id", p.ID)
		contact.Set("first_name", p.FirstName)
		contact.Set("last_name", p.LastName)
		contact.Set("title", p.Label)
		contact.Set("email", p.Email)
		contact.Set("phone", p.Phone)
		contact.SetTime("source_updated_at", chargebeeTime(c.UpdatedAt))
	}
	return rows
}

// people are the customer's contacts. The customer itself is one more, and the
// first, unless one of them has its e-mail address or there is nothing to know
// of a person.
func (c *chargebeeCustomer) people() []chargebeePerson {
	self := c.chargebeePerson
	self.ID += ":primary"
	known := self.Email == "" && self.name() == ""
	for _, p := range c.Contacts {
		known = known || p.Email != "" && strings.EqualFold(p.Email, self.Email)
	}
	if known {
		return c.Contacts
	}
	return append([]chargebeePerson{self}, c.Contacts...)
}

// chargebeeScalar writes a value as text; "" if it is a list or an object.
func chargebeeScalar(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}

// chargebeeSubscription is what is read of a subscription
// (apidocs.chargebee.com/docs/api/subscriptions).
type chargebeeSubscription struct {
	ID         string `json:"id"`
	CustomerID string `json:"customer_id"`
	Status     string `json:"status"`
	TrialStart int64  `json:"trial_start"`
	CreatedAt  int64  `json:"created_at"`
	UpdatedAt  int64  `json:"updated_at"`
	Deleted    bool   `json:"deleted"`
	Due        int64  `json:"due_invoices_count"`
}

// chargebeeStates translates the states of subscriptions. One that is
// transferred goes on with another customer.
var chargebeeStates = map[string]crm.SubscriptionState{
	"active": crm.SubscriptionLive, "non_renewing": crm.SubscriptionLive, "paused": crm.SubscriptionLive,
	"in_trial": crm.SubscriptionTrialing, "cancelled": crm.SubscriptionOver, "transferred": crm.SubscriptionOver, "future": crm.SubscriptionFuture,
}

// subscription is past due if it is live and has invoices that are due.
func (s *chargebeeSubscription) subscription() crm.Subscription {
	out := crm.Subscription{ID: s.ID, Customer: s.CustomerID, State: crm.SubscriptionFuture, Deleted: s.Deleted,
		TrialStartedAt: chargebeeTime(s.TrialStart), UpdatedAt: chargebeeTime(s.UpdatedAt)}
	if state, ok := chargebeeStates[s.Status]; ok {
		out.State = state
	}
	if out.State == crm.SubscriptionLive && s.Due > 0 {
		out.State = crm.SubscriptionPastDue
	}
	return out
}
