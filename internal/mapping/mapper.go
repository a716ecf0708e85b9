package mapping

import (
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"sluice/internal/crm"
)

// Mapped is what one row came to. It belongs to one caller, who hands it to
// [Mapper.Map] again and again: its memory is reused. The zero value is ready.
type Mapped struct {
	// Records is what the row carries; all nil if it has any fault. Slices and
	// values are valid until the next call, and values no longer than the
	// cells they may be part of.
	Records crm.Records

	// CustomerKey is the external id of the row's customer, also where the
	// mapping makes no customer records. "" if the row has a fault.
	CustomerKey string

	Faults   []crm.Rejection // every fault of the row; none if it can be imported
	Warnings []crm.Rejection // values kept as written, or left out, with nothing rejected; none if there are faults

	values      [3][]string // by crm.Fields
	attributes  [3][]string // by Mapper.attributes
	filled      [3]string   // the first column of the entity alone that had something in it
	faulty      [3]bool     // a cell of the entity had a fault
	keyFault    bool
	stateColumn string // where the customer's state came from
	made        memory // of values
	json        []byte
	joined      []byte
}

// A Mapper maps rows by a [Mapping]. It is safe for concurrent use, each
// caller with a [Mapped] of its own.
type Mapper struct {
	columns     []column
	composed    []composed     // after the columns
	constants   []preset       // values of every row, whatever records it has
	defaults    []preset       // where a record has none
	attributes  [3][]attribute // sorted by key
	keyColumn   string         // the column that customers are known by
	match       crm.Match      // never ""
	noCustomers bool
}

type column struct {
	cell     int
	name     string
	required bool
	lenient  bool // a cell that does not fit counts as blank
	values   map[string]string
	uses     []use
	alone    [3]bool // fills the entity and no customer

	fillsAlone bool // any of alone
}

// A use is one reading of a column's cell and where its value goes.
type use struct {
	convert converter
	reading reading
	slots   []slot
	key     bool // the value is the customer's key
	state   bool // or its state
	full    bool // or a name to be divided between two slots
}

// A composed field is filled from several columns: by the first of its parts
// that says something, or by their texts together.
type composed struct {
	column column // what is asked of the whole, and if joined how it is read
	parts  []column
	joined bool
	with   string // between joined parts
}

type slot struct {
	entity    crm.Entity
	field     int
	attribute int // its place among the entity's attributes; -1 for a field
}

type preset struct {
	slot  slot
	value string
}

type attribute struct {
	key   string
	typ   Type
	label []byte // the key as JSON, with the colon
}

// Map turns a row into records. It reports every fault in the row, not only
// the first, so that one pass over a file tells its owner all there is to mend.
// If there is any fault there are no records; else there is a customer key
// (invariant 1: a row is either rejected or carried on).
//
// Map is pure: it reads no clock, locale or environment, so a row maps to the
// same records on every worker and every retry (invariant 6). A cell missing at
// the end of a short row is blank; a row with a Fault of its own is rejected
// for it and not looked into.
func (m *Mapper) Map(row *crm.Row, out *Mapped) {
	out.reset(m)
	if row.Fault != "" {
		out.Faults = append(out.Faults, crm.Rejection{Reason: row.Fault})
		return
	}
	for i := range m.columns {
		c := &m.columns[i]
		out.column(c, c.text(row))
	}
	for i := range m.composed {
		out.compose(&m.composed[i], row)
	}
	m.finish(out)
}

// text returns what a column's cell says: trimmed, and replaced if the mapping
// lists it.
func (c *column) text(row *crm.Row) string {
	if c.cell >= len(row.Cells) {
		return ""
	}
	cell := trimmed(row.Cells[c.cell])
	if c.values != nil && cell != "" {
		if to, ok := c.values[wordKey(cell)]; ok {
			return to
		}
	}
	return cell
}

func (out *Mapped) reset(m *Mapper) {
	for e := range out.values {
		if out.values[e] == nil {
			out.values[e] = make([]string, len(crm.Fields(crm.Entity(e))))
		}
		clear(out.values[e])
		if len(out.attributes[e]) != len(m.attributes[e]) {
			out.attributes[e] = make([]string, len(m.attributes[e]))
		}
		clear(out.attributes[e])
	}
	out.made.reset()
	out.Records = crm.Records{}
	out.CustomerKey, out.Faults, out.Warnings = "", out.Faults[:0], out.Warnings[:0]
	out.filled, out.faulty, out.keyFault, out.stateColumn = [3]string{}, [3]bool{}, false, ""
}

// column reads one cell and puts its value where it goes. It reports whether
// the cell said anything, be it nothing but a fault.
func (out *Mapped) column(c *column, cell string) (said bool) {
	if cell == "" {
		out.blank(c)
		return false
	}
	for i := range c.uses {
		u := &c.uses[i]
		value, fault := u.convert(&u.reading, &out.made, cell)
		if fault != "" && !fault.Warns() {
			said = out.misfit(c, u, fault) || said
			continue
		}
		if fault != "" {
			out.warn(c.name, fault)
		}
		said = said || value != ""
		if u.full {
			out.divide(c.name, u, value)
			continue
		}
		if u.state {
			out.stateColumn = c.name
		}
		for _, s := range u.slots {
			*out.at(s) = value
		}
	}
	if said && c.fillsAlone {
		out.fill(c)
	}
	return said
}

// blank takes note of a blank cell.
func (out *Mapped) blank(c *column) {
	if c.required {
		out.fault(c.name, crm.ReasonRequired)
		out.keyFault = out.keyFault || c.isKey()
	}
}

// misfit takes note of a cell that does not fit. It reports whether that is a
// fault: the cell may count as blank.
func (out *Mapped) misfit(c *column, u *use, fault crm.Reason) bool {
	if c.lenient && !u.key {
		out.warn(c.name, fault)
		return false
	}
	out.fault(c.name, fault)
	out.keyFault = out.keyFault || u.key
	for _, s := range u.slots {
		out.faulty[s.entity] = true
	}
	return true
}

// fill takes note of the entities that a column tells of.
func (out *Mapped) fill(c *column) {
	for e, alone := range c.alone {
		if alone && out.filled[e] == "" {
			out.filled[e] = c.name
		}
	}
}

// divide puts a full name into the two slots of its use.
func (out *Mapped) divide(column string, u *use, name string) {
	first, last, sure := divideName(name)
	if !sure {
		out.warn(column, crm.ReasonNameNotSplit)
	}
	*out.at(u.slots[0]), *out.at(u.slots[1]) = first, last
}

// compose fills a field from several columns. A cell that does not fit ends
// the search, unless it counts as blank.
func (out *Mapped) compose(f *composed, row *crm.Row) {
	if f.joined {
		out.column(&f.column, out.join(f, row))
		return
	}
	for i := range f.parts {
		if part := &f.parts[i]; out.column(part, part.text(row)) {
			return
		}
	}
	out.blank(&f.column)
}

// join puts the parts that are not blank together.
func (out *Mapped) join(f *composed, row *crm.Row) string {
	b := out.joined[:0]
	for i := range f.parts {
		if text := f.parts[i].text(row); text != "" {
			if len(b) > 0 {
				b = append(b, f.with...)
			}
			b = append(b, text...)
		}
	}
	out.joined = b
	return out.made.string(b)
}

func (c *column) isKey() bool {
	for i := range c.uses {
		if c.uses[i].key {
			return true
		}
	}
	return false
}

func (out *Mapped) at(s slot) *string {
	if s.attribute >= 0 {
		return &out.attributes[s.entity][s.attribute]
	}
	return &out.values[s.entity][s.field]
}

// fault adds a fault, once for a column and a reason.
func (out *Mapped) fault(column string, reason crm.Reason) {
	out.Faults = addOnce(out.Faults, crm.Rejection{Column: column, Reason: reason})
}

// warn adds a warning, once for a column and a reason.
func (out *Mapped) warn(column string, reason crm.Reason) {
	out.Warnings = addOnce(out.Warnings, crm.Rejection{Column: column, Reason: reason})
}

func addOnce(list []crm.Rejection, r crm.Rejection) []crm.Rejection {
	if slices.Contains(list, r) {
		return list
	}
	return append(list, r)
}

// wordKey is the form in which [ColumnSpec.Values] compares cells.
func wordKey(cell string) string { return strings.ToLower(norm.NFC.String(cell)) }
