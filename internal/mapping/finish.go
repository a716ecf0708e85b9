package mapping

import (
	"strings"

	"sluice/internal/crm"
)

var (
	countryField = crm.FieldIndex(crm.Customer, "country")
	stateField   = crm.FieldIndex(crm.Customer, "state")
)

// finish settles what no single cell decides: which records the row has, what
// their defaults are and who the customer is.
func (m *Mapper) finish(out *Mapped) {
	for _, c := range m.constants {
		*out.at(c.slot) = c.value
	}
	has := [3]bool{crm.Customer: !m.noCustomers}
	has[crm.Contact] = m.hasContact(out)
	has[crm.Note] = out.values[crm.Note][noteText.Field] != ""
	if !has[crm.Note] && out.filled[crm.Note] != "" {
		out.warn(out.filled[crm.Note], crm.ReasonNoteLeftOut)
	}
	for _, d := range m.defaults {
		if at := out.at(d.slot); has[d.slot.entity] && *at == "" {
			*at = d.value
		}
	}
	if has[crm.Note] && out.values[crm.Note][noteKind.Field] == "" {
		out.values[crm.Note][noteKind.Field] = "note"
	}
	out.state()
	m.customerKey(out)
	if len(out.Faults) > 0 {
		out.CustomerKey, out.Warnings = "", out.Warnings[:0]
		return
	}
	for e := range has {
		if has[e] {
			m.appendAttributes(out, crm.Entity(e))
			out.Records[e] = out.values[e]
		}
	}
}

// hasContact reports whether the row has a contact. One who is named in no way
// is a fault, unless nothing but the customer's e-mail was to name him.
func (m *Mapper) hasContact(out *Mapped) bool {
	if crm.Identified(crm.Contact, out.values[crm.Contact]) {
		return true
	}
	if out.filled[crm.Contact] != "" && !out.faulty[crm.Contact] {
		out.fault("", crm.ReasonNoIdentity)
	}
	return false
}

// state keeps a state of the United States and leaves out any other: nobody
// could read it back. A row without a country is given the benefit.
func (out *Mapped) state() {
	values := out.values[crm.Customer]
	if values[stateField] == "" {
		return
	}
	code, ok := "", values[countryField] == "" || values[countryField] == "US"
	if ok {
		code, ok = americanState(values[stateField])
	}
	if !ok {
		out.warn(out.stateColumn, crm.ReasonStateLeftOut)
	}
	values[stateField] = code
}

// customerKey finds who the customer is: the external id, or the key made of
// what the customers of the import are matched by.
func (m *Mapper) customerKey(out *Mapped) {
	values := out.values[crm.Customer]
	switch m.match {
	case crm.MatchEmail:
		if address := values[customerEmail.Field]; address != "" {
			values[customerID.Field] = crm.EmailKey(foldedAddress(address))
		}
	case crm.MatchDomain:
		if host := siteHost(values[customerSite.Field]); host != "" {
			values[customerID.Field] = crm.DomainKey(host)
		}
	}
	out.CustomerKey = values[customerID.Field]
	if out.CustomerKey == "" && !out.keyFault {
		out.fault(m.keyColumn, crm.ReasonNoKey)
	}
}

// siteHost returns the host by which a canonical web address says whose it is:
// without "www.", a port and what follows. "" if it says nothing of the kind.
func siteHost(address string) string {
	_, rest, _ := strings.Cut(address, "://")
	if end := strings.IndexAny(rest, "/?#:"); end >= 0 {
		rest = rest[:end]
	}
	host := strings.TrimSuffix(strings.TrimPrefix(rest, "www."), ".")
	if sharedHosts[host] {
		return ""
	}
	return host
}

// sharedHosts hold the pages of many companies, which their address does not
// tell apart.
var sharedHosts = map[string]bool{
	"facebook.com": true, "m.facebook.com": true, "fb.com": true, "instagram.com": true, "linkedin.com": true, "de.linkedin.com": true,
	"uk.linkedin.com": true, "fr.linkedin.com": true, "es.linkedin.com": true, "twitter.com": true, "x.com": true, "youtube.com": true,
	"tiktok.com": true, "xing.com": true, "github.com": true, "linktr.ee": true, "sites.google.com": true, "medium.com": true,
}

// appendAttributes writes the custom attributes that are not blank into their
// field, as a JSON object.
func (m *Mapper) appendAttributes(out *Mapped, e crm.Entity) {
	b := out.json[:0]
	for i, value := range out.attributes[e] {
		if value == "" {
			continue
		}
		if len(b) == 0 {
			b = append(b, '{')
		} else {
			b = append(b, ',')
		}
		a := &m.attributes[e][i]
		b = appendAttribute(append(b, a.label...), a.typ, value)
	}
	if len(b) > 0 {
		b = append(b, '}')
		out.values[e][customField[e]] = out.made.string(b)
	}
	out.json = b
}
