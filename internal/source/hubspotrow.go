package source

import (
	"strconv"
	"strings"
	"time"
)

// row is an object as a row.
func (r *hubspotReading) row(o *hubspotObject) Row {
	var out Row
	if r.object == hubspotCompanies {
		out = r.companyRow(o)
	} else {
		out = r.contactRow(o)
	}
	out.Extra.Set("lifecyclestage", o.Properties["lifecyclestage"])
	for _, name := range r.extra {
		out.Extra.Set("properties."+name, o.Properties[name])
	}
	return out
}

func (r *hubspotReading) companyRow(o *hubspotObject) Row {
	out := Row{ID: "company:" + string(o.ID)} // a contact may have the same id
	p := o.Properties
	out.Customer.Set("external_id", string(o.ID))
	out.Customer.Set("name", firstOf(p["name"], p["domain"]))
	out.Customer.Set("company", p["name"])
	r.customer(o, &out.Customer)
	out.Customer.Set("website_url", firstOf(p["website"], p["domain"]))
	return out
}

func (r *hubspotReading) contactRow(o *hubspotObject) Row {
	out := Row{ID: "contact:" + string(o.ID)}
	p := o.Properties
	if o.company != "" {
		out.Customer.Set("external_id", string(o.company))
	} else {
		out.Customer.Set("external_id", "contact:"+string(o.ID))
		out.Customer.Set("name", firstOf(strings.TrimSpace(p["firstname"]+" "+p["lastname"]), p["email"]))
		out.Customer.Set("email", p["email"])
		out.Customer.Set("company", p["company"])
		r.customer(o, &out.Customer)
		out.Customer.Set("website_url", p["website"])
	}
	out.Contact.Set("external_id", string(o.ID))
	out.Contact.Set("first_name", p["firstname"])
	out.Contact.Set("last_name", p["lastname"])
	out.Contact.Set("title", p["jobtitle"])
	out.Contact.Set("email", p["email"])
	out.Contact.Set("phone", firstOf(p["phone"], p["mobilephone"]))
	out.Contact.Set("linked_in", p["hs_linkedin_url"])
	out.Contact.Set("twitter", p["twitterhandle"])
	out.Contact.SetTime("source_updated_at", hubspotTime(p[r.modified()]))
	return out
}

// customer fills what a company and a contact without one have in common.
func (r *hubspotReading) customer(o *hubspotObject, out *Fields) {
	for _, name := range []string{"country", "state", "city", "zip"} {
		out.Set(name, o.Properties[name])
	}
	out.SetTime("lead_created_at", hubspotTime(o.Properties["createdate"]))
	out.SetTime("source_updated_at", hubspotTime(o.Properties[r.modified()]))
	out.Set("status", r.stages[o.Properties["lifecyclestage"]])
}

// hubspotTime reads a time as properties have it: RFC 3339, or milliseconds
// since 1970. What is neither is zero.
func hubspotTime(v string) time.Time {
	if at, err := time.Parse(time.RFC3339, v); err == nil {
		return at
	}
	if ms, err := strconv.ParseInt(v, 10, 64); err == nil {
		return time.UnixMilli(ms).UTC()
	}
	return time.Time{}
}
