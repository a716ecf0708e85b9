package loop

import (
	"encoding/csv"
	"strings"

	"sluice/internal/crm"
)

// aRow is a row of a test file. Its e-mail cell may hold several addresses, of
// which the first counts, or none that is one.
type aRow struct{ customer, company, emails, note string }

func (r *aRow) bad() bool { return r.emails != "" && !strings.Contains(r.emails, "@") }

// records names the records that the row carries, "" where it has none.
func (r *aRow) records() [3]string {
	out := [3]string{r.customer}
	if email, _, _ := strings.Cut(r.emails, ";"); email != "" {
		out[crm.Contact] = r.customer + " " + email
	}
	if r.note != "" {
		out[crm.Note] = r.customer + " " + r.note
	}
	return out
}

// before are the rows that are in the tables when the loops begin.
var before = []aRow{
	{"k0", "Old 0", "a@k0.example.com", "first call"},
	{"k1", "Old 1", "a@k1.example.com", ""},
	{"k2", "Old 2", "", ""},
	{"k3", "Old 3", "", ""},
	{"k4", "Old 4", "", ""},
}

// brought are the rows that the loops import, in four batches: records that
// exist and change, that exist and do not, that are new, that repeat one of
// their own batch or of an earlier one, and rows that are rejected.
var brought = []aRow{
	{"k0", "New 0", "a@k0.example.com", ""},
	{"k1", "Old 1", "a@k1.example.com; b@k1.example.com", ""}, // a warning
	{"n0", "Firm 0", "a@n0.example.com", ""},
	{"n0", "Firm 0 again", "b@n0.example.com", ""},
	{"n9", "Firm 9", "nobody at home", ""},
	{"k2", "New 2", "", "second call"},

	{"n1", "Firm 1", "a@n1.example.com", ""},
	{"n0", "Firm 0 once more", "c@n0.example.com", ""}, // held if the batch before is late
	{"n0", "Firm 0", "a@n0.example.com", ""},
	{"n2", "Firm 2", "", "a note\nof two lines"},
	{"k3", "New 3", "none", ""},
	{"k0", "New 0", "", "first call"},

	{"n3", "Firm 3", "", ""},
	{"n1", "Firm 1", "", "held, too"},
	{"n1", "Firm 1", "a@n1.example.com", ""},
	{"n4", "Firm 4", "a@n4.example.com", ""},
	{"n2", "Firm 2", "a@n2.example.com", "a note\nof two lines"},
	{"k4", "New 4", "a@k4.example.com", ""},

	{"n5", "Firm 5", "", "x"},
	{"n4", "Firm 4", "a@n4.example.com", ""},
	{"k4", "New 4", "nothing", ""},
	{"n3", "Firm 3", "", "y"},
}

const batchRows = 6

func asCSV(rows []aRow) string {
	var b strings.Builder
	w := csv.NewWriter(&b)
	_ = w.Write([]string{"external_id", "company", "email", "first_name", "notes"})
	for _, r := range rows {
		_ = w.Write(r.cells())
	}
	w.Flush()
	return b.String()
}

func (r *aRow) cells() []string {
	first := ""
	if r.emails != "" {
		first = "Ann"
	}
	return []string{r.customer, r.company, r.emails, first, r.note}
}

// A reading is what a plain reading of rows comes to, with maps and nothing
// else: the tables, and what became of the rows.
type reading struct {
	companies map[string]string // of customers
	records   map[string]bool   // of any entity
	counts    crm.Counts
}

// read reads rows on top of what is there, one after the other: the first
// record of an identity wins, and one of a rejected row takes nothing.
func read(there *reading, rows []aRow, mode crm.Mode) *reading {
	out := &reading{companies: map[string]string{}, records: map[string]bool{}}
	if there != nil {
		for id, company := range there.companies {
			out.companies[id] = company
		}
		for id := range there.records {
			out.records[id] = true
		}
	}
	taken := map[string]bool{}
	for i := range rows {
		out.row(&rows[i], there, taken, mode)
	}
	return out
}

func (out *reading) row(r *aRow, there *reading, taken map[string]bool, mode crm.Mode) {
	out.counts.Read++
	if strings.Contains(r.emails, ";") {
		out.counts.Warnings++ // it stands even if the row is rejected when it is written
	}
	exists := func(id string) bool { return there != nil && there.records[id] }
	rejected, duplicate := r.bad(), true
	for _, id := range r.records() {
		if id != "" && !taken[id] {
			duplicate = false
			rejected = rejected || mode == crm.CreateOnly && exists(id)
		}
	}
	switch {
	case rejected:
		out.counts.Rejected++
		return
	case duplicate:
		out.counts.Duplicate++
	default:
		out.counts.Accepted++
	}
	for e, id := range r.records() {
		if id == "" {
			continue
		}
		t := out.counts.Of(crm.Entity(e))
		t.Records++
		switch {
		case taken[id]:
			t.Duplicate++
			continue
		case !exists(id):
			t.Created++
		case crm.Entity(e) == crm.Customer && there.companies[id] != r.company:
			t.Updated++
		default:
			t.Unchanged++
		}
		taken[id], out.records[id] = true, true
		if crm.Entity(e) == crm.Customer {
			out.companies[id] = r.company
		}
	}
}
