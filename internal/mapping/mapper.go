package mapping

import (
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

	values     [3][]string // by crm.Fields
	attributes [3][]string // by Mapper.attributes
	filled     [3]bool     // a column of the entity alone had something in it
	faulty     [3]bool     // a cell of the entity had a fault
	keyFault   bool
	json       []byte
}

// A Mapper maps rows by a [Mapping]. It is safe for concurrent use, each
// caller with a [Mapped] of its own.
type Mapper struct {
	columns     []column
	defaults    []preset
	attributes  [3][]attribute // sorted by key
	keyColumn   string         // the column that customers are known by
	byEmail     bool           // and it holds their e-mail addresses
	noCustomers bool
}

type column struct {
	cell     int
	name     string
	required bool
	values   map[string]string
	uses     []use
	alone    [3]bool // fills the entity and no customer
}

// A use is one reading of a column's cell and where its value goes.
type use struct {
	convert converter
	reading reading
	slots   []slot
	key     bool // the value is the customer's key
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
		cell := ""
		if c.cell < len(row.Cells) {
			cell = trimmed(row.Cells[c.cell])
		}
		out.column(c, cell)
	}
	m.finish(out)
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
	out.Records = crm.Records{}
	out.CustomerKey, out.Faults, out.Warnings = "", out.Faults[:0], out.Warnings[:0]
	out.filled, out.faulty, out.keyFault = [3]bool{}, [3]bool{}, false
}

// column reads one cell and puts its value where it goes.
func (out *Mapped) column(c *column, cell string) {
	if c.values != nil && cell != "" {
		if to, ok := c.values[wordKey(cell)]; ok {
			cell = to
		}
	}
	if cell == "" {
		if c.required {
			out.fault(c.name, crm.ReasonRequired)
			out.keyFault = out.keyFault || c.isKey()
		}
		return
	}
	for e, alone := range c.alone {
		out.filled[e] = out.filled[e] || alone
	}
	for i := range c.uses {
		u := &c.uses[i]
		value, fault := u.convert(&u.reading, cell)
		switch {
		case fault.Warns():
			out.warn(c.name, fault)
		case fault != "":
			out.fault(c.name, fault)
			out.keyFault = out.keyFault || u.key
			for _, s := range u.slots {
				out.faulty[s.entity] = true
			}
			continue
		}
		for _, s := range u.slots {
			*out.at(s) = value
		}
	}
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
	r := crm.Rejection{Column: column, Reason: reason}
	for _, have := range out.Faults {
		if have == r {
			return
		}
	}
	out.Faults = append(out.Faults, r)
}

// warn adds a warning.
func (out *Mapped) warn(column string, reason crm.Reason) {
	out.Warnings = append(out.Warnings, crm.Rejection{Column: column, Reason: reason})
}

// wordKey is the form in which [ColumnSpec.Values] compares cells.
func wordKey(cell string) string { return strings.ToLower(norm.NFC.String(cell)) }
