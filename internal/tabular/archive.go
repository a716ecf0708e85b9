package tabular

import (
	"archive/zip"
	"bufio"
	"compress/flate"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	fast "github.com/klauspost/compress/flate"
)

// What the archive of a workbook may hold at the most. The unpacked size is
// counted as well as read from the archive's directory: archive/zip refuses a
// part that is longer than the directory says.
const (
	maxParts     = 10_000
	maxUnpacked  = 2 << 30
	maxRatio     = 200      // of the unpacked size to the packed one
	ratioMatters = 16 << 20 // bytes unpacked, below which the ratio does not
	maxSmallPart = 16 << 20 // bytes of a part other than a sheet and the strings
)

// archive is a zip file that holds a workbook.
type archive struct {
	zip    *zip.Reader
	parts  map[string]*zip.File // by name in lower case
	twice  map[string]bool      // names, in lower case, that several parts have
	opened []span               // which do not overlap
}

// openArchive reads the directory of a zip file and refuses one that holds no
// workbook, or more than a workbook can.
func openArchive(r io.ReaderAt, size int64) (*archive, error) {
	in := &sane{r: r, size: size, left: maxDirectory}
	z, err := zip.NewReader(in, size)
	if err != nil {
		return nil, damage(err)
	}
	in.left = -1
	z.RegisterDecompressor(zip.Deflate, func(r io.Reader) io.ReadCloser {
		return fast.NewReader(bufio.NewReaderSize(r, 64<<10))
	})
	a := &archive{zip: z, parts: make(map[string]*zip.File, len(z.File)), twice: make(map[string]bool)}
	for _, f := range z.File {
		name := partName(f.Name)
		if a.parts[name] != nil {
			a.twice[name] = true
			continue
		}
		a.parts[name] = f
	}
	if what := a.noWorkbook(); what != "" {
		return nil, invalid("%s", what)
	}
	return a, a.check()
}

// partName returns a part's name as they are compared.
func partName(name string) string {
	return strings.ToLower(strings.TrimPrefix(strings.ReplaceAll(name, `\`, "/"), "/"))
}

// sane stands between archive/zip and the file. It refuses the negative offsets
// that archive/zip asks for when a damaged directory names them, bounds the
// directory, and tells a file that its source cuts short, which may pass, from
// one that is short.
type sane struct {
	r    io.ReaderAt
	size int64
	left int64 // bytes of directory that may still be read; -1 behind it
}

func (s *sane) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, zip.ErrFormat
	}
	if s.left >= 0 {
		if s.left -= int64(len(p)); s.left < 0 {
			return 0, errDirectory
		}
	}
	n, err := s.r.ReadAt(p, off)
	if n < len(p) && off+int64(n) < s.size && (err == nil || errors.Is(err, io.EOF)) {
		return n, fmt.Errorf("the source ended at byte %d of %d", off+int64(n), s.size)
	}
	return n, err
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

// damage marks errors that say the workbook is broken as invalid; others, such
// as those of the stage, may pass.
func damage(err error) error {
	var corrupt flate.CorruptInputError
	var fault partFault
	switch {
	case errors.Is(err, zip.ErrFormat), errors.Is(err, zip.ErrChecksum), errors.Is(err, zip.ErrAlgorithm),
		errors.Is(err, zip.ErrInsecurePath), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &corrupt):
		return invalid("the workbook is damaged (%v); open it and save it again", err)
	case errors.Is(err, errDirectory):
		return invalid("the workbook has a table of contents that is far too long")
	case errors.As(err, &fault):
		return invalid("%w", err)
	}
	return err
}

// find returns the part that a relationship of the part from points to.
func (a *archive) find(from, target string) (*zip.File, bool) {
	target = strings.ReplaceAll(target, `\`, "/")
	if !strings.HasPrefix(target, "/") {
		target = path.Join(path.Dir(from), target)
	}
	f := a.parts[partName(path.Clean(target))]
	return f, f != nil
}

// open opens a part for scanning. Reading it fails when ctx is cancelled. A part
// that overlaps one opened before is refused: that is how a small archive comes
// to unpack to a large one.
func (a *archive) open(ctx context.Context, f *zip.File) (io.ReadCloser, error) {
	if a.twice[partName(f.Name)] {
		return nil, invalid("the workbook is damaged (it has part %.100q twice); open it and save it again", f.Name)
	}
	if err := a.apart(f); err != nil {
		return nil, damage(err)
	}
	r, err := f.Open()
	if err != nil {
		return nil, damage(err)
	}
	return struct {
		io.Reader
		io.Closer
	}{withContext{ctx, r}, r}, nil
}

// span is where a part's data are in the archive, in bytes.
type span struct {
	part       *zip.File
	begin, end int64
}

// apart makes sure that f shares no bytes with the parts opened before.
func (a *archive) apart(f *zip.File) error {
	begin, err := f.DataOffset()
	if err != nil {
		return err
	}
	s := span{f, begin, begin + int64(f.CompressedSize64)}
	for _, o := range a.opened {
		if o.part == f {
			return nil
		}
		if s.begin < o.end && o.begin < s.end {
			return partFault("the workbook is damaged (two of its parts overlap); open it and save it again")
		}
	}
	a.opened = append(a.opened, s)
	return nil
}

// scan shows see every token of a small part.
func (a *archive) scan(ctx context.Context, f *zip.File, see func(*xmlScanner, token) error) error {
	if f.UncompressedSize64 > maxSmallPart {
		return invalid("part %.100q of the workbook is larger than %d MiB", f.Name, maxSmallPart>>20)
	}
	r, err := a.open(ctx, f)
	if err != nil {
		return err
	}
	defer r.Close()
	x := newXMLScanner(r)
	for {
		tok, err := x.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = see(x, tok)
		}
		if err != nil {
			return damage(fmt.Errorf("part %.100q of the workbook %w", f.Name, err))
		}
	}
}
