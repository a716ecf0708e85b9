package tabular

import (
	"archive/zip"
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/xuri/excelize/v2"

	"sluice/internal/crm"
)

// memoryPart is how large a part excelize holds in memory; it unpacks a larger
// one to a temporary file.
const memoryPart = 8 << 20

// rewriteSheet writes a sheet of the workbook src as CSV.
func rewriteSheet(ctx context.Context, src Source, f Format, w io.Writer) (err error) {
	dir, err := os.MkdirTemp("", "sheet-")
	if err != nil {
		return withoutPath(err)
	}
	defer func() { err = withoutPath(errors.Join(err, os.RemoveAll(dir))) }()
	file, err := spool(ctx, src, filepath.Join(dir, "workbook"))
	if err != nil {
		return err
	}
	defer file.Close()
	a, err := openArchive(file, src.Size)
	if err != nil {
		return err
	}
	if err := a.refuseDTDs(ctx); err != nil {
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
	return b.rewrite(ctx, dir, sheet, w)
}

// withoutPath keeps the names of temporary files out of an error.
func withoutPath(err error) error {
	var local *fs.PathError
	if errors.As(err, &local) && !errors.Is(err, crm.ErrInvalid) {
		return fmt.Errorf("temporary file: %s: %w", local.Op, local.Err)
	}
	return err
}

// spool copies src to a file, since a workbook cannot be read from front to
// back.
func spool(ctx context.Context, src Source, name string) (*os.File, error) {
	r, err := src.Open(ctx, 0)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	n, err := io.Copy(f, withContext{ctx, r})
	if err == nil && n != src.Size {
		err = fmt.Errorf("%d of %d bytes: %w", n, src.Size, io.ErrUnexpectedEOF)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// rewrite checks the parts of the sheet, hands them to excelize and writes the
// rows.
func (b *workbook) rewrite(ctx context.Context, dir string, sheet sheetPart, w io.Writer) error {
	items, err := b.check(ctx, sheet)
	if err != nil {
		return b.unlessCancelled(ctx, err)
	}
	name := filepath.Join(dir, "sheet.xlsx")
	if err := b.extract(name, sheet); err != nil {
		return damage(err)
	}
	x, err := excelize.OpenFile(name, excelize.Options{
		RawCellValue: true, UnzipSizeLimit: maxUnpacked, UnzipXMLSizeLimit: memoryPart, TmpDir: dir,
	})
	var local *fs.PathError
	switch {
	case errors.As(err, &local):
		return err
	case err != nil:
		return invalid("the workbook is damaged; open it and save it again")
	}
	defer x.Close()
	part, err := b.open(ctx, sheet.part)
	if err != nil {
		return err
	}
	defer part.Close()
	rows, err := x.Rows(extractedSheet)
	if err != nil {
		return invalid("the workbook is damaged; open it and save it again")
	}
	defer rows.Close()
	out := &sheetWriter{
		scan:    &sheetScanner{x: newXMLScanner(part), items: items},
		rows:    rows,
		formats: formatsOf(x),
		epoch:   b.from1904,
		w:       bufio.NewWriterSize(w, bufferSize),
	}
	return b.unlessCancelled(ctx, out.write())
}

// check reads the parts that excelize is going to, and returns the lengths of
// the shared strings.
func (b *workbook) check(ctx context.Context, sheet sheetPart) ([]int, error) {
	var items []int
	if b.strings != nil {
		r, err := b.open(ctx, b.strings)
		if err != nil {
			return nil, err
		}
		defer r.Close()
		if items, err = scanItems(r); err != nil {
			return nil, err
		}
	}
	if b.styles != nil {
		if _, err := b.read(ctx, b.styles); err != nil {
			return nil, err
		}
	}
	r, err := b.open(ctx, sheet.part)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	s := &sheetScanner{x: newXMLScanner(r), items: items}
	for err == nil {
		err = s.next()
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return items, err
}

// unlessCancelled marks an error of scanning as invalid, unless it came of ctx
// or of w.
func (b *workbook) unlessCancelled(ctx context.Context, err error) error {
	var write writeError
	switch {
	case err == nil || ctx.Err() != nil || errors.Is(err, crm.ErrInvalid):
		return err
	case errors.As(err, &write):
		return write.error
	}
	if d := damage(err); errors.Is(d, crm.ErrInvalid) {
		return d
	}
	return invalid("%w", err)
}

// extractedSheet is the name of the sheet in what extract writes.
const extractedSheet = "Rows"

// extract writes a workbook that holds one sheet, the shared strings and the
// styles, under the names excelize expects. Everything else, such as images and
// calculation chains, excelize would keep in memory.
func (b *workbook) extract(name string, sheet sheetPart) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	z := zip.NewWriter(f)
	for _, p := range []struct {
		part *zip.File
		name string
	}{{sheet.part, "xl/worksheets/sheet1.xml"}, {b.strings, "xl/sharedStrings.xml"}, {b.styles, "xl/styles.xml"}} {
		if p.part == nil {
			continue
		}
		if err := copyPart(z, p.part, p.name); err != nil {
			return err
		}
	}
	for name, text := range b.frame() {
		w, err := z.Create(name)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(w, text); err != nil {
			return err
		}
	}
	if err := z.Close(); err != nil {
		return err
	}
	return f.Close()
}

// copyPart copies a part as it is packed.
func copyPart(z *zip.Writer, f *zip.File, name string) error {
	header := f.FileHeader
	header.Name = name
	w, err := z.CreateRaw(&header)
	if err != nil {
		return err
	}
	r, err := f.OpenRaw()
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return err
}

// frame returns the parts that hold the extracted ones together.
func (b *workbook) frame() map[string]string {
	const (
		office  = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
		main    = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
		packing = "http://schemas.openxmlformats.org/package/2006/"
		rels    = `<Relationships xmlns="` + packing + `relationships">`
		rel     = `<Relationship Id="%s" Type="` + office + `/%s" Target="%s"/>`
	)
	links := fmt.Sprintf(rel, "rId1", "worksheet", "worksheets/sheet1.xml") +
		fmt.Sprintf(rel, "rId2", "styles", "styles.xml") +
		fmt.Sprintf(rel, "rId3", "sharedStrings", "sharedStrings.xml")
	return map[string]string{
		"[Content_Types].xml": `<Types xmlns="` + packing + `content-types">` +
			`<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
			`<Default Extension="xml" ContentType="application/xml"/></Types>`,
		"_rels/.rels": rels + fmt.Sprintf(rel, "rId1", "officeDocument", "xl/workbook.xml") + `</Relationships>`,
		"xl/workbook.xml": `<workbook xmlns="` + main + `" xmlns:r="` + office + `">` +
			`<sheets><sheet name="` + extractedSheet + `" sheetId="1" r:id="rId1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": rels + links + `</Relationships>`,
	}
}

// formatsOf returns the number format of every cell format of the workbook.
func formatsOf(x *excelize.File) []numberFormat {
	if x.Styles == nil || x.Styles.CellXfs == nil {
		return nil
	}
	codes := make(map[int]string)
	if x.Styles.NumFmts != nil {
		for _, f := range x.Styles.NumFmts.NumFmt {
			if f != nil {
				codes[f.NumFmtID] = strings.TrimSpace(f.FormatCode)
			}
		}
	}
	out := make([]numberFormat, len(x.Styles.CellXfs.Xf))
	for i, xf := range x.Styles.CellXfs.Xf {
		if xf.NumFmtID == nil {
			continue
		}
		if code, ok := codes[*xf.NumFmtID]; ok {
			out[i] = parseFormat(code)
		} else {
			out[i] = builtin(*xf.NumFmtID)
		}
	}
	return out
}
