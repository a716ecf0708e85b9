package tabular

import (
	"bytes"
	"errors"
	"io"
)

// What an xmlScanner takes at the most.
const (
	maxToken    = 1 << 20 // bytes of a tag with its attributes, or of a text that is returned whole
	maxName     = 1 << 10 // bytes of an element's name
	maxDepth    = 100     // elements within elements
	maxElements = 250_000_000
	firstWindow = 64 << 10
)

// A partFault says what is wrong with a part. It makes the workbook invalid.
type partFault string

func (f partFault) Error() string { return string(f) }

const (
	errDTD    = partFault("holds a document type definition, which no workbook needs")
	errMarkup = partFault("is damaged")
	errCrowd  = partFault("has more elements than any sheet needs: save the sheet as CSV")
	errUTF8   = partFault("is not in UTF-8: open it and save it again")
)

// A token is what xmlScanner.next found.
type token int

const (
	tagOpen token = iota
	tagClose
	tagText
)

// xmlScanner divides a part of a workbook into tags and texts. It looks through
// a window that slides over the part, so that memory is bounded whatever the
// part holds, and copies nothing. Elements must be closed in order; what stands
// in attributes and texts is checked by whoever reads them.
type xmlScanner struct {
	r        io.Reader
	buf      []byte // buf[pos:end] is read and not passed
	pos, end int
	err      error // of r

	name  []byte // of the tag, without its prefix
	attrs []byte // of the tag, from behind the last that attr returned
	text  []byte // as it stands: see appendText
	plain bool   // text is of a CDATA section: it has no references
	long  bool   // the text is longer than maxToken and was passed over
	count int    // of elements, but for those that within passed
	depth int    // of the element the token belongs to, from 1; for tagClose, of the one around it

	names  []byte // of the open elements
	starts []int  // where each begins
	empty  bool   // the tag just returned was <a/>: its end comes next
	begun  bool   // the first element has been met
	broken bool   // attr met what is no attribute
}

func newXMLScanner(r io.Reader) *xmlScanner { return &xmlScanner{r: r} }

// next returns the next tag or text; [io.EOF] behind the last tag. Comments and
// processing instructions are passed over. What it leaves in x is valid until
// the next call.
func (x *xmlScanner) next() (token, error) {
	if x.broken {
		return 0, errMarkup
	}
	if x.empty {
		x.empty = false
		x.leave()
		return tagClose, nil
	}
	for {
		if x.pos == x.end && !x.fill() {
			return 0, x.cutShort()
		}
		if x.buf[x.pos] != '<' {
			if err := x.readText(); err != nil {
				return 0, err
			}
			if x.depth > 0 {
				return tagText, nil
			}
			continue
		}
		if x.end-x.pos < 2 && !x.fill() {
			return 0, x.cutShort()
		}
		switch x.buf[x.pos+1] {
		case '/':
			return tagClose, x.readClose()
		case '?':
			if err := x.pass("?>"); err != nil {
				return 0, err
			}
		case '!':
			if ok, err := x.readDeclaration(); ok || err != nil {
				return tagText, err
			}
		default:
			return tagOpen, x.readOpen()
		}
	}
}

// fill reads more behind what is in the window. It reports false at the end of
// the part. What x returned before is lost.
func (x *xmlScanner) fill() bool {
	if x.pos > 0 {
		x.end = copy(x.buf, x.buf[x.pos:x.end])
		x.pos = 0
	}
	if x.end == len(x.buf) {
		x.buf = append(make([]byte, 0, max(2*x.end, firstWindow)), x.buf...)
		x.buf = x.buf[:cap(x.buf)]
	}
	for idle := 0; x.err == nil; idle++ {
		var n int
		n, x.err = x.r.Read(x.buf[x.end:])
		x.end += n
		if n > 0 {
			return true
		}
		if x.err == nil && idle == 100 {
			x.err = io.ErrNoProgress
		}
	}
	return false
}

// cutShort is the error of a part that ends: io.EOF only behind its last tag.
func (x *xmlScanner) cutShort() error {
	if !errors.Is(x.err, io.EOF) {
		return x.err
	}
	if x.depth > 0 || !x.begun || x.pos < x.end {
		return errMarkup
	}
	return io.EOF
}

// find returns how many bytes there are from x.pos+from up to the next c, or
// an error if there is none within maxToken.
func (x *xmlScanner) find(c byte, from int) (int, error) {
	for {
		if i := bytes.IndexByte(x.buf[x.pos+from:x.end], c); i >= 0 {
			return from + i, nil
		}
		if from = x.end - x.pos; from > maxToken {
			return 0, errMarkup
		}
		if !x.fill() {
			return 0, x.cutShort()
		}
	}
}

func (x *xmlScanner) readText() error {
	n, err := x.find('<', 0)
	if err == nil {
		x.text, x.plain, x.long = x.buf[x.pos:x.pos+n], false, false
		x.pos += n
		if x.depth == 0 {
			return x.outside(x.text)
		}
		return nil
	}
	if x.depth == 0 && errors.Is(x.err, io.EOF) && x.end-x.pos <= maxToken {
		text := x.buf[x.pos:x.end]
		x.pos = x.end
		return x.outside(text)
	}
	if x.end-x.pos <= maxToken {
		return err
	}
	x.text, x.plain, x.long = nil, false, true
	for {
		if i := bytes.IndexByte(x.buf[x.pos:x.end], '<'); i >= 0 {
			x.pos += i
			return nil
		}
		if x.pos = x.end; !x.fill() {
			return errMarkup
		}
	}
}

// outside checks text that stands in no element.
func (x *xmlScanner) outside(text []byte) error {
	if !x.begun {
		if bytes.IndexByte(text, 0) >= 0 || bytes.HasPrefix(text, []byte(bom16LE)) || bytes.HasPrefix(text, []byte(bom16BE)) {
			return errUTF8
		}
		text = bytes.TrimPrefix(text, []byte(bom8))
	}
	if len(bytes.Trim(text, " \t\r\n")) > 0 {
		return errMarkup
	}
	return nil
}

func (x *xmlScanner) readOpen() error {
	n, err := x.find('>', 1)
	if err != nil {
		return err
	}
	tag := x.buf[x.pos+1 : x.pos+n]
	end := 0
	for end < len(tag) && !isSpace(tag[end]) && tag[end] != '/' {
		end++
	}
	if end < len(tag) && openQuote(tag[end:]) {
		if n, err = x.tagEnd(1 + end); err != nil {
			return err
		}
		tag = x.buf[x.pos+1 : x.pos+n]
	}
	if !x.begun && bytes.IndexByte(tag, 0) >= 0 {
		return errUTF8
	}
	x.name, x.attrs = tag[:end], tag[end:]
	if last := len(x.attrs) - 1; last >= 0 && x.attrs[last] == '/' {
		x.attrs, x.empty = x.attrs[:last], true
	}
	x.pos += n + 1
	if end == 0 || end > maxName || x.depth == maxDepth || x.begun && x.depth == 0 {
		return errMarkup // the last: a second root
	}
	if x.count++; x.count > maxElements {
		return errCrowd
	}
	x.depth++
	x.begun = true
	x.starts = append(x.starts, len(x.names))
	x.names = append(x.names, x.name...)
	x.name = local(x.name)
	return nil
}

// openQuote reports whether attributes may end within a quoted value, so that
// the ">" behind them is not the end of the tag.
func openQuote(attrs []byte) bool {
	return bytes.IndexByte(attrs, '\'') >= 0 || bytes.Count(attrs, []byte{'"'})%2 == 1
}

// tagEnd returns how many bytes there are from x.pos up to the ">" that ends a
// tag whose attributes begin at from.
func (x *xmlScanner) tagEnd(from int) (int, error) {
	quote := byte(0)
	for i := from; ; i++ {
		if i > maxToken {
			return 0, errMarkup
		}
		if x.pos+i == x.end && !x.fill() {
			return 0, x.cutShort()
		}
		switch c := x.buf[x.pos+i]; {
		case quote == c:
			quote = 0
		case quote != 0:
		case c == '>':
			return i, nil
		case c == '"' || c == '\'':
			quote = c
		}
	}
}

func (x *xmlScanner) readClose() error {
	n, err := x.find('>', 2)
	if err != nil {
		return err
	}
	name := x.buf[x.pos+2 : x.pos+n]
	for len(name) > 0 && isSpace(name[len(name)-1]) {
		name = name[:len(name)-1]
	}
	x.pos += n + 1
	if x.depth == 0 || string(name) != string(x.names[x.starts[x.depth-1]:]) {
		return errMarkup
	}
	x.name = local(name)
	x.leave()
	return nil
}

// leave closes the innermost element.
func (x *xmlScanner) leave() {
	x.depth--
	x.names = x.names[:x.starts[x.depth]]
	x.starts = x.starts[:x.depth]
}

// readDeclaration passes a comment, reads a CDATA section, of which it reports
// true, and refuses the rest.
func (x *xmlScanner) readDeclaration() (bool, error) {
	const cdata, doctype = "<![CDATA[", "<!DOCTYPE"
	for x.end-x.pos < len(cdata) && x.fill() {
	}
	switch start := x.buf[x.pos:x.end]; {
	case bytes.HasPrefix(start, []byte("<!--")):
		x.pos += len("<!--")
		return false, x.pass("-->")
	case bytes.HasPrefix(start, []byte(cdata)) && x.depth > 0:
		x.pos += len(cdata)
		return true, x.readCDATA()
	case bytes.HasPrefix(start, []byte(doctype)):
		return false, errDTD
	}
	return false, errMarkup
}

func (x *xmlScanner) readCDATA() error {
	for from := 0; ; {
		n, err := x.find('>', from)
		if err != nil && x.end-x.pos > maxToken {
			x.text, x.long = nil, true
			return x.pass("]]>")
		}
		if err != nil {
			return err
		}
		if b := x.buf[x.pos : x.pos+n]; bytes.HasSuffix(b, []byte("]]")) {
			x.text, x.plain, x.long = b[:n-2], true, false
			x.pos += n + 1
			return nil
		}
		from = n + 1
	}
}

// pass passes what there is up to and including end.
func (x *xmlScanner) pass(end string) error {
	for {
		if i := bytes.Index(x.buf[x.pos:x.end], []byte(end)); i >= 0 {
			x.pos += i + len(end)
			return nil
		}
		x.pos = max(x.pos, x.end-len(end)+1) // the rest may be its beginning
		if !x.fill() {
			if errors.Is(x.err, io.EOF) {
				return errMarkup
			}
			return x.err
		}
	}
}
