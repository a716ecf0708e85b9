package endtoend

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/crm"
	"sluice/internal/launch"
)

func (scribe) Send(context.Context, crm.Message) error { return nil }

// acceptedRows lists the accepted rows of an import.
func (w *world) acceptedRows(r crm.Report) (rows []crm.AcceptedRow) {
	w.t.Helper()
	imp, err := w.store.Import(w.t.Context(), r.ImportID)
	if err == nil {
		err = launch.Accepted(w.t.Context(), w.store, w.stage, imp, func(row crm.AcceptedRow) error {
			rows = append(rows, row)
			return nil
		})
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return rows
}

// TestEveryRowIsInOneList puts the lists of an import together: each row is in
// the list of accepted or of rejected rows, and the records of the accepted ones
// add up to the counts and are in the tables.
func TestEveryRowIsInOneList(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, url string) {
		w := newWorld(t, url, "")
		tuning := crm.Tuning{BatchRows: 17, Group: 3, Writers: 3}
		w.run(asCSV(someRows(51, 300)), options{tuning: tuning})
		for _, o := range []options{{}, {mode: crm.CreateOnly}, {mode: crm.UpdateOnly}, {mapping: "version: 1\nonly: [contacts]\n"}} {
			o.tuning = tuning
			r := w.run(asCSV(someRows(52, 300)), o)
			var counts crm.Counts
			counts.Read, counts.Blank, counts.Warnings = r.Read, r.Blank, r.Warnings
			seen := map[int64]bool{}
			for _, row := range w.rejected(r) {
				seen[row.Line] = true
				counts.Rejected++
			}
			last := int64(0)
			for _, row := range w.acceptedRows(r) {
				if seen[row.Line] || row.Line <= last {
					t.Errorf("mode %q: line %d is listed after line %d, or twice", o.mode, row.Line, last)
				}
				seen[row.Line], last = true, row.Line
				tally(t, &counts, &row)
			}
			if o.mapping != "" { // rows without a contact or a note carry no record
				counts.Accepted += r.Read - int64(len(seen))
			}
			if diff := cmp.Diff(r.Counts, counts); diff != "" {
				t.Errorf("mode %q, mapping %q: counts (-report +lists):\n%s", o.mode, o.mapping, diff)
			}
		}
	})
}

// tally counts one accepted row.
func tally(t *testing.T, c *crm.Counts, row *crm.AcceptedRow) {
	all := true
	for _, record := range row.Records {
		e := slices.IndexFunc(crm.Entities, func(e crm.Entity) bool { return e.String() == record.Entity })
		if record.ID == "" {
			t.Errorf("line %d: its %s is nowhere", row.Line, record.Entity)
		}
		of := c.Of(crm.Entity(e))
		of.Records++
		switch record.Outcome {
		case "created":
			of.Created++
		case "updated":
			of.Updated++
		case "unchanged":
			of.Unchanged++
		case "duplicate":
			of.Duplicate++
			continue
		default:
			t.Errorf("line %d: its %s is %q", row.Line, record.Entity, record.Outcome)
		}
		all = false
	}
	if all {
		c.Duplicate++
	} else {
		c.Accepted++
	}
}

func TestAcceptedRowsOfARetryStandWhereTheyStood(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", "")
	first := w.run(someRejected, options{})
	rows := w.rejectFile(first)
	mend(t, rows, 6, "email", "eve@example.com")
	rows = append(rows, []string{"", "", "", "", "c9", "Hal", "hal@example.com", ""})
	second := w.run(joined(rows), options{parent: first.ImportID})
	var got []string
	for _, r := range w.acceptedRows(second) {
		got = append(got, fmt.Sprintf("%d:%d %s", r.File, r.Line, r.Records[0].Outcome))
	}
	if diff := cmp.Diff([]string{"0:6 created", "1:6 created"}, got); diff != "" {
		t.Errorf("accepted:\n%s", diff)
	}
}

func TestWarningsAreListedAndGroupedAsTheyAreCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", "")
	file := "external_id,email,first_name,phone,country,state\n" +
		"1,a@example.com,Ann,12,DE,Bayern\n2,b@example.com,Bob,+49 30 901820,DE,\n3,nobody,Cid,12,DE,\n4,d@example.com,Dan,12,,\n"
	mapping := "version: 1\ncolumns:\n  phone: contact.phone\n  state: customer.state\n  email: [customer.email, contact.email]\n"
	w.run("external_id,email\n4,x@example.com\n", options{})
	r := w.run(file, options{mode: crm.CreateOnly, mapping: mapping})
	var got []string
	listed := int64(0)
	for _, row := range w.list(r.WarnedObject) {
		for _, f := range row.Faults {
			listed++
			got = append(got, fmt.Sprintf("%d %s %s", row.Line, f.Column, f.Reason))
		}
	}
	// Line 4 was rejected by Parse and says nothing of its telephone number;
	// line 5 was rejected only by Write.
	want := []string{"2 phone phone_kept", "2 state state_left_out", "5 phone phone_kept"}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" || r.Warnings != listed || r.Rejected != 2 {
		t.Errorf("%d warnings, %d listed, %d rows rejected:\n%s", r.Warnings, listed, r.Rejected, diff)
	}
	sum := int64(0)
	for _, g := range r.Warned {
		sum += g.Count
	}
	if sum != r.Warnings {
		t.Errorf("groups %+v of %d warnings", r.Warned, r.Warnings)
	}
}

func TestReportNamesTheColumnsThatWentNowhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", "")
	long := strings.Repeat("ü", 70)
	head := "external_id,name,Shoe," + long
	for i := range 30 {
		head += fmt.Sprintf(",Extra %d", i)
	}
	cells := strings.Repeat(",x", 32)
	r := w.run(head+"\n1,Ann"+cells+"\n", options{more: []string{"external_id,Shoe,Hat\n2,x,y\n"}})
	if r.IgnoredColumns != 33 || len(r.Ignored) != crm.MaxIgnored || r.Ignored[0] != "Shoe" || r.Ignored[1] != strings.Repeat("ü", 64) {
		t.Errorf("%d columns ignored, named %q", r.IgnoredColumns, r.Ignored)
	}
	r = w.run("external_id,name\n1,Ann\n", options{})
	if r.IgnoredColumns != 0 || r.Ignored != nil {
		t.Errorf("%d columns ignored of none, named %q", r.IgnoredColumns, r.Ignored)
	}
}

func TestPackedFileIsImportedAsWhatIsInIt(t *testing.T) {
	t.Parallel()
	plain, packed := newWorld(t, "", ""), newWorld(t, "", "")
	// Not in UTF-8 either, so that it is unpacked first and rewritten then.
	text := "external_id;name\r\n1;J\xFCrgen\r\n2;Ann\r\n"
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	fmt.Fprint(z, text)
	z.Close()
	want := plain.run(text, options{})
	same(t, plain, want, packed, packed.run(b.String(), options{}))
	row, err := packed.store.Import(t.Context(), "news")
	if err != nil || row.Files[0].Decisions[0].About != "packing" || row.Files[0].Decisions[0].Choice != "gzip" {
		t.Errorf("decisions %+v, %v; want the packing first", row.Files, err)
	}
}
