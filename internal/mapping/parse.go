package mapping

import (
	"bytes"
	"cmp"
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
	p.fitColumns()
	if len(p.faults) > 0 {
		slices.SortStableFunc(p.faults, func(a, b specFault) int { return cmp.Compare(a.line, b.line) })
		texts := make([]string, len(p.faults))
		for i, f := range p.faults {
			texts[i] = fmt.Sprintf("line %d: %s", f.line, f.text)
		}
		return nil, invalid("mapping file", texts)
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
	at     []*yaml.Node // of the columns' names
	faults []specFault
}

type specFault struct {
	line int
	text string
}

func (p *specParser) fault(at *yaml.Node, format string, args ...any) {
	p.faults = append(p.faults, specFault{at.Line, fmt.Sprintf(format, args...)})
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
	known := map[string]setting{
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
		"match":      func(v *yaml.Node) { oneOf(p, v, "match", &s.Match, crm.MatchID, crm.MatchEmail, crm.MatchDomain) },
		"bad_cells":  func(v *yaml.Node) { p.badCells(v, &s.BadCells) },
		"columns":    func(v *yaml.Node) { p.pairs(v, "columns", p.column) },
		"fields":     func(v *yaml.Node) { p.pairs(v, "fields", p.field) },
	}
	p.addReading(known)
	p.settings(n, "the mapping file", known)
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

func (p *specParser) dateOrder(v *yaml.Node, o *DateOrder) {
	oneOf(p, v, "date_order", o, DMY, MDY, YMD)
}

func (p *specParser) badCells(v *yaml.Node, to *BadCells) {
	oneOf(p, v, "bad_cells", to, RejectRow, BlankCell)
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
