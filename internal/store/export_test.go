package store

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"sluice/internal/crm"
)

// TestBothDatabasesExportTheSame writes the same random imports to both, and
// compares counts, outcomes and bytes.
func TestBothDatabasesExportTheSame(t *testing.T) {
	t.Parallel()
	var stores []*Store
	for _, address := range addresses {
		stores = append(stores, migrated(t, address(t)))
	}
	var round int
	rapid.Check(t, func(rt *rapid.T) {
		round++
		slug := fmt.Sprintf("round-%d", round)
		imports := rapid.SliceOfN(randomImport, 1, 3).Draw(rt, "imports")
		var first string
		for i, s := range stores {
			got := play(t, s, slug, imports)
			if i == 0 {
				first = got
			} else if got != first {
				rt.Fatalf("%s and %s differ:\n%s\n%s", stores[0].dialect.name(), s.dialect.name(), first, got)
			}
		}
	})
}

type testImport struct {
	mode    crm.Mode
	rules   crm.Rules
	batches [][]testRow
}

var (
	randomText  = rapid.SampledFrom([]string{"", "", "a", "A", "é", "ß", "zz\tz", `b\n"`, "😀", "?", "o'x", "ä b", "Z", "_", "-"})
	randomTime  = rapid.SampledFrom([]string{"", "2024-02-29T23:59:59.999Z", "1970-01-01T00:00:00.000Z", "0099-12-31T00:00:00.001Z", "9999-12-31T23:59:59.999Z"})
	randomTags  = rapid.SampledFrom([]string{"", `["a"]`, `["a","b"]`, `["é","😀"]`})
	randomAttrs = rapid.SampledFrom([]string{"", `{"a":1}`, `{"bb":"x","c":true}`, `{"a":2.50,"é":"?"}`, `{"a":"<&>","zz":-0.1,"b":12345678901234567890}`})
	randomRule  = rapid.SampledFrom([]crm.Rule{{}, {Collision: crm.FillBlank}, {Collision: crm.Never}, {Collision: crm.Overwrite, Erase: true}})
	randomMode  = rapid.SampledFrom([]crm.Mode{crm.Upsert, crm.Upsert, crm.CreateOnly, crm.UpdateOnly})
)

var randomImport = rapid.Custom(func(t *rapid.T) (m testImport) {
	m.mode = randomMode.Draw(t, "mode")
	for _, e := range crm.Entities {
		for range crm.Fields(e) {
			m.rules[e] = append(m.rules[e], randomRule.Draw(t, "rule"))
		}
	}
	seen := make(map[string]bool)
	first := func(key string) (o crm.Outcome) {
		if o = crm.ToWrite; seen[key] {
			o = crm.Duplicate
		}
		seen[key] = true
		return o
	}
	line := int64(2)
	for range rapid.IntRange(1, 3).Draw(t, "batches") {
		var rows []testRow
		for range rapid.IntRange(1, 6).Draw(t, "rows") {
			r := testRow{line: line, of: rapid.SampledFrom([]string{"k1", "k2", "K2", "k-3", "ké", "k_4"}).Draw(t, "key")}
			line++
			if rapid.Bool().Draw(t, "customer") {
				r.customer = randomFields(t, crm.Customer)
				r.customer["external_id"] = r.of
				r.preset[crm.Customer] = first("c" + r.of)
			}
			if rapid.Bool().Draw(t, "contact") {
				r.contact = randomFields(t, crm.Contact)
				r.contact["email"] = "x@x.org"
				r.preset[crm.Contact] = first("p" + r.of + strings.Join(crm.Identity(crm.Contact, r.values(crm.Contact)), "\x00"))
			}
			if rapid.Bool().Draw(t, "note") {
				r.note = randomFields(t, crm.Note)
				r.preset[crm.Note] = first("n" + r.of + strings.Join(crm.Identity(crm.Note, r.values(crm.Note)), "\x00"))
			}
			rows = append(rows, r)
		}
		m.batches = append(m.batches, rows)
	}
	return m
})

func randomFields(t *rapid.T, e crm.Entity) fields {
	out := make(fields)
	for _, f := range crm.Fields(e) {
		switch {
		case f.Name == "status":
			out[f.Name] = rapid.SampledFrom([]string{"", "New Lead", "Cancelled"}).Draw(t, f.Name)
		case f.Kind == crm.Text:
			out[f.Name] = randomText.Draw(t, f.Name)
		case f.Kind == crm.Time:
			out[f.Name] = randomTime.Draw(t, f.Name)
		case f.Kind == crm.Int:
			out[f.Name] = rapid.SampledFrom([]string{"", "1", "12"}).Draw(t, f.Name)
		case f.Kind == crm.Tags:
			out[f.Name] = randomTags.Draw(t, f.Name)
		case f.Kind == crm.Attributes:
			out[f.Name] = randomAttrs.Draw(t, f.Name)
		}
	}
	return out
}

// play runs imports into a source of their own and returns all there is to
// compare.
func play(t *testing.T, s *Store, slug string, imports []testImport) string {
	t.Helper()
	ctx := context.Background()
	if err := s.AddSource(ctx, crm.Source{Slug: slug}); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, im := range imports {
		r := request(slug)
		opened, err := s.OpenImport(ctx, r, "")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.SaveFile(ctx, opened.Import.Number, crm.FileRow{}, crm.Writing{Rules: im.rules, Mode: im.mode}); err != nil {
			t.Fatal(err)
		}
		row, err := s.Import(ctx, r.ID)
		if err != nil {
			t.Fatal(err)
		}
		m := &made{ImportRow: row, s: s, t: t}
		var sum crm.Counts
		for i, rows := range im.batches {
			sum.Add(m.write(rows...))
			fmt.Fprintln(&b, m.outcomes(i))
		}
		// Invariant 1, against the tables.
		counted, err := s.Recount(ctx, m.Number)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range crm.Entities {
			if got := sum.Of(e); counted[e].Created != got.Created || counted[e].Updated != got.Updated {
				t.Errorf("%s: counted %+v in the tables, %+v in the ledger", e.Plural(), counted[e], *got)
			}
		}
		fmt.Fprintf(&b, "%+v\n", sum)
	}
	line := func(v []string) error {
		_, err := fmt.Fprintf(&b, "%q\n", v)
		return err
	}
	for _, e := range crm.Entities {
		if err := s.Export(ctx, ExportQuery{Source: slug, Entity: e, Stable: true}, line, line); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

func TestViewsSayWhereARecordCameFrom(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		m := begin(t, s, crm.Rules{}, "")
		m.write(testRow{line: 2, customer: fields{"external_id": "a", "email": "Ann@X.org", "tags": `["x"]`, "custom": `{"n":1.50}`}, contact: fields{"email": "c@x.org", "position": "2"}},
			testRow{line: 3, contact: fields{"email": "d@x.org", "position": "1"}, of: "a"})
		for _, key := range []string{"a", "ANN@x.org"} {
			views, err := s.Customers(ctx, key)
			if err != nil || len(views) != 1 {
				t.Fatalf("Customers(%q) = %v, %v", key, views, err)
			}
			v := views[0]
			want(t, "fields", fmt.Sprint(v.Fields), "map[custom:map[n:1.50] email:Ann@X.org external_id:a status:New Lead tags:[x]]")
			if len(v.Contacts) != 2 || v.Contacts[0].Fields["email"] != "d@x.org" || v.Contacts[0].Created.Line != 3 || v.CustomerUUID != v.ID || v.Created.ImportID != m.ID {
				t.Errorf("view = %+v", v)
			}
		}
		contacts, err := s.Contacts(ctx, "C@x.org")
		if err != nil || len(contacts) != 1 || contacts[0].CustomerExternalID != "a" || contacts[0].Source != "leads" {
			t.Errorf("Contacts = %+v, %v", contacts, err)
		}
		if views, err := s.Customers(ctx, "nobody"); err != nil || len(views) != 0 {
			t.Errorf("Customers(nobody) = %v, %v", views, err)
		}
		var columns []string
		err = s.Export(ctx, ExportQuery{Source: "leads", Entity: crm.Contact}, func(c []string) error { columns = append(columns, c...); return nil },
			func(v []string) error {
				if len(v) != len(columns) || v[len(v)-1] != timeText(m.StartedAt) {
					t.Errorf("exported %q as %q", v, columns)
				}
				return nil
			})
		if err != nil {
			t.Error(err)
		}
	})
}
