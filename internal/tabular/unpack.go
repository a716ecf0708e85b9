package tabular

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"math"
	"path"
	"strings"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// The ways a file may be packed.
const (
	packedGzip = "gzip"
	packedZstd = "zstd"
	packedZip  = "zip"
)

// What a packed file may hold at the most. A few kilobytes can unpack to any
// size, and fill the stage. Tables shrink to a tenth, and dull ones to a
// hundredth; a file of one repeated row may do better, but is no loss to refuse
// once it is large.
const (
	maxUnpackedFile = 64 << 30 // bytes
	maxPackedRatio  = 200      // of the unpacked size to the packed one
	ratioCounts     = 64 << 20 // bytes unpacked, up to which the ratio is free
	maxDirectory    = 4 << 20  // bytes read of a zip archive's directory
	maxWindow       = 128 << 20
)

// Packed returns how src is packed, by its content alone: "gzip", "zstd", "zip"
// for an archive that holds one file and is no workbook, or "" for a file that
// is not packed. Folders do not count, nor what macOS and Windows put beside
// the files of an archive.
//
// An archive of several files, or of none, one that is damaged or protected by
// a password wraps [crm.ErrInvalid]; the error says how many files there are.
func Packed(ctx context.Context, src Source) (string, error) {
	packing, err := packed(ctx, src)
	if err != nil {
		return "", fmt.Errorf("look into %q: %w", src.Name, err)
	}
	return packing, nil
}

func packed(ctx context.Context, src Source) (string, error) {
	head, err := src.bytes(ctx, 0, 8)
	if err != nil {
		return "", err
	}
	switch {
	case bytes.HasPrefix(head, []byte(magicGzip)):
		return packedGzip, nil
	case bytes.HasPrefix(head, []byte(magicZstd)):
		return packedZstd, nil
	case !isZip(head):
		return "", nil
	}
	at := &sourceAt{ctx: ctx, src: src}
	defer at.Close()
	member, err := onlyMember(at, src.Size)
	if err != nil || member == nil {
		return "", err
	}
	return packedZip, nil
}

// Unpack writes what is packed in src to w, packing being what [Packed] said.
// What comes of it is a file like any other, but is not unpacked once more.
//
// It is streamed. A file that is damaged or cut short wraps [crm.ErrInvalid]
// and says at which byte; so does one that unpacks to more than 64 GiB, or to
// more than 64 MiB and over 200 times its size. After an error what w holds is
// of no use.
func Unpack(ctx context.Context, src Source, packing string, w io.Writer) error {
	var err error
	if packing == packedZip {
		err = unpackZip(ctx, src, w)
	} else {
		err = unpackStream(ctx, src, packing, w)
	}
	if err != nil {
		return fmt.Errorf("unpack %q: %w", src.Name, err)
	}
	return nil
}

// unpackStream unpacks a file that is packed from its first byte to its last.
func unpackStream(ctx context.Context, src Source, packing string, w io.Writer) error {
	file, err := src.Open(ctx, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	in := &packedReader{r: withContext{ctx, file}, to: src.Size}
	buffered := bufio.NewReaderSize(in, bufferSize)
	in.ahead = buffered.Buffered
	var out io.Reader
	switch packing {
	case packedGzip:
		z, err := gzip.NewReader(buffered)
		if err != nil {
			return in.fault(err)
		}
		out = z
	case packedZstd:
		// One goroutine: what is read ahead would blur the byte of a fault.
		z, err := zstd.NewReader(buffered, zstd.WithDecoderConcurrency(1),
			zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true))
		if err != nil {
			return in.fault(err)
		}
		defer z.Close()
		out = z
	default:
		return invalid("packed as %q, which is not known", packing)
	}
	return in.copy(w, out)
}

// unpackZip unpacks the only file of an archive.
func unpackZip(ctx context.Context, src Source, w io.Writer) error {
	at := &sourceAt{ctx: ctx, src: src}
	defer at.Close()
	member, err := onlyMember(at, src.Size)
	if err != nil {
		return err
	}
	if member == nil {
		return invalid("not an archive of one file")
	}
	offset, err := member.DataOffset()
	if err != nil {
		return zipFault(err)
	}
	raw, err := member.OpenRaw()
	if err != nil {
		return zipFault(err)
	}
	in := &packedReader{r: withContext{ctx, raw}, from: offset, to: offset + int64(member.CompressedSize64)}
	buffered := bufio.NewReaderSize(in, bufferSize)
	in.ahead = buffered.Buffered
	var out io.Reader = buffered
	switch member.Method {
	case zip.Store:
	case zip.Deflate:
		z := flate.NewReader(buffered)
		defer z.Close()
		out = z
	default:
		return invalid("packed by a rare method (%d); unpack it, or pack it in the ordinary way", member.Method)
	}
	sum := &summed{w: w, sum: crc32.NewIEEE()}
	if err := in.copy(sum, out); err != nil {
		return err
	}
	if sum.sum.Sum32() != member.CRC32 || sum.n != member.UncompressedSize64 {
		return in.fault(zip.ErrChecksum)
	}
	return nil
}

// summed reckons the checksum of what is written to w.
type summed struct {
	w   io.Writer
	sum hash.Hash32
	n   uint64
}

func (s *summed) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	s.sum.Write(p[:n])
	s.n += uint64(n)
	return n, err
}

// onlyMember returns the one file of a zip archive; nil if the archive is a
// document, such as a workbook.
func onlyMember(at io.ReaderAt, size int64) (*zip.File, error) {
	directory := &boundedAt{r: at, left: maxDirectory}
	z, err := zip.NewReader(directory, size)
	if errors.Is(err, zip.ErrFormat) {
		return nil, invalid("a zip archive or a workbook that is damaged or cut short: its %d bytes do not end as one does; fetch or pack the file again", size)
	}
	if err != nil {
		return nil, zipFault(err)
	}
	directory.left = math.MaxInt // the file itself is bounded elsewhere
	var only *zip.File
	files := 0
	for _, f := range z.File {
		name := strings.ToLower(strings.ReplaceAll(f.Name, `\`, "/"))
		switch base := path.Base(name); {
		case name == "[content_types].xml", name == "_rels/.rels", name == "mimetype", strings.HasPrefix(name, "index/document.iwa"):
			return nil, nil
		case strings.HasSuffix(name, "/"), strings.HasPrefix(name, "__macosx/"), base == ".ds_store", base == "thumbs.db":
			continue
		}
		files++
		only = f
	}
	switch {
	case files == 0:
		return nil, invalid("an archive without a file")
	case files > 1:
		return nil, invalid("an archive of %d files; unpack it and import them one by one", files)
	case only.Flags&1 != 0:
		return nil, invalid("an archive with a password; unpack it first")
	}
	return only, nil
}

// boundedAt refuses to read more than so many bytes in all, and offsets before
// the first byte, for which archive/zip asks when a directory is damaged.
type boundedAt struct {
	r    io.ReaderAt
	left int
}

var errDirectory = errors.New("its directory is too long")

func (b *boundedAt) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, zip.ErrFormat
	}
	if b.left -= len(p); b.left < 0 {
		return 0, errDirectory
	}
	return b.r.ReadAt(p, off)
}

// zipFault marks errors that say the archive is broken as invalid.
func zipFault(err error) error {
	switch {
	case errors.Is(err, errDirectory):
		return invalid("an archive of too many files; unpack it first")
	case errors.Is(err, zip.ErrFormat), errors.Is(err, zip.ErrAlgorithm), errors.Is(err, zip.ErrInsecurePath), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return invalid("a zip archive or a workbook that is damaged or cut short")
	}
	return err
}

// packedReader counts the bytes that are read of a packed file, and remembers
// an error of the file itself, which may pass.
type packedReader struct {
	r     io.Reader
	from  int64 // where in the file the first byte read is
	to    int64 // where the packed data ends
	n     int64
	ahead func() int // bytes read and not unpacked yet
	err   error
}

func (p *packedReader) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	p.n += int64(n)
	switch {
	case err == nil:
	case !errors.Is(err, io.EOF):
		p.err = err
	case p.from+p.n < p.to:
		p.err = io.ErrUnexpectedEOF // not of the file, but of who sends it
	}
	return n, err
}

// fault marks an error of unpacking as invalid and says where it arose.
func (p *packedReader) fault(err error) error {
	if p.err != nil {
		return p.err
	}
	at := p.from + p.n - int64(p.ahead())
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return invalid("packed data is cut short at byte %d; fetch or pack the file again", at)
	case errors.Is(err, zstd.ErrWindowSizeExceeded):
		return invalid("packed with a window over %d MiB; unpack it, or pack it without the option long", maxWindow>>20)
	}
	return invalid("packed data is damaged near byte %d; fetch or pack the file again", at)
}

// copy writes what unpack unpacks of p to w, within the limits.
func (p *packedReader) copy(w io.Writer, unpack io.Reader) error {
	buf := make([]byte, bufferSize)
	for total := int64(0); ; {
		n, err := unpack.Read(buf)
		total += int64(n)
		if total > maxUnpackedFile {
			return invalid("unpacks to more than %d GiB; split it", int64(maxUnpackedFile)>>30)
		}
		if total > ratioCounts && total/maxPackedRatio > p.n {
			return invalid("unpacks to over %d times its size, as hardly a table does; unpack it first", maxPackedRatio)
		}
		if _, failed := w.Write(buf[:n]); failed != nil {
			return failed
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return p.fault(err)
		}
	}
}
