//go:build linux

package main

import (
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"strings"
)

// A row is a row of the file that is imported, and what it carries. Blank
// fields are cells without a value.
type row struct {
	line int // of the file, on which it begins

	customer, company, email, first, note string

	bad string // the reason for which it must be rejected; "" if it is right
	cut bool   // it is too long to be listed as it is
}

// The entities, as they are called in lists.
const (
	customer = "customer"
	contact  = "contact"
	note     = "note"
)

// A record is what a row carries of one entity.
type record struct {
	key    string   // the entity and what identifies the record
	values []string // "" is no value
}

// records returns what the row carries, by the name of the entity.
func (r *row) records() map[string]record {
	out := map[string]record{customer: {keyOf(customer, r.customer), []string{r.company, r.email}}}
	if r.email != "" {
		out[contact] = record{keyOf(contact, r.customer, r.email), []string{r.first}}
	}
	if r.note != "" {
		out[note] = record{keyOf(note, r.customer, r.note), nil}
	}
	return out
}

func keyOf(parts ...string) string { return strings.Join(parts, "\x00") }

// header names the columns of the file. They map themselves.
var header = []string{"external_id", "company", "email", "first_name", "notes"}

// someRows makes rows in which customers, contacts and notes repeat, near and
// far, and one in twenty is bad. The first are customers that are there already.
// The same random numbers make the same rows.
func someRows(random *rand.Rand, n int) []row {
	rows := make([]row, n)
	for i := range rows {
		c := random.IntN(n/2 + 1)
		r := row{customer: fmt.Sprintf("cus-%05d", c), company: fmt.Sprintf("Company %d of row %d", c, i)}
		if random.IntN(10) == 0 {
			r.company = oldCompany(c)
		}
		if random.IntN(4) > 0 {
			r.email, r.first = fmt.Sprintf("person%d@firm%d.example.com", random.IntN(3), c), fmt.Sprintf("Ann %d", random.IntN(3))
		}
		if random.IntN(3) == 0 {
			r.note = fmt.Sprintf("called, said \"%d\"\nand more", random.IntN(2))
		}
		if random.IntN(20) == 0 {
			r.email, r.bad = "nobody at home", "bad_email"
		}
		rows[i] = r
	}
	return rows
}

// oldRows are those that the database holds before every fault: customers that
// someRows meets again.
func oldRows() []row {
	rows := make([]row, 300)
	for i := range rows {
		rows[i] = row{customer: fmt.Sprintf("cus-%05d", i*3), company: oldCompany(i * 3), first: "Ann 0",
			email: fmt.Sprintf("person0@firm%d.example.com", i*3)}
	}
	return rows
}

func oldCompany(c int) string { return fmt.Sprintf("Old company %d", c) }

// asCSV writes rows as a file with a header, and notes the line of each.
func asCSV(rows []row) string {
	var b strings.Builder
	w := csv.NewWriter(&b)
	_ = w.Write(header) // a strings.Builder takes everything
	line := 2
	for i := range rows {
		r := &rows[i]
		r.line = line
		for _, cell := range r.cells() {
			line += strings.Count(cell, "\n")
		}
		line++
		_ = w.Write(r.cells())
	}
	w.Flush()
	return b.String()
}

func (r *row) cells() []string {
	return []string{r.customer, r.company, r.email, r.first, r.note}
}
