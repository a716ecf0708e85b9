package tabular

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"sluice/internal/crm"
)

// rewriteSheet writes a sheet of the workbook src as CSV.
func rewriteSheet(ctx context.Context, src Source, f Format, w io.Writer) (err error) {
	at := &sourceAt{ctx: ctx, src: src}
	defer at.Close()
	a, err := openArchive(at, src.Size)
	if err != nil {
		return err
	}
	b, err := openWorkbook(ctx, a)
	if err != nil {
		return err
	}
	sheet, _, err := b.sheet(f.Sheet)
	if err != nil {
		return err
	}
	rows, err := b.open(ctx, sheet)
	if err != nil {
		return err
	}
	defer func() { err = withoutPath(errors.Join(err, rows.Close())) }()
	out := &sheetWriter{rows: rows, skipHidden: f.SkipHidden, w: bufio.NewWriterSize(w, bufferSize)}
	return judged(out.write())
}

// withoutPath keeps the names of temporary files out of an error.
func withoutPath(err error) error {
	var local *fs.PathError
	if errors.As(err, &local) && !errors.Is(err, crm.ErrInvalid) {
		return fmt.Errorf("temporary file: %s: %w", local.Op, local.Err)
	}
	return err
}

// open begins to read a sheet. The caller closes what it returns.
func (b *workbook) open(ctx context.Context, sheet sheetPart) (*sheetReader, error) {
	rows := &sheetReader{from1904: b.from1904}
	var err error
	if rows.formats, err = b.formats(ctx); err != nil {
		return nil, err
	}
	if rows.strings, err = b.sharedStrings(ctx); err != nil {
		return nil, err
	}
	if rows.part, err = b.archive.open(ctx, sheet.part); err != nil {
		return nil, errors.Join(err, rows.strings.Close())
	}
	rows.x = newXMLScanner(rows.part)
	return rows, nil
}

// sharedStrings reads the table of strings; nil if the workbook has none.
func (b *workbook) sharedStrings(ctx context.Context) (*sharedStrings, error) {
	if b.strings.part == nil {
		if b.strings.named {
			return nil, invalid(notThere, "table of strings")
		}
		return nil, nil
	}
	r, err := b.archive.open(ctx, b.strings.part)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	s, err := readStrings(r, heldText)
	return s, judged(err)
}

// judged marks an error of reading a part as invalid if it says that the part
// is broken, and frees an error of w of its mark.
func judged(err error) error {
	var write writeError
	if errors.As(err, &write) {
		return write.error
	}
	if err == nil || errors.Is(err, crm.ErrInvalid) {
		return err
	}
	return damage(err)
}
