package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// header names the columns of the data. They map themselves.
var header = []string{"Customer ID", "Customer name", "Email", "Company", "Country", "State", "City", "Postal code",
	"Lead created at", "Free trial started at", "Tags", "First name", "Last name", "Job title", "Contact email",
	"Phone", "LinkedIn", "Note"}

// customersOnly is a mapping that takes the customers of the data and leaves
// their contacts and notes.
const customersOnly = `version: 1
columns:
  First name: ignore
  Last name: ignore
  Job title: ignore
  Contact email: ignore
  Phone: ignore
  LinkedIn: ignore
  Note: ignore
`

// What a row is to the rows before it.
const (
	fresh   = iota // a customer of its own
	another        // an earlier row's customer with another contact, and half of the time a note
	repeat         // all that an earlier row says: customer, contact and note
)

// A dataset is a table of dirty rows: customers with a contact, and half of
// them with a note. 18 % of the rows hold a line break, about 5 % name a
// customer of an earlier row, about 1 % are faulty in one of four ways, always
// in a column of the customer.
//
// Each row is a pure function of the seed and its number, so the same rows can
// be made any number of times, in any form, in no memory.
type dataset struct {
	seed uint64
	rows int

	// changed gives every row another customer name, city and job title: each
	// customer and each contact then has another value. Notes cannot change:
	// what makes two notes the same is their text.
	changed bool
}

// mix is a bijection of 64-bit numbers that spreads neighbours far apart (the
// end of splitmix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb
	return x ^ (x >> 31)
}

// dice returns the same number whenever it is asked the same, for one of many
// purposes.
func (d dataset) dice(row int, purpose uint64) uint64 {
	return mix(mix(d.seed^purpose*0xd6e8feb86659fd93) ^ uint64(row))
}

// owner says what row i is to the rows before it, and which row owns its
// customer: itself, or an earlier one that is fresh.
func (d dataset) owner(i int) (row, kind int) {
	switch share := d.dice(i, 1) % 1000; {
	case i == 0 || share >= 50:
		return i, fresh
	case share < 25:
		kind = another
	default:
		kind = repeat
	}
	for row = i; row > 0 && d.dice(row, 1)%1000 < 50; {
		row = int(d.dice(row, 2) % uint64(row))
	}
	return row, kind
}

// faulty says in which way row i is faulty, from 1; 0: it is not.
func (d dataset) faulty(i int) int {
	if d.dice(i, 3)%1000 >= 10 {
		return 0
	}
	return 1 + int(d.dice(i, 4)%4)
}

// hasNote says whether row i has a note, as written in the row that row i
// repeats.
func (d dataset) hasNote(i int) bool { return d.dice(i, 5)%2 == 0 }

// contactOf returns the row that the contact and the note of row i are made
// from.
func (d dataset) contactOf(i int) int {
	if owner, kind := d.owner(i); kind == repeat {
		return owner
	}
	return i
}

// row fills cells with those of row i, from 0. cells has one entry a column of
// the header.
func (d dataset) row(i int, cells []string) {
	owner, _ := d.owner(i)
	d.customer(i, owner, cells)
	d.contact(d.contactOf(i), owner, cells)
	if owner != i && d.dice(i, 6)%2 == 0 { // the same address, written otherwise
		cells[14] = " " + strings.ToUpper(cells[14])
	}
	switch d.faulty(i) {
	case 1:
		cells[0] = ""
	case 2:
		cells[2] = strings.Replace(cells[2], "@", " at ", 1)
	case 3:
		cells[8] = cells[8][:5] + "02-30" + cells[8][10:]
	case 4:
		cells[9] = cells[8][:5] + "13-01" + cells[8][10:]
	}
}

func (d dataset) customer(i, owner int, cells []string) {
	a, b := d.dice(owner, 10), d.dice(i, 11)
	turn := uint64(0)
	if d.changed {
		turn = 1
	}
	who := pick(givenNames, a) + " " + string(rune('A'+(b>>32+turn)%26)) + ". " + pick(familyNames, a>>8)
	p := places[(a>>16)%uint64(len(places))]
	cells[0] = externalID(d.seed, owner)
	cells[1] = who
	cells[2] = mailName(a) + "." + strconv.Itoa(owner) + "@" + pick(domains, a>>24)
	cells[3] = pick(companies, a>>32) + pick(forms, a>>40)
	cells[4], cells[5] = p.country, p.state
	cells[6] = places[(a>>16+turn)%uint64(len(places))].city
	cells[7] = fmt.Sprintf("%05d", (a>>20)%100000)
	at := firstDay.Add(time.Duration(a%(5*365*24*60*60)) * time.Second)
	cells[8] = at.Format(dateLayout)
	cells[9] = ""
	if b%4 == 0 {
		cells[9] = at.Add(time.Duration(b>>8%(60*24*60)) * time.Minute).Format(dateLayout)
	}
	cells[10] = ""
	for n := b >> 4 % 4; n > 0; n-- {
		if cells[10] != "" {
			cells[10] += ","
		}
		cells[10] += pick(tags, b>>(8*n))
	}
}

// contact fills in the contact and the note that row i makes, of the customer
// of row owner.
func (d dataset) contact(i, owner int, cells []string) {
	a, b := d.dice(i, 20), d.dice(owner, 10)
	turn := uint64(0)
	if d.changed {
		turn = 1
	}
	cells[11], cells[12] = pick(givenNames, a), pick(familyNames, a>>8)
	cells[13] = titles[(a>>16+turn)%uint64(len(titles))]
	cells[14] = mailName(a) + "." + strconv.FormatInt(int64(i), 36) + "@" + pick(domains, b>>24)
	cells[15] = fmt.Sprintf("+1 212 555 %04d", (a>>24)%10000)
	cells[16] = ""
	if a>>40%2 == 0 {
		cells[16] = "https://in.example.com/" + strconv.FormatInt(int64(i), 36)
	}
	cells[17] = ""
	if d.hasNote(i) {
		cells[17] = d.note(i)
	}
}

// note is the text of the note that row i makes, unlike that of any other row
// of the customer.
func (d dataset) note(i int) string {
	a := d.dice(i, 30)
	text := "no. " + strconv.Itoa(i) + ": " + pick(phrases, a)
	if a>>8%100 < 36 { // 18 of 100 rows, as half have a note
		text += "\n" + pick(phrases, a>>16)
	}
	return text
}

// externalID spreads the ids of neighbours over the whole index, which is the
// hard case for a database: cus_ and 13 digits to the base of 36.
func externalID(seed uint64, customer int) string {
	digits := strconv.FormatUint(mix(mix(seed)^uint64(customer)), 36)
	return "cus_" + "0000000000000"[len(digits):] + digits
}

// writeCSV writes the data as CSV, with a header.
func (d dataset) writeCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	if err := out.Write(header); err != nil {
		return err
	}
	cells := make([]string, len(header))
	for i := range d.rows {
		d.row(i, cells)
		if err := out.Write(cells); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}
