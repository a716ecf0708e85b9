package mapping

import (
	"fmt"
	"slices"
	"strings"

	"sluice/internal/crm"
)

// TemplateKinds lists the kinds of [Template].
var TemplateKinds = []string{"customers", "contacts", "combined"}

// Template returns a table for people to fill in: a header whose columns map
// themselves, each to the field it is named after, example rows to be replaced,
// and notes. The notes are a table of their own, with a header: a row for each
// column. An unknown kind wraps [crm.ErrInvalid].
func Template(kind string) (header []string, rows, notes [][]string, err error) {
	if !slices.Contains(TemplateKinds, kind) {
		return nil, nil, nil, fmt.Errorf("template %q: %w: known are %s", kind, crm.ErrInvalid, strings.Join(TemplateKinds, ", "))
	}
	notes = [][]string{{"Column", "Field", "Required", "What it takes", "Example"}}
	var fields []string
	for i := range fieldAbouts {
		if a := &fieldAbouts[i]; a.header != "" && templated(kind, a) {
			header, fields = append(header, a.header), append(fields, a.field)
			notes = append(notes, []string{a.header, a.field, required(kind, a.field), a.takes, a.example})
		}
	}
	for _, example := range exampleRows {
		row := make([]string, len(fields))
		for i, field := range fields {
			row[i] = example[field]
		}
		if !slices.ContainsFunc(rows, func(r []string) bool { return slices.Equal(r, row) }) {
			rows = append(rows, row)
		}
	}
	return header, rows, notes, nil
}

// templated reports whether a kind of template has a field.
func templated(kind string, a *fieldAbout) bool {
	switch kind {
	case "customers":
		return a.entity() == crm.Customer
	case "contacts":
		return a.entity() == crm.Contact || a.field == customerID.String()
	}
	return true
}

func required(kind, field string) string {
	switch {
	case field == customerID.String() && kind == "contacts":
		return "yes"
	case field == customerID.String():
		return "yes; or delete the column, and customers are known by Email"
	case slices.Contains(identities, field):
		return "one of Contact ID, First name, Last name, Contact email"
	case field == noteText.String():
		return "of notes and calls"
	}
	return "no"
}

// exampleRows are customers with their contacts, by field. Rows that are alike
// in a template are one.
var exampleRows = func() []map[string]string {
	first := make(map[string]string)
	for _, a := range fieldAbouts {
		first[a.field] = a.example
	}
	first["customer.zip"] = "12207"
	second := make(map[string]string)
	for field, value := range first {
		if strings.HasPrefix(field, "customer.") {
			second[field] = value
		}
	}
	for field, value := range map[string]string{
		"contact.external_id": "20002", "contact.position": "2", "contact.first_name": "Ben", "contact.last_name": "Tuck",
		"contact.title": "Accountant", "contact.email": "ben@aster.example.com",
	} {
		second[field] = value
	}
	third := map[string]string{
		"customer.external_id": "10002", "customer.name": "Delta Robotik", "customer.email": "info@delta.example.com", "customer.company": "Delta Robotik GmbH",
		"customer.country": "Germany", "customer.city": "Dresden", "customer.zip": "01067", "customer.lead_created_at": "2024-02-29", "customer.status": "New Lead",
		"contact.external_id": "20003", "contact.position": "1", "contact.first_name": "Jörg", "contact.last_name": "Krüger", "contact.email": "j.krueger@delta.example.com",
		"contact.phone": "+49 351 5550101", "note.text": "Would like an offer.", "note.type": "note", "note.created_at": "2024-03-01",
	}
	return []map[string]string{first, second, third}
}()
