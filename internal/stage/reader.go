package stage

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/zeebo/blake3"

	"sluice/internal/crm"
)

// Open reads an object from a byte on; the caller closes the reader. Offsets
// count as [crm.Object.Size] does.
//
// Read from 0 to its end, the object's size and hash are checked; from
// elsewhere, only its size. An object that is not what it was gives an error
// at its end instead of [io.EOF]: whoever uses bytes before the end must be
// ready to throw the result away.
//
// A damaged or missing object wraps [crm.ErrNotFound]; one of a format or
// under a sealing key that this program does not know wraps [crm.ErrInvalid]
// or [crm.ErrDenied]. Any other error is passing.
func (s *Stage) Open(ctx context.Context, o crm.Object, offset int64) (io.ReadCloser, error) {
	if offset < 0 || offset > o.Size {
		return nil, fmt.Errorf("stage object %s: %w: no byte %d", o.Key, crm.ErrInvalid, offset)
	}
	r, err := s.OpenKey(ctx, o.Key)
	if err != nil {
		return nil, err
	}
	if offset > 0 {
		if r, err = s.seek(ctx, r, o, offset); err != nil {
			return nil, fmt.Errorf("stage object %s: %w", o.Key, err)
		}
	}
	c := &checked{r: r, o: o, at: offset}
	if offset == 0 {
		c.sum = blake3.New()
	}
	return c, nil
}

// OpenKey reads an object by its key alone, for those whose size and hash
// nobody holds; the caller closes the reader. Nothing is checked but the
// header: what is read must show damage by itself. Errors are those of
// [Stage.Open].
func (s *Stage) OpenKey(ctx context.Context, key string) (io.ReadCloser, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	r, err := s.at.open(ctx, key, 0)
	if err != nil {
		return nil, fmt.Errorf("stage object %s: %w", key, err)
	}
	if err := readHeader(key, r); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// seek goes to an offset behind the header, in place if the backend can. A
// bucket refuses a range that begins at the end.
func (s *Stage) seek(ctx context.Context, r io.ReadCloser, o crm.Object, offset int64) (io.ReadCloser, error) {
	if f, ok := r.(io.Seeker); ok {
		if _, err := f.Seek(headerSize+offset, io.SeekStart); err != nil {
			r.Close()
			return nil, err
		}
		return r, nil
	}
	r.Close()
	if offset == o.Size {
		return io.NopCloser(bytes.NewReader(nil)), nil
	}
	return s.at.open(ctx, o.Key, headerSize+offset)
}

// checked compares what it reads with what was staged.
type checked struct {
	r   io.ReadCloser
	o   crm.Object
	at  int64
	sum *blake3.Hasher // nil when the bytes before at are unknown
}

func (c *checked) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.at += int64(n)
	if c.sum != nil {
		c.sum.Write(p[:n])
	}
	switch {
	case c.at > c.o.Size:
		return 0, damage{c.o.Key, fmt.Sprintf("it is longer than %d bytes", c.o.Size)}
	case errors.Is(err, io.EOF):
		return n, c.end()
	case err != nil:
		return n, fmt.Errorf("stage object %s: %w", c.o.Key, err)
	}
	return n, nil
}

func (c *checked) end() error {
	if c.at < c.o.Size {
		return damage{c.o.Key, fmt.Sprintf("it ends at byte %d of %d", c.at, c.o.Size)}
	}
	if c.sum != nil && hex.EncodeToString(c.sum.Sum(nil)) != c.o.BLAKE3 {
		return damage{c.o.Key, "its hash is another"}
	}
	return io.EOF
}

func (c *checked) Close() error { return c.r.Close() }

// ReadCompressed reads what was put through [Stage.CreateCompressed], as it
// was before; the caller closes the reader. It checks as [Stage.Open] does
// from 0.
func (s *Stage) ReadCompressed(ctx context.Context, o crm.Object) (io.ReadCloser, error) {
	r, err := s.Open(ctx, o, 0)
	if err != nil {
		return nil, err
	}
	return s.expand(o.Key, r)
}

// ReadCompressedKey is to [Stage.ReadCompressed] as [Stage.OpenKey] is to
// [Stage.Open]: damage shows by the checksum that zstd keeps.
func (s *Stage) ReadCompressedKey(ctx context.Context, key string) (io.ReadCloser, error) {
	r, err := s.OpenKey(ctx, key)
	if err != nil {
		return nil, err
	}
	return s.expand(key, r)
}

func (s *Stage) expand(key string, r io.ReadCloser) (io.ReadCloser, error) {
	from := &source{r: r}
	unzip, err := s.decoder(from)
	if err != nil {
		r.Close()
		return nil, fmt.Errorf("stage object %s: %w", key, err)
	}
	return &expanded{stage: s, key: key, from: from, unzip: unzip}, nil
}

// decoder takes a decoder from the pool. With one goroutine, it needs no
// closing.
func (s *Stage) decoder(from *source) (*zstd.Decoder, error) {
	if d, ok := s.decoders.Get().(*zstd.Decoder); ok {
		return d, d.Reset(from)
	}
	return zstd.NewReader(from, zstd.WithDecoderConcurrency(1),
		zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(window))
}

// source remembers why reading stored bytes failed, which a decoder would
// make into words of its own.
type source struct {
	r   io.ReadCloser
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

type expanded struct {
	stage *Stage
	key   string
	from  *source
	unzip *zstd.Decoder // nil once closed
}

func (e *expanded) Read(p []byte) (int, error) {
	if e.unzip == nil {
		return 0, errClosed
	}
	n, err := e.unzip.Read(p)
	switch {
	case err == nil || errors.Is(err, io.EOF) && e.from.err == nil:
		return n, err
	case e.from.err != nil:
		return n, e.from.err
	}
	return n, damage{e.key, "it is not zstd"}
}

func (e *expanded) Close() error {
	if e.unzip == nil {
		return nil
	}
	if e.unzip.Reset(nil) == nil {
		e.stage.decoders.Put(e.unzip)
	}
	e.unzip = nil
	return e.from.r.Close()
}
