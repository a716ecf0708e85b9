package activities

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"sluice/internal/crm"
)

// relisting prepares to read a file that was given to a retry.
func (a *Activities) relisting(ctx context.Context, in crm.InspectInput, imp crm.ImportRow) (*relisting, error) {
	parent, err := a.Store.Import(ctx, imp.Request.Parent)
	switch {
	case err != nil:
		return nil, err
	case parent.Source != imp.Source:
		return nil, fmt.Errorf("retry: %w: import %s is of source %s, not of %s", crm.ErrInvalid, parent.ID, parent.Source, imp.Source)
	case parent.Report == nil || parent.Report.RejectObject.IsZero():
		return nil, fmt.Errorf("retry: %w: import %s has no list of rejected rows", crm.ErrInvalid, parent.ID)
	}
	names, err := a.Store.FileNames(ctx, imp.Number)
	if err != nil {
		return nil, err
	}
	before := len(names) - len(imp.Request.Files)
	return &relisting{a: a, parent: parent, files: names[:before], retry: retry{File: before + in.File.Number}}, nil
}

// onlyList makes sure that no file before this one is a reject file too: two of
// them could bring back one row twice.
func (a *Activities) onlyList(ctx context.Context, in crm.InspectInput) error {
	for n := range in.File.Number {
		_, p, err := a.planned(ctx, in.Import, n)
		if err != nil {
			return err
		}
		if p.listed() {
			return fmt.Errorf("files %d and %d: %w: both are reject files; retry them one after the other", n+1, in.File.Number+1, crm.ErrInvalid)
		}
	}
	return nil
}

// misread are the reasons for which a row is rejected before its cells are
// looked into: the cells then are only what could be made out.
var misread = []crm.Reason{
	crm.ReasonTooFewCells, crm.ReasonTooManyCells, crm.ReasonStrayQuote, crm.ReasonBadEncoding, crm.ReasonBadCharacter,
	crm.ReasonCellTooLong, crm.ReasonRowTooLong, crm.ReasonCellError, crm.ReasonNoValue, crm.ReasonBadJSON,
}

// rejectedBefore walks the parent's rejected rows, which are in address order,
// beside the rows of a retry.
type rejectedBefore struct {
	d      *json.Decoder
	row    crm.RejectedRow
	more   bool
	header func(file int) []string // of the file that a row stood in
}

func newRejectedBefore(r io.Reader, parent crm.ImportRow) (*rejectedBefore, error) {
	headers, err := headersOf(parent)
	if err != nil {
		return nil, err
	}
	w := &rejectedBefore{d: json.NewDecoder(r), header: headers}
	return w, w.next()
}

func (w *rejectedBefore) next() error {
	w.row = crm.RejectedRow{}
	err := w.d.Decode(&w.row)
	w.more = err == nil
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// fault returns why the row at address, given again with these cells under this
// header, must be rejected again: it could not be read then, and nobody has
// mended it since. What was made out of such a row is not to be taken for what
// its owner wrote, unless they declared it right as it stands. Characters that
// were lost are lost whatever anybody declares. A row with too few cells is
// another matter when missing ones are to be blank. Calls are in ascending
// order of address.
func (w *rejectedBefore) fault(address crm.Address, header, cells []string, padded, declared bool) (crm.Reason, error) {
	for w.more && crm.At(w.row.File, w.row.Line) < address {
		if err := w.next(); err != nil {
			return "", err
		}
	}
	if !w.more || crm.At(w.row.File, w.row.Line) != address {
		return "", nil
	}
	lost := slices.ContainsFunc(cells, lostCharacter)
	for _, f := range w.row.Faults {
		if !slices.Contains(misread, f.Reason) || padded && f.Reason == crm.ReasonTooFewCells {
			continue
		}
		if lost && (f.Reason == crm.ReasonBadEncoding || f.Reason == crm.ReasonBadCharacter) {
			return f.Reason, nil
		}
		if !declared && f.Reason == crm.ReasonCellError && slices.ContainsFunc(cells, showsError) {
			return f.Reason, nil // one of two was mended
		}
		if (lost || !declared) && alike(laid(w.row.Cells, w.header(address.File()), header), cells) {
			return f.Reason, nil
		}
	}
	return "", nil
}

// lostCharacter reports whether a cell has a character that stands for one that
// could not be read.
func lostCharacter(cell string) bool { return strings.ContainsAny(cell, "\uFFFD\x00") }

// headersOf returns what says under which columns a row of an import stood, by
// the number of the file in its address. In a retry, rows that were retried had
// the columns of the reject file, whatever file they stood in.
func headersOf(imp crm.ImportRow) (func(file int) []string, error) {
	plans, err := plansOf(imp)
	if err != nil {
		return nil, err
	}
	by := map[int][]string{}
	var listed []string
	for i, p := range plans {
		file := imp.Files[i].File.Number
		if p.Retry != nil {
			file = p.Retry.File
		}
		by[file] = p.Layout.Header
		if p.listed() {
			listed = p.Layout.Header
		}
	}
	return func(file int) []string {
		if h, ok := by[file]; ok {
			return h
		}
		return listed
	}, nil
}

// laid lays the cells of a row under another header, as a reject file does that
// has the columns of several files. Columns are the same when their names are;
// of columns with one name, or none, the first is the same as the first, and so
// on. Cells beyond the header stay beyond it.
func laid(cells, from, to []string) []string {
	if slices.Equal(from, to) {
		return cells
	}
	named := make(map[string][]int, len(to))
	for at, name := range to {
		named[name] = append(named[name], at)
	}
	out := make([]string, len(to))
	for i, cell := range cells {
		if i >= len(from) {
			out = append(out, cell)
			continue
		}
		if places := named[from[i]]; len(places) > 0 {
			out[places[0]], named[from[i]] = cell, places[1:]
		}
	}
	return out
}

// alike reports whether two rows say the same. Blank cells at the end do not
// matter, nor do white space around a cell and how its lines end.
func alike(a, b []string) bool {
	cell := func(row []string, i int) string {
		if i >= len(row) {
			return ""
		}
		return strings.TrimSpace(strings.ReplaceAll(row[i], "\r\n", "\n"))
	}
	for i := range max(len(a), len(b)) {
		if cell(a, i) != cell(b, i) {
			return false
		}
	}
	return true
}
