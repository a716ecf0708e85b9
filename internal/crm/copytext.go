package crm

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// AppendCopy appends one line in PostgreSQL's COPY text form: values divided
// by tabs, "" as \N, and backslash, tab, newline and carriage return escaped
// (PostgreSQL manual, COPY, "Text Format"). The line ends in a newline.
func AppendCopy(dst []byte, values ...string) []byte {
	for i, v := range values {
		if i > 0 {
			dst = append(dst, '\t')
		}
		dst = appendCopyValue(dst, v)
	}
	return append(dst, '\n')
}

func appendCopyValue(dst []byte, v string) []byte {
	if v == "" {
		return append(dst, `\N`...)
	}
	from := 0
	for i := 0; i < len(v); i++ {
		if c := v[i]; c > '\r' && c != '\\' {
			continue
		}
		var esc byte
		switch v[i] {
		case '\\':
			esc = '\\'
		case '\t':
			esc = 't'
		case '\n':
			esc = 'n'
		case '\r':
			esc = 'r'
		default:
			continue
		}
		dst = append(append(dst, v[from:i]...), '\\', esc)
		from = i + 1
	}
	return append(dst, v[from:]...)
}

// A CopyReader reads lines that [AppendCopy] wrote.
type CopyReader struct {
	r     *bufio.Reader
	line  []byte
	cells []string
}

// NewCopyReader returns a reader of r. It does not close r.
func NewCopyReader(r io.Reader) *CopyReader {
	return &CopyReader{r: bufio.NewReaderSize(r, 1<<16)}
}

// Line returns the next line as it stands, with its newline, undecoded; the
// bytes are valid until the next call. At the end it returns [io.EOF]. A last
// line without a newline is damage.
func (c *CopyReader) Line() ([]byte, error) {
	c.line = c.line[:0]
	for {
		part, err := c.r.ReadSlice('\n')
		switch {
		case err == nil && len(c.line) == 0:
			return part, nil
		case err == nil:
			c.line = append(c.line, part...)
			return c.line, nil
		case errors.Is(err, bufio.ErrBufferFull):
			c.line = append(c.line, part...)
		case errors.Is(err, io.EOF) && len(part)+len(c.line) > 0:
			return nil, io.ErrUnexpectedEOF
		default:
			return nil, err
		}
	}
}

// Read returns the values of the next line; "" stands for \N. The slice is
// valid until the next call, the strings remain.
func (c *CopyReader) Read() ([]string, error) {
	line, err := c.Line()
	if err != nil {
		return nil, err
	}
	c.cells = c.cells[:0]
	rest := line[:len(line)-1]
	for {
		i := bytes.IndexByte(rest, '\t')
		if i < 0 {
			c.cells = append(c.cells, copyValue(rest))
			return c.cells, nil
		}
		c.cells = append(c.cells, copyValue(rest[:i]))
		rest = rest[i+1:]
	}
}

// CopyAddress returns the address that begins a line of a batch, undecoded as
// [CopyReader.Line] returns it.
func CopyAddress(line []byte) Address {
	var a Address
	for _, c := range line {
		if c < '0' || c > '9' {
			break
		}
		a = a*10 + Address(c-'0')
	}
	return a
}

func copyValue(b []byte) string {
	if bytes.IndexByte(b, '\\') < 0 {
		return string(b)
	}
	if string(b) == `\N` {
		return ""
	}
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' || i+1 == len(b) {
			out = append(out, b[i])
			continue
		}
		i++
		switch b[i] {
		case 't':
			out = append(out, '\t')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		default:
			out = append(out, b[i])
		}
	}
	return string(out)
}
