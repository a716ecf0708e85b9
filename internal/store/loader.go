package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"sluice/internal/crm"
)

// A loader hands on the lines of one entity that are to be loaded, and
// collects the addresses of all.
type loader struct {
	entity crm.Entity
	lines  *crm.CopyReader
	want   int                // lines there must be
	keep   func(ord int) bool // says whether a record is loaded
	first  int                // how many of its columns are; 0 means all, else the others are blank

	addresses []crm.Address
	err       error // of the lines, or of what they say

	buf  []byte // loader as an io.Reader: the lines in hand
	at   int    // how much of buf is read
	stop error  // why there are no more
}

func newLoader(e crm.Entity, r io.Reader, want int, keep func(ord int) bool) *loader {
	return &loader{entity: e, lines: crm.NewCopyReader(r), want: want, keep: keep, addresses: make([]crm.Address, 0, want)}
}

// Read gives the lines to load with their places in front, as COPY text. It
// fills p: the server is sent a message, and woken, for each call.
func (l *loader) Read(p []byte) (int, error) {
	l.buf = append(l.buf[:0], l.buf[l.at:]...)
	for len(l.buf) < len(p) && l.stop == nil {
		ord := len(l.addresses)
		var line []byte
		if line, l.stop = l.next(); l.stop == nil && l.keep(ord) {
			l.buf = append(strconv.AppendInt(l.buf, int64(ord), 10), '\t')
			l.buf = append(l.buf, l.cut(line)...)
		}
	}
	if l.at = copy(p, l.buf); l.at == 0 && len(p) > 0 {
		return 0, l.stop
	}
	return l.at, nil
}

// next returns the next line undecoded and notes its address.
func (l *loader) next() ([]byte, error) {
	line, err := l.lines.Line()
	if err == nil {
		err = l.note(crm.CopyAddress(line))
	}
	return line, l.end(err)
}

// cut blanks the columns of a line that are not loaded.
func (l *loader) cut(line []byte) []byte {
	if l.first == 0 {
		return line
	}
	end, columns := 0, len(crm.BatchColumns(l.entity))
	for range l.first {
		end += bytes.IndexByte(line[end:], '\t') + 1
	}
	return append(bytes.Clone(line[:end-1]), strings.Repeat("\t\\N", columns-l.first)+"\n"...)
}

// values returns the place and the values of the next line to load.
func (l *loader) values() (ord int, values []string, err error) {
	for !l.keep(len(l.addresses)) {
		if _, err := l.next(); err != nil {
			return 0, nil, err
		}
	}
	ord = len(l.addresses)
	values, err = l.lines.Read()
	if err == nil {
		address, _ := strconv.ParseInt(values[0], 10, 64)
		err = l.note(crm.Address(address))
	}
	if err == nil && l.first > 0 {
		clear(values[l.first:])
	}
	return ord, values, l.end(err)
}

// note adds an address. Addresses ascend: the outcomes of a row's records are
// found together by walking them side by side.
func (l *loader) note(a crm.Address) error {
	if n := len(l.addresses); n > 0 && l.addresses[n-1] >= a {
		return fmt.Errorf("%w: %s: line %d of file %d follows line %d of file %d", crm.ErrUnbalanced, l.entity.Plural(),
			a.Line(), a.File(), l.addresses[n-1].Line(), l.addresses[n-1].File())
	}
	l.addresses = append(l.addresses, a)
	return nil
}

// end keeps the error that ends the lines. It is of the stage, not of the
// database, and goes to the caller as it is.
func (l *loader) end(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.EOF) && len(l.addresses) == l.want:
		return io.EOF
	case errors.Is(err, io.EOF):
		err = fmt.Errorf("%w: %d %s are staged, want %d", crm.ErrUnbalanced, len(l.addresses), l.entity.Plural(), l.want)
	case crm.TypeOf(err) == "":
		err = fmt.Errorf("read %s: %w", l.entity.Plural(), err)
	}
	l.err = passing{err}
	return l.err
}
