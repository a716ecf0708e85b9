package tabular

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"math/rand"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"sluice/internal/crm"
)

func gzipped(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write(b)
	must(t, errors.Join(err, w.Close()))
	return out.Bytes()
}

func zstandard(t testing.TB, b []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	must(t, err)
	return w.EncodeAll(b, nil)
}

// archiveOf is an archive of files; a name that ends in a slash is a folder's.
func archiveOf(t testing.TB, method uint16, files ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for i := 0; i < len(files); i += 2 {
		w, err := z.CreateHeader(&zip.FileHeader{Name: files[i], Method: method})
		must(t, err)
		if !strings.HasSuffix(files[i], "/") {
			_, err = io.WriteString(w, files[i+1])
			must(t, err)
		}
	}
	must(t, z.Close())
	return out.Bytes()
}

// leads is a table that does not shrink much.
func leads(n int) string {
	rnd := rand.New(rand.NewSource(7))
	var b strings.Builder
	b.WriteString("id,email\n")
	letters := make([]byte, 24)
	for range n {
		for i := range letters {
			letters[i] = 'a' + byte(rnd.Intn(26))
		}
		b.Write(letters)
		b.WriteString(",x@y.example\n")
	}
	return b.String()
}

func TestWhatIsPackedComesOutWhole(t *testing.T) {
	t.Parallel()
	text := leads(20_000)
	half := len(text) / 2
	for _, tt := range []struct {
		name, packing string
		in            []byte
	}{
		{"gzip", "gzip", gzipped(t, []byte(text))},
		{"gzip in two parts", "gzip", append(gzipped(t, []byte(text[:half])), gzipped(t, []byte(text[half:]))...)},
		{"zstd", "zstd", zstandard(t, []byte(text))},
		{"zstd in two frames", "zstd", append(zstandard(t, []byte(text[:half])), zstandard(t, []byte(text[half:]))...)},
		{"zip", "zip", archiveOf(t, zip.Deflate, "leads.csv", text)},
		{"zip without compression", "zip", archiveOf(t, zip.Store, "leads.csv", text)},
		{"zip with a folder and what macOS adds", "zip",
			archiveOf(t, zip.Deflate, "may/", "", "may/leads.csv", text, "__MACOSX/may/._leads.csv", "x", "may/.DS_Store", "y")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			packing, err := Packed(t.Context(), inMemory(tt.in))
			if err != nil || packing != tt.packing {
				t.Fatalf("Packed = %q, %v; want %q", packing, err, tt.packing)
			}
			var out bytes.Buffer
			if err := Unpack(t.Context(), inMemory(tt.in), packing, &out); err != nil || out.String() != text {
				t.Errorf("Unpack: %d bytes, %v; want %d", out.Len(), err, len(text))
			}
		})
	}
}

func TestWhatIsNotPackedIsLeftAlone(t *testing.T) {
	t.Parallel()
	for name, in := range map[string][]byte{
		"text": []byte("a,b\n1,2\n"), "nothing": nil, "one byte": {0x1F},
		"workbook":     pack(t, `<row><c><v>1</v></c></row>`, nil),
		"OpenDocument": archiveOf(t, zip.Deflate, "mimetype", "application/x", "content.xml", "<x/>"),
	} {
		if packing, err := Packed(t.Context(), inMemory(in)); packing != "" || err != nil {
			t.Errorf("%s: %q, %v; want not packed", name, packing, err)
		}
	}
}

func TestArchivesThatAreNotOneFileAreRefused(t *testing.T) {
	t.Parallel()
	locked := archiveOf(t, zip.Store, "a.csv", "a,b\n")
	// The flags of the entry in the directory, 8 bytes behind its beginning.
	locked[bytes.Index(locked, []byte("PK\x01\x02"))+8] |= 1
	many := make([]string, 0, 200_000)
	for range 100_000 {
		many = append(many, strings.Repeat("n", 20), "")
	}
	whole := archiveOf(t, zip.Deflate, "a.csv", leads(1000))
	for _, tt := range []struct {
		name string
		in   []byte
		want string
	}{
		{"two files", archiveOf(t, zip.Deflate, "a.csv", "x", "b.csv", "y"), "an archive of 2 files"},
		{"no file", archiveOf(t, zip.Deflate, "a/", ""), "an archive without a file"},
		{"a password", locked, "with a password"},
		{"cut short", whole[:len(whole)-30], "damaged or cut short"},
		{"a directory without end", archiveOf(t, zip.Store, many...), "too many files"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := Packed(t.Context(), inMemory(tt.in))
			if !errors.Is(err, crm.ErrInvalid) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want ErrInvalid and %q", err, tt.want)
			}
		})
	}
}

func TestDamagedPackingSaysWhere(t *testing.T) {
	t.Parallel()
	text := []byte(leads(20_000))
	gz, zs, zp := gzipped(t, text), zstandard(t, text), archiveOf(t, zip.Deflate, "a.csv", string(text))
	spoilt := func(b []byte) []byte {
		b = bytes.Clone(b)
		for i := len(b) / 2; i < len(b)/2+64; i++ {
			b[i] ^= 0xA5
		}
		return b
	}
	for _, tt := range []struct {
		name, packing string
		in            []byte
		want          string
	}{
		{"gzip cut short", "gzip", gz[:1000], "cut short at byte 1000"},
		{"gzip cut in its head", "gzip", gz[:5], "cut short at byte 5"},
		{"gzip damaged", "gzip", spoilt(gz), "damaged near byte "},
		{"gzip with something behind it", "gzip", append(bytes.Clone(gz), "more"...), "cut short"},
		{"zstd cut short", "zstd", zs[:1000], "cut short at byte 1000"},
		{"zstd damaged", "zstd", spoilt(zs), "damaged near byte "},
		{"zip damaged", "zip", spoilt(zp), "damaged near byte "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := Unpack(t.Context(), inMemory(tt.in), tt.packing, io.Discard)
			if !errors.Is(err, crm.ErrInvalid) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want ErrInvalid and %q", err, tt.want)
			}
		})
	}
}

// zeros reads as n zeros.
type zeros int64

func (z *zeros) Read(p []byte) (int, error) {
	if *z == 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), int64(*z))
	clear(p[:n])
	*z -= zeros(n)
	return int(n), nil
}

func TestBombsAreRefused(t *testing.T) {
	t.Parallel()
	bomb := func(w io.WriteCloser) {
		z := zeros(256 << 20)
		_, err := io.Copy(w, &z)
		must(t, errors.Join(err, w.Close()))
	}
	var gz, zs, zp bytes.Buffer
	bomb(gzip.NewWriter(&gz))
	zw, err := zstd.NewWriter(&zs)
	must(t, err)
	bomb(zw)
	archive := zip.NewWriter(&zp)
	member, err := archive.Create("a.csv")
	must(t, err)
	z := zeros(256 << 20)
	_, err = io.Copy(member, &z)
	must(t, errors.Join(err, archive.Close()))
	for packing, in := range map[string][]byte{"gzip": gz.Bytes(), "zstd": zs.Bytes(), "zip": zp.Bytes()} {
		var n counted
		err := Unpack(t.Context(), inMemory(in), packing, &n)
		if !errors.Is(err, crm.ErrInvalid) || !strings.Contains(err.Error(), "over 200 times its size") || n > ratioCounts+bufferSize {
			t.Errorf("%s: %v after %d bytes", packing, err, n)
		}
	}
}

type counted int64

func (c *counted) Write(p []byte) (int, error) {
	*c += counted(len(p))
	return len(p), nil
}

func TestAPassingErrorOfUnpackingStaysOne(t *testing.T) {
	t.Parallel()
	for packing, b := range map[string][]byte{"gzip": gzipped(t, []byte(leads(20_000))), "zstd": zstandard(t, []byte(leads(20_000)))} {
		src := Source{Name: "a", Size: int64(len(b)), Open: func(context.Context, int64) (io.ReadCloser, error) {
			return io.NopCloser(failing{bytes.NewReader(b[:len(b)/2])}), nil
		}}
		if err := Unpack(t.Context(), src, packing, io.Discard); !errors.Is(err, errDropped) || errors.Is(err, crm.ErrInvalid) {
			t.Errorf("%s: %v, want %v", packing, err, errDropped)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := Unpack(ctx, inMemory(b), packing, io.Discard); !errors.Is(err, context.Canceled) || errors.Is(err, crm.ErrInvalid) {
			t.Errorf("%s, cancelled: %v", packing, err)
		}
	}
	b := gzipped(t, []byte("a,b\n"))
	pr, pw := io.Pipe()
	must(t, pr.Close())
	if err := Unpack(t.Context(), inMemory(b), "gzip", pw); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("a writer that fails: %v", err)
	}
}
