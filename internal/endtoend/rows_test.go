package endtoend

import (
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"strings"

	"sluice/internal/crm"
)

// aRow is a row of a test file, and what it carries.
type aRow struct {
	customer, company, email, note string // email and note may be blank
	bad                            bool   // the e-mail address is none
}

// someRows makes rows in which customers, contacts and notes repeat, near and
// far, and some rows are bad. The same seed gives the same rows.
func someRows(seed uint64, n int) []aRow {
	r := rand.New(rand.NewPCG(seed, 7))
	rows := make([]aRow, n)
	for i := range rows {
		c := r.IntN(n/2 + 1)
		rows[i] = aRow{customer: fmt.Sprintf("cus-%05d", c), company: fmt.Sprintf("Company %d of row %d", c, i)}
		if r.IntN(4) > 0 {
			rows[i].email = fmt.Sprintf("person%d@firm%d.example.com", r.IntN(3), c)
		}
		if r.IntN(3) == 0 {
			rows[i].note = fmt.Sprintf("called, said \"%d\"\nand more", r.IntN(2))
		}
		if r.IntN(20) == 0 {
			rows[i].email, rows[i].bad = "nobody at home", true
		}
	}
	return rows
}

func asCSV(rows []aRow) string {
	var b strings.Builder
	w := csv.NewWriter(&b)
	_ = w.Write([]string{"external_id", "company", "email", "first_name", "notes"})
	for _, r := range rows {
		first := ""
		if r.email != "" {
			first = "Ann"
		}
		_ = w.Write([]string{r.customer, r.company, r.email, first, r.note})
	}
	w.Flush()
	return b.String()
}

// expected reads rows one after the other with plain maps, as the words of the
// invariants have it: the first record of an identity wins, a record of a
// rejected row does not count and takes nothing. existing says which records
// were there before, by identity; nil for an empty database.
func expected(rows []aRow, mode crm.Mode, existing map[string]bool) crm.Counts {
	var c crm.Counts
	taken := map[string]bool{}
	for _, r := range rows {
		c.Read++
		if r.bad {
			c.Rejected++
			continue
		}
		ids := identities(r)
		rejected, duplicate := false, true
		for _, id := range ids {
			if id == "" || taken[id] {
				continue
			}
			duplicate = false
			rejected = rejected || mode == crm.CreateOnly && existing[id] || mode == crm.UpdateOnly && !existing[id]
		}
		switch {
		case rejected:
			c.Rejected++
			continue
		case duplicate:
			c.Duplicate++
		default:
			c.Accepted++
		}
		for e, id := range ids {
			if id == "" {
				continue
			}
			t := c.Of(crm.Entity(e))
			t.Records++
			switch {
			case taken[id]:
				t.Duplicate++
			case existing[id]:
				t.Updated++ // or unchanged: the caller knows what it imports
			default:
				t.Created++
			}
			taken[id] = true
		}
	}
	return c
}

// identities names the records a row carries, "" where it has none.
func identities(r aRow) [3]string {
	ids := [3]string{r.customer}
	if r.email != "" {
		ids[1] = r.customer + " " + r.email
	}
	if r.note != "" {
		ids[2] = r.customer + " note " + r.note
	}
	return ids
}

// landed returns the identities of all records that rows bring in.
func landed(rows []aRow) map[string]bool {
	out := map[string]bool{}
	for _, r := range rows {
		for _, id := range identities(r) {
			if !r.bad && id != "" {
				out[id] = true
			}
		}
	}
	return out
}
