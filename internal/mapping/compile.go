package mapping

import (
	"fmt"
	"slices"
	"strings"
	"time"

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
	p := &Mapper{noCustomers: m.NoCustomers, byEmail: true}
	if err := p.collectAttributes(m); err != nil {
		return nil, err
	}
	for i := range m.Columns {
		if err := p.add(&m.Columns[i], base); err != nil {
			return nil, err
		}
	}
	for i := range p.columns {
		p.markKey(&p.columns[i])
	}
	return p, p.addDefaults(m)
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

func (p *Mapper) collectAttributes(m *Mapping) error {
	note := func(name string, typ Type) error {
		t, ok := parseTarget(name)
		if !ok {
			return fmt.Errorf("mapping: %w: %s", crm.ErrInvalid, noField(name))
		}
		known := slices.ContainsFunc(p.attributes[t.Entity], func(a attribute) bool { return a.key == t.Key })
		if t.Key != "" && !known {
			label := append(appendJSON(nil, t.Key), ':')
			p.attributes[t.Entity] = append(p.attributes[t.Entity], attribute{t.Key, t.typ(typ), label})
		}
		return nil
	}
	for _, c := range m.Columns {
		for _, name := range c.To {
			if err := note(name, c.Type); err != nil {
				return err
			}
		}
	}
	for _, f := range m.Fields {
		if f.Default != "" {
			if err := note(f.Name, ""); err != nil {
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

func (p *Mapper) add(from *Column, base reading) error {
	c := column{cell: from.Index, name: from.Name, required: from.Required, values: from.Values}
	if from.Index < 0 {
		return fmt.Errorf("mapping: %w: column %q has no place", crm.ErrInvalid, from.Name)
	}
	base.order = from.DateOrder
	byType := make(map[Type]int)
	customer := false
	for _, name := range from.To {
		t, _ := parseTarget(name)
		typ := t.typ(from.Type)
		if converters[typ] == nil {
			return fmt.Errorf("mapping: %w: column %q: type %q is not known", crm.ErrInvalid, from.Name, typ)
		}
		i, ok := byType[typ]
		if !ok {
			i = len(c.uses)
			byType[typ] = i
			c.uses = append(c.uses, use{convert: converters[typ], reading: base})
		}
		c.uses[i].slots = append(c.uses[i].slots, p.slot(t))
		customer = customer || t.Entity == crm.Customer
		c.alone[t.Entity] = c.alone[t.Entity] || t != noteText && t != noteKind
		p.byEmail = p.byEmail && t != customerID
	}
	for e := range c.alone {
		c.alone[e] = c.alone[e] && !customer
	}
	p.columns = append(p.columns, c)
	return nil
}

// markKey marks the use that says who the customer is.
func (p *Mapper) markKey(c *column) {
	key := customerID
	if p.byEmail {
		key = customerEmail
	}
	for i := range c.uses {
		if slices.Contains(c.uses[i].slots, p.slot(key)) {
			c.uses[i].key = true
			c.required = c.required || !p.byEmail
			p.keyColumn = c.name
		}
	}
}

func (p *Mapper) addDefaults(m *Mapping) error {
	for _, f := range m.Fields {
		if f.Default == "" {
			continue
		}
		t, ok := parseTarget(f.Name)
		if !ok {
			return fmt.Errorf("mapping: %w: %s", crm.ErrInvalid, noField(f.Name))
		}
		p.defaults = append(p.defaults, preset{p.slot(t), f.Default})
	}
	return nil
}
