package tabular

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

// What the archive of a workbook may hold at the most. The unpacked size is
// counted as well as read from the archive's directory: archive/zip refuses a
// part that is longer than the directory says.
const (
	maxParts     = 10_000
	maxUnpacked  = 2 << 30
	maxRatio     = 200      // of the unpacked size to the packed one
	ratioMatters = 16 << 20 // bytes unpacked, below which the ratio does not
	maxSmallPart = 16 << 20 // bytes of a part that is read whole
)

// archive is a zip file that holds a workbook.
type archive struct {
	zip   *zip.Reader
	parts map[string]*zip.File // by name in lower case
}

// openArchive reads the directory of a zip file and refuses one that holds no
// workbook, or more than a workbook can.
func openArchive(r io.ReaderAt, size int64) (*archive, error) {
	z, err := zip.NewReader(sane{r}, size)
	if err != nil {
		return nil, damage(err)
	}
	a := &archive{z, make(map[string]*zip.File, len(z.File))}
	for _, f := range z.File {
		name := strings.ToLower(strings.TrimPrefix(strings.ReplaceAll(f.Name, `\`, "/"), "/"))
		if a.parts[name] == nil {
			a.parts[name] = f
		}
	}
	if what := a.noWorkbook(); what != "" {
		return nil, invalid("%s", what)
	}
	return a, a.check()
}

// sane refuses the negative offsets that archive/zip asks for when a damaged
// directory names them.
type sane struct{ r io.ReaderAt }

func (s sane) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, zip.ErrFormat
	}
	return s.r.ReadAt(p, off)
}

// noWorkbook says what the archive is instead; it is empty for a workbook.
func (a *archive) noWorkbook() string {
	for name, what := range map[string]string{
		"xl/workbook.bin":      "a binary workbook: save it as .xlsx",
		"word/document.xml":    "a Word document: save the table as CSV or XLSX",
		"ppt/presentation.xml": "a presentation: save the table as CSV or XLSX",
		"index/document.iwa":   "a Numbers document: export it as CSV or XLSX",
	} {
		if a.parts[name] != nil {
			return what
		}
	}
	if f := a.parts["mimetype"]; f != nil && a.parts["content.xml"] != nil {
		return "an OpenDocument file: save it as .xlsx"
	}
	if a.parts["_rels/.rels"] == nil || a.parts["[content_types].xml"] == nil {
		return "compressed: unpack it first"
	}
	return ""
}

func (a *archive) check() error {
	if len(a.zip.File) > maxParts {
		return invalid("the workbook has more than %d parts", maxParts)
	}
	var total uint64
	for _, f := range a.zip.File {
		if f.Flags&1 != 0 {
			return invalid("a password-protected file: save it without a password")
		}
		size := f.UncompressedSize64
		if total += size; size > maxUnpacked || total > maxUnpacked {
			return invalid("the workbook unpacks to more than %d GiB; save the sheet as CSV", maxUnpacked>>30)
		}
		if size > ratioMatters && size/maxRatio > f.CompressedSize64 {
			return invalid("a part of the workbook unpacks to over %d times its size, as no honest one does; "+
				"save the sheet as CSV", maxRatio)
		}
	}
	return nil
}

// damage marks errors that say the archive is broken as invalid; others, such
// as those of the stage, may pass.
func damage(err error) error {
	var corrupt flate.CorruptInputError
	switch {
	case errors.Is(err, zip.ErrFormat), errors.Is(err, zip.ErrChecksum), errors.Is(err, zip.ErrAlgorithm),
		errors.Is(err, zip.ErrInsecurePath), errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &corrupt):
		return invalid("the workbook is damaged (%v); open it and save it again", err)
	}
	return err
}

// find returns the part that a relationship of the part from points to.
func (a *archive) find(from, target string) (*zip.File, bool) {
	target = strings.ReplaceAll(target, `\`, "/")
	if !strings.HasPrefix(target, "/") {
		target = path.Join(path.Dir(from), target)
	}
	f := a.parts[strings.ToLower(strings.TrimPrefix(path.Clean(target), "/"))]
	return f, f != nil
}

// open opens a part for scanning. Reading it fails when ctx is cancelled.
func (a *archive) open(ctx context.Context, f *zip.File) (io.ReadCloser, error) {
	r, err := f.Open()
	if err != nil {
		return nil, damage(err)
	}
	return struct {
		io.Reader
		io.Closer
	}{withContext{ctx, r}, r}, nil
}

// read returns a part that is small, after making sure that it is sound and
// has no DTD.
func (a *archive) read(ctx context.Context, f *zip.File) ([]byte, error) {
	if f.UncompressedSize64 > maxSmallPart {
		return nil, invalid("part %q of the workbook is larger than %d MiB", f.Name, maxSmallPart>>20)
	}
	r, err := a.open(ctx, f)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, damage(err)
	}
	x := newXMLScanner(bytes.NewReader(b))
	for err == nil {
		_, err = x.next()
	}
	if !errors.Is(err, io.EOF) {
		return nil, invalid("part %q of the workbook %w", f.Name, err)
	}
	return b, nil
}

// decode reads a small part into v.
func (a *archive) decode(ctx context.Context, f *zip.File, v any) error {
	b, err := a.read(ctx, f)
	if err != nil {
		return err
	}
	if err := xml.Unmarshal(b, v); err != nil {
		return invalid("part %q of the workbook %w", f.Name, errMarkup)
	}
	return nil
}

// refuseDTDs looks into the beginning of every part.
func (a *archive) refuseDTDs(ctx context.Context) error {
	for _, f := range a.zip.File {
		switch path.Ext(strings.ToLower(f.Name)) {
		case ".xml", ".rels", ".vml":
		default:
			continue
		}
		r, err := a.open(ctx, f)
		if err != nil {
			return err
		}
		head := make([]byte, 4096)
		n, err := io.ReadFull(r, head)
		r.Close()
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return damage(err)
		}
		if bytes.Contains(head[:n], []byte("<!DOCTYPE")) || bytes.Contains(head[:n], []byte("<!ENTITY")) {
			return fmt.Errorf("%w", invalid("part %q of the workbook %w", f.Name, errDTD))
		}
	}
	return nil
}
