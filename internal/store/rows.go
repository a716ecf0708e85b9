package store

import (
	"io"
	"slices"
	"strconv"

	"sluice/internal/crm"
)

// rows are to be put into a table, many at once.
type rows struct {
	table  string
	own    []string                         // columns whose values a row says
	shared []shared                         // columns whose values follow from those, or are the same for all
	count  int                              // of rows
	append func(dst []byte, row int) []byte // appends a row's own values in COPY text form, without a newline
}

// shared is a column of which a row says nothing.
type shared struct {
	column string
	of     int    // the place among the own columns whose value it has, 0 or 1; -1 if value is it
	value  string // not blank: "" is an empty text
	number bool   // value is one
}

func sharedNumber(column string, n int64) shared {
	return shared{column: column, of: -1, value: strconv.FormatInt(n, 10), number: true}
}

func sharedText(column, text string) shared { return shared{column: column, of: -1, value: text} }

// columns lists the columns of a whole row.
func (r *rows) columns() (all []string) {
	all = append(all, r.own...)
	for _, s := range r.shared {
		all = append(all, s.column)
	}
	return all
}

// A rowReader gives rows as COPY reads them.
type rowReader struct {
	*rows
	next int
	buf  []byte // the rows in hand
	at   int    // how much of buf is read
}

// Read fills p: the server is sent a message, and woken, for each call.
func (r *rowReader) Read(p []byte) (int, error) {
	r.buf = append(r.buf[:0], r.buf[r.at:]...)
	for ; len(r.buf) < len(p) && r.next < r.count; r.next++ {
		from := len(r.buf)
		r.buf = r.append(r.buf, r.next)
		for _, s := range r.shared {
			r.buf = append(r.buf, '\t')
			switch {
			case s.of >= 0:
				value, rest := crm.CutCopy(r.buf[from:])
				if s.of == 1 {
					value, _ = crm.CutCopy(rest)
				}
				r.buf = append(r.buf, value...)
			case s.value != "":
				r.buf = crm.AppendCopyValue(r.buf, s.value)
			}
		}
		r.buf = append(r.buf, '\n')
	}
	if r.at = copy(p, r.buf); r.at == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return r.at, nil
}

// created are the new records of one entity as rows of its table.
func (a *attempt) created(rs *records) *rows {
	r := &rows{table: tables[rs.entity], own: batchColumns(rs.entity)}
	r.own[0] = "created_address"
	if rs.entity == crm.Customer {
		r.shared = []shared{{column: "customer_uuid", of: 1}, sharedNumber("source_id", a.to.source)}
	}
	r.shared = append(r.shared, shared{column: "changed_address", of: 0},
		sharedNumber("created_import", a.in.Import), sharedNumber("changed_import", a.in.Import), sharedNumber("rev", 1),
		sharedText("changed_by", a.to.by), sharedText("stored_at", a.to.started), sharedText("updated_at", a.to.started))
	ords := a.places(rs.entity, crm.Created)
	asNew := newFields(rs.entity)
	r.count = len(ords)
	r.append = func(dst []byte, row int) []byte {
		dst, fields := rs.appendPlace(dst, ords[row], rs.customer)
		return asNew(dst, fields)
	}
	return r
}

// batchColumns lists the columns of a batch, with the id of a contact's or note's
// customer for its key.
func batchColumns(e crm.Entity) []string {
	columns := crm.BatchColumns(e)
	if e != crm.Customer {
		columns[slices.Index(columns, "customer_key")] = "customer_id"
	}
	return columns
}

// appendPlace appends what places a record, each value followed by a tab, with
// the id of its customer for its key, and returns its fields.
func (rs *records) appendPlace(dst []byte, ord int, customer [][]byte) (out, fields []byte) {
	address, rest := crm.CutCopy(rs.lines[ord])
	id, rest := crm.CutCopy(rest)
	dst = append(append(append(append(dst, address...), '\t'), id...), '\t')
	if rs.entity == crm.Customer {
		return dst, rest
	}
	_, rest = crm.CutCopy(rest)
	match, rest := crm.CutCopy(rest)
	hangs := null
	if customer[ord] != nil {
		hangs = customer[ord]
	}
	return append(append(append(append(dst, hangs...), '\t'), match...), '\t'), rest
}

var null = []byte(`\N`)

func isNull(value []byte) bool { return string(value) == `\N` }

// staging are records as rows of a temporary table: those at some places. Keys
// alone are staged with all else blank.
func (a *attempt) staging(rs *records, ords []int) *rows {
	r := &rows{table: staged(rs.entity), own: append([]string{"ord"}, batchColumns(rs.entity)...), count: len(ords)}
	r.append = func(dst []byte, row int) []byte {
		dst = append(strconv.AppendInt(dst, int64(ords[row]), 10), '\t')
		dst, fields := rs.appendPlace(dst, ords[row], rs.customer)
		if a.keys {
			fields = keyFields(rs.entity, fields)
		}
		return append(dst, fields...)
	}
	return r
}

// keyFields returns the fields with all blank but those that name the record.
func keyFields(e crm.Entity, fields []byte) (out []byte) {
	n := len(crm.Fields(e))
	if e == crm.Customer {
		key, _ := crm.CutCopy(fields)
		out, n = append(append(out, key...), '\t'), n-1
	}
	for range n {
		out = append(append(out, null...), '\t')
	}
	return out[:len(out)-1]
}

// meeting are records as rows of the table of those that meet another.
func meeting(rs *records, ords []int) *rows {
	return &rows{table: met(rs.entity), own: []string{"ord", "target", "rev"}, count: len(ords), append: func(dst []byte, row int) []byte {
		ord := ords[row]
		dst = append(strconv.AppendInt(dst, int64(ord), 10), '\t')
		return strconv.AppendInt(append(append(dst, rs.target[ord]...), '\t'), rs.rev[ord], 10)
	}}
}
