package mapping

import (
	"maps"
	"slices"

	"sluice/internal/crm"
)

// places returns where columns stand in the mapping.
func (r *resolver) places(index func(c *Column) int, n int) []int {
	var places []int
	for want := range n {
		for i := range r.out.Columns {
			if index(&r.out.Columns[i]) == want {
				places = append(places, i)
			}
		}
	}
	return places
}

// fields applies what the mapping file says of fields.
func (r *resolver) fields() {
	base, err := r.out.reading()
	if err != nil {
		return // reported by Mapper
	}
	base.order = r.spec.DateOrder
	for _, name := range slices.Sorted(maps.Keys(r.plan.firstOf)) {
		columns := r.plan.firstOf[name]
		r.out.Fields = append(r.out.Fields, Field{Name: name, FirstOf: r.places(func(c *Column) int { return slices.Index(columns, c.Index) }, len(columns))})
	}
	for i := range r.spec.Fields {
		r.field(&r.spec.Fields[i], base)
	}
}

func (r *resolver) field(f *FieldSpec, base reading) {
	t, ok := parseField(f.Field)
	if !ok {
		r.fault("fields: %s", noField(f.Field))
		return
	}
	for _, fault := range f.faults(t) {
		r.fault("%s: %s", f.Field, fault)
	}
	if f.Default != "" && t == keyField(r.match()) {
		r.fault("%s is what customers are known by here, so a default would make one customer of many; take it away", f.Field)
	}
	field := Field{Name: f.Field, Collision: f.Collision, Erase: f.Erase, With: f.With}
	field.Default, field.Value = r.canonical(t, f.Default, "default", base), r.canonical(t, f.Value, "value", base)
	place := func(list []string) []int {
		return r.places(func(c *Column) int {
			return slices.IndexFunc(list, func(text string) bool { return headerText(text) == c.Name })
		}, len(list))
	}
	field.FirstOf, field.Join = place(f.FirstOf), place(f.Join)
	if len(field.Join) > 0 && r.out.typeOf(t).timed() && r.out.Columns[field.Join[0]].DateOrder == "" {
		r.fault("%s is a date put together from columns, so its order cannot be found; set date_order", f.Field)
	}
	if f.Required && field.filled() {
		field.Required = true
	} else if f.Required {
		r.require(f.Field)
	}
	if field.filled() || field.Default != "" || field.Collision != "" || field.Erase {
		r.keep(field)
	}
}

// keep adds a field, or adds to one that is filled from several columns because
// of their names.
func (r *resolver) keep(field Field) {
	for i := range r.out.Fields {
		if f := &r.out.Fields[i]; f.Name == field.Name {
			field.FirstOf, field.Required = f.FirstOf, f.Required
			*f = field
			return
		}
	}
	r.out.Fields = append(r.out.Fields, field)
}

func (r *resolver) require(field string) {
	for i := range r.out.Fields {
		if f := &r.out.Fields[i]; f.Name == field && f.filled() {
			f.Required = true
			return
		}
	}
	for i := range r.out.Columns {
		if c := &r.out.Columns[i]; slices.Contains(c.To, field) {
			c.Required = true
			return
		}
	}
	r.fault("%s is required and no column fills it; map one to it (found: %s)", field, names(r.plan.header))
}

// canonical returns the canonical form of a text that the mapping file gives to
// a field.
func (r *resolver) canonical(t target, text, what string, base reading) string {
	if text == "" || t.Key == "" && t.Field < 0 {
		return ""
	}
	value, fault := "", crm.Reason("")
	typ := r.out.typeOf(t)
	if typ == Choice {
		base.choices = r.choices(t)
	}
	if cell := trimmed(text); cell != "" {
		value, fault = converters[typ](&base, nil, cell)
	}
	if typ == stateType {
		if code, ok := americanState(value); ok {
			value = code
		} else {
			fault = "not a state of the United States"
		}
	}
	if fault != "" && !fault.Warns() {
		r.fault("%s: its %s does not fit the field (%s)", t, what, fault)
	}
	return value
}

// choices returns what the columns that go to an attribute list.
func (r *resolver) choices(t target) map[string]string {
	for i := range r.out.Columns {
		if c := &r.out.Columns[i]; c.Type == Choice && slices.Contains(c.To, t.String()) {
			return choices(c.Values)
		}
	}
	return nil
}

// match returns what customers are known by in this mapping.
func (r *resolver) match() crm.Match {
	if _, byID := r.plan.taken[customerID.String()]; r.spec.Match == "" && byID {
		return crm.MatchID
	}
	if r.spec.Match == "" {
		return crm.MatchEmail
	}
	return r.spec.Match
}
