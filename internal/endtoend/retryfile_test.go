package endtoend

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRetryReadsColumnsAsTheImportDid(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", "")
	// One row tells that the day comes first, and it is not among the rejected
	// ones; nor is a sound address, by which the column would be known.
	file := "external_id,email,lead_created_at\n1,a@example.com,31/01/2024\n2,a@example.com,01/01/2024\n3,a@example.com,,\n" +
		"4,nobody,03/04/2024\n5,no one,05/06/2024\n"
	first := w.run(file, options{})
	if first.Rejected != 3 {
		t.Fatalf("counts %+v, want 3 rejected", first.Counts)
	}
	rows := w.rejectFile(first)
	mend(t, rows, 5, "email", "b@example.com")
	second := w.run(joined(rows), options{parent: first.ImportID})
	c, err := w.store.Customers(t.Context(), "4")
	if err != nil || len(c) != 1 || second.Accepted != 1 || c[0].Fields["lead_created_at"] != "2024-04-03T00:00:00.000Z" {
		t.Errorf("counts %+v, customer %+v, %v; want the third of April", second.Counts, c, err)
	}
}

func TestRetryOfSeveralFilesKnowsThemApart(t *testing.T) {
	t.Parallel()
	one := "external_id,name,email\n1,Ann,nobody\n2,Bob,bob@example.com\n"
	two := "email,external_id,city\nnobody,3,Ulm\nnobody,4,Bonn\nz@example.com,6,Kiel\ny@example.com,7,Kiel\n"
	for name, names := range map[string][]string{"names": {"a.csv", "b.csv"}, "one name": {"a.csv", "a.csv"}} {
		w := newWorld(t, "", "")
		first := w.run(one, options{more: []string{two}, named: names})
		rows := w.rejectFile(first)
		for _, r := range rows[1:] {
			r[slices.Index(rows[0], "email")] = "x" + r[6] + "@example.com"
		}
		slices.Reverse(rows[1:])
		second := w.run(joined(rows), options{parent: first.ImportID, more: []string{"external_id,name\n5,Eve\n"}, named: []string{"fix.csv", "new.csv"}})
		if second.Accepted != 4 {
			t.Errorf("%s: %+v, rejected %v; want 4 accepted", name, second.Counts, lines(w.rejected(second)))
		}
		for key, place := range map[string]string{"1": names[0] + ":2", "3": names[1] + ":2", "4": names[1] + ":3", "5": "new.csv:2"} {
			if got, _ := w.where(key); got != place {
				t.Errorf("%s: %s was created at %s, want %s", name, key, got, place)
			}
		}
	}
}

func TestRetryTakesARejectFileThatIsAWorkbook(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", "")
	first := w.run(someRejected, options{mapping: "version: 1\nheader: 1\ndelimiter: \",\"\n"})
	rows := w.rejectFile(first)
	mend(t, rows, 6, "email", "eve@example.com")
	rows = append(rows, []string{"", "", "", "", "c9", "Hal", "nobody", ""})
	slices.Reverse(rows[1:])
	second := w.run(workbook(t, rows), options{parent: first.ImportID})
	want := []string{"0:3 bad_email", "0:4 bad_date", "0:7 bad_email", "1:2 bad_email"}
	if diff := cmp.Diff(want, lines(w.rejected(second))); diff != "" || second.Accepted != 1 {
		t.Errorf("counts %+v, rejected:\n%s", second.Counts, diff)
	}
	if got, _ := w.where("c6"); got != "test.csv:6" {
		t.Errorf("c6 was created at %s, want test.csv:6", got)
	}
}

func TestRetryOfAFileThatIsNoRejectFileIsOfNewRows(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", "")
	first := w.run(someRejected, options{mapping: "version: 1\ndelimiter: \",\"\n"})
	second := w.run("external_id,email\nc3,bob@example.com\n", options{parent: first.ImportID, named: []string{"own.csv"}})
	if got, _ := w.where("c3"); got != "own.csv:2" || second.Accepted != 1 {
		t.Errorf("created at %s, counts %+v; want own.csv:2", got, second.Counts)
	}
}

func TestRejectFileThatCannotBeFollowedWritesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", "")
	first := w.run(someRejected, options{more: []string{someRejected}, named: []string{"a.csv", "a.csv"}})
	other := w.run(someRejected, options{source: "other"})
	file := func(lines ...string) string {
		return "file,line,column,reason,how to fix,external_id,name\n" + strings.Join(lines, "\n") + "\n"
	}
	for name, c := range map[string]struct {
		file  string
		o     options
		words []string
	}{
		"no number":     {file("#1,3,,,,x,x", "#1,3a,,,,x,x"), options{}, []string{"line 3", `"line"`}},
		"no line":       {file("#1,0,,,,x,x"), options{}, []string{"line 2", `"line"`}},
		"one row twice": {file("#1,3,,,,x,x", "#2,3,,,,x,x", "#1,4,,,,x,x", "#1,3,,,,y,y"), options{}, []string{"lines 2 and 5", `"line"`}},
		"two files":     {file("a.csv,3,,,,x,x"), options{}, []string{"line 2", `"file"`, "2 files", "#2"}},
		"no file":       {file("#1,3,,,,x,x", "b.csv,3,,,,x,x"), options{}, []string{"line 3", `"file"`}},
		"no file named": {"line,column,reason,how to fix,external_id,name\n3,,,,x,x\n", options{}, []string{`"file"`}},
		"a stray quote": {file("#1,3,,,,x,x", "#1,4,,,,\"x\"y,x"), options{}, []string{"line 3", "stray_quote"}},
		"two of them":   {file("#1,3,,,,x,x"), options{more: []string{file("#1,4,,,,x,x")}}, []string{"files 1 and 2"}},
		"other source":  {file("#1,3,,,,x,x"), options{parent: other.ImportID}, []string{other.ImportID}},
	} {
		if c.o.parent == "" {
			c.o.parent = first.ImportID
		}
		before := w.export("news")
		_, err := w.try(c.file, c.o)
		for _, word := range c.words {
			if err == nil || !strings.Contains(err.Error(), word) {
				t.Errorf("%s: %v; want an error that says %q", name, err, word)
			}
		}
		if err == nil || name == "two of them" {
			continue // the first of the two is in
		}
		if w.export("news") != before {
			t.Errorf("%s: something was written", name)
		}
	}
}
