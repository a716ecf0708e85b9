package source

import (
	"encoding/xml"
	"strings"
	"time"

	"sluice/internal/crm"
)

// braintreeCustomer is what is read of a customer
// (developer.paypal.com/braintree/docs/reference/response/customer).
type braintreeCustomer struct {
	ID            string `xml:"id"`
	FirstName     string `xml:"first-name"`
	LastName      string `xml:"last-name"`
	Company       string `xml:"company"`
	Email         string `xml:"email"`
	Phone         string `xml:"phone"`
	International struct {
		Country  string `xml:"country-code"`
		National string `xml:"national-number"`
	} `xml:"international-phone"`
	Website   string `xml:"website"`
	CreatedAt string `xml:"created-at"`
	UpdatedAt string `xml:"updated-at"`
	Addresses []struct {
		Country string `xml:"country-code-alpha2"`
		Region  string `xml:"region"`
		City    string `xml:"locality"`
		Zip     string `xml:"postal-code"`
	} `xml:"addresses>address"`
	Custom struct {
		Fields []struct {
			XMLName xml.Name
			Value   string `xml:",chardata"`
		} `xml:",any"`
	} `xml:"custom-fields"`

	// Methods are all lists beside: credit-cards, paypal-accounts and what else
	// there is to pay with, each with payment methods.
	Methods []struct {
		Each []struct {
			Subscriptions []braintreeSubscription `xml:"subscriptions>subscription"`
		} `xml:",any"`
	} `xml:",any"`
}

func (c *braintreeCustomer) row() Row {
	r := Row{ID: c.ID}
	person := strings.TrimSpace(c.FirstName + " " + c.LastName)
	r.Customer.Set("external_id", c.ID)
	r.Customer.Set("name", firstOf(c.Company, person, c.Email))
	r.Customer.Set("email", c.Email)
	r.Customer.Set("company", c.Company)
	r.Customer.Set("website_url", c.Website)
	if len(c.Addresses) > 0 {
		at := c.Addresses[0]
		r.Customer.Set("country", at.Country)
		r.Customer.Set("state", at.Region)
		r.Customer.Set("city", at.City)
		r.Customer.Set("zip", at.Zip)
	}
	r.Customer.Set("lead_created_at", c.CreatedAt)
	r.Customer.Set("source_updated_at", c.UpdatedAt)
	if phone := c.phone(); person != "" || c.Email != "" {
		r.Contact.Set("external_id", c.ID+":primary")
		r.Contact.Set("first_name", c.FirstName)
		r.Contact.Set("last_name", c.LastName)
		r.Contact.Set("email", c.Email)
		r.Contact.Set("phone", phone)
	}
	for _, f := range c.Custom.Fields {
		// Their names have no hyphens but those that XML puts for underscores.
		r.Extra.Set("custom_fields."+strings.ReplaceAll(f.XMLName.Local, "-", "_"), f.Value)
	}
	return r
}

// phone prefers the number that says its country.
func (c *braintreeCustomer) phone() string {
	if n := c.International; n.Country != "" && n.National != "" {
		return "+" + strings.TrimPrefix(n.Country, "+") + " " + n.National
	}
	return c.Phone
}

// braintreeSubscription is what is read of a subscription
// (developer.paypal.com/braintree/docs/reference/response/subscription).
type braintreeSubscription struct {
	ID           string `xml:"id"`
	Status       string `xml:"status"`
	TrialPeriod  string `xml:"trial-period"` // "true" if it begins with a trial
	FirstBilling string `xml:"first-billing-date"`
	NextBilling  string `xml:"next-billing-date"`
	CreatedAt    string `xml:"created-at"`
	UpdatedAt    string `xml:"updated-at"`
}

// braintreeStates translates the states of subscriptions.
var braintreeStates = map[string]crm.SubscriptionState{
	"Active": crm.SubscriptionLive, "Past Due": crm.SubscriptionPastDue, "Pending": crm.SubscriptionFuture,
	"Canceled": crm.SubscriptionOver, "Expired": crm.SubscriptionOver,
}

// subscriptions lists those of all payment methods.
func (c *braintreeCustomer) subscriptions() []crm.Subscription {
	var out []crm.Subscription
	for _, list := range c.Methods {
		for _, method := range list.Each {
			for _, s := range method.Subscriptions {
				out = append(out, s.of(c.ID))
			}
		}
	}
	return out
}

// of is the subscription of a customer. In its trial it is Active there, as if
// it were paid for
// (developer.paypal.com/braintree/docs/guides/recurring-billing); but then the
// next time that it is billed is the first.
func (s *braintreeSubscription) of(customer string) crm.Subscription {
	out := crm.Subscription{ID: s.ID, Customer: customer, State: crm.SubscriptionFuture}
	if state, ok := braintreeStates[s.Status]; ok {
		out.State = state
	}
	out.UpdatedAt, _ = time.Parse(time.RFC3339, s.UpdatedAt) // else it stays zero
	if s.TrialPeriod != "true" {
		return out
	}
	out.TrialStartedAt, _ = time.Parse(time.RFC3339, s.CreatedAt)
	if out.State == crm.SubscriptionLive && s.FirstBilling != "" && s.FirstBilling == s.NextBilling {
		out.State = crm.SubscriptionTrialing
	}
	return out
}
