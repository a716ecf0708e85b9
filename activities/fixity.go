package activities

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"sync"

	"sluice/internal/crm"
)

// One import is one string of bytes. Fetch reads a file against the hash that
// it was announced with, and takes a checksum of every block of it; what
// Inspect rewrites gets its checksums while it is written. Whoever reads a file
// afterwards, from wherever in it, reads whole blocks and compares them, so a
// byte that is another since then ends the import before a row is made of it.
// A checksum of 32 bits is against accidents and not against somebody who
// wants it to fit: who may write into the stage may do worse.

// blockSize is how many bytes of a file one checksum stands for. A group of
// batches that begins anywhere in a block reads up to so much again.
const blockSize = 256 << 10

// sumSize is how many bytes a checksum takes: CRC-32C, big-endian.
const sumSize = 4

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// blockSums takes the checksums of what is written to it.
type blockSums struct {
	sums []byte // of the blocks that are full
	sum  uint32 // of the block at hand
	n    int    // how many bytes that has
}

func (s *blockSums) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		part := rest[:min(len(rest), blockSize-s.n)]
		s.sum = crc32.Update(s.sum, castagnoli, part)
		s.n += len(part)
		if rest = rest[len(part):]; s.n == blockSize {
			s.next()
		}
	}
	return len(p), nil
}

func (s *blockSums) next() {
	s.sums = binary.BigEndian.AppendUint32(s.sums, s.sum)
	s.sum, s.n = 0, 0
}

// all returns the checksums, once everything is written.
func (s *blockSums) all() []byte {
	if s.n > 0 {
		s.next()
	}
	return s.sums
}

// open reads a staged file from a byte on; the caller closes the reader. No
// byte comes out of it that is not as it was: a file that is another now, in
// any way, gives [crm.ErrSourceChanged], and one that is gone
// [crm.ErrNotFound]. Files of imports that began before there were checksums
// are read as the stage gives them.
func (a *Activities) open(ctx context.Context, f crm.File, offset int64) (io.ReadCloser, error) {
	if f.Sums.IsZero() {
		r, err := a.Stage.Open(ctx, f.Object, offset)
		return r, changed(f, err)
	}
	sums, err := readAll(a.Stage.Open(ctx, f.Sums, 0))
	if err != nil {
		return nil, err
	}
	if offset < 0 || offset > f.Object.Size || int64(len(sums)) != (f.Object.Size+blockSize-1)/blockSize*sumSize {
		return nil, fmt.Errorf("file %q: %w: no byte %d, or not as many checksums as blocks", f.Name, crm.ErrInvalid, offset)
	}
	from := offset / blockSize
	var r io.ReadCloser
	if from == 0 {
		r, err = a.Stage.OpenKey(ctx, f.Object.Key) // its hash has been checked
	} else {
		r, err = a.Stage.Open(ctx, f.Object, from*blockSize)
	}
	if err != nil {
		return nil, changed(f, err)
	}
	room, _ := blocks.Get().(*[blockSize]byte)
	if room == nil {
		room = new([blockSize]byte)
	}
	return &fixed{file: f, r: r, sums: sums[from*sumSize:], room: room, at: from * blockSize, skip: int(offset - from*blockSize)}, nil
}

var blocks sync.Pool // of what fixed reads into

// changed says of an error of reading a file that the file is another than it
// was, where the stage says that of the object.
func changed(f crm.File, err error) error {
	var damage interface{ Damaged() string }
	if errors.As(err, &damage) || errors.Is(err, crm.ErrInvalid) { // or of a format that it did not have
		return fmt.Errorf("file %q: %w since the import was started: %v", f.Name, crm.ErrSourceChanged, err)
	}
	return err
}

// fixed reads a file block by block.
type fixed struct {
	file crm.File
	r    io.ReadCloser
	sums []byte           // of the blocks to come
	room *[blockSize]byte // nil once closed
	left []byte           // of the block at hand
	at   int64            // where the next block begins
	skip int              // bytes of the first block that nobody asked for
	err  error
}

func (x *fixed) Read(p []byte) (int, error) {
	for len(x.left) == 0 {
		if x.err == nil {
			x.err = x.next()
		}
		if x.err != nil {
			return 0, x.err
		}
	}
	n := copy(p, x.left)
	x.left = x.left[n:]
	return n, nil
}

func (x *fixed) next() error {
	if x.room == nil {
		return errors.New("read after close")
	}
	if len(x.sums) == 0 {
		return x.end()
	}
	block := x.room[:min(blockSize, x.file.Object.Size-x.at)]
	n, err := io.ReadFull(x.r, block)
	switch {
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return x.differs("it ends at byte %d of %d", x.at+int64(n), x.file.Object.Size)
	case err != nil:
		return changed(x.file, err)
	case crc32.Checksum(block, castagnoli) != binary.BigEndian.Uint32(x.sums):
		return x.differs("bytes %d to %d are not what they were", x.at, x.at+int64(len(block))-1)
	}
	x.sums, x.at = x.sums[sumSize:], x.at+int64(len(block))
	x.left, x.skip = block[x.skip:], 0
	return nil
}

// end makes sure that nothing has been added.
func (x *fixed) end() error {
	n, err := io.ReadFull(x.r, x.room[:1])
	if n > 0 {
		return x.differs("it is longer than %d bytes", x.file.Object.Size)
	}
	return changed(x.file, err)
}

func (x *fixed) differs(format string, args ...any) error {
	return fmt.Errorf("file %q: %w since the import was started: %s", x.file.Name, crm.ErrSourceChanged, fmt.Sprintf(format, args...))
}

func (x *fixed) Close() error {
	if x.room != nil {
		blocks.Put(x.room)
		x.room, x.left = nil, nil
	}
	return x.r.Close()
}
