package tabular

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"sluice/internal/crm"
)

// sampleSize is how much of a file the evidence is taken from.
const sampleSize = 256 << 10

// A Source is a file that is whole in the stage.
type Source struct {
	Name string // base name, for people to read; decides nothing
	Size int64  // in bytes

	// Open starts reading at a byte offset, from 0 to Size; the caller closes.
	// It may be called again while another reader is open.
	Open func(ctx context.Context, offset int64) (io.ReadCloser, error)
}

// bytes returns the bytes of the source from offset on, n at the most.
func (s Source) bytes(ctx context.Context, offset, n int64) ([]byte, error) {
	r, err := s.Open(ctx, offset)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b := make([]byte, min(n, max(s.Size-offset, 0)))
	read, err := io.ReadFull(r, b)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return b[:read], nil
}

// farther returns whole lines from eight places of a source that is larger than
// a sample, the last of which is its end.
func (s Source) farther(ctx context.Context) ([]byte, error) {
	const places, size = 8, 64 << 10
	var out []byte
	for i := int64(1); i <= places; i++ {
		at := (s.Size - size) / places * i
		if i == places {
			at = s.Size - size
		}
		b, err := s.bytes(ctx, max(at, 0), size)
		if err != nil {
			return nil, err
		}
		first, last := bytes.IndexAny(b, "\r\n"), bytes.LastIndexAny(b, "\r\n")
		if i == places {
			last = len(b) - 1
		}
		out = append(out, b[first+1:max(last, first)+1]...)
	}
	return out, nil
}

// isASCII reports whether b is text without a letter beyond ASCII.
func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf || c == 0 || c == 0x1B {
			return false
		}
	}
	return true
}

// sourceAt reads a source at any offset, as archive/zip asks: it goes on where
// it stopped or opens the source again.
type sourceAt struct {
	ctx context.Context
	src Source
	r   io.ReadCloser
	at  int64
}

func (s *sourceAt) ReadAt(p []byte, off int64) (int, error) {
	if off >= s.src.Size {
		return 0, io.EOF
	}
	if s.r == nil || s.at != off {
		s.Close()
		r, err := s.src.Open(s.ctx, off)
		if err != nil {
			return 0, err
		}
		s.r, s.at = r, off
	}
	n, err := io.ReadFull(s.r, p)
	s.at += int64(n)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	return n, err
}

func (s *sourceAt) Close() error {
	if s.r == nil {
		return nil
	}
	err := s.r.Close()
	s.r = nil
	return err
}

// withContext is a reader that fails once its context is cancelled.
type withContext struct {
	ctx context.Context
	r   io.Reader
}

func (c withContext) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// invalid returns an error that trying again cannot mend.
func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{crm.ErrInvalid}, args...)...)
}
