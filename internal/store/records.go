package store

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync"

	"sluice/internal/crm"
)

// records are those of one entity in a batch: their lines as staged, and what
// is found out about them. Every slice goes by the record's place in the batch.
type records struct {
	entity    crm.Entity
	lines     [][]byte // in COPY text form, without newlines
	addresses []crm.Address
	marks     []byte // what is found out; 0 if the record is not to be written, or not any more

	// Nil as long as none is found to be there:
	target [][]byte // the id of the record that is there already; nil if there is none
	rev    []int64  // of that record

	// Contacts and notes:
	customer [][]byte // the id of the customer they hang on; nil if there is none
	creator  []int    // the place of that customer if the batch creates it, else -1
}

// readAll reads the records of the batch.
func (a *attempt) readAll(ctx context.Context) (err error) {
	for _, e := range crm.Entities {
		if a.of[e], err = a.readRecords(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// texts are those of batches, by entity, to be used again: they are most of
// what writing asks of memory.
var texts [3]sync.Pool // of *bytes.Buffer

// textOf returns an empty buffer with room for a part's lines, and for what
// reading to the end asks for beyond them. One that is too small is not made to
// grow: that would double it.
func textOf(e crm.Entity, p *crm.Part) *bytes.Buffer {
	room := p.Bytes + bytes.MinRead
	if b, ok := texts[e].Get().(*bytes.Buffer); ok && b.Cap() >= room {
		b.Reset()
		return b
	}
	return bytes.NewBuffer(make([]byte, 0, room+room/16))
}

// readRecords reads the records of e. They are good until the attempt ends.
func (a *attempt) readRecords(ctx context.Context, e crm.Entity) (*records, error) {
	rs := &records{entity: e}
	part := a.in.Batch.Part(e)
	if part.Records == 0 {
		return rs, nil
	}
	r, err := a.open(ctx, e)
	if err != nil {
		return nil, passing{err}
	}
	defer r.Close()
	a.texts[e] = textOf(e, part)
	if _, err = a.texts[e].ReadFrom(r); err == nil {
		err = rs.split(a.texts[e].Bytes(), part.Records)
	}
	if err != nil {
		if crm.TypeOf(err) == "" {
			err = fmt.Errorf("read %s: %w", e.Plural(), err)
		}
		return nil, passing{err} // it is of the stage, not of the database
	}
	return rs, nil
}

// split takes the lines, of which there must be want, in address order: the
// outcomes of a row's records are found together by walking them side by side.
func (rs *records) split(raw []byte, want int) error {
	rs.lines, rs.addresses = make([][]byte, 0, want), make([]crm.Address, 0, want)
	for len(raw) > 0 {
		end := bytes.IndexByte(raw, '\n')
		if end < 0 {
			return io.ErrUnexpectedEOF
		}
		address := crm.CopyAddress(raw)
		if n := len(rs.addresses); n > 0 && rs.addresses[n-1] >= address {
			return fmt.Errorf("%w: %s: line %d of file %d follows line %d of file %d", crm.ErrUnbalanced, rs.entity.Plural(),
				address.Line(), address.File(), rs.addresses[n-1].Line(), rs.addresses[n-1].File())
		}
		rs.lines, rs.addresses, raw = append(rs.lines, raw[:end]), append(rs.addresses, address), raw[end+1:]
	}
	if len(rs.lines) != want {
		return fmt.Errorf("%w: %d %s are staged, want %d", crm.ErrUnbalanced, len(rs.lines), rs.entity.Plural(), want)
	}
	return nil
}

// begin marks the records that are to be written as new, as long as nothing
// else is known of them.
func (rs *records) begin(live func(ord int) bool) {
	n := len(rs.lines)
	rs.marks, rs.target, rs.rev = make([]byte, n), nil, nil
	if rs.entity != crm.Customer {
		rs.customer, rs.creator = make([][]byte, n), make([]int, n)
	}
	for ord := range rs.marks {
		if live(ord) {
			rs.marks[ord] = markNew
		}
	}
}

// meets notes which record a record meets.
func (rs *records) meets(ord int, target []byte, rev int64) {
	if rs.target == nil {
		rs.target, rs.rev = make([][]byte, len(rs.lines)), make([]int64, len(rs.lines))
	}
	rs.target[ord], rs.rev[ord] = target, rev
}

// targetOf returns the id of the record that a record meets, or nil.
func (rs *records) targetOf(ord int) []byte {
	if rs.target == nil {
		return nil
	}
	return rs.target[ord]
}

// live lists the places of the records to write.
func (rs *records) live() []int {
	out := make([]int, 0, len(rs.marks))
	for ord, mark := range rs.marks {
		if mark != 0 {
			out = append(out, ord)
		}
	}
	return out
}

// key returns what names the customer, as COPY has it: the record itself, or
// the one that a contact or note hangs on.
func (rs *records) key(ord int) []byte {
	_, rest := crm.CutCopy(rs.lines[ord])
	_, rest = crm.CutCopy(rest)
	key, _ := crm.CutCopy(rest)
	return key
}

// match returns the match key of a contact or note.
func (rs *records) match(ord int) []byte {
	rest := rs.lines[ord]
	for range 3 {
		_, rest = crm.CutCopy(rest)
	}
	key, _ := crm.CutCopy(rest)
	return key
}

// id returns the id that a record takes if it is created.
func (rs *records) id(ord int) []byte {
	_, rest := crm.CutCopy(rs.lines[ord])
	id, _ := crm.CutCopy(rest)
	return id
}
