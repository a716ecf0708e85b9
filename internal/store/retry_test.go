package store

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"sluice/internal/crm"
)

// retry begins an import that retries rows of another.
func retry(t testing.TB, s *Store, parent *made, how crm.Writing) *made {
	t.Helper()
	r := request("leads")
	r.Parent, r.Files[0].Name = parent.ID, fmt.Sprintf("retry-of-%d.csv", parent.Number)
	return beginAs(t, s, r, how)
}

func TestRetriesGiveWayToWhatChangedSince(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		old := begin(t, s, crm.Rules{}, "")
		old.write(testRow{line: 2, customer: person("old", "Old"), contact: fields{"email": "c@x.org", "title": "Old"}},
			testRow{line: 3, customer: person("same", "Same")}, testRow{line: 4, customer: person("edited", "Edited")})
		old.end(crm.Done)
		parent := begin(t, s, crm.Rules{}, "")
		parent.write(testRow{line: 2, customer: person("parent", "Parent")})
		parent.end(crm.Done)
		first := retry(t, s, parent, crm.Writing{})
		first.write(testRow{line: 3, customer: person("first", "First")})
		first.end(crm.Done)
		newer := begin(t, s, crm.Rules{}, "")
		newer.write(testRow{line: 2, customer: person("edited", "Newer"), contact: fields{"email": "n@x.org", "title": "N"}}, testRow{line: 3, customer: person("since", "Since")},
			testRow{line: 4, contact: fields{"email": "c@x.org", "title": "Newer"}, of: "old"})
		newer.end(crm.Done)
		rows := []testRow{
			{line: 10, customer: person("old", "New")},    // last changed before the parent
			{line: 11, customer: person("parent", "New")}, // by the parent
			{line: 12, customer: person("first", "New")},  // by another retry of it
			{line: 13, customer: person("same", "Same")},  // as it should be
			{line: 14, customer: person("edited", "New")}, // by a newer one
			{line: 15, customer: person("since", "New"), contact: fields{"email": "s@x.org"}},
			{line: 16, customer: person("since", "New"), preset: [3]crm.Outcome{crm.Duplicate}, note: fields{"type": "note", "text": "t"}},
			{line: 17, customer: person("absent", "New"), contact: fields{"email": "a@x.org"}},
			{line: 18, contact: fields{"email": "c@x.org", "title": "New"}, of: "old"},
		}
		const outcomes = "uuunCCdc scC c"
		second := retry(t, s, first, crm.Writing{})
		counts := second.write(rows...)
		want(t, "outcomes", second.outcomes(0), outcomes)
		if counts.Rejected != 3 || !counts.Balanced() {
			t.Errorf("counts = %+v", counts)
		}
		counted, err := s.Recount(context.Background(), second.Number)
		if err != nil || counted[0] != struct{ Created, Updated int64 }{1, 3} {
			t.Errorf("Recount = %+v, %v", counted, err)
		}
		second.end(crm.Done)
		third := retry(t, s, second, crm.Writing{Mode: crm.CreateOnly})
		third.write(rows[4], rows[7])
		want(t, "outcomes in the mode create_only", third.outcomes(0), "EE E")
	})
}

func TestARetryIsAnImportOfItsOwn(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		parent := begin(t, s, crm.Rules{}, "")
		parent.end(crm.Done)
		r := request("leads")
		r.Files, r.Parent = parent.Request.Files, parent.ID
		opened, err := s.OpenImport(ctx, r, "")
		if err != nil || opened.Earlier != "" {
			t.Fatalf("OpenImport of the same file as a retry = %+v, %v", opened, err)
		}
		if _, err := s.EndImport(ctx, opened.Import.Number, crm.Report{State: crm.Done}, nil); err != nil {
			t.Fatal(err)
		}
		again := request("leads")
		again.Files, again.Parent = r.Files, r.Parent
		if opened, err := s.OpenImport(ctx, again, ""); err != nil || opened.Earlier != r.ID {
			t.Errorf("OpenImport of the same retry = %+v, %v, want %s as earlier", opened, err, r.ID)
		}
		dry := request("leads")
		dry.Files, dry.Parent, dry.Plan = r.Files, r.Parent, true
		if opened, err := s.OpenImport(ctx, dry, ""); err != nil || opened.Earlier != "" {
			t.Errorf("OpenImport of a dry run of it = %+v, %v", opened, err)
		}
		rows, err := s.Retries(ctx, parent.ID)
		if err != nil || len(rows) != 3 {
			t.Fatalf("Retries = %+v, %v", rows, err)
		}
		for i, id := range []string{r.ID, again.ID, dry.ID} {
			if rows[i].ID != id || rows[i].Kind != "retry" || rows[i].Request.Parent != parent.ID || rows[i].Request.Plan != (id == dry.ID) {
				t.Errorf("retry %d is %+v", i, rows[i])
			}
		}
		for _, id := range []string{r.ID, "nobody", ""} {
			if rows, err := s.Retries(ctx, id); err != nil || len(rows) != 0 {
				t.Errorf("Retries(%q) = %+v, %v", id, rows, err)
			}
		}
		if err := s.AddSource(ctx, crm.Source{Slug: "other"}); err != nil {
			t.Fatal(err)
		}
		for _, r := range []crm.Request{request("other"), request("leads")} {
			r.Parent = map[string]string{"other": parent.ID, "leads": "nobody"}[r.Source]
			if _, err := s.OpenImport(ctx, r, ""); !errors.Is(err, crm.ErrInvalid) {
				t.Errorf("OpenImport with the parent %q = %v, want invalid", r.Parent, err)
			}
		}
	})
}

func TestProvenanceGoesThroughRetries(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		r := request("leads")
		r.Files = append(r.Files, crm.FileRef{Name: "more.csv"})
		parent := beginAs(t, s, r, crm.Writing{})
		parent.end(crm.Done)
		first := retry(t, s, parent, crm.Writing{})
		first.end(crm.Done)
		second := retry(t, s, first, crm.Writing{})
		files := []string{"leads.csv", "more.csv", fmt.Sprintf("retry-of-%d.csv", parent.Number), fmt.Sprintf("retry-of-%d.csv", first.Number)}
		for number, want := range map[int64]int{parent.Number: 2, first.Number: 3, second.Number: 4} {
			names, err := s.FileNames(ctx, number)
			if err != nil || fmt.Sprint(names) != fmt.Sprint(files[:want]) {
				t.Errorf("FileNames(%d) = %q, %v, want %q", number, names, err, files[:want])
			}
		}
		if _, err := s.FileNames(ctx, 99); !errors.Is(err, crm.ErrNotFound) {
			t.Errorf("FileNames(99) = %v, want not found", err)
		}
		for i := range files {
			second.write(testRow{file: i, line: 7, customer: person(fmt.Sprint("k", i), "N")})
		}
		for i, name := range append(files, "") {
			if name == "" {
				second.write(testRow{file: i, line: 7, customer: person(fmt.Sprint("k", i), "N")})
			}
			views, err := s.Customers(ctx, fmt.Sprint("k", i))
			if err != nil || len(views) != 1 || views[0].Created.File != name || views[0].Created.Line != 7 || views[0].Created.ImportID != second.ID {
				t.Errorf("Customers(k%d) = %+v, %v, want file %q", i, views, err, name)
			}
		}
	})
}
