package stage

import (
	"bytes"
	"fmt"
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

// BenchmarkCompressed measures text of the kind that batches hold.
func BenchmarkCompressed(b *testing.B) {
	s, err := Open(b.Context(), (&url.URL{Scheme: "file", Path: filepath.ToSlash(b.TempDir())}).String())
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	var text bytes.Buffer
	for n := 0; text.Len() < 4<<20; n++ {
		fmt.Fprintf(&text, "%d\t%x\tAcme %d Ltd\tperson%d@example.com\tDE\t\\N\t2024-03-01T10:%02d:00.000Z\n", n, noise(24 + n%3)[n%3:], n*7, n*13, n%60)
	}
	b.SetBytes(int64(text.Len()))
	for n := 0; b.Loop(); n++ {
		o, err := s.PutCompressed(b.Context(), fmt.Sprint("a/", n), bytes.NewReader(text.Bytes()))
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(text.Len())/float64(o.Size), "ratio")
	}
}
