package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/charmbracelet/x/term"
)

const (
	asCSV  = "csv"
	asXLSX = "xlsx"
	asJSON = "json"
)

// listFlags say in which form a list is wanted, and where.
type listFlags struct {
	Output string `short:"o" enum:"csv,xlsx,json," default:"" placeholder:"FORM" env:"SLUICE_LIST_OUTPUT" help:"csv, xlsx, or json: one object a line. Default: by the name of --to, else csv."`
	To     string `placeholder:"FILE" env:"SLUICE_TO" help:"Write to this file, which is not there yet. Default: standard output."`
}

// form is the form that was asked for.
func (f listFlags) form() string {
	if f.Output != "" {
		return f.Output
	}
	switch ext := strings.ToLower(filepath.Ext(f.To)); ext {
	case ".xlsx", ".json":
		return ext[1:]
	case ".ndjson", ".jsonl":
		return asJSON
	}
	return asCSV
}

// check refuses a place that a list cannot go to, before anything is read.
func (f listFlags) check(out io.Writer) error {
	if f.To != "" {
		if _, err := os.Lstat(f.To); err == nil {
			return usage("%s: exists already and may hold somebody's work; choose another name, or remove it", f.To)
		}
		return nil
	}
	if file, ok := out.(*os.File); ok && f.form() == asXLSX && term.IsTerminal(file.Fd()) {
		return usage("a workbook cannot be shown on a terminal; name a file with --to")
	}
	return nil
}

// list writes a list to where it is wanted. A file appears whole or not at all,
// and only its owner may read it, since it holds cells.
func (s *session) list(f listFlags, write func(io.Writer) error) error {
	if f.To == "" {
		return write(s.out)
	}
	temp, err := os.CreateTemp(filepath.Dir(f.To), ".sluice-*")
	if err != nil {
		return unwritable(f.To, err)
	}
	defer os.Remove(temp.Name())
	err = write(temp)
	if closed := temp.Close(); err == nil && closed != nil {
		return unwritable(f.To, closed)
	}
	if err != nil {
		return err
	}
	// A link never replaces what somebody else has put there meanwhile.
	if err = os.Link(temp.Name(), f.To); err != nil && !errors.Is(err, fs.ErrExist) {
		err = os.Rename(temp.Name(), f.To) // not every file system has links
	}
	if err != nil {
		return unwritable(f.To, err)
	}
	s.say("wrote %s", f.To)
	return nil
}

// unwritable drops the names that the system's error repeats.
func unwritable(name string, err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		err = path.Err
	case errors.As(err, &link):
		err = link.Err
	}
	return usage("%s: cannot be written: %v", name, err)
}
