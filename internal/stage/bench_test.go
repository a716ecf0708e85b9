package stage

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"path/filepath"
	"testing"
)

// BenchmarkPut measures the directory with all its syncing: a batch's object,
// a small one, and a source file.
func BenchmarkPut(b *testing.B) {
	for _, size := range []int{4 << 10, 4 << 20, 64 << 20} {
		b.Run(fmt.Sprint(size>>10, "KiB"), func(b *testing.B) {
			s, err := Open(b.Context(), (&url.URL{Scheme: "file", Path: filepath.ToSlash(b.TempDir())}).String())
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			data := bytes.Repeat(noise(4<<10), size>>12)
			b.SetBytes(int64(size))
			for n := 0; b.Loop(); n++ {
				if _, err := s.Put(b.Context(), fmt.Sprint("imports/1/", n), bytes.NewReader(data)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkPutCompressed measures text of the kind that batches hold.
func BenchmarkPutCompressed(b *testing.B) {
	s, text := batchesToStage(b)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		o, err := s.PutCompressed(b.Context(), fmt.Sprint("a/", n%10), bytes.NewReader(text))
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(len(text))/float64(o.Size), "ratio")
	}
}

// BenchmarkReadCompressed reads it back.
func BenchmarkReadCompressed(b *testing.B) {
	s, text := batchesToStage(b)
	o, err := s.PutCompressed(b.Context(), "a", bytes.NewReader(text))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		r, err := s.ReadCompressed(b.Context(), o)
		if err != nil {
			b.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, r); err != nil || n != int64(len(text)) {
			b.Fatal(n, err)
		}
		r.Close()
	}
}

// batchesToStage returns a directory stage and 4 MiB of records.
func batchesToStage(b *testing.B) (*Stage, []byte) {
	s, err := Open(b.Context(), (&url.URL{Scheme: "file", Path: filepath.ToSlash(b.TempDir())}).String())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	r := rand.New(rand.NewPCG(1, 2))
	var text bytes.Buffer
	for n := 0; text.Len() < 4<<20; n++ {
		fmt.Fprintf(&text, "%d\t0193f3a0-7b1c-7%03x-8%03x-%012x\tcus_%013d\tAcme %d Ltd\tperson%d@example.com\tDE\t\\N\t+4930%07d\t2024-%02d-01T10:%02d:00.000Z\t\\N\n",
			n, n>>12, n&0xfff, r.Uint64()>>16, r.Uint64N(1e13), r.IntN(5000), n, r.IntN(1e7), 1+r.IntN(12), r.IntN(60))
	}
	return s, text.Bytes()
}
