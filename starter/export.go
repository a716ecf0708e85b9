package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"

	"sluice/internal/crm"
	"sluice/internal/store"
)

type exportCmd struct {
	What   string `arg:"" enum:"customers,contacts,notes" help:"customers, contacts or notes."`
	Source string `required:"" placeholder:"NAME" env:"SLUICE_SOURCE" help:"The source."`
	Stable bool   `env:"SLUICE_STABLE" help:"Leave out what an import mints (ids, import numbers, stamps), so that two exports can be compared."`
	Output string `short:"o" enum:"csv,json" default:"csv" env:"SLUICE_OUTPUT" help:"csv, or json: one object a line."`
}

// Run prints the records of a source, in the order of their keys, from the
// database alone.
func (c *exportCmd) Run(ctx context.Context, s *session) error {
	s.json = c.Output == "json"
	db, err := s.readStore(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.Source(ctx, c.Source); err != nil {
		return err
	}
	w := bufio.NewWriterSize(s.out, 1<<16)
	columns, row, flush := exportCSV(w)
	if s.json {
		columns, row, flush = exportJSON(w)
	}
	if err := db.Export(ctx, store.ExportQuery{Source: c.Source, Entity: entityOf(c.What), Stable: c.Stable}, columns, row); err != nil {
		return err
	}
	return flush()
}

func entityOf(plural string) crm.Entity {
	for _, e := range crm.Entities {
		if e.Plural() == plural {
			return e
		}
	}
	return crm.Customer
}

type writeCells func([]string) error

func exportCSV(w *bufio.Writer) (columns, row writeCells, flush func() error) {
	out := csv.NewWriter(w)
	return out.Write, out.Write, func() error {
		out.Flush()
		if err := out.Error(); err != nil {
			return err
		}
		return w.Flush()
	}
}

// exportJSON writes one object a line, with the keys in the order of the
// columns. A blank value is left out.
func exportJSON(w *bufio.Writer) (columns, row writeCells, flush func() error) {
	var names []string
	columns = func(c []string) error {
		names = append([]string(nil), c...)
		return nil
	}
	return columns, func(cells []string) error { return writeObject(w, names, cells) }, w.Flush
}

func writeObject(w *bufio.Writer, names, cells []string) error {
	separator := "{"
	for i, c := range cells {
		if c == "" {
			continue
		}
		name, err := json.Marshal(names[i])
		if err != nil {
			return err
		}
		value, err := json.Marshal(c)
		if err != nil {
			return err
		}
		_, _ = w.WriteString(separator)
		_, _ = w.Write(name)
		_ = w.WriteByte(':')
		_, _ = w.Write(value)
		separator = ","
	}
	if separator == "{" {
		_ = w.WriteByte('{')
	}
	_, err := io.WriteString(w, "}\n") // a bufio.Writer keeps its first error
	return err
}
