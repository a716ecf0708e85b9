package source

import (
	"bytes"
	"context"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"

	"sluice/internal/crm"
	"sluice/internal/stage"
)

// A scripted opener is a file that is not as it says it is.
type scripted struct {
	info  FileInfo
	bytes func(from int64) io.Reader
}

func (s *scripted) stat(context.Context) (FileInfo, error) { return s.info, nil }
func (s *scripted) list(context.Context) ([]Found, error)  { return nil, nil }
func (s *scripted) close() error                           { return nil }
func (s *scripted) open(_ context.Context, from int64, _ FileInfo) (FileInfo, io.ReadCloser, error) {
	return s.info, io.NopCloser(s.bytes(from)), nil
}

func scriptedFile(size int64, b []byte) *Remote {
	return &Remote{from: &scripted{FileInfo{Name: "leads.csv", Size: size, Validator: "v1"}, func(from int64) io.Reader { return bytes.NewReader(b[from:]) }}}
}

func TestFilesThatAreNotAsLongAsTheySayFailAtThatByte(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		says, has int64
		most      int64
		kind      error // nil: passing
		want      string
	}{
		{"short, of one part", 1000, 900, 0, nil, "cut off at byte 900 of 1000"},
		{"short, of several parts", 2*testPart + 9, testPart + 1, 0, nil, "cut off at byte 1048577 of 2097161"},
		{"short by a whole part", 2*testPart + 9, 2 * testPart, 0, nil, "cut off at byte 2097152 of 2097161"},
		{"longer, of one part", 1000, 1001, 0, crm.ErrSourceChanged, "behind byte 1000"},
		{"longer, of several parts", 2 * testPart, 2*testPart + 1, 0, crm.ErrSourceChanged, "behind byte 2097152"},
		{"more than may be", -1, 2*testPart + 1, 2 * testPart, crm.ErrInvalid, "behind byte 2097152"},
		{"as it says", 2*testPart + 9, 2*testPart + 9, 2*testPart + 9, nil, ""},
	} {
		st := testStage(t)
		to := into(st)
		to.Most = tt.most
		b := someBytes(int(tt.has))
		got, err := scriptedFile(tt.says, b).Download(t.Context(), to)
		if tt.want == "" {
			checkWhole(t, st, got, err, b)
			continue
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) || tt.kind != nil && !errors.Is(err, tt.kind) || tt.kind == nil && crm.TypeOf(err) != "" {
			t.Errorf("%s: %v; want %v and %q", tt.name, err, tt.kind, tt.want)
		}
	}
}

// What was kept of a file may be damaged, or be gone, by the time it is put
// together. It is read again, and the import does not end.
func TestAPartThatIsDamagedIsReadAgain(t *testing.T) {
	t.Parallel()
	b := someBytes(3*testPart + 9)
	r := scriptedFile(int64(len(b)), b)
	for name, harm := range map[string]func(st *stage.Stage, part crm.Object) error{
		"damaged": func(st *stage.Stage, part crm.Object) error {
			_, err := st.Put(context.Background(), part.Key, bytes.NewReader(make([]byte, part.Size)))
			return err
		},
		"gone": func(st *stage.Stage, part crm.Object) error { return st.Delete(context.Background(), part.Key) },
	} {
		st := testStage(t)
		to := into(st)
		full := errors.New("the disk is full")
		put := to.Put
		to.Put = func(context.Context, io.Reader) (crm.Object, error) { return crm.Object{}, full }
		if _, err := r.Download(t.Context(), to); !errors.Is(err, full) {
			t.Fatalf("got %v, want what Put said", err)
		}
		to.Put = put
		d := &download{Download: to, from: r.from, info: r.from.(*scripted).info}
		d.find(t.Context())
		if len(d.parts) != 4 {
			t.Fatalf("%d parts are kept, want 4", len(d.parts))
		}
		if err := harm(st, d.parts[1]); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Download(t.Context(), to); err == nil || crm.TypeOf(err) != "" || !strings.Contains(err.Error(), "in part 1") {
			t.Errorf("%s: %v; want a passing error about part 1", name, err)
		}
		got, err := r.Download(t.Context(), to)
		checkWhole(t, st, got, err, b)
		if got.Kept != testPart {
			t.Errorf("%s: %d bytes were there, want the part before", name, got.Kept)
		}
	}
}

func TestProgressRisesToTheSize(t *testing.T) {
	t.Parallel()
	b := someBytes(2*tellEvery + 9)
	to := into(testStage(t))
	var told []int64
	to.Progress = func(read, size int64) {
		if size != int64(len(b)) {
			t.Errorf("told of %d bytes", size)
		}
		told = append(told, read)
	}
	if _, err := scriptedFile(int64(len(b)), b).Download(t.Context(), to); err != nil {
		t.Fatal(err)
	}
	if len(told) < 2 || told[0] >= told[len(told)-1] || told[len(told)-1] != int64(len(b)) {
		t.Errorf("told %v, want up to %d", told, len(b))
	}
}

// lostParts keeps nothing but what refers to parts, and counts what they hold.
type lostParts struct {
	refs map[string][]byte
	size map[string]int64
}

func (l *lostParts) Put(_ context.Context, key string, r io.Reader) (crm.Object, error) {
	if strings.HasSuffix(key, ".ref") {
		b, err := io.ReadAll(r)
		l.refs[key] = b
		return crm.Object{Key: key}, err
	}
	n, err := io.Copy(io.Discard, r)
	l.size[key] = n
	return crm.Object{Key: key, Size: n}, err
}

func (l *lostParts) Open(_ context.Context, o crm.Object, _ int64) (io.ReadCloser, error) {
	return io.NopCloser(io.LimitReader(zeros{}, l.size[o.Key])), nil
}

func (l *lostParts) OpenKey(_ context.Context, key string) (io.ReadCloser, error) {
	b, ok := l.refs[key]
	if !ok {
		return nil, crm.ErrNotFound
	}
	return io.NopCloser(bytes.NewReader(b)), nil
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// It runs by itself: what others allocate would count.
func TestMemoryDoesNotGrowWithTheFile(t *testing.T) {
	const part = 4 << 20
	const size = 10*part + 1
	r := &Remote{from: &scripted{FileInfo{Name: "leads.csv", Size: size, Validator: "v1"},
		func(from int64) io.Reader { return io.LimitReader(zeros{}, size-from) }}}
	to := Download{Parts: &lostParts{map[string][]byte{}, map[string]int64{}}, Prefix: "p", part: part,
		Put: func(_ context.Context, r io.Reader) (crm.Object, error) {
			n, err := io.Copy(io.Discard, r)
			return crm.Object{Key: "whole", Size: n}, err
		}}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got, err := r.Download(t.Context(), to)
	runtime.ReadMemStats(&after)
	if err != nil || got.Object.Size != size {
		t.Fatalf("got %d bytes, %v; want %d", got.Object.Size, err, int64(size))
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > part/2 {
		t.Errorf("%d bytes were allocated for a file of %d", used, int64(size))
	}
}
