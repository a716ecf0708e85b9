package embedded

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestSecondOwnerIsToldTheAddress(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data")
	var owner Address
	kill := play(t, "own", path, &owner)

	_, err := Open(path)
	var locked *LockedError
	if !errors.As(err, &locked) {
		t.Fatalf("Open of an owned directory: %v, want a LockedError", err)
	}
	if locked.Address != owner || locked.Path != path {
		t.Errorf("LockedError = %+v, want the address %+v of %s", locked, owner, path)
	}

	kill()
	d, err := Open(path)
	if err != nil {
		t.Fatalf("Open after the owner was killed: %v", err)
	}
	defer d.Close()
	if _, err := ReadAddress(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("address of the killed owner: %v, want none", err)
	}
}

func TestLockedBeforeTheOwnerHasPublished(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	d, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	_, err = Open(path)
	var locked *LockedError
	if !errors.As(err, &locked) || locked.Address != (Address{}) {
		t.Fatalf("Open = %v, want a LockedError without an address", err)
	}
	if !strings.Contains(err.Error(), "still starting") {
		t.Errorf("error %q does not say that the owner is starting", err)
	}
}

func TestPublishedUntilClosed(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	d, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, port := range []string{"1", "2"} {
		want := Address{PID: os.Getpid(), StartedAt: time.Now().UTC(), Temporal: "127.0.0.1:" + port}
		if err := d.Publish(want); err != nil {
			t.Fatal(err)
		}
		if got, err := ReadAddress(path); err != nil || got != want {
			t.Errorf("ReadAddress = %+v, %v, want %+v", got, err, want)
		}
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadAddress(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("ReadAddress after Close: %v, want fs.ErrNotExist", err)
	}
	left, err := filepath.Glob(filepath.Join(path, addressName+"*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	again, err := Open(path)
	if err != nil {
		t.Fatalf("Open after Close: %v", err)
	}
	_ = again.Close()
}

func TestDirectoryIsForItsOwnerOnly(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows keeps no permission bits; run on another system")
	}
	path := filepath.Join(t.TempDir(), "a", "b")
	d, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for _, p := range []string{path, filepath.Dir(d.Log("x"))} {
		info, err := os.Stat(p)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o700 {
			t.Errorf("mode of %s = %o, want 700", p, info.Mode().Perm())
		}
	}
}

func TestDirectoryThatCannotBeMadeIsNamed(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(filepath.Join(file, "data"))
	if err == nil || !strings.Contains(err.Error(), "open data directory "+file) {
		t.Errorf("Open below a file = %v, want an error naming it", err)
	}
}

func TestPathsLieInTheDirectory(t *testing.T) {
	t.Parallel()
	d := &Dir{Path: "data"}
	for got, want := range map[string]string{
		d.Database():      "data/sluice.db",
		d.Stage():         "data/stage",
		d.Log("temporal"): "data/log/temporal.log",
		d.TemporalDB():    "data/temporal-1.32.1.db",
	} {
		if filepath.ToSlash(got) != want {
			t.Errorf("path = %s, want %s", got, want)
		}
	}
}

func TestDefaultFollowsTheSystem(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("checks the rule for Linux; run there")
	}
	for _, c := range []struct{ name, xdg, want string }{
		{"named", "/x/data", "/x/data/sluice"},
		{"relative is ignored", "data", "/h/.local/share/sluice"},
		{"unset", "", "/h/.local/share/sluice"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("HOME", "/h")
			t.Setenv("XDG_DATA_HOME", c.xdg)
			if got, err := Default(); got != c.want || err != nil {
				t.Errorf("Default() = %q, %v, want %q", got, err, c.want)
			}
		})
	}
}
