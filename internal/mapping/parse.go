package mapping

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	yaml "go.yaml.in/yaml/v3"
	"golang.org/x/text/unicode/norm"

	"sluice/internal/crm"
)

// maxSpecBytes bounds a mapping file: as many as the widest table's columns
// need.
const maxSpecBytes = 4 << 20

// ParseSpec reads a mapping file. It reports every fault in it at once, each
// with its line; the error wraps [crm.ErrInvalid]. An unknown key is a fault,
// so that a misspelt one does not go unnoticed. An empty text is the zero Spec.
func ParseSpec(text []byte) (*Spec, error) {
	if len(text) > maxSpecBytes {
		return nil, fmt.Errorf("mapping file: %w: larger than %d MiB", crm.ErrInvalid, maxSpecBytes>>20)
	}
	if !utf8.Valid(text) {
		return nil, fmt.Errorf("mapping file: %w: not UTF-8; save it as UTF-8", crm.ErrInvalid)
	}
	var doc, more yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(&doc); errors.Is(err, io.EOF) {
		return &Spec{}, nil
	} else if err != nil {
		return nil, fmt.Errorf("mapping file: %w: %s", crm.ErrInvalid, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	p := &specParser{}
	if err := d.Decode(&more); !errors.Is(err, io.EOF) {
		p.fault(&doc, "only one document may stand in a mapping file")
	}
	p.root(doc.Content[0])
	if len(p.faults) > 0 {
		return nil, invalid("mapping file", p.faults)
	}
	return &p.spec, nil
}

// invalid makes one error of several faults, one a line.
func invalid(what string, faults []string) error {
	if len(faults) == 1 {
		return fmt.Errorf("%s: %w: %s", what, crm.ErrInvalid, faults[0])
	}
	return fmt.Errorf("%s: %w: %d faults:\n  %s", what, crm.ErrInvalid, len(faults), strings.Join(faults, "\n  "))
}

type specParser struct {
	spec   Spec
	faults []string
}

func (p *specParser) fault(at *yaml.Node, format string, args ...any) {
	p.faults = append(p.faults, fmt.Sprintf("line %d: ", at.Line)+fmt.Sprintf(format, args...))
}

// A setting reads the value of one key.
type setting func(value *yaml.Node)

// settings reads a YAML mapping whose keys are known.
func (p *specParser) settings(n *yaml.Node, where string, known map[string]setting) {
	p.pairs(n, where, func(name, value *yaml.Node) {
		if set, ok := known[name.Value]; ok {
			set(value)
			return
		}
		var names []string
		for k := range known {
			names = append(names, k)
		}
		slices.Sort(names)
		p.fault(name, "unknown key %q in %s%s; known are %s", name.Value, where, didYouMean(name.Value, names), strings.Join(names, ", "))
	})
}

// pairs calls do for each pair of a YAML mapping.
func (p *specParser) pairs(n *yaml.Node, where string, do func(name, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		p.fault(n, "%s must be a list of \"name: value\" pairs", where)
		return
	}
	first := make(map[string]int, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i]
		if name.Kind != yaml.ScalarNode {
			p.fault(name, "a name in %s must be a plain text", where)
			continue
		}
		if line, dup := first[name.Value]; dup {
			p.fault(name, "%q stands in %s twice, first in line %d", name.Value, where, line)
			continue
		}
		first[name.Value] = name.Line
		do(name, n.Content[i+1])
	}
}

func (p *specParser) root(n *yaml.Node) {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return
	}
	s := &p.spec
	p.settings(n, "the mapping file", map[string]setting{
		"version": func(v *yaml.Node) {
			if v.Kind != yaml.ScalarNode || v.Value != "1" {
				p.fault(v, "version must be 1")
			}
			s.Version = 1
		},
		"mode":       func(v *yaml.Node) { oneOf(p, v, "mode", &s.Mode, crm.Upsert, crm.CreateOnly, crm.UpdateOnly) },
		"unknown":    func(v *yaml.Node) { oneOf(p, v, "unknown", &s.Unknown, IgnoreUnknown, CustomUnknown, RefuseUnknown) },
		"date_order": func(v *yaml.Node) { p.dateOrder(v, &s.DateOrder) },
		"only":       func(v *yaml.Node) { p.only(v) },
		"encoding":   func(v *yaml.Node) { p.str(v, "encoding", &s.Encoding) },
		"sheet":      func(v *yaml.Node) { p.str(v, "sheet", &s.Sheet) },
		"delimiter": func(v *yaml.Node) {
			p.str(v, "delimiter", &s.Delimiter)
			if s.Delimiter == `\t` || s.Delimiter == "tab" {
				s.Delimiter = "\t"
			}
			if utf8.RuneCountInString(s.Delimiter) != 1 || strings.ContainsAny(s.Delimiter, "\"\r\n") {
				p.fault(v, "delimiter must be one character, or tab")
			}
		},
		"columns": func(v *yaml.Node) { p.pairs(v, "columns", p.column) },
		"fields":  func(v *yaml.Node) { p.pairs(v, "fields", p.field) },
	})
}

func (p *specParser) only(v *yaml.Node) {
	p.spec.Only = []crm.Entity{}
	for _, item := range p.list(v, "only") {
		e := slices.IndexFunc(crm.Entities, func(e crm.Entity) bool { return e.Plural() == item.Value })
		switch {
		case e < 0:
			p.fault(item, "only: %q is none of customers, contacts, notes", item.Value)
		case slices.Contains(p.spec.Only, crm.Entities[e]):
			p.fault(item, "only: %s stands there twice", item.Value)
		default:
			p.spec.Only = append(p.spec.Only, crm.Entities[e])
		}
	}
	if len(v.Content) == 0 && v.Kind == yaml.SequenceNode {
		p.fault(v, "only: nothing would be imported; name customers, contacts or notes")
	}
}

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

func (p *specParser) dateOrder(v *yaml.Node, o *DateOrder) {
	oneOf(p, v, "date_order", o, DMY, MDY, YMD)
}

func oneOf[T ~string](p *specParser, v *yaml.Node, name string, to *T, known ...T) {
	if v.Kind == yaml.ScalarNode && slices.Contains(known, T(v.Value)) {
		*to = T(v.Value)
		return
	}
	words := make([]string, len(known))
	for i, k := range known {
		words[i] = string(k)
	}
	p.fault(v, "%s must be one of %s", name, strings.Join(words, ", "))
}

func (p *specParser) flag(v *yaml.Node, name string, to *bool) {
	switch word := strings.ToLower(v.Value); {
	case v.Kind == yaml.ScalarNode && (word == "true" || word == "yes"):
		*to = true
	case v.Kind == yaml.ScalarNode && (word == "false" || word == "no"):
		*to = false
	default:
		p.fault(v, "%s must be true or false", name)
	}
}

func (p *specParser) str(v *yaml.Node, name string, to *string) {
	if v.Kind != yaml.ScalarNode || v.Tag == "!!null" {
		p.fault(v, "%s must be a text", name)
		return
	}
	*to = norm.NFC.String(v.Value)
}

// list returns the texts of a YAML list; a single text is a list of one.
func (p *specParser) list(v *yaml.Node, where string) []*yaml.Node {
	items := []*yaml.Node{v}
	if v.Kind == yaml.SequenceNode {
		items = v.Content
	}
	for _, item := range items {
		if item.Kind != yaml.ScalarNode || item.Tag == "!!null" {
			p.fault(item, "%s must be a text or a list of texts", where)
			return nil
		}
	}
	return items
}
