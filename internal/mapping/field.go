package mapping

import (
	"strings"
	"unicode"

	"sluice/internal/crm"
)

// A Type is how the cells of a column are read.
type Type string

// The types. Only a custom attribute may choose, among the first five; every
// other field has a type of its own.
const (
	String    Type = "string"    // text of at most 255 characters; the type of an attribute that names none
	Integer   Type = "integer"   // a whole number that fits 64 bits
	Decimal   Type = "decimal"   // digits with a point, no exponent and no separators
	Timestamp Type = "timestamp" // a date, with or without a time
	Boolean   Type = "boolean"   // true, t, yes, y, 1 and their opposites

	textType    Type = "text"
	keyType     Type = "key"
	emailType   Type = "email"
	phoneType   Type = "phone"
	countryType Type = "country"
	stateType   Type = "state"
	pastType    Type = "past"
	urlType     Type = "url"
	tagsType    Type = "tags"
	statusType  Type = "status"
	billedType  Type = "billed_status"
	countType   Type = "count"
	placeType   Type = "place"
	noteType    Type = "note_type"
)

// fieldTypes holds the type of every field that is not plain text.
var fieldTypes = map[string]Type{
	"customer.external_id":           keyType,
	"customer.email":                 emailType,
	"customer.country":               countryType,
	"customer.state":                 stateType,
	"customer.lead_created_at":       pastType,
	"customer.free_trial_started_at": Timestamp,
	"customer.status":                statusType,
	"customer.owner":                 emailType,
	"customer.website_url":           urlType,
	"customer.tags":                  tagsType,
	"customer.source_updated_at":     Timestamp,
	"contact.external_id":            keyType,
	"contact.position":               placeType,
	"contact.email":                  emailType,
	"contact.phone":                  phoneType,
	"contact.source_updated_at":      Timestamp,
	"note.type":                      noteType,
	"note.author_email":              emailType,
	"note.call_duration":             countType,
	"note.created_at":                Timestamp,
	"note.source_updated_at":         Timestamp,
}

// A target is one place a cell can go: a field, a custom attribute, or the
// full name of a contact, which is divided into two fields.
type target struct {
	Entity crm.Entity
	Field  int    // in crm.Fields; fullName for a contact's whole name
	Key    string // of the custom attribute; "" for a field
}

// customField is where an entity keeps its custom attributes; -1 for none.
var customField = [3]int{
	crm.FieldIndex(crm.Customer, "custom"),
	crm.FieldIndex(crm.Contact, "custom"),
	crm.FieldIndex(crm.Note, "custom"),
}

// fullName is the place of a contact's whole name, which is no field.
const fullName = -1

var contactName = target{Entity: crm.Contact, Field: fullName}

// The fields that decide what a row is about.
var (
	customerID    = mustField("customer.external_id")
	customerEmail = mustField("customer.email")
	customerSite  = mustField("customer.website_url")
	contactEmail  = mustField("contact.email")
	contactFirst  = mustField("contact.first_name")
	contactLast   = mustField("contact.last_name")
	noteText      = mustField("note.text")
	noteKind      = mustField("note.type")
)

func mustField(name string) target {
	t, ok := parseTarget(name)
	if !ok {
		panic("mapping: no field " + name)
	}
	return t
}

// parseTarget reads a name as mapping files write it: "customer.email",
// "contact.custom.shoe_size", "contact.name".
func parseTarget(name string) (target, bool) {
	if name == "contact.name" {
		return contactName, true
	}
	entity, field, _ := strings.Cut(name, ".")
	for _, e := range crm.Entities {
		if e.String() != entity {
			continue
		}
		field, attribute, custom := strings.Cut(field, ".")
		i := crm.FieldIndex(e, field)
		if i < 0 || custom != (i == customField[e]) || custom && !validKey(attribute) {
			return target{}, false
		}
		return target{Entity: e, Field: i, Key: attribute}, true
	}
	return target{}, false
}

func (t target) String() string {
	if t == contactName {
		return "contact.name"
	}
	name := t.Entity.String() + "." + crm.Fields(t.Entity)[t.Field].Name
	if t.Key != "" {
		name += "." + t.Key
	}
	return name
}

// typ returns the type of a field; of an attribute, the one it was given.
func (t target) typ(given Type) Type {
	if t.Key != "" {
		if given == "" {
			return String
		}
		return given
	}
	if typ, ok := fieldTypes[t.String()]; ok {
		return typ
	}
	return textType
}

// timed reports whether cells of the type are dates.
func (t Type) timed() bool { return t == Timestamp || t == pastType }

// validKey reports whether s may name a custom attribute: 1 to 255 bytes of
// letters, digits and underscores.
func validKey(s string) bool {
	if s == "" || len(s) > 255 {
		return false
	}
	for _, r := range s {
		if r == unicode.ReplacementChar || r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return false
		}
	}
	return true
}

// targetNames lists every field a column can be mapped to.
func targetNames() []string {
	var names []string
	for _, e := range crm.Entities {
		for i, f := range crm.Fields(e) {
			if i != customField[e] {
				names = append(names, e.String()+"."+f.Name)
			}
		}
		if e == crm.Contact {
			names = append(names, contactName.String())
		}
	}
	return names
}
