package mapping

import (
	"bytes"
	"strconv"

	yaml "go.yaml.in/yaml/v3"

	"sluice/internal/crm"
)

// YAML returns s as a mapping file that a person can edit. [ParseSpec] of it
// gives s again.
func (s *Spec) YAML() ([]byte, error) {
	root := &yaml.Node{Kind: yaml.MappingNode}
	add(root, "version", plain("1"))
	addText(root, "mode", string(s.Mode))
	addText(root, "match", string(s.Match))
	addText(root, "unknown", string(s.Unknown))
	if s.Only != nil {
		list := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
		for _, e := range s.Only {
			list.Content = append(list.Content, scalar(e.Plural()))
		}
		add(root, "only", list)
	}
	addText(root, "bad_cells", string(s.BadCells))
	addText(root, "date_order", string(s.DateOrder))
	addReading(root, &s.Reading)
	if len(s.Columns) > 0 {
		columns := &yaml.Node{Kind: yaml.MappingNode}
		for i := range s.Columns {
			columns.Content = append(columns.Content, quoted(s.Columns[i].Column), s.Columns[i].node())
		}
		add(root, "columns", columns)
	}
	if len(s.Fields) > 0 {
		fields := &yaml.Node{Kind: yaml.MappingNode}
		for i := range s.Fields {
			add(fields, s.Fields[i].Field, s.Fields[i].node())
		}
		add(root, "fields", fields)
	}
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(root); err != nil {
		return nil, err
	}
	return b.Bytes(), e.Close()
}

func (c *ColumnSpec) node() *yaml.Node {
	to := scalar(ignore)
	switch {
	case len(c.To) == 1:
		to = scalar(c.To[0])
	case len(c.To) > 1:
		to = &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
		for _, name := range c.To {
			to.Content = append(to.Content, scalar(name))
		}
	}
	if c.plain() {
		return to
	}
	n := &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle}
	add(n, "to", to)
	addText(n, "type", string(c.Type))
	addTrue(n, "required", c.Required)
	addText(n, "bad_cells", string(c.BadCells))
	addText(n, "date_order", string(c.DateOrder))
	addQuoted(n, "separator", c.Separator)
	addText(n, "decimal", c.Decimal)
	if len(c.Values) > 0 {
		values := &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle}
		for _, from := range sortedKeys(c.Values) {
			values.Content = append(values.Content, quoted(from), quoted(c.Values[from]))
		}
		add(n, "values", values)
	}
	return n
}

func (f *FieldSpec) node() *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle}
	addTrue(n, "required", f.Required)
	addText(n, "collision", string(f.Collision))
	addTrue(n, "erase", f.Erase)
	addQuoted(n, "default", f.Default)
	addQuoted(n, "value", f.Value)
	addList(n, "first_of", f.FirstOf)
	addList(n, "join", f.Join)
	addQuoted(n, "with", f.With)
	return n
}

func addReading(root *yaml.Node, r *crm.Reading) {
	for _, s := range readingSettings {
		addText(root, s.name, *s.at(r))
	}
	if r.Footer > 0 {
		add(root, "footer", plain(strconv.Itoa(r.Footer)))
	}
}

func add(m *yaml.Node, name string, value *yaml.Node) {
	m.Content = append(m.Content, scalar(name), value)
}

func addText(m *yaml.Node, name, value string) {
	if value != "" {
		add(m, name, scalar(value))
	}
}

func addQuoted(m *yaml.Node, name, value string) {
	if value != "" {
		add(m, name, quoted(value))
	}
}

func addList(m *yaml.Node, name string, items []string) {
	if len(items) == 0 {
		return
	}
	list := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
	for _, item := range items {
		list.Content = append(list.Content, quoted(item))
	}
	add(m, name, list)
}

func addTrue(m *yaml.Node, name string, value bool) {
	if value {
		add(m, name, plain("true"))
	}
}

func scalar(s string) *yaml.Node {
	n := &yaml.Node{}
	n.SetString(s)
	return n
}

// quoted is for texts that are somebody's, so that one that looks like a
// number or a date is not taken for one.
func quoted(s string) *yaml.Node {
	n := scalar(s)
	n.Style = yaml.DoubleQuotedStyle
	return n
}

func plain(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Value: s} }
