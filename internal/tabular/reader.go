package tabular

import (
	"io"
	"strings"

	"sluice/internal/crm"
)

// A Reader reads the rows of a text. It holds one buffer, which grows to 16 MiB
// at the most, and allocates nothing for an ordinary row. It is not safe for
// concurrent use.
type Reader struct {
	r     io.Reader
	scan  *scanner
	buf   []byte // buf[start:end] is read and not passed
	start int
	end   int
	err   error // of r; sticky, and returned when the rows before it are read

	at       crm.Position // of buf[start]
	width    int          // columns of the header; 0 takes rows of any width
	spare    int          // blank cells allowed beyond them
	numbered bool
	pad      bool   // cells missing at the end of a row are blank
	comment  string // what lines begin with that are no rows
	blank    int64

	text []byte // of the cells that held escaped quotes
}

// bufferSize is the size the buffer begins with and goes back to.
const bufferSize = 256 << 10

// NewReader reads rows from r, which begins at byte at.Offset of the file, a
// place between two rows. The caller keeps r and closes it.
func NewReader(r io.Reader, l Layout, at crm.Position) *Reader {
	at.Line = max(at.Line, 1)
	if l.End > 0 {
		r = io.LimitReader(r, max(l.End-at.Offset, 0))
	}
	return &Reader{
		r: r, scan: newScanner(l), at: at,
		width: len(l.Header), spare: l.Spare, numbered: l.Numbered,
		pad: l.Pad || l.Numbered, comment: l.Comment,
	}
}

// Position returns where the next row, or a blank row before it, begins. A new
// Reader from there returns exactly what this one is going to.
func (r *Reader) Position() crm.Position { return r.at }

// Blank returns how many blank rows and comments this Reader has passed.
func (r *Reader) Blank() int64 { return r.blank }

// Read reads the next row that is not blank; [io.EOF] when there is none. A row
// that cannot be read as it was written is no error: its Fault says why and its
// Cells hold what could be made out, with U+FFFD for bytes that are no text.
//
// Row.Cells and their memory are valid until the next Read. Any other error is
// the underlying reader's, as it is; rows that were whole before it have been
// returned.
func (r *Reader) Read(row *crm.Row) error {
	for {
		b, eof := r.buf[r.start:r.end], r.err == io.EOF
		if eof && len(b) == 0 {
			return io.EOF
		}
		if r.comment != "" && !r.numbered && len(b) > 0 {
			if r.passComment() {
				continue
			}
			b, eof = r.buf[r.start:r.end], r.err == io.EOF
		}
		found := more
		if len(b) > 0 {
			found = r.scan.scan(b, eof)
		}
		if found == more && len(b) < window {
			if r.err != nil {
				return r.err
			}
			r.fill()
			continue
		}
		if found == whole && r.scan.end <= maxRow && r.fits() {
			if r.record(row, b) {
				return nil
			}
			continue
		}
		if r.firstLine(row, b, eof) {
			return nil
		}
		if r.err != nil {
			return r.err
		}
		r.fill()
	}
}

// advance passes n bytes that hold this many line ends.
func (r *Reader) advance(n, lines int) {
	r.start += n
	r.at.Offset += int64(n)
	r.at.Line += int64(lines)
}

// fill reads until the buffer is full, moving and growing it as needed. What
// was returned before is lost.
func (r *Reader) fill() {
	kept := r.end - r.start
	size := max(bufferSize, len(r.buf))
	switch {
	case kept == size:
		size = min(2*size, window)
	case kept < bufferSize/2:
		size = bufferSize
	}
	buf := r.buf
	if size != len(buf) {
		buf = make([]byte, size)
	}
	copy(buf, r.buf[r.start:r.end])
	r.buf, r.start, r.end = buf, 0, kept
	for idle := 0; r.end < size && r.err == nil; {
		n, err := r.r.Read(r.buf[r.end:])
		r.end += n
		if idle++; n > 0 {
			idle = 0
		}
		if err == nil && idle == 100 {
			err = io.ErrNoProgress
		}
		r.err = err
	}
	if r.at.Offset == 0 && r.end >= len(bom8) && string(r.buf[:len(bom8)]) == bom8 {
		r.advance(len(bom8), 0)
	}
}

// passComment passes the next line if it is a comment. It reads on when too few
// bytes are at hand to tell, so the buffer may be another afterwards.
func (r *Reader) passComment() bool {
	if r.end-r.start < len(r.comment) && r.err == nil {
		r.fill()
	}
	if !r.isComment(string(r.buf[r.start:min(r.end, r.start+len(r.comment))])) {
		return false
	}
	r.passLine()
	r.blank++
	return true
}

// isComment reports whether what begins with text is no row.
func (r *Reader) isComment(text string) bool {
	return r.comment != "" && strings.HasPrefix(text, r.comment)
}

// firstLine makes the first line of b a faulty row, because the record that
// begins there is malformed, has swallowed other lines or is too long. It
// reports false if the line's end is not in b yet.
func (r *Reader) firstLine(row *crm.Row, b []byte, eof bool) bool {
	end, next, found := r.scan.line(b, eof)
	if !found && len(b) < window {
		return false
	}
	*row = crm.Row{Line: r.at.Line, Fault: crm.ReasonStrayQuote}
	switch {
	case !found:
		row.Fault = crm.ReasonRowTooLong
		r.passLine()
		return true
	case end > maxRow:
		row.Fault = crm.ReasonRowTooLong
	default:
		row.Cells = split(r.scan.cells[:0], b[:end], r.scan.cut)
	}
	r.advance(next, min(next-end, 1))
	return true
}

// skipLine passes the next line, whatever it holds; [io.EOF] when there is none.
func (r *Reader) skipLine() error {
	if r.start == r.end && r.err == nil {
		r.fill()
	}
	if r.start == r.end {
		return r.err
	}
	r.passLine()
	return nil
}

// passLine passes the rest of a line that no buffer holds. An error of the
// underlying reader is kept for the next Read.
func (r *Reader) passLine() {
	for {
		b := r.buf[r.start:r.end]
		end, next, found := r.scan.line(b, r.err == io.EOF)
		if found {
			r.advance(next, min(next-end, 1))
			return
		}
		if r.err != nil {
			r.advance(len(b), 0)
			return
		}
		if n := len(b); n > 0 && b[n-1] == '\r' {
			r.advance(n-1, 0) // an LF may follow
		} else {
			r.advance(n, 0)
		}
		r.fill()
	}
}
