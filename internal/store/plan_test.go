package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"sluice/internal/crm"
)

// randomPlayed is an import of random rows: whom they mean, by what, and how
// they are held against what is there. Some of them the database refuses.
var randomPlayed = rapid.Custom(func(t *rapid.T) player {
	p := player{poison: rapid.IntRange(0, 3).Draw(t, "poison") == 0, how: crm.Writing{Mode: randomMode.Draw(t, "mode"),
		Match: rapid.SampledFrom([]crm.Match{"", crm.MatchEmail, crm.MatchDomain}).Draw(t, "match")}}
	for _, e := range crm.Entities {
		for range crm.Fields(e) {
			p.how.Rules[e] = append(p.how.Rules[e], randomRule.Draw(t, "rule"))
		}
	}
	keys := map[crm.Match][]string{
		"":              {"k1", "k2", "k3", "email:a@x.org", "k4"},
		crm.MatchEmail:  {"email:a@x.org", "email:b@x.org", "email:c@x.org", "email:d@x.org"},
		crm.MatchDomain: {"domain:x.org", "domain:y.org", "domain:z.org", "domain:w.org"},
	}[p.how.Match]
	for i := range rapid.IntRange(1, 10).Draw(t, "rows") {
		r := testRow{line: int64(i + 2), of: rapid.SampledFrom(keys).Draw(t, "key")}
		if rapid.IntRange(0, 2).Draw(t, "has a customer") > 0 {
			r.customer = randomFields(t, crm.Customer)
			r.customer["external_id"] = r.of
			// The field that is matched by need not say what the key says.
			r.customer["email"] = rapid.SampledFrom([]string{"", "A@x.org", "b@x.org", "c@x.org", "ä@x.org"}).Draw(t, "email")
			r.customer["website_url"] = rapid.SampledFrom([]string{"", "https://x.org", "http://www.y.org:80/?q", "https://z.org#top"}).Draw(t, "website")
			if p.poison && rapid.IntRange(0, 4).Draw(t, "refused") == 0 {
				r.customer["status"] = "No Status"
			}
		}
		if rapid.Bool().Draw(t, "has a contact") {
			r.contact = fields{"email": rapid.SampledFrom([]string{"p@x.org", "q@x.org"}).Draw(t, "contact"), "title": randomText.Draw(t, "title")}
			if p.poison && rapid.IntRange(0, 4).Draw(t, "refused contact") == 0 {
				r.contact["position"] = "first"
			}
		}
		if rapid.IntRange(0, 3).Draw(t, "has a note") == 0 {
			r.note = fields{"type": "note", "text": rapid.SampledFrom([]string{"hello", "bye"}).Draw(t, "text"), "author_email": randomText.Draw(t, "author")}
		}
		p.rows = append(p.rows, r)
	}
	return p
})

// TestInvariant6PlanIsWhatTheImportDoes plans a random import over random
// records, in batches of some sizes, in some order and by many writers, and
// then carries it out.
func TestInvariant6PlanIsWhatTheImportDoes(t *testing.T) {
	t.Parallel()
	for name, address := range addresses {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := migrated(t, address(t))
			round := 0
			rapid.Check(t, func(rt *rapid.T) {
				if name == "postgres" && rapid.IntRange(0, 3).Draw(rt, "a round trip is slow") > 0 {
					return
				}
				round++
				slug := fmt.Sprintf("%s-%d", name, round)
				if err := s.AddSource(context.Background(), crm.Source{Slug: slug}); err != nil {
					t.Fatal(err)
				}
				for range rapid.IntRange(0, 2).Draw(rt, "imports before") {
					before := randomPlayed.Draw(rt, "before")
					before.s, before.request, before.size, before.order = s, request(slug), 100, []int{0}
					before.how.Mode, before.how.Match = crm.Upsert, ""
					before.play(t)
				}
				planned(t, rt, s, slug)
				if t.Failed() {
					rt.FailNow()
				}
			})
		})
	}
}

func planned(t *testing.T, rt *rapid.T, s *Store, slug string) {
	p := randomPlayed.Draw(rt, "import")
	p.s = s
	was := tableText(t, s, slug)
	plan := func(size int, order []int) played {
		p.request, p.size, p.order, p.writers = request(slug), size, order, 4
		p.request.Plan = true
		return p.play(t)
	}
	size := rapid.IntRange(1, 5).Draw(rt, "size")
	batches := make([]int, (len(p.rows)+size-1)/size)
	for i := range batches {
		batches[i] = i
	}
	order := rapid.Permutation(batches).Draw(rt, "order")
	whole, parallel, planned := plan(100, []int{0}), plan(2, nil), plan(size, order)
	want(t, "tables after the plans", tableText(t, s, slug), was)

	p.request = request(slug)
	done := p.play(t)
	want(t, "changes", planned.Changes, changed(was, tableText(t, s, slug)))
	want(t, "changes noted by an import that is no plan", done.Changes, nil)
	done.Changes = planned.Changes
	want(t, "planned", planned, done)
	if p.poison {
		// What becomes of a row that repeats one the database refused depends
		// on which batches were written before it.
		return
	}
	want(t, "planned in one batch", whole.Total, done.Total)
	want(t, "planned by four writers", parallel.Total, done.Total)
	want(t, "changes planned in one batch", whole.Changes, done.Changes)
	want(t, "changes planned by four writers", parallel.Changes, done.Changes)
}

func TestPlanRefusesWhatTheTablesRefuse(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		// Too long for an index of PostgreSQL, and of nothing that repeats.
		r := rand.New(rand.NewPCG(1, 2))
		var long strings.Builder
		for range 400 {
			fmt.Fprintf(&long, "%016x", r.Uint64())
		}
		p := player{s: s, request: request("leads"), size: 2, order: []int{1, 0},
			rows: []testRow{{line: 2, customer: person(long.String(), "L"), contact: fields{"email": "l@x.org"}}, {line: 3, customer: person("a", "Ann")},
				{line: 4, contact: fields{"email": "a@x.org"}, of: "a"}, {line: 5, contact: fields{"email": "b@x.org"}, of: long.String()}}}
		p.request.Plan = true
		planned := p.play(t)
		p.request = request("leads")
		want(t, "planned", planned, p.play(t))
		if refused := planned.Total.Rejected == 2; refused != (s.dialect.name() == "postgres") {
			t.Errorf("planned %+v", planned)
		}
	})
}

func TestPlanFindsTheCustomersOfOtherBatches(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		r := request("leads")
		r.Plan = true
		m := beginAs(t, s, r, crm.Writing{})
		m.write(testRow{line: 2, customer: person("a", "Ann")})
		m.write(testRow{line: 3, contact: fields{"email": "c@x.org"}, of: "a"}, testRow{line: 4, contact: fields{"email": "c@x.org"}, of: "b"})
		want(t, "outcomes", m.outcomes(1), "cw")
		in, p := m.stage(testRow{line: 5, customer: person("a", "Ann")})
		if _, err := s.Write(context.Background(), in, p.open); crm.TypeOf(err) != crm.FailUnbalanced {
			t.Errorf("Write of a customer that another row would create = %v, want unbalanced", err)
		}
		if n, err := s.reads.NewSelect().Table("customer_records").Count(context.Background()); n != 0 || err != nil {
			t.Errorf("a plan left %d customers, %v", n, err)
		}
		// Another import of the source finds the plan interrupted.
		begin(t, s, crm.Rules{}, "")
		if n, err := s.reads.NewSelect().Table("import_customers").Count(context.Background()); n != 0 || err != nil {
			t.Errorf("an interrupted plan left %d customers, %v", n, err)
		}
		if _, err := s.Write(context.Background(), in, p.open); crm.TypeOf(err) != crm.FailFenced {
			t.Errorf("Write of an interrupted plan = %v, want fenced", err)
		}
	})
}
