package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"sluice/internal/crm"
	"sluice/internal/mapping"
	"sluice/internal/stage"
	"sluice/internal/store"
	"sluice/internal/tabular"
)

// An installation is a database and a stage, with nothing that runs.
type installation struct {
	t     *testing.T
	flags []string
	db    *store.Store
	stage *stage.Stage
}

func anInstallation(t *testing.T) *installation {
	t.Helper()
	dir := t.TempDir()
	database, place := "sqlite://"+filepath.Join(dir, "crm.db"), "file://"+filepath.Join(dir, "stage")
	i := &installation{t: t, flags: []string{"--database-url", database, "--stage-url", place, "--data-dir", filepath.Join(dir, "data")}}
	var err error
	if i.db, err = store.Open(t.Context(), database); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = i.db.Close() })
	if err := i.db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if i.stage, err = stage.Open(t.Context(), place); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = i.stage.Close() })
	if err := i.db.AddSource(t.Context(), crm.Source{Slug: "newsletter", Title: "newsletter", Kind: crm.KindFile}); err != nil {
		t.Fatal(err)
	}
	return i
}

// ended makes an import that has ended, with rejected rows.
func (i *installation) ended(r crm.Request, rows ...crm.RejectedRow) crm.ImportRow {
	i.t.Helper()
	must := func(err error) {
		i.t.Helper()
		if err != nil {
			i.t.Fatal(err)
		}
	}
	ctx := i.t.Context()
	id, err := uuid.NewV7()
	must(err)
	r.Version, r.ID, r.Source, r.AskedAt = crm.RequestVersion, id.String(), "newsletter", time.Now()
	r.Files = []crm.FileRef{{Name: "leads.csv", Object: crm.Object{Key: "files/x", Size: 9, BLAKE3: strings.Repeat("0", 64)}}}
	opened, err := i.db.OpenImport(ctx, r, "")
	must(err)
	header := []string{"Email", "Signed up"}
	spec, err := mapping.ParseSpec([]byte("columns:\n  Email: customer.email\n  Signed up: {to: customer.lead_created_at, date_order: mdy}\n"))
	must(err)
	m, _, err := mapping.Resolve(header, nil, spec, mapping.Options{})
	must(err)
	plan, err := json.Marshal(map[string]any{"layout": tabular.Layout{Header: header}, "mapping": m})
	must(err)
	must(i.db.SaveFile(ctx, opened.Import.Number, crm.FileRow{File: crm.File{Name: "leads.csv"}, Plan: plan}, crm.Writing{}))
	report := crm.Report{ImportID: id.String(), Number: opened.Import.Number, Source: "newsletter", State: crm.Done, Parent: r.Parent, DryRun: r.Plan,
		Counts: crm.Counts{Read: int64(len(rows)), Rejected: int64(len(rows))}, StartedAt: start, EndedAt: start.Add(time.Second)}
	if len(rows) > 0 {
		report.Rejects = []crm.RejectGroup{{Reason: rows[0].Faults[0].Reason, Column: rows[0].Faults[0].Column, Count: int64(len(rows)), FirstLine: rows[0].Line}}
		report.RejectObject, err = i.stage.PutCompressed(ctx, "lists/"+id.String(), bytes.NewReader([]byte(staged(i.t, rows))))
		must(err)
	}
	_, err = i.db.EndImport(ctx, opened.Import.Number, report, nil)
	must(err)
	row, err := i.db.Import(ctx, id.String())
	must(err)
	return row
}

// already makes an import that found its work done by an earlier one.
func (i *installation) already(earlier crm.ImportRow) crm.ImportRow {
	i.t.Helper()
	r := earlier.Request
	r.ID, r.Again = uuid.Must(uuid.NewV7()).String(), false
	opened, err := i.db.OpenImport(i.t.Context(), r, "")
	if err != nil || opened.Import.ID == "" {
		i.t.Fatal(opened, err)
	}
	report := crm.Report{ImportID: r.ID, Number: opened.Import.Number, Source: "newsletter", State: crm.AlreadyImported, Earlier: opened.Earlier}
	if _, err := i.db.EndImport(i.t.Context(), opened.Import.Number, report, nil); err != nil {
		i.t.Fatal(err)
	}
	row, err := i.db.Import(i.t.Context(), r.ID)
	if err != nil || row.State != crm.AlreadyImported {
		i.t.Fatalf("state %q, %v; want already imported", row.State, err)
	}
	return row
}

func (i *installation) run(args ...string) (code int, out, err string) {
	i.t.Helper()
	return runHere(i.t, "", append(args, i.flags...)...)
}

func wrongDates() []crm.RejectedRow {
	fault := []crm.Rejection{{Column: "Signed up", Reason: crm.ReasonBadDate}}
	return []crm.RejectedRow{{Line: 2, Faults: fault, Cells: []string{"a@example.com", "13/01/2024"}}, {Line: 8_812, Faults: fault, Cells: []string{"b@example.com", "31/12/2024"}}}
}

func TestRejectedRowsAreListedWithoutAnythingRunning(t *testing.T) {
	i := anInstallation(t)
	i.ended(crm.Request{}, wrongDates()...)
	code, out, err := i.run("imports", "rejects", "newsletter")
	want := "line,column,reason,how to fix,Email,Signed up\n2,Signed up,bad_date,Write the date as 2024-05-31.,a@example.com,13/01/2024\n" +
		"8812,Signed up,bad_date,Write the date as 2024-05-31.,b@example.com,31/12/2024\n"
	if code != 0 || out != want || err != "" {
		t.Errorf("exit %d, stderr %q, stdout\n%swant\n%s", code, err, out, want)
	}
	to := filepath.Join(t.TempDir(), "fix.xlsx")
	if code, out, err := i.run("imports", "rejects", "1", "--to", to); code != 0 || out != "" || err != "wrote "+to+"\n" {
		t.Errorf("--to: exit %d, stdout %q, stderr %q", code, out, err)
	}
	if code, _, err := i.run("imports", "rejects", "1", "--to", to); code != exitUsage || !strings.Contains(err, "exists already") {
		t.Errorf("--to a second time: exit %d, stderr %q", code, err)
	}
	code, out, _ = i.run("imports", "rejects", "newsletter", "--groups")
	if code != 0 || !strings.Contains(out, "lines    2, 8,812\n") || !strings.Contains(out, "date_order: dmy reads all; the column was decided as mdy") ||
		!strings.Contains(out, "starter imports retry 1 --date-order dmy\n") {
		t.Errorf("--groups: exit %d, stdout\n%s", code, out)
	}
	code, out, _ = i.run("imports", "rejects", "newsletter", "--groups", "-o", "json")
	var g groupObject
	if json.Unmarshal([]byte(out), &g) != nil || code != 0 || g.Count != 2 || g.Lines[1] != 8_812 || g.Cures[0] != (cureCount{"date_order: dmy", 2}) {
		t.Errorf("--groups as JSON: exit %d, stdout %s", code, out)
	}
}

func TestImportsNameThoseThatBelongToThem(t *testing.T) {
	i := anInstallation(t)
	parent := i.ended(crm.Request{}, wrongDates()...)
	i.ended(crm.Request{Parent: parent.ID, Again: true}, wrongDates()[:1]...)
	i.ended(crm.Request{Plan: true, Again: true})
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"imports", "show", "1"}, "retried by     import 2\n"},
		{[]string{"imports", "show", "2"}, "Import 2 of newsletter, retry of import 1: done, 1 row rejected\n"},
		{[]string{"imports", "show", "3"}, "Import 3 of newsletter: done; dry run: nothing was written\n"},
		{[]string{"imports", "list"}, "done, dry run"},
		{[]string{"imports", "list"}, "done, retry"},
	} {
		code, out, err := i.run(c.args...)
		if squeezed := strings.Join(strings.Fields(c.says), " "); code != 0 || !strings.Contains(strings.Join(strings.Fields(out), " "), squeezed) {
			t.Errorf("starter %s: exit %d, stderr %q, stdout does not say %q:\n%s", strings.Join(c.args, " "), code, err, squeezed, out)
		}
	}
}

func TestWatchExitsAsTheImportDid(t *testing.T) {
	i := anInstallation(t)
	i.ended(crm.Request{}, wrongDates()...)
	i.ended(crm.Request{Plan: true, Again: true})
	for number, want := range map[string]int{"1": exitRejected, "2": exitDone} {
		if code, out, err := i.run("imports", "watch", number); code != want || !strings.Contains(out, "Import "+number+" of newsletter") {
			t.Errorf("imports watch %s: exit %d, want %d; stderr %q, stdout\n%s", number, code, want, err, out)
		}
	}
}

func TestARetryRefusesFlagsThatCannotHelpIt(t *testing.T) {
	i := anInstallation(t)
	i.ended(crm.Request{}, wrongDates()...)
	for _, flag := range []string{"--encoding=utf-8", "--delimiter=;", "--quote=none", "--escape=backslash", "--header=2", "--comment=x", "--footer=1", "--hidden=skip", "--sheet=A"} {
		name, _, _ := strings.Cut(flag, "=")
		code, _, err := i.run("imports", "retry", "1", flag)
		if code != exitUsage || !strings.Contains(err, name+" says how a file is read") || !strings.Contains(err, "import the file again") {
			t.Errorf("%s: exit %d, stderr %q", flag, code, err)
		}
	}
	for _, flag := range []string{"--short-rows=pad", "--again"} {
		if code, _, err := i.run("imports", "retry", "1", flag, "--mapping", "missing.yaml"); code != exitUsage || !strings.Contains(err, "missing.yaml") {
			t.Errorf("%s: exit %d, stderr %q, want it to be taken", flag, code, err)
		}
	}
}

func TestASourceMeansItsLatestImportThatRan(t *testing.T) {
	i := anInstallation(t)
	first := i.ended(crm.Request{}, wrongDates()...)
	i.ended(crm.Request{Plan: true})
	i.already(first)
	i.ended(crm.Request{Parent: first.ID, Plan: true})
	i.already(first)
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"imports", "rejects", "newsletter"}, 0, "import 4 of newsletter has no rejected rows"},
		{[]string{"imports", "show", "newsletter"}, 0, "Import 4 of newsletter"},
		{[]string{"imports", "show", "5"}, 0, "2 rows left by it: starter imports rejects 1"},
		{[]string{"imports", "retry", "newsletter", "--mapping", "missing.yaml"}, exitUsage, "missing.yaml"}, // and not that a dry run is not retried
	} {
		code, out, err := i.run(c.args...)
		if code != c.code || !strings.Contains(out+err, c.says) {
			t.Errorf("starter %s: exit %d, stderr %q, stdout %q; want %d and %q", strings.Join(c.args, " "), code, err, out, c.code, c.says)
		}
	}
	if _, out, _ := i.run("imports", "show", "1"); strings.Contains(out, "retried by") {
		t.Errorf("a dry run of a retry counts as one:\n%s", out)
	}
}

func TestListsThatThereAreNone(t *testing.T) {
	i := anInstallation(t)
	i.ended(crm.Request{Plan: true})
	i.ended(crm.Request{})
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"imports", "rejects", "1"}, 0, "has no rejected rows"},
		{[]string{"imports", "rejects", "1", "--groups"}, 0, "has no rejected rows"},
		{[]string{"imports", "warnings", "1"}, 0, "has no rows with warnings"},
		{[]string{"imports", "unprocessed", "1"}, 0, "has no unprocessed rows"},
		{[]string{"imports", "accepted", "1"}, 1, "was a dry run"},
		{[]string{"imports", "rejects", "99"}, 1, "see starter imports list"},
		{[]string{"imports", "retry", "99"}, 1, "see starter imports list"},
		{[]string{"imports", "retry", "1"}, exitUsage, "import 1 of newsletter cannot be retried: it was a dry run"},
		{[]string{"imports", "retry", "2"}, exitUsage, "import 2 of newsletter cannot be retried: it has no rejected rows"},
	} {
		code, out, err := i.run(c.args...)
		if code != c.code || out != "" || !strings.Contains(err, c.says) || strings.Count(err, "\n") != 1 {
			t.Errorf("starter %s: exit %d, stdout %q, stderr %q; want %d and %q", strings.Join(c.args, " "), code, out, err, c.code, c.says)
		}
	}
}
