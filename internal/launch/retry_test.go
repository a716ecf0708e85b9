package launch

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/crm"
)

// ended is an import with rejected rows that may be retried.
func ended() crm.ImportRow {
	return crm.ImportRow{Import: crm.Import{ID: "parent", Number: 7, Source: "news"}, State: crm.Done,
		Request: crm.Request{Mode: crm.CreateOnly}, Report: &crm.Report{RejectObject: crm.Object{Key: "rejects"}},
		Files: []crm.FileRow{{Plan: json.RawMessage(`{"layout":{"header":["id","email"]}}`)}}}
}

const oneRow = `{"line":3,"faults":[{"column":"email","reason":"bad_email"}],"cells":["1","nobody"]}` + "\n"

func TestOnlyAnEndedImportWithRejectedRowsIsRetried(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*crm.ImportRow)
		says   string // "" if it may be retried
	}{
		"done":             {func(*crm.ImportRow) {}, ""},
		"cancelled":        {func(r *crm.ImportRow) { r.State = crm.Cancelled }, ""},
		"running":          {func(r *crm.ImportRow) { r.State, r.Report = crm.Running, nil }, "running"},
		"a dry run":        {func(r *crm.ImportRow) { r.Request.Plan = true }, "dry run"},
		"undone":           {func(r *crm.ImportRow) { r.State = crm.Undone }, "undone"},
		"already imported": {func(r *crm.ImportRow) { r.State, r.Report = crm.AlreadyImported, nil }, "earlier"},
		"interrupted":      {func(r *crm.ImportRow) { r.State, r.Report = crm.Interrupted, nil }, "report"},
		"nothing rejected": {func(r *crm.ImportRow) { r.Report.RejectObject = crm.Object{} }, "no rejected rows"},
	} {
		row := ended()
		c.change(&row)
		l := &Launcher{Store: rows{ended: &row}, Stage: shelf{oneRow}}
		f, err := l.RetryFile(t.Context(), row)
		_, again := l.retrying(t.Context(), Options{Parent: "7"})
		var refused *RetryError
		switch {
		case c.says == "" && (err != nil || again != nil || f.Object.Size == 0):
			t.Errorf("%s: %+v, %v, %v; want a file", name, f, err, again)
		case c.says != "" && (!errors.As(err, &refused) || !errors.Is(again, crm.ErrInvalid) || !strings.Contains(refused.Error(), c.says)):
			t.Errorf("%s: %v, %v; want a refusal that speaks of %q", name, err, again, c.says)
		case refused != nil && !strings.HasPrefix(refused.Error(), "import 7 of news cannot be retried: "):
			t.Errorf("%s: %v; want the import named by its number", name, refused)
		}
	}
}

func TestRetryOfASourceMeansItsLatestImportThatReallyRan(t *testing.T) {
	t.Parallel()
	is := func(number int64, source string, state crm.State, plan bool) crm.ImportRow {
		return crm.ImportRow{Import: crm.Import{ID: fmt.Sprintf("id-%d", number), Number: number, Source: source}, State: state, Request: crm.Request{Plan: plan}}
	}
	s := numbered{all: []crm.ImportRow{
		is(1, "news", crm.Done, false), is(2, "news", crm.Failed, false), is(3, "other", crm.Done, false), // 4 is gone
		is(5, "news", crm.Done, true), is(6, "tries", crm.Done, true), is(7, "news", crm.AlreadyImported, false),
		is(8, "other", crm.Running, false),
	}}
	for ref, want := range map[string]int64{
		"news":  2, // a dry run and a repeat came after it
		"other": 8, // it says itself that it must end first
		"tries": 6, // nothing else is there to refuse
		"7":     7, "#5": 5, "id-7": 7,
	} {
		got, err := (&Launcher{Store: s}).parent(t.Context(), ref)
		if err != nil || got.Number != want {
			t.Errorf("retry of %q is of import %d, %v; want %d", ref, got.Number, err, want)
		}
	}
	if _, err := (&Launcher{Store: s}).parent(t.Context(), "nobody"); !errors.Is(err, crm.ErrNotFound) {
		t.Errorf("retry of what is not there: %v, want not found", err)
	}
}

func TestRetryTakesFromItsParentWhatIsNotSaid(t *testing.T) {
	t.Parallel()
	row := ended()
	l := &Launcher{Store: rows{ended: &row}, Stage: shelf{oneRow}}
	mended := []crm.FileRef{{Name: "fix.csv"}}
	for name, c := range map[string]struct{ asked, want Options }{
		"nothing said": {Options{Parent: "7"},
			Options{Parent: "parent", Source: "news", Mode: crm.CreateOnly, Files: []crm.FileRef{{Name: "rejected.csv"}}}},
		"all said": {Options{Parent: "7", Source: "news", Mode: crm.Upsert, Files: mended, Plan: true},
			Options{Parent: "parent", Source: "news", Mode: crm.Upsert, Files: mended, Plan: true}},
	} {
		got, err := l.retrying(t.Context(), c.asked)
		for i := range got.Files {
			got.Files[i].Object = crm.Object{}
		}
		if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
		r, err := l.request(t.Context(), got)
		if err != nil || r.Parent != "parent" || r.Plan != c.want.Plan {
			t.Errorf("%s: request %+v, %v", name, r, err)
		}
	}
	if _, err := l.retrying(t.Context(), Options{Parent: "7", Source: "other"}); !errors.Is(err, crm.ErrInvalid) {
		t.Errorf("a retry into another source: %v, want invalid", err)
	}
}

func TestRejectFileLaysTheRowsOfAllFilesUnderOneHeader(t *testing.T) {
	t.Parallel()
	row := crm.ImportRow{Files: []crm.FileRow{
		{File: crm.File{Number: 0}, Plan: json.RawMessage(`{"layout":{"header":["id","","email"]},"retry":{"file":0,"listed":true}}`)}, // what stood elsewhere came with it
		{File: crm.File{Number: 1}, Plan: json.RawMessage(`{"layout":{"header":["email","","line"]}}`)},
	}}
	l, err := layoutOf(row, []string{"a.csv", "a.csv", "=b.csv"})
	if err != nil {
		t.Fatal(err)
	}
	list := ""
	for _, r := range []crm.RejectedRow{
		{File: 0, Line: 2, Faults: []crm.Rejection{{Column: "email", Reason: crm.ReasonBadEmail}, {Reason: crm.ReasonNoKey}}, Cells: []string{"=1", "x", "+49 30"}},
		{File: 1, Line: 2, Faults: []crm.Rejection{{Reason: crm.ReasonTooFewCells}}, Cells: []string{"a@b.example"}},
		{File: 1, Line: 3, Faults: []crm.Rejection{{Reason: crm.ReasonTooManyCells}}, Cells: []string{"a", "b", "c\nd", "e\r\nf"}},
		{File: 2, Line: 9, Faults: []crm.Rejection{{Reason: crm.ReasonStrayQuote}}, Cells: []string{"\"7"}},
	} {
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		list += string(b) + "\n"
	}
	var out strings.Builder
	if err := writeRejects(&out, l, strings.NewReader(list)); err != nil {
		t.Fatal(err)
	}
	in := csv.NewReader(strings.NewReader(out.String()))
	in.FieldsPerRecord = -1
	got, err := in.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{
		{"file", "line_", "column", "reason", "how to fix", "id", "", "email", "line"},
		{"#1", "2", "email", "bad_email; no_key", "", "'=1", "x", "+49 30", ""},
		{"#2", "2", "", "too_few_cells", "", "", "", "a@b.example", ""},
		{"#2", "3", "", "too_many_cells", "", "", "b", "a", "c d", "e  f"},
		{"'=b.csv", "9", "", "stray_quote", "", "\"7", "", "", ""},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("reject file (-want +got):\n%s", diff)
	}
	if _, ok := crm.ParseRejectHeader(got[0]); !ok {
		t.Errorf("header %q is not known again", got[0])
	}
	if err := writeRejects(failing{}, l, strings.NewReader(list)); err == nil || err.Error() != "full" {
		t.Errorf("a full disk: %v", err)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, fmt.Errorf("full") }
