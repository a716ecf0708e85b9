package endtoend

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.temporal.io/sdk/worker"

	"sluice/internal/crm"
	"sluice/internal/launch"
	"sluice/internal/tabular"
)

// rejectFile returns the reject file of an import: a header and its rows.
func (w *world) rejectFile(r crm.Report) [][]string {
	w.t.Helper()
	l := &launch.Launcher{Store: w.store, Stage: w.stage}
	row, err := w.store.Import(w.t.Context(), r.ImportID)
	if err != nil {
		w.t.Fatal(err)
	}
	f, err := l.RetryFile(w.t.Context(), row)
	if err != nil {
		w.t.Fatal(err)
	}
	in, err := w.stage.Open(w.t.Context(), f.Object, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	defer in.Close()
	text, err := io.ReadAll(in)
	if err != nil {
		w.t.Fatal(err)
	}
	c := csv.NewReader(bytes.NewReader(text))
	c.FieldsPerRecord = -1
	rows, err := c.ReadAll()
	if err != nil {
		w.t.Fatal(err)
	}
	return rows
}

// joined writes records as CSV.
func joined(rows [][]string) string {
	var b strings.Builder
	w := csv.NewWriter(&b)
	_ = w.WriteAll(rows)
	return b.String()
}

// workbook writes records as a workbook of one sheet.
func workbook(t *testing.T, rows [][]string) string {
	t.Helper()
	var b bytes.Buffer
	book := tabular.NewBook(&b)
	err := book.Sheet("rows", rows[0])
	for _, r := range rows[1:] {
		err = errors.Join(err, book.Row(r))
	}
	if err = errors.Join(err, book.Close()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// mend puts a text into the cell of a column, in the row of a line. It fails the
// test if there is no such row.
func mend(t *testing.T, rows [][]string, line int, column, text string) {
	t.Helper()
	ours, ok := crm.ParseRejectHeader(rows[0])
	at := slices.Index(rows[0][max(ours.Width(), 0):], column)
	for _, r := range rows[1:] {
		if ok && at >= 0 && r[ours.Line] == fmt.Sprint(line) {
			r[ours.Width()+at] = text
			return
		}
	}
	t.Fatalf("no cell of line %d in column %q of %q", line, column, rows)
}

// where says where a customer was created, and where it was changed last.
func (w *world) where(key string) (created, changed string) {
	w.t.Helper()
	c, err := w.store.Customers(w.t.Context(), key)
	if err != nil || len(c) != 1 {
		w.t.Fatalf("customer %s: %d of them, %v", key, len(c), err)
	}
	return fmt.Sprintf("%s:%d", c[0].Created.File, c[0].Created.Line), fmt.Sprintf("%s:%d", c[0].Changed.File, c[0].Changed.Line)
}

// lines returns where rows stand.
func lines(rows []crm.RejectedRow) (out []string) {
	for _, r := range rows {
		out = append(out, fmt.Sprintf("%d:%d %s", r.File, r.Line, r.Faults[0].Reason))
	}
	return out
}

const someRejected = `external_id,name,email,lead_created_at
c2,Ann,ann@example.com,2024-01-02
c3,=Bob,not an address,2024-01-02
c4,Cid,cid@example.com,2024-13-45
c5,Dan,dan@example.com,2024-01-02
c6,Eve,nobody,2024-01-02
c7,Fay,none,2024-01-02
`

func TestRetryBringsMendedRowsBackToWhereTheyStood(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, url string) {
		w := newWorld(t, url, "")
		first := w.run(someRejected, options{})
		if first.Accepted != 2 || first.Rejected != 4 {
			t.Fatalf("counts %+v, want 2 accepted and 4 rejected", first.Counts)
		}
		rows := w.rejectFile(first)
		mend(t, rows, 3, "email", "bob@example.com")
		mend(t, rows, 7, "email", "fay@example.com")
		rows = slices.DeleteFunc(rows, func(r []string) bool { return r[0] == "6" })
		rows = append(rows, []string{"", "", "", "", "c8", "Gil", "gil@example.com", "2024-01-02"},
			[]string{"", "", "", "", "c9", "Hal", "nobody", "2024-01-02"})
		second := w.run(joined(rows), options{parent: first.ImportID, named: []string{"fix.csv"}, tuning: crm.Tuning{BatchRows: 2, Group: 2}})
		if second.Read != 5 || second.Accepted != 3 || second.Rejected != 2 || second.Parent != first.ImportID {
			t.Errorf("the retry counts %+v of parent %q, want 5 read, 3 accepted and 2 rejected", second.Counts, second.Parent)
		}
		want := []string{"0:4 bad_date", "1:6 bad_email"}
		if diff := cmp.Diff(want, lines(w.rejected(second))); diff != "" {
			t.Errorf("rejected again:\n%s", diff)
		}
		if g := second.Rejects; len(g) != 2 || crm.At(g[0].FirstFile, g[0].FirstLine) != crm.At(0, 4) || crm.At(g[1].FirstFile, g[1].FirstLine) != crm.At(1, 6) {
			t.Errorf("groups %+v, want the first in line 4 of the first import's file and line 6 of the second's", g)
		}
		for key, place := range map[string]string{"c3": "test.csv:3", "c7": "test.csv:7", "c8": "fix.csv:5"} {
			if got, _ := w.where(key); got != place {
				t.Errorf("%s was created at %s, want %s", key, got, place)
			}
		}
		if c, _ := w.store.Customers(t.Context(), "c3"); c[0].Fields["name"] != "=Bob" {
			t.Errorf("a guarded cell came back as %q", c[0].Fields["name"])
		}

		rows = w.rejectFile(second)
		mend(t, rows, 4, "lead_created_at", "2024-12-31")
		mend(t, rows, 6, "email", "hal@example.com")
		rows = append(rows, []string{"", "", "", "", "", "c10", "Ivy", "ivy@example.com", ""})
		third := w.run(joined(rows), options{parent: second.ImportID, named: []string{"again.csv"}})
		if third.Read != 3 || third.Accepted != 3 {
			t.Errorf("the retry of the retry counts %+v, want 3 accepted", third.Counts)
		}
		for key, place := range map[string]string{"c4": "test.csv:4", "c9": "fix.csv:6", "c10": "again.csv:4"} {
			if got, _ := w.where(key); got != place {
				t.Errorf("%s was created at %s, want %s", key, got, place)
			}
		}
	})
}

func TestRetryDoesNotMindTheOrderOfItsRows(t *testing.T) {
	t.Parallel()
	all := someRows(21, 400)
	for i := range all {
		if i%3 == 0 {
			all[i].email, all[i].bad = "nobody at home", true
		}
	}
	counts, exports := map[string]crm.Counts{}, map[string]string{}
	for _, order := range []string{"as it was", "shuffled"} {
		w := newWorld(t, "", "")
		first := w.run(asCSV(all), options{})
		rows := w.rejectFile(first)
		for i, r := range rows[1:] {
			if i%5 > 0 {
				r[6], r[7] = fmt.Sprintf("person%d@example.com", i%17), "Ann"
			}
		}
		if order == "shuffled" {
			rand.New(rand.NewPCG(1, 2)).Shuffle(len(rows)-1, func(i, j int) { rows[i+1], rows[j+1] = rows[j+1], rows[i+1] })
		}
		second := w.run(joined(rows), options{parent: first.ImportID, tuning: crm.Tuning{BatchRows: 11, Group: 2, Writers: 3}})
		counts[order], exports[order] = second.Counts, w.export("news")
		if second.Duplicate == 0 || second.Rejected == 0 || !slices.IsSortedFunc(w.rejected(second), func(a, b crm.RejectedRow) int { return int(a.Line - b.Line) }) {
			t.Errorf("%s: %+v, rejected in the order %v", order, second.Counts, lines(w.rejected(second)))
		}
	}
	if counts["shuffled"] != counts["as it was"] || exports["shuffled"] != exports["as it was"] {
		t.Errorf("the order of the file matters:\n%s%s", cmp.Diff(counts["as it was"], counts["shuffled"]), cmp.Diff(exports["as it was"], exports["shuffled"]))
	}
}

func TestRetryWithAnotherMappingTakesRowsAsTheyAre(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", "")
	const head = "version: 1\ndelimiter: \";\"\nheader: 2\nfooter: 1\ncolumns:\n  Key: customer.external_id\n"
	file := "Report of May\r\nKey;Stage\r\n1;Fresh\r\n2;New Lead\r\n3;Fresh\r\n4;Old\r\nTotal;4\r\n"
	first := w.run(file, options{mapping: head + "  Stage: customer.status\n"})
	if first.Accepted != 1 || first.Rejected != 3 {
		t.Fatalf("counts %+v, want 1 accepted and 3 rejected", first.Counts)
	}
	if err := w.store.SaveMapping(t.Context(), "news", "version: 1\ncolumns: {Absent: customer.name}\n"); err != nil {
		t.Fatal(err)
	}
	asItWas := joined(w.rejectFile(first))
	same := w.run(asItWas, options{parent: first.ImportID})
	if same.Accepted != 0 || same.Rejected != 3 {
		t.Errorf("under the parent's mapping: %+v, want 3 rejected", same.Counts)
	}
	mended := w.run(asItWas, options{parent: first.ImportID, mapping: head + "  Stage: {to: customer.status, values: {Fresh: New Lead}}\n"})
	if mended.Accepted != 2 || mended.Rejected != 1 {
		t.Errorf("under another mapping: %+v, want 2 accepted and 1 rejected", mended.Counts)
	}
	if got, _ := w.where("3"); got != "test.csv:5" {
		t.Errorf("customer 3 was created at %s, want test.csv:5", got)
	}
}

func TestRowThatWasMisreadIsRejectedUntilSomebodyMendsIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", "")
	file := "external_id,name,company\n1,\"A\"nn,x\n2,Bob\n3,Cid,x,y\n4,D\xFFn,x\n5,E\x00e,x\n6,Fay,x\n"
	first := w.run(file, options{mapping: "version: 1\nencoding: utf-8\nheader: 1\n"})
	want := []string{"0:2 stray_quote", "0:3 too_few_cells", "0:4 too_many_cells", "0:5 bad_encoding", "0:6 bad_character"}
	if diff := cmp.Diff(want, lines(w.rejected(first))); diff != "" {
		t.Fatalf("rejected:\n%s", diff)
	}
	second := w.run(joined(w.rejectFile(first)), options{parent: first.ImportID})
	if diff := cmp.Diff(want, lines(w.rejected(second))); diff != "" || second.Accepted != 0 {
		t.Errorf("rejected again, with nothing mended (%d accepted):\n%s", second.Accepted, diff)
	}
	padded := w.run(joined(w.rejectFile(first)), options{parent: first.ImportID, mapping: "version: 1\nshort_rows: pad\n"})
	if padded.Accepted != 1 || padded.Rejected != 4 {
		t.Errorf("with short rows padded: %+v, want one of them accepted", padded.Counts)
	}
	rows := w.rejectFile(second)
	mend(t, rows, 2, "name", "Ann")
	mend(t, rows, 3, "company", "y")
	mend(t, rows, 4, "name", "Cyd")
	mend(t, rows, 5, "name", "Dan")
	mend(t, rows, 6, "name", "Eve")
	rows[3] = rows[3][:len(rows[0])] // the cell too many
	third := w.run(joined(rows), options{parent: second.ImportID})
	if third.Accepted != 5 {
		t.Errorf("mended: %+v, rejected %v; want 5 accepted", third.Counts, lines(w.rejected(third)))
	}
}

// TestRowThatItsOwnerDeclaresRightIsTakenAsItStands blanks the reason of rows
// that could not be read, and nothing else.
func TestRowThatItsOwnerDeclaresRightIsTakenAsItStands(t *testing.T) {
	t.Parallel()
	file := "external_id,name,company\n1,\"A\"nn,x\n2,Bob\n3,Cid,x,y\n4,D\xFFn,x\n5,E\x00e,x\n6,\"F\"ay,x\n"
	for name, written := range map[string]func([][]string) string{
		"CSV": joined, "a workbook": func(rows [][]string) string { return workbook(t, rows) },
	} {
		w := newWorld(t, "", "")
		first := w.run(file, options{mapping: "version: 1\nencoding: utf-8\nheader: 1\n"})
		rows := w.rejectFile(first)
		ours, _ := crm.ParseRejectHeader(rows[0])
		for _, r := range rows[1 : len(rows)-1] { // of the last one the reason stays
			r[ours.Reason] = " "
		}
		second := w.run(written(rows), options{parent: first.ImportID})
		want := []string{"0:4 too_many_cells", "0:5 bad_encoding", "0:6 bad_character", "0:7 stray_quote"}
		if diff := cmp.Diff(want, lines(w.rejected(second))); diff != "" || second.Accepted != 2 {
			t.Errorf("%s: counts %+v, rejected again:\n%s", name, second.Counts, diff)
		}
		c, err := w.store.Customers(t.Context(), "1")
		if err != nil || len(c) != 1 || c[0].Fields["name"] != rows[1][ours.Width()+1] {
			t.Errorf("%s: customer %+v, %v; want it as the reject file shows it", name, c, err)
		}
	}
}

// TestRetrySettlesUnderTheAddressesOfItsParent lets the last step reject rows of
// a second file, first for want of their customers, then of some of them.
func TestRetrySettlesUnderTheAddressesOfItsParent(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, url string) {
		w := newWorld(t, url, "")
		const only = "version: 1\nonly: [contacts]\n"
		file := func(from int) string {
			text := "external_id,email,first_name\n"
			for i := range 4 {
				text += fmt.Sprintf("k%d,p%d@example.com,Ann\n", from+i, from+i)
			}
			return text
		}
		first := w.run(file(0), options{more: []string{file(4)}, named: []string{"a.csv", "b.csv"}, mapping: only})
		if first.Rejected != 8 {
			t.Fatalf("counts %+v, want 8 rejected", first.Counts)
		}
		w.run("external_id,name\nk2,x\nk5,x\nk7,x\n", options{})
		tuning := crm.Tuning{BatchRows: 3, Group: 2}
		second := w.run(joined(w.rejectFile(first)), options{parent: first.ImportID, mapping: only, tuning: tuning})
		want := []string{"0:2", "0:3", "0:5", "1:2", "1:4"}
		for i := range want {
			want[i] += " no_such_customer"
		}
		if diff := cmp.Diff(want, lines(w.rejected(second))); diff != "" || second.Accepted != 3 {
			t.Errorf("rejected again (%+v):\n%s", second.Counts, diff)
		}
		c, err := w.store.Contacts(t.Context(), "p5@example.com")
		if err != nil || len(c) != 1 || c[0].Created.File != "b.csv" || c[0].Created.Line != 3 {
			t.Errorf("contact %+v, %v; want it created by line 3 of b.csv", c, err)
		}
	})
}

func TestRetryGivesWayToWhatChangedSince(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", "")
	first := w.run(someRejected, options{})
	w.run("external_id,name\nc3,Newer\nc6,Newer\n", options{})
	rows := w.rejectFile(first)
	for _, line := range []int{3, 6, 7} {
		mend(t, rows, line, "email", "mended@example.com")
	}
	second := w.run(joined(rows), options{parent: first.ImportID})
	want := []string{"0:3 changed_since", "0:4 bad_date", "0:6 changed_since"}
	if diff := cmp.Diff(want, lines(w.rejected(second))); diff != "" || second.Accepted != 1 {
		t.Errorf("counts %+v, rejected:\n%s", second.Counts, diff)
	}
}

func TestRetryStepRunTwiceCountsOnce(t *testing.T) {
	t.Parallel()
	rows := someRows(31, 300)
	var reports [2]crm.Report
	var exports [2]string
	for i := range reports {
		w := newWorld(t, "", "")
		first := w.run(asCSV(rows), options{})
		file := w.rejectFile(first)
		slices.Reverse(file[1:])
		for n, r := range file[1:] {
			if n%2 == 0 {
				r[6] = "mended@example.com"
			}
		}
		if i == 1 {
			w.wrap = func(r worker.ActivityRegistry) worker.ActivityRegistry {
				return wrapped{r, func(do any, name string) any {
					return around(do, func(call func() []reflect.Value, _ any) []reflect.Value {
						first, second := call(), call()
						if a, b := asJSON(t, first[0].Interface()), asJSON(t, second[0].Interface()); name != crm.Dedupe.Name && a != b {
							t.Errorf("%s answers %s, and then %s", name, a, b)
						}
						return second
					})
				}}
			}
		}
		reports[i] = w.run(joined(file), options{parent: first.ImportID, tuning: crm.Tuning{BatchRows: 3}})
		exports[i] = w.export("news")
	}
	if reports[0].Counts != reports[1].Counts || exports[0] != exports[1] {
		t.Errorf("once %+v, twice %+v", reports[0].Counts, reports[1].Counts)
	}
}
