package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"sluice/internal/crm"
	"sluice/internal/tabular"
)

var rejectedRows = []crm.RejectedRow{
	{Line: 2, Faults: []crm.Rejection{{Column: "Email", Reason: crm.ReasonBadEmail}}, Cells: []string{"nobody", "=HYPERLINK(\"x\")", "+41 44"}},
	{Line: 5, Faults: []crm.Rejection{{Reason: crm.ReasonTooFewCells}}, Cells: []string{"@sum"}},
	{Line: 7, Faults: []crm.Rejection{{Column: "Email", Reason: crm.ReasonRequired}, {Column: "=Phone", Reason: crm.ReasonTooLong}}, Cells: []string{"", "-1", "\ttab"}},
	{Line: 9, Faults: []crm.Rejection{{Reason: crm.ReasonTooManyCells}}, Cells: []string{"a", "b", "c", "d, e"}},
}

func staged(t *testing.T, rows []crm.RejectedRow) string {
	t.Helper()
	var list bytes.Buffer
	e := json.NewEncoder(&list)
	for _, r := range rows {
		if err := e.Encode(r); err != nil {
			t.Fatal(err)
		}
	}
	return list.String()
}

// someFiles are files with the given headers.
func someFiles(headers ...[]string) (o origins) {
	for i, h := range headers {
		o.names = append(o.names, "leads"+strconv.Itoa(i)+".csv")
		o.plans = append(o.plans, filePlan{Layout: tabular.Layout{Header: h}})
	}
	return o
}

func written(t *testing.T, c *crm.RejectLayout, form string, rows []crm.RejectedRow) []byte {
	t.Helper()
	var out bytes.Buffer
	w := newRowWriter(&out, c, form)
	if err := errors.Join(eachRow(strings.NewReader(staged(t, rows)), w.row), w.close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestRejectsKeepTheirCells(t *testing.T) {
	t.Parallel()
	from := someFiles([]string{"Email", "Name", "=Phone"})
	for _, c := range []struct {
		name, form string
		raw        bool
	}{{"rejects.csv", asCSV, false}, {"rejects_raw.csv", asCSV, true}, {"rejects.ndjson", asJSON, false}} {
		golden(t, c.name, string(written(t, layoutOf(from, c.raw), c.form, rejectedRows)))
	}
}

func TestAWorkbookOfRejectsHighlightsTheCellsAtFault(t *testing.T) {
	t.Parallel()
	book, err := excelize.OpenReader(bytes.NewReader(written(t, layoutOf(someFiles([]string{"Email", "Name", "=Phone"}), false), asXLSX, rejectedRows)))
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	sheet := book.GetSheetName(0)
	rows, err := book.GetRows(sheet)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := rows[3][4:], []string{"", "-1", "'\ttab"}; !cmp.Equal(got, want) {
		t.Errorf("the third row has the cells %q, want %q", got, want)
	}
	marked := map[string]bool{}
	for y := range rows {
		for x := range 8 {
			at, _ := excelize.CoordinatesToCellName(x+1, y+1)
			id, err := book.GetCellStyle(sheet, at)
			if err != nil {
				t.Fatal(err)
			}
			if style, err := book.GetStyle(id); err == nil && style.Fill.Pattern == 1 {
				marked[at] = true
			}
		}
	}
	// Whole rows at fault have their reason highlighted.
	if want := map[string]bool{"E2": true, "C3": true, "E4": true, "G4": true, "C5": true}; !cmp.Equal(marked, want) {
		t.Errorf("highlighted are %v, want %v", marked, want)
	}
}

func TestARejectFileCanBeTakenApartAgain(t *testing.T) {
	t.Parallel()
	header := []string{"line", "Email", "reason"} // called like ours
	for _, raw := range []bool{false, true} {
		c := layoutOf(someFiles(header), raw)
		cells := []string{"x", "'=1+1", "=cmd"}
		records, err := csv.NewReader(bytes.NewReader(written(t, c, asCSV, []crm.RejectedRow{{Line: 8812, Cells: cells}}))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		at, ok := crm.ParseRejectHeader(records[0])
		if !ok || at.Raw != raw {
			t.Fatalf("ParseRejectHeader(%q) = %+v, %v", records[0], at, ok)
		}
		got := records[1][at.Width():]
		for i := range got {
			if !raw {
				got[i] = crm.Unguard(got[i])
			}
		}
		if records[1][at.Line] != "8812" || !cmp.Equal(got, cells) || !cmp.Equal(records[0][at.Width():], header) {
			t.Errorf("raw %v: got %q under %q", raw, records[1], records[0])
		}
	}
}

func TestRowsOfSeveralFilesStandUnderTheirColumns(t *testing.T) {
	t.Parallel()
	c := layoutOf(someFiles([]string{"Email", "", "Name"}, []string{"Name", "Email", "", "Phone"}), false)
	got := string(written(t, c, asCSV, []crm.RejectedRow{
		{File: 0, Line: 2, Cells: []string{"a@", "?", "Ana"}}, {File: 1, Line: 3, Cells: []string{"Bo", "b@", "!", "044"}}}))
	want := "file,line,column,reason,how to fix,Email,,Name,Phone\nleads0.csv,2,,,,a@,?,Ana,\nleads1.csv,3,,,,b@,!,Bo,044\n"
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestFilesOfOneNameAreToldByTheirNumbers(t *testing.T) {
	t.Parallel()
	o := origins{names: []string{"leads.csv", "b.csv", "leads.csv"}}
	if got, want := o.files(), []string{"#1", "b.csv", "#3"}; !cmp.Equal(got, want) {
		t.Errorf("files = %q, want %q", got, want)
	}
	if got := (origins{names: []string{"leads.csv"}}).files(); got != nil {
		t.Errorf("files of one = %q, want none", got)
	}
}

type named []string

func (n named) FileNames(context.Context, int64) ([]string, error) { return n, nil }

func TestRowsOfARetrySayWhereTheyStoodFirst(t *testing.T) {
	t.Parallel()
	plan, err := json.Marshal(map[string]any{"layout": tabular.Layout{Header: []string{"Email"}}, "retry": map[string]any{"file": 2, "listed": true}})
	if err != nil {
		t.Fatal(err)
	}
	o, err := originsOf(t.Context(), named{"a.csv", "b.csv", "fix.csv"}, crm.ImportRow{Files: []crm.FileRow{{Plan: plan}}})
	if err != nil {
		t.Fatal(err)
	}
	got := string(written(t, layoutOf(o, false), asCSV, []crm.RejectedRow{{File: 1, Line: 7, Cells: []string{"a@"}}}))
	if want := "file,line,column,reason,how to fix,Email\nb.csv,7,,,,a@\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestALongCellIsNotCutInSilence(t *testing.T) {
	t.Parallel()
	if tooLong([]string{strings.Repeat("ä", sheetCharacters)}) {
		t.Error("a cell that a sheet holds is called too long")
	}
	if !tooLong([]string{"", strings.Repeat("a", sheetCharacters+1)}) {
		t.Error("a cell that a sheet cuts is not called too long")
	}
}

func TestAListNeverReplacesAFile(t *testing.T) {
	t.Parallel()
	path := aFile(t, "fix.xlsx", "mended by hand")
	err := listFlags{To: path}.check(os.Stdout)
	if err == nil || codeOf(err) != exitUsage || !strings.Contains(err.Error(), "exists already") {
		t.Errorf("check = %v with exit code %d, want a usage error", err, codeOf(err))
	}
}

func TestAListThatFailsLeavesNoFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := &session{printer: newPrinter(streams{nil, &bytes.Buffer{}, &bytes.Buffer{}})}
	for _, fails := range []bool{true, false} {
		err := s.list(listFlags{To: filepath.Join(dir, "fix.csv")}, func(w io.Writer) error {
			_, err := io.WriteString(w, "line\n")
			if fails {
				err = errors.New("the stage is gone")
			}
			return err
		})
		left, _ := filepath.Glob(filepath.Join(dir, "*"))
		hidden, _ := filepath.Glob(filepath.Join(dir, ".sluice*"))
		if fails != (err != nil) || fails != (len(left) == 0) || len(hidden) != 0 {
			t.Errorf("fails %v: err %v, left behind %v and %v", fails, err, left, hidden)
		}
	}
}

func TestTheFormOfAListFollowsItsName(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		flags listFlags
		want  string
	}{
		{listFlags{}, asCSV}, {listFlags{To: "fix.XLSX"}, asXLSX}, {listFlags{To: "a.ndjson"}, asJSON},
		{listFlags{To: "fix"}, asCSV}, {listFlags{To: "fix.xlsx", Output: asCSV}, asCSV},
	} {
		if got := c.flags.form(); got != c.want {
			t.Errorf("form of %+v = %q, want %q", c.flags, got, c.want)
		}
	}
}
