package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"sluice/internal/crm"
)

// A RecordView is what every record shows. Fields holds its values by the
// names of [crm.Fields], without those that are blank: strings, times as
// canonical text, numbers as [json.Number], tags as []any, attributes as
// map[string]any.
type RecordView struct {
	ID      string         `json:"id"`
	Source  string         `json:"source"`
	Fields  map[string]any `json:"fields"`
	Rev     int            `json:"rev"` // raised by every write; 1 at first
	Created Provenance     `json:"created"`
	Changed Provenance     `json:"changed"` // the same as Created until it changes
}

// A CustomerView is a customer as people look at it.
type CustomerView struct {
	RecordView
	CustomerUUID string        `json:"customer_uuid"` // shared by records that are the same customer
	Contacts     []ContactView `json:"contacts"`
	Notes        []NoteView    `json:"notes"`
}

// A ContactView is a contact and whose it is.
type ContactView struct {
	RecordView
	CustomerID         string `json:"customer_id"`
	CustomerExternalID string `json:"customer_external_id"`
}

// A NoteView is a note, or a call, and whose it is.
type NoteView ContactView

// A Provenance says where a record, or its last change, came from.
type Provenance struct {
	Import   int64     `json:"import"`
	ImportID string    `json:"import_id"`
	File     string    `json:"file"` // its name at the source; "" if it is not known any more
	Line     int64     `json:"line"` // where the row starts
	At       time.Time `json:"at"`
}

// Customers returns the customers, of any source, whose external id is key or
// whose e-mail address is, without regard to case; with their contacts and
// notes in the order of [Store.Export]. It returns none if there are none.
func (s *Store) Customers(ctx context.Context, key string) ([]CustomerView, error) {
	rows, err := s.view(ctx, crm.Customer, "t.id IN (SELECT id FROM customer_records WHERE source_id IN (SELECT id FROM sources) AND external_id = ?0"+
		" UNION SELECT id FROM customer_records WHERE lower(email) = ?1)", key, strings.ToLower(key))
	if err != nil {
		return nil, wrap("customers", err)
	}
	ids := make([]string, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	var of [3]map[string][]ContactView
	for _, e := range []crm.Entity{crm.Contact, crm.Note} {
		of[e] = make(map[string][]ContactView)
		if len(ids) == 0 {
			continue
		}
		members, err := s.view(ctx, e, "t.customer_id IN (?0)", bun.In(ids))
		if err != nil {
			return nil, wrap("customers", err)
		}
		for _, m := range members {
			of[e][m.CustomerID] = append(of[e][m.CustomerID], m.ContactView)
		}
	}
	out := make([]CustomerView, len(rows))
	for i, r := range rows {
		out[i] = CustomerView{RecordView: r.RecordView, CustomerUUID: r.uuid, Contacts: of[crm.Contact][r.ID], Notes: []NoteView{}}
		if out[i].Contacts == nil {
			out[i].Contacts = []ContactView{}
		}
		for _, n := range of[crm.Note][r.ID] {
			out[i].Notes = append(out[i].Notes, NoteView(n))
		}
	}
	return out, nil
}

// Contacts returns the contacts, of any source, whose own external id is key
// or whose e-mail address is, without regard to case.
func (s *Store) Contacts(ctx context.Context, key string) ([]ContactView, error) {
	rows, err := s.view(ctx, crm.Contact, "t.external_id = ?0 OR lower(t.email) = ?1", key, strings.ToLower(key))
	out := make([]ContactView, len(rows))
	for i, r := range rows {
		out[i] = r.ContactView
	}
	return out, wrap("contacts", err)
}

// A viewed is a row of any of the three tables.
type viewed struct {
	ContactView
	uuid                           string
	createdImport, changedImport   int64
	createdAddress, changedAddress int64
	stored, updated                instant
}

// view reads the records of e that meet where, with where they came from.
func (s *Store) view(ctx context.Context, e crm.Entity, where string, args ...any) ([]viewed, error) {
	rows, err := s.reads.QueryContext(ctx, s.viewQuery(e, where), args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []viewed
	fields := crm.Fields(e)
	cells := make([]sql.NullString, len(fields))
	for rows.Next() {
		var v viewed
		into := []any{&v.ID, &v.uuid, &v.CustomerID, &v.CustomerExternalID, &v.Source, &v.Rev,
			&v.createdImport, &v.createdAddress, &v.changedImport, &v.changedAddress, &v.stored, &v.updated}
		for i := range cells {
			into = append(into, &cells[i])
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		if v.Fields, err = viewFields(fields, cells); err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return out, s.trace(ctx, out)
}

func (s *Store) viewQuery(e crm.Entity, where string) string {
	from, order := "customer_records AS t JOIN customer_records AS c ON c.id = t.id", "src.slug, t.external_id"
	if e != crm.Customer {
		from = tables[e] + " AS t JOIN customer_records AS c ON c.id = t.customer_id"
		order = "src.slug, c.external_id, t.created_address, t.match_key"
	}
	if e == crm.Contact {
		order = "src.slug, c.external_id, t.position NULLS LAST, t.created_address, t.match_key"
	}
	list := []string{"CAST(t.id AS text)", "CAST(c.customer_uuid AS text)", "CAST(c.id AS text)", "c.external_id", "src.slug", "t.rev",
		"t.created_import", "t.created_address", "t.changed_import", "t.changed_address", "t.stored_at", "t.updated_at"}
	for _, f := range crm.Fields(e) {
		if f.Kind == crm.Time {
			list = append(list, s.dialect.time("t."+f.Name))
			continue
		}
		list = append(list, "CAST(t."+f.Name+" AS text)")
	}
	return "SELECT " + strings.Join(list, ", ") + " FROM " + from + " JOIN sources AS src ON src.id = c.source_id WHERE " + where + " ORDER BY " + order
}

func viewFields(fields []crm.Field, cells []sql.NullString) (map[string]any, error) {
	out := make(map[string]any)
	for i, f := range fields {
		text := cells[i].String
		if text == "" {
			continue
		}
		switch f.Kind {
		case crm.Int:
			out[f.Name] = json.Number(text)
		case crm.Tags, crm.Attributes:
			value, err := decode(text)
			if err != nil {
				return nil, fmt.Errorf("field %s: not JSON", f.Name)
			}
			out[f.Name] = value
		default:
			out[f.Name] = text
		}
	}
	return out, nil
}

// trace looks up the imports and the files that records came from.
func (s *Store) trace(ctx context.Context, records []viewed) error {
	numbers := make(map[int64]bool)
	for _, v := range records {
		numbers[v.createdImport], numbers[v.changedImport] = true, true
	}
	if len(numbers) == 0 {
		return nil
	}
	list := make([]int64, 0, len(numbers))
	for n := range numbers {
		list = append(list, n)
	}
	from, err := s.lineage(ctx, list)
	if err != nil {
		return err
	}
	provenance := func(number, address int64, at instant) Provenance {
		a, i := crm.Address(address), from[number]
		p := Provenance{Import: number, ImportID: i.id, Line: a.Line(), At: at.Time}
		if a.File() < len(i.files) {
			p.File = i.files[a.File()]
		}
		return p
	}
	for i := range records {
		v := &records[i]
		v.Created = provenance(v.createdImport, v.createdAddress, v.stored)
		v.Changed = provenance(v.changedImport, v.changedAddress, v.updated)
	}
	return nil
}
