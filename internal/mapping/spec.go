package mapping

import (
	"bytes"

	yaml "go.yaml.in/yaml/v3"

	"sluice/internal/crm"
)

// A Spec is a mapping file: what its owner wrote. The zero Spec leaves every
// decision to the header.
//
//	version: 1
//	mode: upsert          # or create_only, update_only
//	unknown: ignore       # or custom, refuse: what to do with columns nobody mapped
//	only: [contacts]      # customers are referred to, not created
//	date_order: dmy       # or mdy, ymd; otherwise found from each whole column
//	delimiter: ";"        # also encoding, sheet
//	columns:
//	  Customer ID: customer.external_id
//	  Mail: {to: [customer.email, contact.email], required: true}
//	  Score: {to: customer.custom.score, type: integer}
//	  Stage: {to: customer.status, values: {Fresh: New Lead}}
//	  Internal: ignore
//	fields:
//	  customer.name: {collision: fill_blank}
//	  customer.owner: {default: sales@example.com}
type Spec struct {
	Version   int // 1; 0 means 1
	Mode      crm.Mode
	Unknown   Unknown
	Only      []crm.Entity // nil: all; without crm.Customer, customers are only referred to
	DateOrder DateOrder    // of the columns that say none

	// Match is how customers are found among those that exist; "" means by
	// their external id.
	Match crm.Match

	// BadCells is for the columns that say nothing of it themselves.
	BadCells BadCells

	// Reading is how the file is read, for the caller: this package does not
	// read files.
	Reading crm.Reading

	Columns []ColumnSpec // in the order of the file
	Fields  []FieldSpec
}

// A ColumnSpec says what becomes of one column.
type ColumnSpec struct {
	Column    string    // header text; outer white space does not matter
	To        []string  // fields, such as "customer.email"; none: the column is ignored
	Type      Type      // of custom attributes; "" means [String]
	Required  bool      // a blank cell rejects its row
	DateOrder DateOrder // "": as the Spec's

	// Separator divides a cell of tags into tags; "" means that a comma, a
	// semicolon or a bar does.
	Separator string

	// Decimal is the character before the fraction of a number, "." or ",";
	// "" means ".".
	Decimal string

	BadCells BadCells // "": as the Spec's

	// Values replaces whole cells before they are read, without regard to
	// case. A blank replacement leaves the cell out.
	Values map[string]string
}

// BadCells is what becomes of a cell that does not fit its field, where the
// field is not required and not what customers are known by. The empty
// BadCells means RejectRow.
type BadCells string

// The ways to treat bad cells.
const (
	RejectRow BadCells = "reject" // its row is rejected
	BlankCell BadCells = "blank"  // the cell counts as blank, with the reason as a warning
)

// A FieldSpec says how a field is treated, whatever column fills it.
//
// Value, FirstOf and Join fill the field without a column that goes to it; only
// one of them may be set.
type FieldSpec struct {
	Field     string // such as "customer.name"; "customer.custom" stands for all its attributes
	Required  bool   // as in [ColumnSpec]
	Collision crm.Collision
	Erase     bool   // a blank cell erases what the record has
	Default   string // where the cell is blank or no column fills the field

	Value   string   // the same for every row
	FirstOf []string // header texts: the first of these columns that is not blank
	Join    []string // header texts: what of these columns is not blank, put together
	With    string   // what stands between the parts of Join; "" means a space
}

// Unknown is what to do with a column that nobody mapped.
type Unknown string

// The ways to treat unknown columns. The empty Unknown means IgnoreUnknown.
const (
	IgnoreUnknown Unknown = "ignore" // and say so in a decision
	CustomUnknown Unknown = "custom" // make it a custom attribute of the customer
	RefuseUnknown Unknown = "refuse" // refuse the file
)

// DateOrder is how dates in digits are written. Dates that begin with the year
// are read under every order.
type DateOrder string

// The orders. The empty DateOrder is one not known yet.
const (
	DMY DateOrder = "dmy"
	MDY DateOrder = "mdy"
	YMD DateOrder = "ymd" // only dates that begin with the year are dates
)

const ignore = "ignore"

// YAML returns s as a mapping file that a person can edit. [ParseSpec] of it
// gives s again.
func (s *Spec) YAML() ([]byte, error) {
	root := &yaml.Node{Kind: yaml.MappingNode}
	add(root, "version", plain("1"))
	addText(root, "mode", string(s.Mode))
	addText(root, "unknown", string(s.Unknown))
	if s.Only != nil {
		list := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
		for _, e := range s.Only {
			list.Content = append(list.Content, scalar(e.Plural()))
		}
		add(root, "only", list)
	}
	addText(root, "date_order", string(s.DateOrder))
	addText(root, "encoding", s.Reading.Encoding)
	addText(root, "delimiter", s.Reading.Delimiter)
	addText(root, "sheet", s.Reading.Sheet)
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
	if c.Type == "" && !c.Required && c.DateOrder == "" && len(c.Values) == 0 {
		return to
	}
	n := &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle}
	add(n, "to", to)
	addText(n, "type", string(c.Type))
	addTrue(n, "required", c.Required)
	addText(n, "date_order", string(c.DateOrder))
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
	if f.Default != "" {
		add(n, "default", quoted(f.Default))
	}
	return n
}

func add(m *yaml.Node, name string, value *yaml.Node) {
	m.Content = append(m.Content, scalar(name), value)
}

func addText(m *yaml.Node, name, value string) {
	if value != "" {
		add(m, name, scalar(value))
	}
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
