package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"sluice/internal/crm"
	"sluice/internal/store"
)

type customersShowCmd struct {
	Key    string `arg:"" name:"key|email" help:"A customer's external id or e-mail address."`
	Output string `short:"o" enum:"text,json" default:"text" env:"SLUICE_OUTPUT" help:"text, or json: one object a line."`
}

// Run shows the customers of a key, with their contacts and notes, from the
// database alone.
func (c *customersShowCmd) Run(ctx context.Context, s *session) error {
	s.json = c.Output == "json"
	db, err := s.readStore(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	list, err := db.Customers(ctx, c.Key)
	if err != nil {
		return err
	}
	return show(s, "customer", list, customerText)
}

// show prints what a key was found to mean, one after the other.
func show[T any](s *session, what string, list []T, text func(T) string) error {
	if len(list) == 0 {
		return fmt.Errorf("%s with this key or e-mail address: %w", what, crm.ErrNotFound)
	}
	if s.json {
		return each(list, s.object)
	}
	var texts []string
	for _, v := range list {
		texts = append(texts, text(v))
	}
	return s.data(strings.Join(texts, "\n"))
}

func customerText(v store.CustomerView) string {
	text := recordText("customer", crm.Customer, v.RecordView)
	for _, c := range v.Contacts {
		text += "\n" + indent(recordText("contact", crm.Contact, c.RecordView))
	}
	for _, n := range v.Notes {
		text += "\n" + indent(recordText("note", crm.Note, n.RecordView))
	}
	return text
}

// recordText is one record: its fields in the order of the tables, and which
// rows it came from.
func recordText(what string, e crm.Entity, v store.RecordView) string {
	rows := [][]string{{what, v.ID}, {"source", v.Source}}
	for _, f := range crm.Fields(e) {
		if value, ok := v.Fields[f.Name]; ok {
			rows = append(rows, []string{f.Name, oneLine(value)})
		}
	}
	rows = append(rows, []string{"created by", provenance(v.Created)})
	if v.Changed != v.Created {
		rows = append(rows, []string{"changed by", provenance(v.Changed)})
	}
	return grid(nil, rows)
}

// oneLine shows a field's value without the line ends and tabs that would
// break the display.
func oneLine(value any) string {
	if text, ok := value.(string); ok {
		return strings.Map(func(r rune) rune {
			if r < ' ' || r == 0x7F {
				return ' '
			}
			return r
		}, text)
	}
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(text)
}

// provenance says where a person finds the row.
func provenance(p store.Provenance) string {
	file := p.File
	if file == "" {
		file = "a file not known any more"
	}
	return fmt.Sprintf("row %s of %s, import %d, %s", number(p.Line), file, p.Import, when(p.At))
}
