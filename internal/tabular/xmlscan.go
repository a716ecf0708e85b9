package tabular

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"unicode/utf8"
)

// Limits of the parts of a workbook. A cell holds 32,767 characters at the
// most; escapes such as _x000D_ may make its text longer.
const (
	maxTag  = 64 << 10 // bytes of a tag with its attributes
	maxText = 65_534   // characters of a text
)

// Faults of a part. All of them make the workbook invalid.
var (
	errDTD      = errors.New("holds a document type definition, which no workbook needs")
	errLongText = errors.New("holds a text longer than a cell can be")
	errMarkup   = errors.New("is damaged")
)

// A token is what xmlScanner.next found.
type token int

const (
	tagOpen token = iota
	tagClose
	tagText
)

// xmlScanner divides a part of a workbook into tags and texts, in bounded
// memory whatever the part holds: encoding/xml keeps a token whole however long
// it is. It refuses what encoding/xml would, since excelize takes an error of
// the latter for the end of the sheet.
type xmlScanner struct {
	r     *bufio.Reader
	name  []byte // of the tag, without its prefix
	attrs []byte
	text  []byte
	depth int
	empty bool // the tag just returned was <a/>: its end comes next
	begun bool // the first element has been met
	inTag bool // a "<" has been read: a tag comes next
}

func newXMLScanner(r io.Reader) *xmlScanner {
	return &xmlScanner{r: bufio.NewReaderSize(r, 64<<10)}
}

// next returns the next tag or text; [io.EOF] behind the last tag. Comments and
// processing instructions are passed over. What it leaves in x is valid until
// the next call.
func (x *xmlScanner) next() (token, error) {
	if x.empty {
		x.empty = false
		x.depth--
		return tagClose, nil
	}
	for {
		if !x.inTag {
			text, err := x.readText()
			if err != nil {
				return 0, err
			}
			x.inTag = true
			if text && x.depth > 0 {
				return tagText, nil
			}
		}
		x.inTag = false
		tok, ok, err := x.readTag()
		if ok || err != nil {
			return tok, err
		}
	}
}

// readText reads up to the next tag and reports whether there was any text.
func (x *xmlScanner) readText() (bool, error) {
	x.text = x.text[:0]
	for {
		part, err := x.r.ReadSlice('<')
		x.text = append(x.text, part...)
		if len(x.text) > maxText*utf8.UTFMax {
			return false, errLongText
		}
		switch {
		case err == nil:
			x.text = x.text[:len(x.text)-1]
			return len(x.text) > 0, x.resolve()
		case errors.Is(err, io.EOF) && x.depth == 0 && x.begun:
			return false, io.EOF
		case errors.Is(err, io.EOF):
			return false, errMarkup
		case !errors.Is(err, bufio.ErrBufferFull):
			return false, err
		}
	}
}

// readTag reads what stands behind a "<". It reports false for what is passed
// over.
func (x *xmlScanner) readTag() (token, bool, error) {
	c, err := x.r.ReadByte()
	if err != nil {
		return 0, false, cutShort(err)
	}
	switch c {
	case '?':
		return 0, false, x.pass("?>")
	case '!':
		return x.readDeclaration()
	case '/':
		if err := x.readInside(0); err != nil {
			return 0, false, err
		}
		if x.depth--; x.depth < 0 || x.empty {
			return 0, false, errMarkup
		}
		return tagClose, true, nil
	}
	if err := x.readInside(c); err != nil {
		return 0, false, err
	}
	x.depth++
	x.begun = true
	return tagOpen, true, nil
}

// readDeclaration reads a comment or a CDATA section, and refuses the rest.
func (x *xmlScanner) readDeclaration() (token, bool, error) {
	start, err := x.r.Peek(7)
	switch {
	case bytes.HasPrefix(start, []byte("--")):
		x.r.Discard(2)
		return 0, false, x.pass("-->")
	case err == nil && string(start) == "[CDATA[" && x.depth > 0:
		x.r.Discard(7)
		if err := x.readCDATA(); err != nil {
			return 0, false, err
		}
		return tagText, true, nil
	case bytes.HasPrefix(start, []byte("DOCTYPE")):
		return 0, false, errDTD
	}
	return 0, false, errMarkup
}

func (x *xmlScanner) readCDATA() error {
	x.text = x.text[:0]
	for !bytes.HasSuffix(x.text, []byte("]]>")) {
		c, err := x.r.ReadByte()
		if err != nil {
			return cutShort(err)
		}
		if x.text = append(x.text, c); len(x.text) > maxText*utf8.UTFMax {
			return errLongText
		}
	}
	x.text = x.text[:len(x.text)-3]
	return x.checkText()
}

// readInside reads a tag up to its ">", which may stand in a quoted value.
func (x *xmlScanner) readInside(first byte) error {
	x.attrs = x.attrs[:0]
	if first != 0 {
		x.attrs = append(x.attrs, first)
	}
	quote := byte(0)
	for {
		c, err := x.r.ReadByte()
		if err != nil {
			return cutShort(err)
		}
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
		case c == '"' || c == '\'':
			quote = c
		case c == '<':
			return errMarkup
		case c == '>':
			return x.splitTag()
		}
		if x.attrs = append(x.attrs, c); len(x.attrs) > maxTag {
			return errMarkup
		}
	}
}

// splitTag divides what was read into a name and attributes.
func (x *xmlScanner) splitTag() error {
	if n := len(x.attrs); n > 0 && x.attrs[n-1] == '/' {
		x.attrs, x.empty = x.attrs[:n-1], true
	}
	if !utf8.Valid(x.attrs) || bytes.IndexByte(x.attrs, 0) >= 0 {
		return errMarkup
	}
	end := bytes.IndexAny(x.attrs, " \t\r\n")
	if end < 0 {
		end = len(x.attrs)
	}
	x.name, x.attrs = x.attrs[:end], x.attrs[end:]
	if i := bytes.IndexByte(x.name, ':'); i >= 0 {
		x.name = x.name[i+1:]
	}
	if len(x.name) == 0 {
		return errMarkup
	}
	return nil
}

// attr returns the value of an attribute without a prefix, undecoded.
func (x *xmlScanner) attr(name string) (string, bool) {
	rest := x.attrs
	for {
		rest = bytes.TrimLeft(rest, " \t\r\n")
		eq := bytes.IndexByte(rest, '=')
		if eq < 0 {
			return "", false
		}
		key := bytes.TrimRight(rest[:eq], " \t\r\n")
		rest = bytes.TrimLeft(rest[eq+1:], " \t\r\n")
		if len(rest) < 2 {
			return "", false
		}
		end := bytes.IndexByte(rest[1:], rest[0])
		if end < 0 {
			return "", false
		}
		if string(key) == name {
			return string(rest[1 : 1+end]), true
		}
		rest = rest[end+2:]
	}
}

// pass reads up to and including end.
func (x *xmlScanner) pass(end string) error {
	last := make([]byte, 0, 4)
	for {
		c, err := x.r.ReadByte()
		if err != nil {
			return cutShort(err)
		}
		if len(last) == len(end) {
			last = append(last[:0], last[1:]...)
		}
		if last = append(last, c); string(last) == end {
			return nil
		}
	}
}

// cutShort turns the end of a part within a tag into damage.
func cutShort(err error) error {
	if errors.Is(err, io.EOF) {
		return errMarkup
	}
	return err
}
