package activities

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"testing"
	"testing/iotest"

	"sluice/internal/crm"
	"sluice/internal/stage"
)

// stagedFile stages bytes as a file with its checksums, as Fetch does.
func stagedFile(tb testing.TB, b []byte) (*Activities, crm.File) {
	tb.Helper()
	s, err := stage.Open(tb.Context(), "file://"+tb.TempDir())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { s.Close() })
	f := crm.File{Name: "leads.csv"}
	var sums blockSums
	f.Object, err = s.PutContent(tb.Context(), "files", io.TeeReader(iotest.HalfReader(bytes.NewReader(b)), &sums))
	if err == nil {
		f.Sums, err = s.Put(tb.Context(), "sums", bytes.NewReader(sums.all()))
	}
	if err != nil {
		tb.Fatal(err)
	}
	return &Activities{Stage: s}, f
}

func someBytes(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{1}).Read(b)
	return b
}

// readFrom reads a file from a byte to its end.
func (a *Activities) readFrom(tb testing.TB, f crm.File, offset int64) ([]byte, error) {
	tb.Helper()
	r, err := a.open(tb.Context(), f, offset)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(iotest.OneByteReader(r))
}

func TestFileIsReadFromAnyByte(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, blockSize - 1, blockSize, blockSize + 1, 2 * blockSize} {
		b := someBytes(size)
		a, f := stagedFile(t, b)
		for _, offset := range []int{0, 1, blockSize - 1, blockSize, blockSize + 1, size - 1, size} {
			if offset > size {
				continue
			}
			if got, err := a.readFrom(t, f, int64(offset)); err != nil || !bytes.Equal(got, b[offset:]) {
				t.Errorf("%d bytes from %d: %d bytes, %v", size, offset, len(got), err)
			}
		}
		if _, err := a.readFrom(t, f, int64(size)+1); !errors.Is(err, crm.ErrInvalid) {
			t.Errorf("a byte behind the end: %v", err)
		}
	}
}

// TestFileThatChangedGivesNoByteOfIt changes a file in every block and at its
// end, and reads from every block.
func TestFileThatChangedGivesNoByteOfIt(t *testing.T) {
	t.Parallel()
	const header = 16 // which the stage puts in front
	size := 2*blockSize + 1000
	b := someBytes(size)
	for _, tt := range []struct {
		name   string
		change func(raw []byte) []byte
		block  int // the last that can be read from
	}{
		{"the first byte is another", func(raw []byte) []byte { raw[header] ^= 1; return raw }, 0},
		{"a byte in the middle is another", func(raw []byte) []byte { raw[header+blockSize+77] ^= 0x80; return raw }, 1},
		{"the last byte is another", func(raw []byte) []byte { raw[len(raw)-1]++; return raw }, 2},
		{"a byte is missing", func(raw []byte) []byte { return raw[:len(raw)-1] }, 2},
		{"half is missing", func(raw []byte) []byte { return raw[:len(raw)/2] }, 2},
		{"all is missing", func(raw []byte) []byte { return raw[:0] }, 2},
		{"a byte is added", func(raw []byte) []byte { return append(raw, 'x') }, 2},
		{"another format", func(raw []byte) []byte { raw[11]++; return raw }, 2},
		{"two bytes have changed places", func(raw []byte) []byte {
			raw[header+10], raw[header+blockSize+10] = raw[header+blockSize+10], raw[header+10]
			return raw
		}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a, f := stagedFile(t, b)
			path := a.Stage.Path(f.Object)
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, tt.change(raw), 0o600); err != nil {
				t.Fatal(err)
			}
			for block := 0; block <= tt.block; block++ {
				got, err := a.readFrom(t, f, int64(block)*blockSize+5)
				if crm.TypeOf(err) != crm.FailSourceChanged {
					t.Errorf("from block %d: %v", block, err)
				}
				if !bytes.HasPrefix(b[block*blockSize+5:], got) {
					t.Errorf("from block %d: bytes that never were there", block)
				}
			}
		})
	}
}

func TestFileThatIsGoneIsNotAnotherOne(t *testing.T) {
	t.Parallel()
	a, f := stagedFile(t, someBytes(10))
	if err := os.Remove(a.Stage.Path(f.Object)); err != nil {
		t.Fatal(err)
	}
	if _, err := a.readFrom(t, f, 3); crm.TypeOf(err) != crm.FailNotFound {
		t.Errorf("a file that is gone: %v", err)
	}
}

// BenchmarkOpen compares reading a file with and without its checksums.
func BenchmarkOpen(b *testing.B) {
	const size = 64 << 20
	a, f := stagedFile(b, someBytes(size))
	plain := f
	plain.Sums = crm.Object{}
	for name, f := range map[string]crm.File{"checked": f, "unchecked": plain} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(size)
			for b.Loop() {
				r, err := a.open(b.Context(), f, 100)
				if err == nil {
					_, err = io.Copy(io.Discard, struct{ io.Reader }{r})
				}
				if err != nil {
					b.Fatal(err)
				}
				r.Close()
			}
		})
	}
}
