package stage

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"sluice/internal/crm"
)

func (p place) putCompressed(t *testing.T, key string, b []byte) crm.Object {
	t.Helper()
	o, err := p.PutCompressed(t.Context(), key, bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func (p place) readCompressed(t *testing.T, o crm.Object) ([]byte, error) {
	t.Helper()
	r, err := p.ReadCompressed(t.Context(), o)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

func TestHeaderNamesFormatAndKey(t *testing.T) {
	t.Parallel()
	want := "\x5C\x2A\x4D\x18\x08\x00\x00\x00SLC\x01\x00\x00\x00\x00"
	if got := header(unsealed); string(got) != want {
		t.Errorf("header(0) = %x, want %x", got, want)
	}
	s := directory(t)
	s.put(t, "a", []byte("bytes"))
	if got := s.raw("a"); string(got) != want+"bytes" {
		t.Errorf("on disk %q", got)
	}
}

func TestUnknownFormatOrKeyIsRefused(t *testing.T) {
	onEach(t, func(t *testing.T, s place) {
		o := s.put(t, "a", []byte("bytes"))
		for _, c := range []struct {
			at   int
			kind error
			text string
		}{
			{11, crm.ErrInvalid, "version 2"},
			{15, crm.ErrDenied, "key 1"},
			{8, crm.ErrNotFound, "no header"},
		} {
			raw := append(header(unsealed), "bytes"...)
			raw[c.at]++
			s.set("a", raw)
			for _, offset := range []int64{0, 3} {
				_, err := s.Open(t.Context(), o, offset)
				if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.text) {
					t.Errorf("byte %d changed, read from %d: %v, want %v and %q", c.at, offset, err, c.kind, c.text)
				}
			}
		}
	})
}

// changes are the ways in which stored bytes come to harm.
var changes = map[string]func(raw []byte) []byte{
	"a flipped bit":       func(b []byte) []byte { b[len(b)/2] ^= 4; return b },
	"a flipped last bit":  func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
	"a byte short":        func(b []byte) []byte { return b[:len(b)-1] },
	"cut in the middle":   func(b []byte) []byte { return b[:headerSize+len(b)/3] },
	"cut to its header":   func(b []byte) []byte { return b[:headerSize] },
	"cut in the header":   func(b []byte) []byte { return b[:7] },
	"empty":               func([]byte) []byte { return nil },
	"a byte long":         func(b []byte) []byte { return append(b, 0) },
	"twice":               func(b []byte) []byte { return append(b, b[headerSize:]...) },
	"another of its size": func(b []byte) []byte { return append(b[:headerSize], make([]byte, len(b)-headerSize)...) },
}

// TestDamageIsAnError also shows what callers go by: a damaged object is not
// found, as a missing one is.
func TestDamageIsAnError(t *testing.T) {
	onEach(t, func(t *testing.T, s place) {
		plain := s.put(t, "plain", noise(100_000))
		zipped := s.putCompressed(t, "zipped", bytes.Repeat(noise(500), 200))
		good := map[string][]byte{"plain": s.raw("plain"), "zipped": s.raw("zipped")}
		for name, change := range changes {
			for key, raw := range good {
				s.set(key, change(bytes.Clone(raw)))
			}
			if _, err := s.read(t, plain, 0); !errors.Is(err, crm.ErrNotFound) || !strings.Contains(err.Error(), "plain") {
				t.Errorf("%s: %v", name, err)
			}
			if _, err := s.readCompressed(t, zipped); !errors.Is(err, crm.ErrNotFound) {
				t.Errorf("%s, compressed: %v", name, err)
			}
		}
		for key, raw := range good {
			s.set(key, raw)
		}
		if _, err := s.readCompressed(t, zipped); err != nil {
			t.Errorf("undone: %v", err)
		}
	})
}

func TestCompressedIsReadBack(t *testing.T) {
	onEach(t, func(t *testing.T, s place) {
		for name, size := range sizes {
			want := bytes.Repeat([]byte("a\tb\t\\N\n"), size/7+1)[:size]
			for range 2 { // The second time with what the pools kept.
				o := s.putCompressed(t, "z/"+name, want)
				raw := s.raw(o.Key)
				if o.Size != int64(len(raw)-headerSize) || o.BLAKE3 != sumBLAKE3(raw[headerSize:]) {
					t.Errorf("%s: %+v does not describe what is stored", name, o)
				}
				if size > 1<<20 && o.Size > int64(size)/10 {
					t.Errorf("%s: %d bytes take %d", name, size, o.Size)
				}
				got, err := s.readCompressed(t, o)
				if err != nil || !bytes.Equal(got, want) {
					t.Errorf("%s: %d bytes, %v, want %d", name, len(got), err, size)
				}
			}
		}
	})
}

// TestZstdOpensCompressedObjects keeps the promise to people with zstdcat: the
// header is a frame that every decoder skips.
func TestZstdOpensCompressedObjects(t *testing.T) {
	onEach(t, func(t *testing.T, s place) {
		s.putCompressed(t, "a", []byte("one\ttwo\n"))
		d, err := zstd.NewReader(nil)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		if got, err := d.DecodeAll(s.raw("a"), nil); err != nil || string(got) != "one\ttwo\n" {
			t.Errorf("%q, %v", got, err)
		}
	})
}
