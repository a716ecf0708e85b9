package mapping

import (
	"fmt"
	"slices"
	"strings"

	yaml "go.yaml.in/yaml/v3"

	"sluice/internal/crm"
)

// column reads one entry of columns.
func (p *specParser) column(name, v *yaml.Node) {
	c := ColumnSpec{Column: trimmed(name.Value)}
	if c.Column == "" {
		p.fault(name, "a column without a name cannot be mapped; name it in the file's header")
		return
	}
	if slices.ContainsFunc(p.spec.Columns, func(o ColumnSpec) bool { return o.Column == c.Column }) {
		p.fault(name, "column %q is mapped twice", c.Column)
		return
	}
	where := fmt.Sprintf("column %q", c.Column)
	if v.Kind != yaml.MappingNode {
		p.to(v, where, &c.To)
	} else {
		to := false
		p.settings(v, where, map[string]setting{
			"to":         func(v *yaml.Node) { to = true; p.to(v, where, &c.To) },
			"type":       func(v *yaml.Node) { oneOf(p, v, "type", &c.Type, String, Integer, Decimal, Timestamp, Boolean) },
			"required":   func(v *yaml.Node) { p.flag(v, "required", &c.Required) },
			"date_order": func(v *yaml.Node) { p.dateOrder(v, &c.DateOrder) },
			"values":     func(v *yaml.Node) { p.values(v, where, &c) },
		})
		if !to {
			p.fault(name, "%s: say where it goes with \"to\", or write %s", where, ignore)
			return
		}
	}
	p.fits(name, where, &c)
	p.spec.Columns = append(p.spec.Columns, c)
}

// fits checks the settings of a column against where it goes.
func (p *specParser) fits(at *yaml.Node, where string, c *ColumnSpec) {
	custom, dates := false, false
	for _, name := range c.To {
		t, _ := parseTarget(name)
		custom = custom || t.Key != ""
		dates = dates || t.typ(c.Type).timed()
	}
	if c.Type != "" && !custom {
		p.fault(at, "%s: type is for custom attributes; other fields have a type of their own", where)
	}
	if c.DateOrder != "" && !dates {
		p.fault(at, "%s: date_order is for dates", where)
	}
	if len(c.To) == 0 && (c.Required || len(c.Values) > 0) {
		p.fault(at, "%s is ignored, so it can have no other settings", where)
	}
}

func (p *specParser) to(v *yaml.Node, where string, to *[]string) {
	if v.Kind == yaml.ScalarNode && v.Value == ignore {
		return
	}
	for _, item := range p.list(v, where) {
		name := item.Value
		t, ok := parseTarget(name)
		switch {
		case !ok:
			p.fault(item, "%s: %s", where, noField(name))
		case slices.Contains(*to, t.String()):
			p.fault(item, "%s: %s stands there twice", where, name)
		default:
			*to = append(*to, t.String())
		}
	}
	if v.Kind == yaml.SequenceNode && len(v.Content) == 0 {
		p.fault(v, "%s: name a field, or write %s", where, ignore)
	}
}

// noField says why name is not a field a column can go to.
func noField(name string) string {
	entity, attribute, custom := strings.Cut(name, ".custom")
	if custom && (entity == "customer" || entity == "contact") {
		if attribute == "" || attribute == "." {
			return fmt.Sprintf("%q needs the name of an attribute, such as %s.custom.score", name, entity)
		}
		return fmt.Sprintf("%q: the name of an attribute is letters, digits and underscores", name)
	}
	return fmt.Sprintf("there is no field %q%s", name, didYouMean(name, targetNames()))
}

func (p *specParser) values(v *yaml.Node, where string, c *ColumnSpec) {
	c.Values = make(map[string]string)
	p.pairs(v, "values of "+where, func(name, value *yaml.Node) {
		var to string
		if value.Tag != "!!null" {
			p.str(value, "values", &to)
		}
		c.Values[trimmed(name.Value)] = to
	})
}

func (p *specParser) field(name, v *yaml.Node) {
	f := FieldSpec{Field: name.Value}
	t, ok := parseField(f.Field)
	if !ok {
		p.fault(name, "fields: %s", noField(f.Field))
		return
	}
	p.settings(v, f.Field, map[string]setting{
		"required":  func(v *yaml.Node) { p.flag(v, "required", &f.Required) },
		"collision": func(v *yaml.Node) { oneOf(p, v, "collision", &f.Collision, crm.Overwrite, crm.FillBlank, crm.Never) },
		"erase":     func(v *yaml.Node) { p.flag(v, "erase", &f.Erase) },
		"default":   func(v *yaml.Node) { p.str(v, "default", &f.Default) },
	})
	rule := f.Collision != "" || f.Erase
	switch {
	case f.Erase && f.Collision != "" && f.Collision != crm.Overwrite:
		p.fault(name, "%s: erase only goes with collision: %s", f.Field, crm.Overwrite)
	case f.Erase && f.Default != "":
		p.fault(name, "%s: a field with a default is never blank, so nothing would be erased", f.Field)
	case f.Required && f.Default != "":
		p.fault(name, "%s: a field with a default is never blank, so it cannot be required", f.Field)
	case t.Key != "" && rule:
		p.fault(name, "%s: collision and erase are set for all attributes together; write them under %s.custom", f.Field, t.Entity)
	case t.Key == "" && t.Field == customField[t.Entity] && (f.Required || f.Default != ""):
		p.fault(name, "%s: required and default are set for one attribute; write %s.NAME", f.Field, f.Field)
	case t == customerID && (rule || f.Default != ""):
		p.fault(name, "%s is what customers are known by: it takes no collision, erase or default", f.Field)
	}
	p.spec.Fields = append(p.spec.Fields, f)
}
