package stage

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"sluice/internal/crm"
)

func TestDirectoryIsPrivate(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("modes are a matter of Unix")
	}
	s := directory(t)
	o := s.put(t, "imports/1/a", nil)
	for path, want := range map[string]fs.FileMode{
		s.Path(o):                                  0o600,
		filepath.Dir(s.Path(o)):                    fs.ModeDir | 0o700,
		s.Path(crm.Object{Key: "imports"}):         fs.ModeDir | 0o700,
		filepath.Dir(s.Path(crm.Object{Key: "i"})): fs.ModeDir | 0o700,
	} {
		if at, err := os.Stat(path); err != nil || at.Mode() != want {
			t.Errorf("%v, %v, want %v", at.Mode(), err, want)
		}
	}
}

// TestEveryFileIsPrivate goes through every way to make one.
func TestEveryFileIsPrivate(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("modes are a matter of Unix")
	}
	s := directory(t)
	s.put(t, "imports/1/a", []byte("a"))
	s.put(t, "imports/1/a", []byte("again"))
	for range 2 {
		if _, err := s.PutContent(t.Context(), "files/of", strings.NewReader("b")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.PutCompressed(t.Context(), "imports/2/c.zst", strings.NewReader("c")); err != nil {
		t.Fatal(err)
	}
	w, err := s.Create(t.Context(), "imports/3/d")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	n := 0
	err = filepath.WalkDir(s.at.(*dir).root.Name(), func(name string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		want := fs.FileMode(0o600)
		if e.IsDir() {
			want = fs.ModeDir | 0o700
		}
		at, err := e.Info()
		if err == nil && at.Mode() != want {
			t.Errorf("%s: %v, want %v", name, at.Mode(), want)
		}
		n++
		return err
	})
	if err != nil || n != 11 {
		t.Errorf("%d files and folders, %v, want 4 and 7", n, err)
	}
}

func TestSymbolicLinksLeadNowhere(t *testing.T) {
	t.Parallel()
	s := directory(t)
	s.put(t, "a/b", nil)
	outside := t.TempDir()
	secret := filepath.Join(outside, "secret")
	if err := os.WriteFile(secret, append(header(unsealed), "secret"...), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, s.Path(crm.Object{Key: "out"})); err != nil {
		t.Skip("no symbolic links here: ", err)
	}
	if _, err := s.Open(t.Context(), crm.Object{Key: "out/secret", Size: 6}, 0); err == nil {
		t.Error("read through the link")
	}
	if _, err := s.Put(t.Context(), "out/new", strings.NewReader("x")); err == nil {
		t.Error("wrote through the link")
	}
	if _, err := s.PutContent(t.Context(), "out", strings.NewReader("x")); err == nil {
		t.Error("wrote through the link")
	}
	s.Delete(t.Context(), "out/secret")
	if err := s.Delete(t.Context(), "out"); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(secret); err != nil {
		t.Errorf("deleted through the link: %v", err)
	}
}

// TestAbandonedFilesAreSwept shows that a writer that was killed leaves its
// file for a day, and one that is at work is left alone.
func TestAbandonedFilesAreSwept(t *testing.T) {
	t.Parallel()
	s := directory(t)
	for name, age := range map[string]time.Duration{"dead": 25 * time.Hour, "alive": time.Hour} {
		s.put(t, "files/x", nil)
		s.set("files/"+tempMark+name, nil)
		at := time.Now().Add(-age)
		if err := os.Chtimes(s.Path(crm.Object{Key: "files/" + tempMark + name}), at, at); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.PutContent(t.Context(), "files", strings.NewReader("new")); err != nil {
		t.Fatal(err)
	}
	if s.objects() != 3 {
		t.Errorf("%d files, want x, new and alive", s.objects())
	}
	if _, err := os.Stat(s.Path(crm.Object{Key: "files/" + tempMark + "alive"})); err != nil {
		t.Error(err)
	}
}

// TestCommitSyncsEveryNewFolder holds the list of what must be on disk for a
// new object to outlive a power cut.
func TestCommitSyncsEveryNewFolder(t *testing.T) {
	t.Parallel()
	s := directory(t)
	d := s.at.(*dir)
	s.put(t, "a/b/c", nil)
	if !d.known["a/b"] {
		t.Error("the folder's parents are not on disk")
	}
	if err := s.Delete(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if d.known["a/b"] {
		t.Error("the folder is gone and still taken to be on disk")
	}
	if err := d.sync("a/b"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder that is gone: %v", err)
	}
}

func TestPathIsWhereTheFileLies(t *testing.T) {
	t.Parallel()
	s := directory(t)
	o := s.put(t, "reports/a.csv", []byte("x"))
	if raw, err := os.ReadFile(s.Path(o)); err != nil || len(raw) != headerSize+1 {
		t.Errorf("%d bytes, %v", len(raw), err)
	}
	m := open(t, "mem://")
	if got := m.Path(o); got != "mem:///reports/a.csv" {
		t.Errorf("Path = %q", got)
	}
}
