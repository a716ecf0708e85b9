package stage

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/zeebo/blake3"

	"sluice/internal/crm"
	"sluice/internal/servertest"
)

// place is one backend under test, and a way to its bytes past the stage.
type place struct {
	*Stage
	raw     func(key string) []byte // nil if there is no such object
	set     func(key string, b []byte)
	objects func() int // how many there are, unfinished ones included
}

// onEach runs a test on every kind of stage there is.
func onEach(t *testing.T, test func(t *testing.T, s place)) {
	t.Parallel()
	for name, at := range map[string]func(t *testing.T) place{
		"directory":         directory,
		"memory":            func(t *testing.T) place { return inBucket(t, "mem://") },
		"s3":                func(t *testing.T) place { return inBucket(t, newS3(t)) },
		"s3 under a prefix": func(t *testing.T) place { return inBucket(t, newS3(t)+"&prefix=some/where/") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, at(t))
		})
	}
}

// newS3 starts an empty S3 and returns a stage URL for it.
func newS3(t *testing.T) string {
	s := servertest.StartS3()
	t.Cleanup(s.Stop)
	return s.URL
}

func open(t *testing.T, u string) *Stage {
	t.Helper()
	s, err := Open(t.Context(), u)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func directory(t *testing.T) place {
	root := filepath.Join(t.TempDir(), "made", "on", "the way")
	s := open(t, (&url.URL{Scheme: "file", Path: filepath.ToSlash(root)}).String())
	return place{
		Stage: s,
		raw: func(key string) []byte {
			b, _ := os.ReadFile(s.Path(crm.Object{Key: key}))
			return b
		},
		set: func(key string, b []byte) {
			if err := os.WriteFile(s.Path(crm.Object{Key: key}), b, 0o600); err != nil {
				t.Fatal(err)
			}
		},
		objects: func() (n int) {
			filepath.WalkDir(root, func(_ string, e os.DirEntry, _ error) error {
				if !e.IsDir() {
					n++
				}
				return nil
			})
			return n
		},
	}
}

func inBucket(t *testing.T, u string) place {
	s := open(t, u)
	b := s.at.(*bucket).b
	return place{
		Stage: s,
		raw: func(key string) []byte {
			got, _ := b.ReadAll(t.Context(), key)
			return got
		},
		set: func(key string, raw []byte) {
			if err := b.WriteAll(t.Context(), key, raw, nil); err != nil {
				t.Fatal(err)
			}
		},
		objects: func() (n int) {
			for list := b.List(nil); ; n++ {
				if _, err := list.Next(t.Context()); err != nil {
					return n
				}
			}
		},
	}
}

func (p place) put(t *testing.T, key string, b []byte) crm.Object {
	t.Helper()
	o, err := p.Put(t.Context(), key, bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func (p place) read(t *testing.T, o crm.Object, offset int64) ([]byte, error) {
	t.Helper()
	r, err := p.Open(t.Context(), o, offset)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

func sumBLAKE3(b []byte) string {
	s := blake3.Sum256(b)
	return hex.EncodeToString(s[:])
}

// TestHashesAreTheStandards compares with the values that the reference
// implementation of BLAKE3 gives for nothing and "abc", and FIPS 180-2 for "abc".
func TestHashesAreTheStandards(t *testing.T) {
	s := open(t, "mem://")
	for text, want := range map[string]string{
		"":    "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262",
		"abc": "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85",
	} {
		if o, err := s.Put(t.Context(), "a", strings.NewReader(text)); err != nil || o.BLAKE3 != want {
			t.Errorf("%q: %s, %v, want %s", text, o.BLAKE3, err, want)
		}
	}
	const want = "files/ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	if o, err := s.PutContent(t.Context(), "files", strings.NewReader("abc")); err != nil || o.Key != want {
		t.Errorf("by content: %s, %v, want %s", o.Key, err, want)
	}
}

// noise returns bytes that do not compress, the same every time, for reading
// only.
func noise(n int) []byte { return allNoise()[:n] }

var allNoise = sync.OnceValue(func() []byte {
	b := make([]byte, sizes["large"])
	rand.NewChaCha8([32]byte{1}).Read(b)
	return b
})

var sizes = map[string]int{"empty": 0, "small": 7, "large": 9 << 20} // S3 takes the large one in parts.

func TestWhatIsPutIsReadBack(t *testing.T) {
	onEach(t, func(t *testing.T, s place) {
		for name, size := range sizes {
			want := noise(size)
			o := s.put(t, "imports/1/"+name, want)
			if o != (crm.Object{Key: "imports/1/" + name, Size: int64(size), BLAKE3: sumBLAKE3(want)}) {
				t.Errorf("Put(%s) = %+v", name, o)
			}
			for _, offset := range []int64{0, int64(size) / 2, int64(size)} {
				got, err := s.read(t, o, offset)
				if err != nil || !bytes.Equal(got, want[offset:]) {
					t.Errorf("%s from %d: %d bytes, %v, want %d", name, offset, len(got), err, int64(size)-offset)
				}
			}
			if _, err := s.Open(t.Context(), o, int64(size)+1); !errors.Is(err, crm.ErrInvalid) {
				t.Errorf("%s from behind its end: %v", name, err)
			}
		}
	})
}

func TestOpenKeyNeedsNoHash(t *testing.T) {
	onEach(t, func(t *testing.T, s place) {
		s.put(t, "a", []byte("bytes"))
		r, err := s.OpenKey(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if got, err := io.ReadAll(r); err != nil || string(got) != "bytes" {
			t.Errorf("%q, %v", got, err)
		}
		if _, err := s.OpenKey(t.Context(), "b"); !errors.Is(err, crm.ErrNotFound) {
			t.Errorf("absent: %v", err)
		}
	})
}

func TestPutAgainIsHarmless(t *testing.T) {
	onEach(t, func(t *testing.T, s place) {
		first := s.put(t, "a", []byte("same"))
		if again := s.put(t, "a", []byte("same")); again != first || s.objects() != 1 {
			t.Errorf("again %+v, first %+v, %d objects", again, first, s.objects())
		}
	})
}

func TestPutCutShortLeavesNothing(t *testing.T) {
	onEach(t, func(t *testing.T, s place) {
		cut := errors.New("the line went dead")
		for name, size := range sizes {
			r := func() io.Reader { return io.MultiReader(bytes.NewReader(noise(size)), iotest.ErrReader(cut)) }
			if _, err := s.Put(t.Context(), "a/"+name, r()); !errors.Is(err, cut) {
				t.Errorf("Put: %v", err)
			}
			if _, err := s.PutContent(t.Context(), "c", r()); !errors.Is(err, cut) {
				t.Errorf("PutContent: %v", err)
			}
			if _, err := s.PutCompressed(t.Context(), "z/"+name, r()); !errors.Is(err, cut) {
				t.Errorf("PutCompressed: %v", err)
			}
		}
		if n := s.objects(); n != 0 {
			t.Errorf("%d objects are left", n)
		}
	})
}

func TestPutCutShortLeavesWhatWasThere(t *testing.T) {
	onEach(t, func(t *testing.T, s place) {
		o := s.put(t, "a", []byte("before"))
		s.Put(t.Context(), "a", io.MultiReader(strings.NewReader("after"), iotest.ErrReader(io.ErrClosedPipe)))
		if got, err := s.read(t, o, 0); err != nil || string(got) != "before" {
			t.Errorf("%q, %v", got, err)
		}
	})
}

func TestCancelLeavesNothing(t *testing.T) {
	onEach(t, func(t *testing.T, s place) {
		ctx, cancel := context.WithCancel(t.Context())
		r := io.MultiReader(bytes.NewReader(noise(1<<20)), readFunc(func([]byte) (int, error) { cancel(); return 0, nil }),
			bytes.NewReader(noise(1<<20)))
		if _, err := s.Put(ctx, "a", r); !errors.Is(err, context.Canceled) {
			t.Errorf("Put: %v", err)
		}
		if n := s.objects(); n != 0 {
			t.Errorf("%d objects are left", n)
		}
	})
}

type readFunc func([]byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) {
	if n, err := f(p); n > 0 || err != nil {
		return n, err
	}
	return 0, io.EOF
}

func TestAbortLeavesNothing(t *testing.T) {
	onEach(t, func(t *testing.T, s place) {
		for _, create := range []func(context.Context, string) (*Writer, error){s.Create, s.CreateCompressed} {
			w, err := create(t.Context(), "a/b")
			if err != nil {
				t.Fatal(err)
			}
			w.Write(noise(sizes["large"]))
			w.Abort()
			w.Abort()
			if _, err := w.Write([]byte("late")); err == nil {
				t.Error("a write after Abort gave no error")
			}
			if _, err := w.Commit(); err == nil {
				t.Error("Commit after Abort gave no error")
			}
		}
		if n := s.objects(); n != 0 {
			t.Errorf("%d objects are left", n)
		}
	})
}

func TestContentIsStagedOnce(t *testing.T) {
	onEach(t, func(t *testing.T, s place) {
		want := noise(300_000)
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				o, err := s.PutContent(t.Context(), "files", bytes.NewReader(want))
				if err != nil || o != (crm.Object{Key: "files/" + sum(want), Size: 300_000, BLAKE3: sumBLAKE3(want)}) {
					t.Errorf("%+v, %v", o, err)
				}
			})
		}
		all.Wait()
		if n := s.objects(); n != 1 {
			t.Errorf("%d objects, want 1", n)
		}
		got, err := s.read(t, crm.Object{Key: "files/" + sum(want), Size: 300_000, BLAKE3: sumBLAKE3(want)}, 0)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
	})
}

func TestDeleteTakesAllBelowAKey(t *testing.T) {
	onEach(t, func(t *testing.T, s place) {
		for _, key := range []string{"a/1", "a/b/2", "ab/3", "c"} {
			s.put(t, key, []byte("x"))
		}
		for _, key := range []string{"a", "a", "c", "never/there"} {
			if err := s.Delete(t.Context(), key); err != nil {
				t.Errorf("Delete(%q): %v", key, err)
			}
		}
		if s.raw("ab/3") == nil || s.objects() != 1 {
			t.Errorf("%d objects are left, want ab/3 alone", s.objects())
		}
		s.put(t, "a/1", []byte("again"))
	})
}

func TestAbsentObjectIsNotFound(t *testing.T) {
	onEach(t, func(t *testing.T, s place) {
		s.put(t, "folder/a", nil)
		for _, key := range []string{"b", "folder/b", "nowhere/b"} {
			if _, err := s.Open(t.Context(), crm.Object{Key: key}, 0); !errors.Is(err, crm.ErrNotFound) {
				t.Errorf("Open(%q): %v", key, err)
			}
		}
	})
}

func TestKeysStayInside(t *testing.T) {
	onEach(t, func(t *testing.T, s place) {
		for _, key := range []string{"", "/etc", "..", "a/../b", "a//b", "a/", ".", "a/./b", "A", "ä", `a\b`, "a b",
			"a\x00", "~a", "c:", strings.Repeat("k", maxKey+1)} {
			if _, err := s.Create(t.Context(), key); !errors.Is(err, crm.ErrInvalid) {
				t.Errorf("Create(%q): %v", key, err)
			}
			if _, err := s.PutContent(t.Context(), key, strings.NewReader("")); !errors.Is(err, crm.ErrInvalid) {
				t.Errorf("PutContent(%q): %v", key, err)
			}
			if _, err := s.Open(t.Context(), crm.Object{Key: key}, 0); !errors.Is(err, crm.ErrInvalid) {
				t.Errorf("Open(%q): %v", key, err)
			}
			if err := s.Delete(t.Context(), key); !errors.Is(err, crm.ErrInvalid) {
				t.Errorf("Delete(%q): %v", key, err)
			}
		}
	})
}

func TestOtherURLsAreInvalid(t *testing.T) {
	t.Parallel()
	for _, u := range []string{"", "relative/dir", "/dir", "file:dir", "file://host/dir", "file:///dir?x=1", "ftp://h/d",
		"http://h", "s3://b?no_such_parameter=hunter2", "://hunter2"} {
		_, err := Open(t.Context(), u)
		if !errors.Is(err, crm.ErrInvalid) {
			t.Errorf("Open(%q): %v", u, err)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("Open(%q) repeats the query: %v", u, err)
		}
	}
}
