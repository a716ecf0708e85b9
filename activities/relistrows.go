package activities

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"sluice/internal/crm"
	"sluice/internal/tabular"
)

// rows calls each for every row of the reject file, with its place. The cells
// are the row's own, without what guarded them, and not valid afterwards.
func (r *relisting) rows(ctx context.Context, each func(p place, row *listed) error) error {
	in, err := r.a.open(ctx, r.file, r.layout.Start.Offset)
	if err != nil {
		return err
	}
	defer in.Close()
	rows := tabular.NewReader(in, r.layout, r.layout.Start)
	r.blank = 0
	var row crm.Row
	for {
		from := rows.Position().Offset
		if err := rows.Read(&row); errors.Is(err, io.EOF) {
			r.blank += rows.Blank()
			return ctx.Err()
		} else if err != nil {
			return err
		}
		p := place{line: row.Line, size: rows.Position().Offset - from}
		if p.address, err = r.address(&row); err != nil {
			return err
		}
		declared := r.cell(&row, r.columns.Reason) == ""
		row.Cells = row.Cells[min(r.columns.Width(), len(row.Cells)):]
		if p.address.File() == r.retry.File && row.Fault == "" && alike(row.Cells, nil) {
			r.blank++ // nothing but what we had put in front
			continue
		}
		r.unguard(row.Cells)
		if err := each(p, &listed{p.address, row.Fault, declared, row.Cells}); err != nil {
			return err
		}
		if row.Line%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// address reads where a row stood. Errors name the line and no cell
// (invariant 4).
func (r *relisting) address(row *crm.Row) (crm.Address, error) {
	switch row.Fault {
	case crm.ReasonStrayQuote, crm.ReasonRowTooLong: // its first cells may be anything
		return 0, fmt.Errorf("%w: line %d cannot be read (%s); mend it in the file", crm.ErrInvalid, row.Line, row.Fault)
	case crm.ReasonTooFewCells: // those that are missing are blank
		row.Fault = ""
	}
	text := r.cell(row, r.columns.Line)
	if text == "" {
		return crm.At(r.retry.File, row.Line), nil
	}
	line, err := strconv.ParseInt(text, 10, 64)
	if err != nil || line < 1 || !crm.At(0, line).Fits() {
		return 0, fmt.Errorf("%w: line %d: column %q holds no line; put the row's line there, or nothing to make it a new row",
			crm.ErrInvalid, row.Line, r.layout.Header[r.columns.Line])
	}
	file, err := r.fileOf(row)
	return crm.At(file, line), err
}

// fileOf finds the file in which a row stood.
func (r *relisting) fileOf(row *crm.Row) (int, error) {
	if r.columns.File < 0 {
		return r.only, nil
	}
	found, times := fileNamed(r.files, r.cell(row, r.columns.File))
	if times == 1 {
		return found, nil
	}
	return 0, fmt.Errorf("%w: line %d: column %q names %d files of the import that is retried; write #1 for the first of its %d, #2 for the second, and so on",
		crm.ErrInvalid, row.Line, r.layout.Header[r.columns.File], times, len(r.files))
}

// findOnly finds the file that all rows of a reject file stood in that does not
// name files.
func (r *relisting) findOnly(ctx context.Context) error {
	if r.columns.File >= 0 || len(r.files) == 1 {
		return nil
	}
	first := true
	return r.a.listedRows(ctx, r.parent.Report.RejectObject, func(row crm.RejectedRow) error {
		if !first && row.File != r.only {
			return fmt.Errorf("%w: it has no column \"file\", and rows of several files were rejected", crm.ErrInvalid)
		}
		r.only, first = row.File, false
		return nil
	})
}

// fileNamed returns the number of the file of a name, and how many bear it. A
// file may also be called by its number among them, from #1: several files may
// have one name.
func fileNamed(names []string, name string) (file, times int) {
	for i, n := range names {
		if n == name {
			file = i
			times++
		}
	}
	if number, ok := strings.CutPrefix(name, "#"); ok && times == 0 {
		if n, err := strconv.Atoi(number); err == nil && n >= 1 && n <= len(names) {
			return n - 1, 1
		}
	}
	return file, times
}

// cell returns one of our cells, without what a spreadsheet may have put
// around it.
func (r *relisting) cell(row *crm.Row, i int) string {
	if i >= len(row.Cells) {
		return ""
	}
	return strings.TrimSpace(crm.Unguard(row.Cells[i]))
}
