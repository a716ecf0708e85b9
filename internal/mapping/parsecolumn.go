package mapping

import (
	"fmt"
	"slices"
	"strings"

	yaml "go.yaml.in/yaml/v3"
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
			"type":       func(v *yaml.Node) { oneOf(p, v, "type", &c.Type, attributeTypes...) },
			"required":   func(v *yaml.Node) { p.flag(v, "required", &c.Required) },
			"date_order": func(v *yaml.Node) { p.dateOrder(v, &c.DateOrder) },
			"separator":  func(v *yaml.Node) { p.separator(v, &c.Separator) },
			"decimal":    func(v *yaml.Node) { oneOf(p, v, "decimal", &c.Decimal, ".", ",") },
			"bad_cells":  func(v *yaml.Node) { p.badCells(v, &c.BadCells) },
			"values":     func(v *yaml.Node) { p.values(v, where, &c) },
		})
		if !to {
			p.fault(name, "%s: say where it goes with \"to\", or write %s", where, ignore)
			return
		}
	}
	p.spec.Columns = append(p.spec.Columns, c)
	p.at = append(p.at, name)
}

// attributeTypes are those that a custom attribute may have.
var attributeTypes = []Type{String, Integer, Decimal, Timestamp, Boolean, Choice}

func (p *specParser) separator(v *yaml.Node, to *string) {
	p.str(v, "separator", to)
	if v.Kind == yaml.ScalarNode && (*to == "" || len(*to) > maxSeparator || trimmed(*to) != *to && trimmed(*to) != "") {
		p.fault(v, "separator must be 1 to %d bytes, without outer white space", maxSeparator)
	}
}

const maxSeparator = 16

// fitColumns checks the settings of each column against where it goes, by
// itself and by way of fields.
func (p *specParser) fitColumns() {
	for i := range p.spec.Columns {
		c := &p.spec.Columns[i]
		p.fits(p.at[i], fmt.Sprintf("column %q", c.Column), c, append(p.spec.usedBy(c.Column), c.To...))
	}
}

// usedBy returns the fields that take a column by first_of or join.
func (s *Spec) usedBy(column string) []string {
	var fields []string
	for i := range s.Fields {
		if f := &s.Fields[i]; slices.Contains(f.FirstOf, column) || slices.Contains(f.Join, column) {
			fields = append(fields, f.Field)
		}
	}
	return fields
}

// fits checks the settings of a column against the fields that it fills.
func (p *specParser) fits(at *yaml.Node, where string, c *ColumnSpec, fields []string) {
	if len(fields) == 0 {
		if !c.plain() {
			p.fault(at, "%s is ignored, so it can have no other settings", where)
		}
		return
	}
	var custom, dates, tags, numbers bool
	for _, name := range fields {
		t, _ := parseTarget(name)
		typ := t.typ(c.Type)
		custom = custom || t.Key != ""
		dates = dates || typ.timed()
		tags = tags || typ == tagsType
		numbers = numbers || typ == Decimal || typ == Integer
	}
	choices := c.Type == Choice
	for _, wrong := range []struct {
		is   bool
		what string
	}{
		{c.Type != "" && !custom, "type is for custom attributes; other fields have a type of their own"},
		{c.DateOrder != "" && !dates, "date_order is for dates"},
		{c.Separator != "" && !tags, "separator is for tags"},
		{c.Decimal != "" && !numbers, "decimal is for numbers"},
		{choices && !slices.ContainsFunc(sortedKeys(c.Values), func(k string) bool { return c.Values[k] != "" }), "a choice needs values: what the cells may be"},
		{c.Required && c.BadCells == BlankCell, "a required column cannot be left blank; take away bad_cells or required"},
		{c.Required && len(c.To) == 0, "is required and goes nowhere; write required beside the field"},
	} {
		if wrong.is {
			p.fault(at, "%s: %s", where, wrong.what)
		}
	}
}

// plain reports whether nothing is said of a column but where it goes.
func (c *ColumnSpec) plain() bool {
	return c.Type == "" && !c.Required && c.BadCells == "" && c.DateOrder == "" && c.Separator == "" && c.Decimal == "" && len(c.Values) == 0
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

// values reads what replaces whole cells; a list stands for values that are
// kept as they are, in the spelling of the list.
func (p *specParser) values(v *yaml.Node, where string, c *ColumnSpec) {
	c.Values = make(map[string]string)
	seen := make(map[string]bool)
	add := func(at *yaml.Node, word, to string) {
		if word = trimmed(word); seen[wordKey(word)] {
			p.fault(at, "values of %s: %q stands there twice, in whatever case", where, word)
			return
		}
		seen[wordKey(word)] = true
		c.Values[word] = to
	}
	if v.Kind == yaml.SequenceNode {
		for _, item := range p.list(v, "values of "+where) {
			var word string
			if p.str(item, "values", &word); trimmed(word) == "" {
				p.fault(item, "values of %s: one is blank", where)
				continue
			}
			add(item, word, trimmed(word))
		}
		return
	}
	p.pairs(v, "values of "+where, func(name, value *yaml.Node) {
		var to string
		if value.Tag != "!!null" {
			p.str(value, "values", &to)
		}
		add(name, name.Value, to)
	})
}
