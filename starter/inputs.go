package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"sluice/internal/source"
	"sluice/internal/tabular"
)

// An input is a file to import, where this process can read it again and
// again, or a place elsewhere, which only a worker reads.
type input struct {
	name string // base name, for people
	path string
	size int64

	place *source.Place // nil: it is a local file
}

// stdinName is how standard input is named in reports.
const stdinName = "stdin"

var urlStart = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]+://`)

// inputs finds the files that arguments name. What can be read only once,
// standard input and pipes, is copied to the temporary folder; clean removes
// the copies. Errors are usage errors of one line.
//
// Only where elsewhere is set may an argument be the address of a file.
func inputs(ctx context.Context, args []string, stdin io.Reader, elsewhere bool) (list []input, clean func(), err error) {
	var copies []string
	clean = func() {
		for _, path := range copies {
			_ = os.Remove(path)
		}
	}
	for _, arg := range args {
		if urlStart.MatchString(arg) {
			in, err := placeInput(arg, elsewhere)
			if err != nil {
				clean()
				return nil, func() {}, err
			}
			list = append(list, in)
			continue
		}
		in, copied, err := oneInput(ctx, arg, stdin)
		if copied != "" {
			copies = append(copies, copied)
		}
		if err != nil {
			clean()
			return nil, func() {}, err
		}
		list = append(list, in)
	}
	return list, clean, nil
}

func placeInput(arg string, allowed bool) (input, error) {
	if !allowed {
		return input{}, usage("%s: name a file of this machine: download it first", schemeOf(arg))
	}
	place, err := source.ParsePlace(arg)
	if err != nil {
		return input{}, usage("%s: %s", schemeOf(arg), fault(err))
	}
	return input{name: place.Name(), place: &place}, nil
}

func oneInput(ctx context.Context, arg string, stdin io.Reader) (in input, copied string, err error) {
	if arg == "-" {
		return spool(ctx, stdinName, stdin)
	}
	info, err := os.Stat(arg)
	switch {
	case err != nil:
		return in, "", unreadable(arg, err)
	case info.IsDir():
		return in, "", usage("%s: is a directory; name the files in it", arg)
	}
	f, err := os.Open(arg)
	if err != nil {
		return in, "", unreadable(arg, err)
	}
	defer f.Close()
	if !info.Mode().IsRegular() {
		return spool(ctx, filepath.Base(arg), f)
	}
	if info.Size() == 0 {
		return in, "", usage("%s: is empty", arg)
	}
	return input{name: filepath.Base(arg), path: arg, size: info.Size()}, "", nil
}

// schemeOf returns a URL's beginning: the rest may hold a password.
func schemeOf(arg string) string { return urlStart.FindString(arg) + "…" }

// unreadable drops the name that the system's error repeats.
func unreadable(name string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return usage("%s: no such file", name)
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return usage("%s: cannot be read: %v", name, err)
}

// spool copies what can be read only once into a file of its own.
func spool(ctx context.Context, name string, r io.Reader) (in input, copied string, err error) {
	f, err := os.CreateTemp("", "sluice-*")
	if err != nil {
		return in, "", fmt.Errorf("keep %s: %w", name, err)
	}
	n, err := io.Copy(f, untilDone{ctx, r})
	if closed := f.Close(); err == nil {
		err = closed
	}
	switch {
	case ctx.Err() != nil:
		return in, f.Name(), ctx.Err()
	case err != nil:
		return in, f.Name(), fmt.Errorf("keep %s: %w", name, err)
	case n == 0:
		return in, f.Name(), usage("%s: is empty", name)
	}
	return input{name: name, path: f.Name(), size: n}, f.Name(), nil
}

// untilDone is a reader that ends with its context.
type untilDone struct {
	ctx context.Context
	r   io.Reader
}

func (u untilDone) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.Read(p)
}

// source lets tabular read the file where it is.
func (in input) source() tabular.Source {
	return tabular.Source{Name: in.name, Size: in.size, Open: func(_ context.Context, offset int64) (io.ReadCloser, error) {
		f, err := os.Open(in.path)
		if err != nil {
			return nil, err
		}
		if _, err := f.Seek(offset, io.SeekStart); err != nil {
			_ = f.Close()
			return nil, err
		}
		return f, nil
	}}
}
