package mapping

import "sluice/internal/crm"

var (
	countryField = crm.FieldIndex(crm.Customer, "country")
	stateField   = crm.FieldIndex(crm.Customer, "state")
)

// finish settles what no single cell decides: which records the row has, what
// their defaults are and who the customer is.
func (m *Mapper) finish(out *Mapped) {
	has := [3]bool{crm.Customer: !m.noCustomers}
	has[crm.Contact] = m.hasContact(out)
	has[crm.Note] = out.values[crm.Note][noteText.Field] != ""
	if !has[crm.Note] && out.filled[crm.Note] {
		out.warn("", crm.ReasonNoteLeftOut)
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
	if out.filled[crm.Contact] && !out.faulty[crm.Contact] {
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
		out.warn("", crm.ReasonStateLeftOut)
	}
	values[stateField] = code
}

// customerKey finds who the customer is: the external id, or where no column
// holds one the e-mail address.
func (m *Mapper) customerKey(out *Mapped) {
	values := out.values[crm.Customer]
	if m.byEmail {
		if address := values[customerEmail.Field]; address != "" {
			values[customerID.Field] = crm.EmailKey(foldedAddress(address))
		}
	}
	out.CustomerKey = values[customerID.Field]
	if out.CustomerKey == "" && !out.keyFault {
		out.fault(m.keyColumn, crm.ReasonNoKey)
	}
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
		out.values[e][customField[e]] = string(append(b, '}'))
	}
	out.json = b
}
