package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"

	"sluice/internal/crm"
	"sluice/internal/store"
)

type exportCmd struct {
	What   string `arg:"" enum:"customers,contacts,notes" help:"customers, contacts or notes."`
	Source string `required:"" placeholder:"NAME" env:"SLUICE_SOURCE" help:"The source."`
	Stable bool   `env:"SLUICE_STABLE" help:"Leave out what an import mints (ids, import numbers, stamps), so that two exports can be compared."`
	Output string `short:"o" enum:"csv,json" default:"csv" env:"SLUICE_LIST_OUTPUT" help:"csv, or json: one object a line."`
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
		columns, row, flush = exportJSON(w, entityOf(c.What))
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
// columns. A blank value is left out; numbers, tags and attributes are JSON's
// own.
func exportJSON(w *bufio.Writer, e crm.Entity) (columns, row writeCells, flush func() error) {
	var keys []objectKey
	columns = func(names []string) error {
		for _, name := range names {
			encoded, err := quoted(name)
			if err != nil {
				return err
			}
			keys = append(keys, objectKey{encoded, isJSON(e, name)})
		}
		return nil
	}
	return columns, func(cells []string) error { return writeObject(w, keys, cells) }, w.Flush
}

// An objectKey is a column as JSON needs it.
type objectKey struct {
	name []byte // quoted
	json bool   // the canonical text of its values is JSON
}

func isJSON(e crm.Entity, name string) bool {
	switch name {
	case "rev", "created_import", "changed_import":
		return true
	}
	at := crm.FieldIndex(e, name)
	if at < 0 {
		return false
	}
	k := crm.Fields(e)[at].Kind
	return k == crm.Int || k == crm.Tags || k == crm.Attributes
}

// quoted is a text as JSON, with < > & as they are: no web page is made of it.
func quoted(text string) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(text)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

func writeObject(w *bufio.Writer, keys []objectKey, cells []string) error {
	_ = w.WriteByte('{')
	first := true
	for i, c := range cells {
		if c == "" {
			continue
		}
		value := []byte(c)
		if !keys[i].json || !json.Valid(value) {
			var err error
			if value, err = quoted(c); err != nil {
				return err
			}
		}
		if !first {
			_ = w.WriteByte(',')
		}
		first = false
		_, _ = w.Write(keys[i].name)
		_ = w.WriteByte(':')
		_, _ = w.Write(value)
	}
	_, err := w.WriteString("}\n") // a bufio.Writer keeps its first error
	return err
}
