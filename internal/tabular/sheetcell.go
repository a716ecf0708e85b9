package tabular

import (
	"bytes"

	"sluice/internal/crm"
)

// cellType is the attribute t of a cell: how its value is written.
type cellType uint8

const (
	typeNumber cellType = iota // "n", or none
	typeShared                 // "s": the number of a shared string
	typeString                 // "str": text that a formula came to
	typeInline                 // "inlineStr"
	typeBool                   // "b"
	typeError                  // "e"
	typeDate                   // "d": ISO 8601, in strict workbooks
	typeUnknown
)

func cellTypeOf(t []byte) cellType {
	switch string(t) {
	case "n", "":
		return typeNumber
	case "s":
		return typeShared
	case "str":
		return typeString
	case "inlineStr":
		return typeInline
	case "b":
		return typeBool
	case "e":
		return typeError
	case "d":
		return typeDate
	}
	return typeUnknown
}

// cellMarkup is a cell as it is written in a sheet.
type cellMarkup struct {
	kind    cellType
	style   int      // which of the formats it has
	value   []byte   // of the element v
	given   bool     // there is an element v, if only an empty one
	long    bool     // value is longer than a cell can be, and cut
	formula bool     // there is an element f
	inline  bool     // there is an element is
	rich    richText // of the element is
}

func (c *cellMarkup) reset() {
	c.kind, c.style = typeNumber, 0
	c.value, c.given, c.long = c.value[:0], false, false
	c.formula, c.inline = false, false
}

// read reads the elements of a cell, whose start tag has been read, up to its
// end tag.
func (c *cellMarkup) read(x *xmlScanner) (err error) {
	switch { // as nearly all cells are written
	case x.within("c", "<v>", "</v></c>"):
		c.given = true
		c.value, err = x.appendText(c.value)
		return err
	case x.within("c", "<is><t>", "</t></is></c>"):
		c.inline = true
		return c.rich.whole(x)
	}
	return c.readElements(x)
}

func (c *cellMarkup) readElements(x *xmlScanner) error {
	value, inline := false, false // whether v or is are open
	for {
		tok, err := x.next()
		if err != nil {
			return err
		}
		switch {
		case tok == tagClose && x.depth < cellDepth:
			return nil
		case tok == tagOpen && x.depth == valueDepth:
			value, inline = c.open(x)
		case inline && tok == tagOpen:
			c.rich.open(x)
		case inline && tok == tagClose:
			c.rich.close(x)
		case inline:
			err = c.rich.add(x)
		case value && tok == tagText && x.depth == valueDepth:
			if c.long = c.long || x.long || len(c.value)+len(x.text) > maxRich; !c.long {
				c.value, err = x.appendText(c.value)
			}
		}
		if err != nil {
			return err
		}
	}
}

// open looks at the start tag of one of the cell's elements.
func (c *cellMarkup) open(x *xmlScanner) (value, inline bool) {
	switch string(x.name) {
	case "v":
		c.given = true
		return true, false
	case "f":
		c.formula = true
	case "is":
		c.inline = true
		c.rich.reset(valueDepth + 1)
		return false, true
	}
	return false, false
}

// appendValue appends the text of a cell, and says why it has none. A formula
// counts by the value it had when the workbook was saved.
func (s *sheetReader) appendValue(dst []byte, c *cellMarkup) ([]byte, crm.Reason, error) {
	if c.inline && !c.given {
		return append(dst, c.rich.text...), tooLong(c.rich.long), nil
	}
	v := bytes.TrimSpace(c.value)
	switch {
	case c.formula && !c.given, c.formula && len(v) == 0 && c.kind != typeString:
		return dst, crm.ReasonNoValue, nil // it was never calculated
	case !c.given:
		return dst, "", nil
	case c.kind == typeString, c.kind == typeInline:
		text, left := limited(unescape(c.value), maxCharacters)
		return append(dst, text...), tooLong(c.long || left < 0), nil
	case c.long, len(v) > maxCharacters:
		return dst, crm.ReasonCellTooLong, nil
	}
	switch c.kind {
	case typeShared:
		return s.appendShared(dst, v)
	case typeBool:
		return appendBool(dst, v)
	case typeDate:
		return append(dst, v...), "", nil
	case typeNumber:
		return s.appendNumber(dst, v, c.style)
	case typeError:
		return append(dst, v...), crm.ReasonCellError, nil
	}
	return append(dst, v...), crm.ReasonNoValue, nil
}

func tooLong(long bool) crm.Reason {
	if long {
		return crm.ReasonCellTooLong
	}
	return ""
}

func (s *sheetReader) appendShared(dst, number []byte) ([]byte, crm.Reason, error) {
	i, ok := decimal(number)
	if ok && s.outline {
		return append(dst, number...), "", nil
	}
	if !ok || s.strings == nil || i >= s.strings.count {
		return dst, crm.ReasonNoValue, nil
	}
	dst, long, err := s.strings.appendItem(dst, i)
	return dst, tooLong(long), err
}

func appendBool(dst, v []byte) ([]byte, crm.Reason, error) {
	switch string(v) {
	case "1", "true":
		return append(dst, "TRUE"...), "", nil
	case "0", "false":
		return append(dst, "FALSE"...), "", nil
	}
	return append(dst, v...), crm.ReasonNoValue, nil
}

// appendNumber appends a number as its format means it. Without a table of
// formats a number is a number.
func (s *sheetReader) appendNumber(dst, v []byte, style int) ([]byte, crm.Reason, error) {
	if len(v) == 0 {
		return dst, "", nil
	}
	var f numberFormat
	switch {
	case style < len(s.formats):
		f = s.formats[style]
	case len(s.formats) > 0:
		return append(dst, v...), crm.ReasonNoValue, nil // it may be a date
	}
	out, ok := f.append(dst, v, s.from1904)
	if !ok {
		return append(dst, v...), crm.ReasonNoValue, nil
	}
	return out, "", nil
}
