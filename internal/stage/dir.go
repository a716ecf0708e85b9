package stage

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"sluice/internal/crm"
)

// dir keeps objects as files below a directory. Everything goes through an
// [os.Root], so no symbolic link leads out of it.
type dir struct {
	root *os.Root

	mu    sync.Mutex
	known map[string]bool // folders whose entries are on disk, up to the root
}

func openDir(u *url.URL) (backend, error) {
	if u.Host != "" && u.Host != "localhost" || !path.IsAbs(u.Path) || u.RawQuery != "" {
		return nil, fmt.Errorf("%w: a directory is written file:///abs/dir", crm.ErrInvalid)
	}
	name := filepath.FromSlash(u.Path)
	if runtime.GOOS == "windows" {
		name = strings.TrimPrefix(name, `\`) // file:///C:/dir
	}
	if err := os.MkdirAll(name, 0o700); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	return &dir{root: root, known: map[string]bool{}}, nil
}

func (d *dir) close() error { return d.root.Close() }

func (d *dir) path(key string) string {
	return filepath.Join(d.root.Name(), filepath.FromSlash(key))
}

func (d *dir) create(_ context.Context, key string) (sink, error) {
	return d.temp(path.Dir(key))
}

func (d *dir) createIn(_ context.Context, prefix string) (sink, error) {
	d.sweep(prefix)
	return d.temp(prefix)
}

// tempMark begins the names of unfinished files. No key contains it.
const tempMark = "~"

// temp begins a file in the folder in which it will have its name, so that
// the rename stays within one folder.
func (d *dir) temp(folder string) (sink, error) {
	name := path.Join(folder, tempMark+strings.ToLower(rand.Text()))
	open := func() (*os.File, error) {
		return d.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	}
	f, err := open()
	if errors.Is(err, fs.ErrNotExist) {
		if err = d.root.MkdirAll(folder, 0o700); err == nil {
			f, err = open()
		}
	}
	if err != nil {
		return nil, err
	}
	return &dirSink{File: f, dir: d, temp: name}, nil
}

// sweep removes what writers that died left in a folder. One that lives has
// touched its file today.
func (d *dir) sweep(folder string) {
	names, _ := fs.Glob(d.root.FS(), path.Join(folder, tempMark+"*"))
	for _, name := range names {
		if at, err := d.root.Stat(name); err == nil && time.Since(at.ModTime()) > 24*time.Hour {
			d.root.Remove(name)
		}
	}
}

func (d *dir) open(_ context.Context, key string, offset int64) (io.ReadCloser, error) {
	f, err := d.root.Open(key)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, crm.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	if _, err := f.Seek(offset, io.SeekStart); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func (d *dir) remove(_ context.Context, key string) error {
	d.mu.Lock()
	clear(d.known)
	d.mu.Unlock()
	return d.root.RemoveAll(key)
}

// sync puts a folder's entries on disk, and the first time also those of the
// folders above it: a file in a folder that a power cut takes away is lost.
func (d *dir) sync(folder string) error {
	d.mu.Lock()
	known := d.known[folder]
	d.mu.Unlock()
	if err := d.syncOne(folder); err != nil || known {
		return err
	}
	for up := folder; up != "."; {
		up = path.Dir(up)
		if err := d.syncOne(up); err != nil {
			return err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.known) > 1000 {
		clear(d.known)
	}
	d.known[folder] = true
	return nil
}

func (d *dir) syncOne(folder string) error {
	if runtime.GOOS == "windows" {
		return nil // Windows cannot, and NTFS journals its folders.
	}
	f, err := d.root.Open(folder)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// dirSink is a file that has no name yet.
type dirSink struct {
	*os.File
	dir  *dir
	temp string
}

func (s *dirSink) commit(key string) error {
	err := s.Sync()
	if closed := s.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = s.dir.root.Rename(s.temp, key)
	}
	if err != nil {
		s.dir.root.Remove(s.temp)
		return err
	}
	return s.dir.sync(path.Dir(key))
}

func (s *dirSink) abort() {
	s.Close()
	s.dir.root.Remove(s.temp)
}
