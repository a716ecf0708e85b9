package tabular

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
)

// Limits of a workbook's table of strings. A sheet has at most 1,048,576 rows,
// so tables of this size are met in sheets of thirty columns without a value
// that comes twice.
const (
	maxStrings  = 32 << 20
	heldText    = 32 << 20 // bytes of text kept in memory; the rest goes to a file
	textPage    = 4 << 10  // bytes read from the file at once
	cachedPages = 4 << 10  // of the file

	// maxFarReads is how many pages may be read from the file. A table is
	// written in the order in which its strings are first met, so a sheet that
	// needs more has been made to be slow.
	maxFarReads = 16 << 20
)

// The memory of a sharedStrings is taken in pieces, since doubling one slice
// would take three times as much at the worst moment.
const (
	textPiece  = 64 << 10 // bytes
	indexPiece = 16 << 10 // entries
	longMark   = 1 << 31  // of an entry: the string is longer than a cell can be
)

// sharedStrings are the texts that cells of type "s" refer to by number. Texts
// are held one behind the other, first in memory and then in a temporary file.
type sharedStrings struct {
	index [][]uint32 // where each string begins, with longMark
	count int        // of strings
	size  int64      // of their texts, in bytes
	held  [][]byte   // the first heldText bytes

	keep int64 // heldText, but in tests
	file *os.File
	out  *bufio.Writer // to file, until all is read

	pages    []byte  // of the file, each in the place its number gives
	pageAt   []int64 // the number of the page in each place, -1 for none
	farReads int
}

// readStrings reads a table of strings. The caller closes what it returns.
func readStrings(r io.Reader, keep int64) (_ *sharedStrings, err error) {
	s := &sharedStrings{keep: keep}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	x := newXMLScanner(r)
	var text richText
	for {
		var tok token
		whole := x.depth == 1 && x.element("<si><t>", "</t></si>")
		if !whole {
			tok, err = x.next()
		}
		switch {
		case errors.Is(err, io.EOF):
			return s, s.finish()
		case err != nil:
		case whole:
			err = s.takeWhole(x, &text)
		default:
			err = s.take(x, tok, &text)
		}
		if err != nil {
			return nil, fmt.Errorf("the table of strings %w", err)
		}
	}
}

// take looks at one token of the table. A string is an element si of the root.
func (s *sharedStrings) take(x *xmlScanner, tok token, text *richText) error {
	switch {
	case tok == tagOpen && x.depth == 2 && string(x.name) == "si":
		text.reset(3)
	case text.base == 0:
	case tok == tagOpen:
		text.open(x)
	case tok == tagText:
		return text.add(x)
	case x.depth == 1:
		err := s.add(text.text, text.long)
		text.base = 0
		return err
	default:
		text.close(x)
	}
	return nil
}

// takeWhole takes a string that is all of an element, as x left it.
func (s *sharedStrings) takeWhole(x *xmlScanner, text *richText) error {
	if err := text.whole(x); err != nil {
		return err
	}
	return s.add(text.text, text.long)
}

// add appends a string.
func (s *sharedStrings) add(text []byte, long bool) error {
	if s.count == maxStrings {
		return partFault("has more entries than any sheet needs: save the sheet as CSV")
	}
	begin := uint32(s.size)
	if long {
		begin |= longMark
	}
	if s.count%indexPiece == 0 {
		s.index = append(s.index, make([]uint32, 0, indexPiece))
	}
	last := &s.index[len(s.index)-1]
	*last = append(*last, begin)
	s.count++
	if s.size += int64(len(text)); s.size >= longMark {
		return partFault("holds more than 2 GiB of text: save the sheet as CSV")
	}
	for len(text) > 0 && s.file == nil {
		n := len(s.held)
		if n == 0 || len(s.held[n-1]) == textPiece {
			if int64(n)*textPiece >= s.keep {
				return s.spill(text)
			}
			s.held = append(s.held, make([]byte, 0, textPiece))
			n++
		}
		piece := &s.held[n-1]
		fits := min(len(text), textPiece-len(*piece))
		*piece = append(*piece, text[:fits]...)
		text = text[fits:]
	}
	if len(text) == 0 {
		return nil
	}
	_, err := s.out.Write(text)
	return err
}

// spill begins the file.
func (s *sharedStrings) spill(text []byte) (err error) {
	if s.file, err = os.CreateTemp("", "strings-"); err != nil {
		return err
	}
	s.out = bufio.NewWriterSize(s.file, bufferSize)
	_, err = s.out.Write(text)
	return err
}

// finish makes s ready to be asked.
func (s *sharedStrings) finish() error {
	if s.out == nil {
		return nil
	}
	err := s.out.Flush()
	s.out = nil
	s.pages = make([]byte, cachedPages*textPage)
	s.pageAt = make([]int64, cachedPages)
	for i := range s.pageAt {
		s.pageAt[i] = -1
	}
	return err
}

// entry returns where string i begins, and whether it is too long.
func (s *sharedStrings) entry(i int) (int64, bool) {
	e := s.index[i/indexPiece][i%indexPiece]
	return int64(e &^ longMark), e&longMark != 0
}

// appendItem appends string i to dst, and reports whether the string is longer
// than a cell can be. i must be from 0 to count-1.
func (s *sharedStrings) appendItem(dst []byte, i int) ([]byte, bool, error) {
	begin, long := s.entry(i)
	end := s.size
	if i+1 < s.count {
		end, _ = s.entry(i + 1)
	}
	held := int64(len(s.held)) * textPiece
	for begin < end && begin < held {
		piece := s.held[begin/textPiece]
		from := begin % textPiece
		to := min(from+end-begin, int64(len(piece)))
		dst = append(dst, piece[from:to]...)
		begin += to - from
	}
	for begin < end {
		page, err := s.page((begin - held) / textPage)
		if err != nil {
			return dst, long, err
		}
		from := (begin - held) % textPage
		to := min(from+end-begin, textPage)
		dst = append(dst, page[from:to]...)
		begin += to - from
	}
	return dst, long, nil
}

// page returns one page of the file.
func (s *sharedStrings) page(number int64) ([]byte, error) {
	place := number % cachedPages
	page := s.pages[place*textPage : (place+1)*textPage]
	if s.pageAt[place] == number {
		return page, nil
	}
	if s.farReads++; s.farReads > maxFarReads {
		return nil, invalid("the workbook's table of strings is too large and too scattered; save the sheet as CSV")
	}
	s.pageAt[place] = -1
	if n, err := s.file.ReadAt(page, number*textPage); n == 0 || err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("temporary file of strings: %w", errors.Join(err, io.ErrUnexpectedEOF))
	}
	s.pageAt[place] = number
	return page, nil
}

// Close removes the file. A nil s has none.
func (s *sharedStrings) Close() error {
	if s == nil || s.file == nil {
		return nil
	}
	err := errors.Join(s.file.Close(), os.Remove(s.file.Name()))
	s.file = nil
	return err
}
