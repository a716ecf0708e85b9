package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/crm"
	"sluice/internal/mapping"
)

func TestBadFlagsAreUsageErrorsOfOneLine(t *testing.T) {
	good := aFile(t, "leads.csv", goodCSV)
	for _, c := range []struct {
		says string
		args []string
	}{
		{"--delimiter", []string{"--delimiter", "nine chars"}}, {"--delimiter", []string{"--delimiter", "\x01"}},
		{"--quote", []string{"--quote", "««"}}, {"--escape", []string{"--escape", "caret"}},
		{"--header", []string{"--header", "0"}}, {"--header", []string{"--header", "first"}},
		{"--footer: use a number of rows", []string{"--footer=-1"}}, {"--footer: use a number of rows", []string{"--footer", "-1"}}, {"--short-rows", []string{"--short-rows", "drop"}}, {"--hidden", []string{"--hidden", "show"}},
		{"--date-order", []string{"--date-order", "ydm"}}, {`"domain" but got "name"`, []string{"--match", "name"}}, {"--bad-cells", []string{"--bad-cells", "keep"}},
		{"encoding", []string{"--encoding", "no-such-encoding"}},
		{"--writers: use a whole number from 1", []string{"--writers", "-1"}}, {"--writers: use a whole number from 1", []string{"--writers", "two"}},
		{"--batch-rows: use a whole number from 1", []string{"--batch-rows", "0"}}, {"--batch-bytes: use a whole number from 1", []string{"--batch-bytes=0"}},
		{"--heartbeat", []string{"--heartbeat=-1s"}},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) { refused(t, "", c.says, append([]string{good}, c.args...)...) })
	}
	for _, n := range []string{"0", "-1"} {
		code, out, err := runHere(t, "", "imports", "list", "--limit", n, "--data-dir", t.TempDir())
		if code != exitUsage || out != "" || !strings.Contains(err, "--limit: use a whole number from 1") || strings.Count(err, "\n") != 1 {
			t.Errorf("--limit %s: exit %d, stdout %q, stderr %q; want 2 and one line", n, code, out, err)
		}
	}
}

func TestFlagsWinOverTheMappingAndAreStagedWithIt(t *testing.T) {
	t.Parallel()
	zero := 0
	file := "version: 1\nmode: create_only\nencoding: utf-8\ndelimiter: \";\"\nfooter: 2\ndate_order: mdy\ncolumns:\n  Mail: customer.email\n"
	for _, c := range []struct {
		name  string
		saved string
		path  string
		flags readingFlags
		means meaningFlags
		want  *mapping.Spec // nil: nothing is staged
	}{
		{name: "nothing said"},
		{name: "the saved mapping alone", saved: file},
		{name: "a sheet alone", saved: file, flags: readingFlags{Sheet: "2024"}},
		{name: "flags alone", flags: readingFlags{Delimiter: "tab"}, want: &mapping.Spec{Version: 1, Reading: crm.Reading{Delimiter: "tab"}}},
		{name: "flags over the saved mapping", saved: file, flags: readingFlags{Delimiter: "|", Footer: &zero}, means: meaningFlags{DateOrder: "dmy", BadCells: "blank", Match: "email"},
			want: &mapping.Spec{Version: 1, Mode: crm.CreateOnly, DateOrder: mapping.DMY, Match: crm.MatchEmail, BadCells: mapping.BlankCell,
				Reading: crm.Reading{Encoding: "utf-8", Delimiter: "|"}, Columns: []mapping.ColumnSpec{{Column: "Mail", To: []string{"customer.email"}}}}},
		{name: "flags over a mapping file", saved: "version: 1\nmode: update_only\n", path: file, flags: readingFlags{Comment: "#"},
			want: &mapping.Spec{Version: 1, Mode: crm.CreateOnly, DateOrder: mapping.MDY,
				Reading: crm.Reading{Encoding: "utf-8", Delimiter: ";", Comment: "#", Footer: 2}, Columns: []mapping.ColumnSpec{{Column: "Mail", To: []string{"customer.email"}}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path := ""
			if c.path != "" {
				path = aFile(t, "m.yaml", c.path)
			}
			r, err := readMapping(path, crm.Source{Mapping: c.saved}, c.flags, c.means)
			if err != nil {
				t.Fatal(err)
			}
			if c.want == nil {
				if r.text != nil || r.settings.Sheet != c.flags.Sheet {
					t.Errorf("staged %q with sheet %q, want nothing and %q", r.text, r.settings.Sheet, c.flags.Sheet)
				}
				return
			}
			staged, err := mapping.ParseSpec(r.text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, staged); diff != "" {
				t.Errorf("staged (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.want.Reading, r.settings); diff != "" {
				t.Errorf("checked under (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAFileIsReadAsTheFlagsSay(t *testing.T) {
	odd := aFile(t, "odd.txt", "made on Monday\nMail~Who\n# nobody\nana@example.com~'An~a'\nbo@example.com~Bo\nend~\n")
	args := []string{"mapping", "suggest", odd, "--data-dir", filepath.Join(t.TempDir(), "data"),
		"--delimiter", "~", "--quote", "'", "--header", "2", "--comment", "#", "--footer", "1", "--encoding", "windows-1252"}
	code, out, err := runHere(t, "", args...)
	if code != 0 || err != "" {
		t.Fatalf("exit %d, stderr %q", code, err)
	}
	_, yaml, _ := strings.Cut(out, "\nversion")
	spec, fault := mapping.ParseSpec([]byte("version" + yaml))
	if fault != nil {
		t.Fatal(fault)
	}
	want := crm.Reading{Encoding: "windows-1252", Delimiter: "~", Quote: "'", Header: "2", Comment: "#", Footer: 1}
	if spec.Reading != want || len(spec.Columns) != 2 {
		t.Errorf("suggested %+v with %d columns, want %+v with 2", spec.Reading, len(spec.Columns), want)
	}
}
