package mapping

import (
	"time"

	"sluice/internal/crm"
)

// Options is what the source and the import say about a file.
type Options struct {
	Region   string // ISO 3166-1 alpha-2, for telephone numbers without a country; "" for none
	TimeZone string // IANA name for dates without a zone; "" means UTC
	// Named is true for the rows of a connector: columns that bear the name of a
	// field go to it, the states of subscribers among them, and all others
	// nowhere unless the mapping file says so. A cell that does not fit counts
	// as blank unless the customer's key stands on it: nobody can mend it.
	Named bool

	Now time.Time // when the import was asked for; a lead created later is rejected. Zero: none is
}

// A Mapping is what was decided for one file: everything [Mapper.Map] needs.
// It encodes as JSON and is stored with the import, so that a mapping file
// edited meanwhile changes nothing.
type Mapping struct {
	Version  int       `json:"version"`
	Mode     crm.Mode  `json:"mode"`
	Region   string    `json:"region,omitempty"`
	TimeZone string    `json:"time_zone,omitempty"`
	Now      time.Time `json:"now,omitzero"`

	Match crm.Match `json:"match,omitempty"`

	// Billed is true when the status of a customer may be one that follows from
	// subscriptions.
	Billed bool `json:"billed,omitempty"`

	// NoCustomers is true when customers are referred to and not created.
	NoCustomers bool `json:"no_customers,omitempty"`

	Columns []Column `json:"columns"` // those that are mapped, in the header's order
	Fields  []Field  `json:"fields,omitempty"`
}

// A Column is a column of a file that is used.
type Column struct {
	Index     int               `json:"index"` // of its cells, from 0
	Name      string            `json:"name"`  // header text
	To        []string          `json:"to"`    // fields, also those that name it in FirstOf; none if it is only a part of a Join
	Type      Type              `json:"type,omitempty"`
	Required  bool              `json:"required,omitempty"`
	DateOrder DateOrder         `json:"date_order,omitempty"` // "": found by a Survey
	Separator string            `json:"separator,omitempty"`
	Decimal   string            `json:"decimal,omitempty"`
	BadCells  BadCells          `json:"bad_cells,omitempty"`
	Values    map[string]string `json:"values,omitempty"` // by case-folded cell
}

// A Field is how a mapping treats a field.
type Field struct {
	Name      string        `json:"name"`
	Collision crm.Collision `json:"collision,omitempty"`
	Erase     bool          `json:"erase,omitempty"`
	Default   string        `json:"default,omitempty"` // canonical

	Value    string `json:"value,omitempty"`    // canonical; of every row
	FirstOf  []int  `json:"first_of,omitempty"` // places in Mapping.Columns
	Join     []int  `json:"join,omitempty"`     // places in Mapping.Columns; the whole is read as the first of them says
	With     string `json:"with,omitempty"`     // between the parts of Join
	Required bool   `json:"required,omitempty"` // only of FirstOf and Join; others are their column's
}

// Writing returns how the import's records are held against those that exist.
func (m *Mapping) Writing() crm.Writing {
	return crm.Writing{Mode: m.Mode, Match: m.Match, Rules: m.rules()}
}

// rules returns what the import does with the fields of records that exist.
func (m *Mapping) rules() crm.Rules {
	var rules crm.Rules
	for _, f := range m.Fields {
		if f.Collision == "" && !f.Erase {
			continue
		}
		t, ok := parseField(f.Name)
		if !ok || t.Field < 0 {
			continue
		}
		if rules[t.Entity] == nil {
			rules[t.Entity] = make([]crm.Rule, len(crm.Fields(t.Entity)))
		}
		rules[t.Entity][t.Field] = crm.Rule{Collision: f.Collision, Erase: f.Erase}
	}
	return rules
}

// parseField reads the name of an entry of fields: a target, or the field that
// holds all custom attributes.
func parseField(name string) (target, bool) {
	for e, f := range customField {
		if f >= 0 && name == crm.Entity(e).String()+".custom" {
			return target{Entity: crm.Entity(e), Field: f}, true
		}
	}
	return parseTarget(name)
}
