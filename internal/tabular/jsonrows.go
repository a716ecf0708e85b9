package tabular

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"sluice/internal/crm"
)

// identifyJSON finds out whether a text is records in JSON, and if so how they
// stand in it: an object a line, or an array of objects.
func identifyJSON(head []byte, cut bool) (f Format, ok bool, err error) {
	text := bytes.TrimPrefix(head, []byte(bom8))
	start := bytes.TrimLeft(text, jsonSpace)
	switch {
	case len(start) == 0:
		return f, false, nil
	case start[0] == '[' && looksLikeArray(start[1:]):
		return Format{Kind: KindJSON, Encoding: utf8Name}, true, nil
	case start[0] != '{':
		return f, false, nil
	}
	line, _, whole := bytes.Cut(start, []byte{'\n'})
	if json.Valid(line) {
		return Format{Kind: KindNDJSON, Encoding: utf8Name}, true, nil
	}
	next := bytes.TrimLeft(start[1:], jsonSpace)
	if len(next) == 0 || next[0] != '"' && next[0] != '}' {
		return f, false, nil // a table may begin with a brace
	}
	if !whole && cut { // its first line is longer than the sample
		return Format{Kind: KindNDJSON, Encoding: utf8Name}, true, nil
	}
	return f, false, invalid("JSON that is neither an object a line nor an array of objects: write one of them")
}

const jsonSpace = " \t\r\n"

// looksLikeArray reports whether what follows a bracket may be an array of
// objects.
func looksLikeArray(rest []byte) bool {
	rest = bytes.TrimLeft(rest, jsonSpace)
	return len(rest) > 0 && (rest[0] == '{' || rest[0] == ']')
}

// rewriteJSON writes records in JSON as CSV: first the names of all fields, in
// the order in which they appear, then each record with its number and fault.
// It reads src twice.
func rewriteJSON(ctx context.Context, src Source, f Format, w io.Writer) error {
	columns := &fieldNames{at: map[string]int{}}
	if err := eachRecord(ctx, src, f, columns.add); err != nil {
		return err
	}
	if len(columns.names) == 0 {
		return invalid("the file has no records, or none with a field")
	}
	out := &sheetWriter{w: bufio.NewWriterSize(w, 64<<10), written: 1}
	head := sheetRow{number: 1}
	for i, name := range columns.names {
		head.cells = append(head.cells, sheetCell{i + 1, []byte(name)})
	}
	if err := out.writeRow(&head); err != nil {
		return err
	}
	out.written = 0
	row := sheetRow{}
	err := eachRecord(ctx, src, f, func(r *jsonRecord) error {
		if err := out.fill(r.number); err != nil {
			return err
		}
		row.number, row.fault, row.cells = r.number, r.fault, row.cells[:0]
		columns.cells(r, &row)
		out.written = r.number
		return out.writeRow(&row)
	})
	if err != nil {
		return err
	}
	if err := out.w.Flush(); err != nil {
		return writeError{err}
	}
	return nil
}

// fieldNames are the columns that records make, in the order of appearance.
type fieldNames struct {
	names []string
	at    map[string]int
	row   [][]byte // of one record, by column; nil where it has no such field
}

func (n *fieldNames) add(r *jsonRecord) error {
	for _, f := range r.fields {
		if _, there := n.at[string(f.name)]; there {
			continue
		}
		if len(n.names) == maxColumns {
			return invalid("its records have more than %d fields of different names", maxColumns)
		}
		name := string(f.name)
		n.at[name] = len(n.names)
		n.names = append(n.names, name)
	}
	return nil
}

// cells lays the fields of a record out in the order of the columns. Of a
// record that cannot be read the first cell holds the text.
func (n *fieldNames) cells(r *jsonRecord, row *sheetRow) {
	if r.fault != "" {
		row.cells = append(row.cells, sheetCell{1, r.text})
		return
	}
	n.row = append(n.row[:0], make([][]byte, len(n.names))...)
	for _, f := range r.fields {
		n.row[n.at[string(f.name)]] = f.value
	}
	for i, v := range n.row {
		if len(v) > 0 {
			row.cells = append(row.cells, sheetCell{i + 1, v})
		}
	}
}

// A jsonRecord is one object, flattened: the field "city" of an object in the
// field "address" is the field "address.city". It is valid until the next one
// is read.
type jsonRecord struct {
	number int        // of its line; in an array, which record it is, from 1
	text   []byte     // as it stands in the file, or the beginning of it
	fault  crm.Reason // why it cannot be read; "" if it can
	halves bool       // it may hold halves of characters
	fields []jsonField
}

type jsonField struct{ name, value []byte }

// eachRecord reads the records of src one after the other.
func eachRecord(ctx context.Context, src Source, f Format, do func(*jsonRecord) error) error {
	in, err := src.Open(ctx, 0)
	if err != nil {
		return err
	}
	defer in.Close()
	r := bufio.NewReaderSize(withContext{ctx, in}, 64<<10)
	if start, _ := r.Peek(len(bom8)); string(start) == bom8 {
		_, _ = r.Discard(len(bom8))
	}
	if f.Kind == KindJSON {
		return eachElement(r, do)
	}
	return eachLine(r, do)
}

// eachLine reads an object a line. A line that holds none is faulty, alone;
// blank ones are passed over.
func eachLine(r *bufio.Reader, do func(*jsonRecord) error) error {
	var rec jsonRecord
	for {
		long, err := rec.readLine(r)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		rec.number++
		switch text := bytes.Trim(rec.text, jsonSpace); {
		case long:
			rec.fields, rec.fault, rec.text = rec.fields[:0], crm.ReasonRowTooLong, nil
		case len(text) > 0:
			rec.flatten(text)
		}
		if long || len(bytes.Trim(rec.text, jsonSpace)) > 0 {
			if err := do(&rec); err != nil {
				return err
			}
		}
		if err != nil {
			return nil // the end
		}
	}
}

// readLine reads the next line into the record's text, or passes over one that
// is too long.
func (rec *jsonRecord) readLine(r *bufio.Reader) (long bool, err error) {
	rec.text = rec.text[:0]
	for {
		part, err := r.ReadSlice('\n')
		if long = long || len(rec.text)+len(part) > maxRow; !long {
			rec.text = append(rec.text, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return long, err
		}
	}
}

// eachElement reads the objects of an array. What is no JSON ends it: behind it
// nobody knows where a record begins.
func eachElement(r io.Reader, do func(*jsonRecord) error) error {
	bounded := &boundedReader{r: r}
	d := json.NewDecoder(bounded)
	damaged := func(n int, err error) error {
		var syntax *json.SyntaxError
		switch {
		case errors.Is(err, errElementTooLong):
			return invalid("record %d is longer than %d bytes", n+1, maxRow)
		case errors.As(err, &syntax), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
			return invalid("the array is damaged or cut short after %d records, at byte %d; write it anew", n, d.InputOffset())
		}
		return err
	}
	if _, err := d.Token(); err != nil {
		return damaged(0, err)
	}
	var rec jsonRecord
	for d.More() {
		bounded.since = 0
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return damaged(rec.number, err)
		}
		rec.number, rec.text = rec.number+1, raw
		rec.flatten(raw)
		if err := do(&rec); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return damaged(rec.number, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return invalid("something follows the end of the array; write one array and nothing else")
	}
	return nil
}

var errElementTooLong = fmt.Errorf("a record is longer than a row may be")

// boundedReader fails when more is read for one record than a row may hold. A
// decoder reads ahead, by less than a row.
type boundedReader struct {
	r     io.Reader
	since int
}

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.since > 2*maxRow {
		return 0, errElementTooLong
	}
	n, err := b.r.Read(p)
	b.since += n
	return n, err
}

// flatten takes the fields out of one JSON text. What is no object, has a field
// twice, or holds half of a character is faulty as a whole.
func (rec *jsonRecord) flatten(text []byte) {
	rec.fields, rec.fault = rec.fields[:0], ""
	switch {
	case !utf8.Valid(text):
		rec.fault = crm.ReasonBadEncoding
	case len(text) > maxRow:
		rec.fault, rec.text = crm.ReasonRowTooLong, nil
	default:
		rec.halves = halfCharacters(text)
		if !rec.object(nil, text, 1) || rec.repeats() {
			rec.fields, rec.fault = rec.fields[:0], crm.ReasonBadJSON
		}
	}
}

// repeats reports whether two fields have one name.
func (rec *jsonRecord) repeats() bool {
	seen := make(map[string]bool, len(rec.fields))
	for _, f := range rec.fields {
		if seen[string(f.name)] {
			return true
		}
		seen[string(f.name)] = true
	}
	return false
}

// halfCharacters reports whether escapes of surrogates stand in the text, of
// which one may be alone: the decoder would put U+FFFD in its place.
func halfCharacters(text []byte) bool {
	for i := 0; ; {
		j := bytes.Index(text[i:], []byte(`\u`))
		if j < 0 {
			return false
		}
		i += j + 2
		if i < len(text) && (text[i] == 'd' || text[i] == 'D') {
			return true
		}
	}
}

// maxNesting is how deep objects may lie in one another.
const maxNesting = 32

// object takes the fields of one object, whose own name is within.
func (rec *jsonRecord) object(within, text []byte, depth int) bool {
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') || depth > maxNesting {
		return false
	}
	for d.More() {
		key, err := d.Token()
		name, ok := key.(string)
		if err != nil || !ok || name == "" || !rec.sound(name) {
			return false
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return false
		}
		full := []byte(name)
		if within != nil {
			full = append(append(bytes.Clone(within), '.'), name...)
		}
		if !rec.field(full, value, depth) {
			return false
		}
	}
	if _, err := d.Token(); err != nil {
		return false
	}
	_, err := d.Token()
	return errors.Is(err, io.EOF)
}

// field takes one value: the text of a string, the fields of an object, and of
// everything else the JSON text. null is a blank.
func (rec *jsonRecord) field(name, value []byte, depth int) bool {
	switch value[0] {
	case '{':
		return rec.object(name, value, depth+1)
	case 'n':
		value = nil
	case '"':
		var text string
		if err := json.Unmarshal(value, &text); err != nil || !rec.sound(text) {
			return false
		}
		value = []byte(text)
	case '[':
		var b bytes.Buffer
		if err := json.Compact(&b, value); err != nil {
			return false
		}
		value = b.Bytes()
	}
	rec.fields = append(rec.fields, jsonField{name, value})
	return true
}

// sound reports whether a text of the record is as it was written: the decoder
// puts U+FFFD in the place of a half of a character.
func (rec *jsonRecord) sound(text string) bool {
	return !rec.halves || !strings.ContainsRune(text, utf8.RuneError)
}
