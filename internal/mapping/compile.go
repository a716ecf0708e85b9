package mapping

import (
	"fmt"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // zones are known where the system has no list of them

	"sluice/internal/crm"
)

// Mapper compiles m. A mapping that no version of this code can have made
// wraps [crm.ErrInvalid]. A date column whose order was not decided takes only
// dates that can be read in one way.
func (m *Mapping) Mapper() (*Mapper, error) {
	if m.Version != mappingVersion {
		return nil, fmt.Errorf("mapping: %w: version %d is not known to this program; use the one that made it", crm.ErrInvalid, m.Version)
	}
	base, err := m.reading()
	if err != nil {
		return nil, err
	}
	p := &Mapper{noCustomers: m.NoCustomers, match: m.match()}
	if err := p.collectAttributes(m); err != nil {
		return nil, err
	}
	c := compiler{Mapper: p, from: m, base: base}
	for i := range m.Columns {
		if err := c.column(&m.Columns[i]); err != nil {
			return nil, err
		}
	}
	for i := range m.Fields {
		if err := c.field(&m.Fields[i]); err != nil {
			return nil, err
		}
	}
	return p, nil
}

const mappingVersion = 1

// reading returns what every column of m is read with.
func (m *Mapping) reading() (reading, error) {
	r := reading{region: m.Region, zone: time.UTC}
	if m.TimeZone != "" && m.TimeZone != "UTC" {
		zone, err := time.LoadLocation(m.TimeZone)
		if err != nil || m.TimeZone == "Local" {
			return r, fmt.Errorf("mapping: %w: time zone %q is not known; use a name such as Europe/Berlin", crm.ErrInvalid, m.TimeZone)
		}
		r.zone = zone
	}
	if !m.Now.IsZero() {
		r.now = m.Now.UTC().Format(canonicalTime)
	}
	return r, nil
}

// match returns what customers are known by. Without a word about it that is
// their external id where anything fills it, and else their e-mail address.
func (m *Mapping) match() crm.Match {
	if m.Match != "" {
		return m.Match
	}
	id := customerID.String()
	if slices.ContainsFunc(m.Columns, func(c Column) bool { return slices.Contains(c.To, id) }) ||
		slices.ContainsFunc(m.Fields, func(f Field) bool { return f.Name == id && f.filled() }) {
		return crm.MatchID
	}
	return crm.MatchEmail
}

// keyField returns the field that a match is made by.
func keyField(m crm.Match) target {
	switch m {
	case crm.MatchEmail:
		return customerEmail
	case crm.MatchDomain:
		return customerSite
	}
	return customerID
}

// filled reports whether f needs no column that goes to it.
func (f *Field) filled() bool { return f.Value != "" || len(f.FirstOf)+len(f.Join) > 0 }

// typeOf returns the type of a target: of an attribute, the one that the first
// column to name any has given it.
func (m *Mapping) typeOf(t target) Type {
	if m.Billed && t.String() == customerStatus {
		return billedType
	}
	if t.Key == "" {
		return t.typ("")
	}
	name := t.String()
	for _, c := range m.Columns {
		if c.Type != "" && slices.Contains(c.To, name) {
			return c.Type
		}
	}
	for _, f := range m.Fields {
		for _, i := range f.Join {
			if f.Name == name && i >= 0 && i < len(m.Columns) && len(m.Columns[i].To) == 0 && m.Columns[i].Type != "" {
				return m.Columns[i].Type
			}
		}
	}
	return String
}

func (p *Mapper) collectAttributes(m *Mapping) error {
	note := func(name string) error {
		t, ok := parseTarget(name)
		if !ok {
			return fmt.Errorf("mapping: %w: %s", crm.ErrInvalid, noField(name))
		}
		known := slices.ContainsFunc(p.attributes[t.Entity], func(a attribute) bool { return a.key == t.Key })
		if t.Key != "" && !known {
			label := append(appendJSON(nil, t.Key), ':')
			p.attributes[t.Entity] = append(p.attributes[t.Entity], attribute{t.Key, m.typeOf(t), label})
		}
		return nil
	}
	for _, c := range m.Columns {
		for _, name := range c.To {
			if err := note(name); err != nil {
				return err
			}
		}
	}
	for _, f := range m.Fields {
		if f.Default != "" || f.filled() {
			if err := note(f.Name); err != nil {
				return err
			}
		}
	}
	for e := range p.attributes {
		slices.SortFunc(p.attributes[e], func(a, b attribute) int { return strings.Compare(a.key, b.key) })
	}
	return nil
}

func (p *Mapper) slot(t target) slot {
	at := -1
	if t.Key != "" {
		at = slices.IndexFunc(p.attributes[t.Entity], func(a attribute) bool { return a.key == t.Key })
	}
	return slot{t.Entity, t.Field, at}
}

// A compiler fills a Mapper from a Mapping.
type compiler struct {
	*Mapper
	from *Mapping
	base reading
}

// column adds what a column fills by itself.
func (p *compiler) column(from *Column) error {
	var own []target
	for _, name := range from.To {
		if t, _ := parseTarget(name); !p.composes(name) {
			own = append(own, t)
		}
	}
	if len(own) == 0 && len(from.To) > 0 {
		return nil // only a part of fields
	}
	c, err := p.reads(from, own)
	if err != nil || len(own) == 0 {
		return err
	}
	p.columns = append(p.columns, c)
	return nil
}

// composes reports whether a field is filled from several columns.
func (p *compiler) composes(name string) bool {
	return slices.ContainsFunc(p.from.Fields, func(f Field) bool { return f.Name == name && len(f.FirstOf) > 0 })
}

// reads returns a column that fills the targets, in one use for each type.
func (p *compiler) reads(from *Column, targets []target) (column, error) {
	c := column{cell: from.Index, name: from.Name, required: from.Required, values: from.Values, lenient: from.BadCells == BlankCell && !from.Required}
	if from.Index < 0 {
		return c, fmt.Errorf("mapping: %w: column %q has no place", crm.ErrInvalid, from.Name)
	}
	r := p.base
	r.order, r.separator = from.DateOrder, from.Separator
	if from.Decimal != "" {
		r.decimal = from.Decimal[0]
	}
	byType := make(map[Type]int)
	for _, t := range targets {
		typ := p.from.typeOf(t)
		if converters[typ] == nil {
			return c, fmt.Errorf("mapping: %w: column %q: type %q is not known", crm.ErrInvalid, from.Name, typ)
		}
		if typ == Choice {
			r.choices = choices(from.Values)
		}
		i, ok := byType[typ]
		if !ok || t == contactName {
			i = len(c.uses)
			c.uses = append(c.uses, use{convert: converters[typ], reading: r})
		}
		if t != contactName {
			byType[typ] = i
		}
		p.fill(&c, &c.uses[i], t)
	}
	customer := slices.ContainsFunc(from.To, func(name string) bool { t, _ := parseTarget(name); return t.Entity == crm.Customer })
	for e := range c.alone {
		c.alone[e] = c.alone[e] && !customer
		c.fillsAlone = c.fillsAlone || c.alone[e]
	}
	return c, nil
}

// fill puts a target into a use.
func (p *compiler) fill(c *column, u *use, t target) {
	if t == contactName {
		u.full = true
		u.slots = []slot{p.slot(contactFirst), p.slot(contactLast)}
	} else {
		u.slots = append(u.slots, p.slot(t))
	}
	c.alone[t.Entity] = c.alone[t.Entity] || t.Entity != crm.Customer && t != noteText && t != noteKind
	if t == keyField(p.match) {
		u.key = true
		c.required = c.required || p.match == crm.MatchID
		p.keyColumn = c.name
	}
	u.state = u.state || t.typ("") == stateType
}

// choices returns the values of a choice by what may be written for them. What
// a value is called itself comes before what is replaced by another: values are
// replaced before they are read.
func choices(values map[string]string) map[string]string {
	byWord := make(map[string]string, 3*len(values))
	add := func(word, value string) {
		if _, known := byWord[word]; !known && value != "" {
			byWord[word] = value
		}
	}
	words := sortedKeys(values)
	for _, w := range words {
		add(values[w], values[w])
	}
	for _, w := range words {
		add(wordKey(values[w]), values[w])
	}
	for _, w := range words {
		add(w, values[w])
	}
	return byWord
}

// field adds what fills a field beside the columns of its own.
func (p *compiler) field(f *Field) error {
	t, ok := parseField(f.Name)
	if !ok {
		return fmt.Errorf("mapping: %w: %s", crm.ErrInvalid, noField(f.Name))
	}
	for _, i := range append(slices.Clone(f.FirstOf), f.Join...) {
		if i < 0 || i >= len(p.from.Columns) || p.from.Columns[i].Index < 0 {
			return fmt.Errorf("mapping: %w: %s is filled by a column that has no place", crm.ErrInvalid, f.Name)
		}
	}
	switch {
	case f.Value != "" && p.makes(t):
		p.constants = append(p.constants, preset{p.slot(t), f.Value})
	case f.Value != "":
		p.defaults = append(p.defaults, preset{p.slot(t), f.Value})
	case f.Default != "":
		p.defaults = append(p.defaults, preset{p.slot(t), f.Default})
	}
	switch {
	case len(f.FirstOf) > 0:
		return p.firstOf(f, t)
	case len(f.Join) > 0:
		return p.join(f, t)
	}
	return nil
}

// makes reports whether a value of the target makes a record, or says which.
func (p *compiler) makes(t target) bool {
	return t == keyField(p.match) || t == noteText || slices.Contains(identities, t.String())
}

func (p *compiler) firstOf(f *Field, t target) error {
	var out composed
	for _, i := range f.FirstOf {
		from := p.from.Columns[i]
		from.Required = false
		c, err := p.reads(&from, []target{t})
		if err != nil {
			return err
		}
		out.column.required = f.Required || c.required
		c.required = false
		out.parts = append(out.parts, c)
	}
	out.column.name = out.parts[0].name
	out.column.uses = out.parts[0].uses
	p.keyPart(t, &out)
	p.composed = append(p.composed, out)
	return nil
}

// join adds a field whose text is that of several columns. The whole is read
// as the field is, and its faults are the first column's.
func (p *compiler) join(f *Field, t target) error {
	first := p.from.Columns[f.Join[0]]
	whole := Column{
		Index: first.Index, Name: first.Name, To: []string{f.Name}, Required: f.Required,
		DateOrder: first.DateOrder, Separator: first.Separator, Decimal: first.Decimal, BadCells: first.BadCells,
	}
	if p.from.typeOf(t) == Choice {
		whole.Values = first.Values
	}
	c, err := p.reads(&whole, []target{t})
	if err != nil {
		return err
	}
	c.values = nil // they are of the parts
	out := composed{column: c, with: f.With, joined: true}
	if out.with == "" {
		out.with = " "
	}
	for _, i := range f.Join {
		from := &p.from.Columns[i]
		out.parts = append(out.parts, column{cell: from.Index, name: from.Name, values: from.Values})
	}
	p.keyPart(t, &out)
	p.composed = append(p.composed, out)
	return nil
}

// keyPart names the first column for the key, whichever was compiled last.
func (p *compiler) keyPart(t target, c *composed) {
	if t == keyField(p.match) {
		p.keyColumn = c.parts[0].name
	}
}
