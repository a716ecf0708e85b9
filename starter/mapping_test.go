package main

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/crm"
	"sluice/internal/mapping"
)

const doubtfulCSV = "Email,Name,Signed up,Trial\na1@example.com,A,03/01/2024,31/12/2024\na2@example.com,B,04/01/2024,30/12/2024\n" +
	"a3@example.com,C,05/02/2024,29/12/2024\nTotal,3,,\n"

func packed(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return aFile(t, "leads.csv.gz", b.String())
}

func TestSuggestShowsEveryGuessWithItsEvidence(t *testing.T) {
	code, out, err := runHere(t, "", "mapping", "suggest", packed(t, strings.Replace(doubtfulCSV, "Trial", "Trial start", 1)))
	if code != 0 || err != "" {
		t.Fatalf("exit %d, stderr %q", code, err)
	}
	golden(t, "suggest.yaml", out)
}

func TestTakingTheSignAwayIsAllThereIsToDo(t *testing.T) {
	file := aFile(t, "leads.csv", doubtfulCSV)
	_, out, _ := runHere(t, "", "mapping", "suggest", file)
	if code, _, err := runHere(t, "", "mapping", "check", aFile(t, "m.yaml", out), file); code != exitUsage || !strings.Contains(err, "date_order") {
		t.Errorf("as suggested: exit %d, stderr %q; want 2 and what is undecided", code, err)
	}
	decided := regexp.MustCompile(`(?m)^# (\w+: \S+  #)`).ReplaceAllString(out, "$1")
	code, text, err := runHere(t, "", "mapping", "check", aFile(t, "m.yaml", decided), file)
	if code != 0 || !strings.Contains(text, "leads.csv fits it") || !strings.Contains(text, "1 row") {
		t.Errorf("without the signs: exit %d, stderr %q, stdout\n%s", code, err, text)
	}
}

// TestSuggestAgreesWithAnImport compares where columns go under the suggested
// mapping with where an import without a mapping takes them.
func TestSuggestAgreesWithAnImport(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../internal/mapping/testdata/headers/*.csv")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, path := range append(files, "../examples/leads.csv", "../examples/leads.xlsx", "../examples/messy.csv") {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		in := input{name: filepath.Base(path), path: path, size: info.Size()}
		var r reading
		whole, err := r.look(t.Context(), in, true)
		if err != nil {
			t.Fatal(err)
		}
		defer whole.close()
		begun, err := r.look(t.Context(), in, false)
		if err != nil {
			t.Fatal(err)
		}
		defer begun.close()
		if diff := cmp.Diff(begun.layout, whole.layout); diff != "" {
			t.Errorf("%s: a look at the beginning and one at all differ:\n%s", path, diff)
		}
		spec, _ := mapping.Suggest(whole.layout.Header, whole.samples, r.options)
		suggested, _, err := mapping.Resolve(whole.layout.Header, whole.samples, spec, r.options)
		if err != nil {
			t.Errorf("%s: the suggestion does not fit: %v", path, err)
			continue
		}
		imported, _, err := mapping.Resolve(begun.layout.Header, begun.samples, nil, r.options)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if diff := cmp.Diff(targets(imported), targets(suggested)); diff != "" {
			t.Errorf("%s: columns go elsewhere (-import +suggested):\n%s", path, diff)
		}
	}
}

func targets(m *mapping.Mapping) map[string][]string {
	all := map[string][]string{}
	for _, c := range m.Columns {
		if len(c.To) > 0 {
			all[c.Name] = c.To
		}
	}
	return all
}

func TestAMendedFileIsCheckedWithoutOurColumns(t *testing.T) {
	t.Parallel()
	c := layoutOf(someFiles([]string{"Mail", "Who"}), false)
	list := written(t, c, asCSV, []crm.RejectedRow{{Line: 7, Cells: []string{"ana@example.com", "Ana"}}})
	spec := "delimiter: \";\"\nheader: 3\ncolumns:\n  Mail: customer.email\n" // said of the parent's file
	r, err := readMapping("", crm.Source{Mapping: spec}, readingFlags{}, meaningFlags{})
	if err != nil {
		t.Fatal(err)
	}
	in := func(text string) input {
		path := aFile(t, "fix.csv", text)
		return input{name: "fix.csv", path: path, size: int64(len(text))}
	}
	if known, err := r.checkMended(t.Context(), in(string(list))); err != nil || !known {
		t.Errorf("a reject file: %v, %v", known, err)
	}
	if known, err := r.checkMended(t.Context(), in("made\nby hand\nMail;Who\nana@example.com;Ana\n")); err != nil || known {
		t.Errorf("a file of rows alone: %v, %v", known, err)
	}
	if _, err := r.checkMended(t.Context(), in(strings.Replace(string(list), "Mail", "Post", 1))); codeOf(err) != exitUsage || !strings.Contains(err.Error(), "Mail") {
		t.Errorf("a file without a column of the mapping: %v", err)
	}
}

func TestHiddenRowsAreProposedUntilTheyAreSet(t *testing.T) {
	t.Parallel()
	found := crm.Decision{About: "hidden rows", Choice: crm.ImportHidden, Evidence: "the sheet hides 2 rows", Score: 0.5}
	list := proposed([]crm.Decision{found})
	if len(list) != 1 || list[0] != (proposal{"hidden: skip", "the sheet hides 2 rows; take the # away if they are no rows"}) {
		t.Errorf("proposals %+v", list)
	}
	found.Score = 1
	if list := proposed([]crm.Decision{found}); len(list) != 0 {
		t.Errorf("what is set is proposed: %+v", list)
	}
}
