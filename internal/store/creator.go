package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"sluice/internal/crm"
)

// A creator hands on the new records of one entity as rows of its table. A row
// begins with what differs from record to record, in the columns own; what all
// share, or is said twice, is in the columns shared.
type creator struct {
	entity      crm.Entity
	own, shared []string
	to          target
	number      int64 // of the import

	lines [][]byte // of the records that are created
	where [][]byte // of each contact or note, the id of its customer
	next  int

	status, custom int // places of these fields among those of the entity; -1 if it has none

	row  []byte
	tail []byte // of an io.Reader: how every row ends
	buf  []byte // the rows in hand
	at   int    // how much of buf is read
}

func newCreator(a *attempt, part *newRecords) *creator {
	c := &creator{entity: part.entity, own: []string{"created_address", "id"}, to: a.to, number: a.in.Import,
		status: -1, custom: crm.FieldIndex(part.entity, "custom")}
	if c.entity == crm.Customer {
		c.status = crm.FieldIndex(crm.Customer, "status")
		c.shared = []string{"customer_uuid", "source_id"}
	} else {
		c.own = append(c.own, "customer_id", "match_key")
	}
	for _, f := range crm.Fields(c.entity) {
		c.own = append(c.own, f.Name)
	}
	c.shared = append(c.shared, "changed_address", "created_import", "changed_import", "rev", "changed_by", "stored_at", "updated_at")
	part.lines(func(i int, line []byte) {
		if a.outcomes[c.entity][part.live[i]] != crm.Created {
			return
		}
		c.lines = append(c.lines, line)
		if c.entity != crm.Customer {
			c.where = append(c.where, part.customers[i])
		}
	})
	return c
}

// columns lists the columns of a whole row.
func (c *creator) columns() string { return strings.Join(slices.Concat(c.own, c.shared), ", ") }

// record returns the next record in COPY text form, without a newline; nil
// behind the last. It is valid until the next call.
func (c *creator) record() []byte {
	if c.next == len(c.lines) {
		return nil
	}
	c.row = c.appendRecord(c.row[:0])
	return c.row
}

func (c *creator) appendRecord(row []byte) []byte {
	address, rest := crm.CutCopy(c.lines[c.next])
	id, rest := crm.CutCopy(rest)
	row = append(append(append(append(row, address...), '\t'), id...), '\t')
	if c.entity != crm.Customer {
		_, rest = crm.CutCopy(rest) // the customer's key
		match, fields := crm.CutCopy(rest)
		row = append(append(append(append(row, c.where[c.next]...), '\t'), match...), '\t')
		rest = fields
	}
	c.next++
	return c.appendFields(row, rest)
}

// appendFields appends the fields as a record that is created has them: see
// newValue.
func (c *creator) appendFields(row, fields []byte) []byte {
	if c.status < 0 && c.custom < 0 {
		return append(row, fields...)
	}
	for i := 0; fields != nil; i++ { // however many there are: the database counts them
		var value []byte
		value, fields = crm.CutCopy(fields)
		switch {
		case i == c.status && isNull(value):
			value = []byte(defaultStatus)
		case i == c.custom && (bytes.Contains(value, []byte("null")) || string(value) == "{}"):
			value = withoutNulls(value)
		}
		row = append(append(row, value...), '\t')
	}
	return row[:len(row)-1]
}

func isNull(value []byte) bool { return string(value) == `\N` }

// withoutNulls returns an object without the members that are null, and NULL if
// nothing is left. What is no object stays as it is: the database refuses it.
func withoutNulls(value []byte) []byte {
	object, err := decode(crm.CopyValue(value))
	if err != nil {
		return value
	}
	strip(object)
	if m, ok := object.(map[string]any); ok && len(m) == 0 {
		return []byte(`\N`)
	}
	return crm.AppendCopyValue(nil, string(appendJSON(nil, object)))
}

func strip(value any) {
	switch v := value.(type) {
	case []any:
		for _, member := range v {
			strip(member)
		}
	case map[string]any:
		for k, member := range v {
			if member == nil {
				delete(v, k)
			}
			strip(member)
		}
	}
}

// Read gives the rows whole and with their newlines, as COPY reads them. It
// fills p: the server is sent a message, and woken, for each call.
func (c *creator) Read(p []byte) (int, error) {
	if c.tail == nil {
		c.tail = c.sharedTail()
	}
	c.buf = append(c.buf[:0], c.buf[c.at:]...)
	for len(c.buf) < len(p) && c.next < len(c.lines) {
		address, rest := crm.CutCopy(c.lines[c.next])
		id, _ := crm.CutCopy(rest)
		c.buf = append(c.appendRecord(c.buf), '\t')
		if c.entity == crm.Customer {
			c.buf = append(append(c.buf, id...), '\t')
			c.buf = append(strconv.AppendInt(c.buf, c.to.source, 10), '\t')
		}
		c.buf = append(append(c.buf, address...), c.tail...)
	}
	if c.at = copy(p, c.buf); c.at == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return c.at, nil
}

// sharedTail is what every row has behind its address.
func (c *creator) sharedTail() []byte {
	by := ""
	if c.to.by != "" {
		by = string(crm.AppendCopyValue(nil, c.to.by))
	}
	return fmt.Appendf(nil, "\t%d\t%d\t1\t%s\t%s\t%s\n", c.number, c.number, by, c.to.started, c.to.started)
}

// sound reports whether a text is JSON, or NULL. SQLite's tables do not look.
func sound(value []byte) bool {
	return isNull(value) || json.Valid([]byte(crm.CopyValue(value)))
}
