package endtoend

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/crm"
	"sluice/internal/servertest"
)

// planned runs an import dry and then in earnest, and wants the same said both
// times and nothing changed by the first.
func (w *world) planned(name, file string, o options) (plan, real crm.Report) {
	w.t.Helper()
	w.request(file, o) // makes the source, if there is none yet
	before := w.export("news")
	o.plan = true
	plan = w.run(file, o)
	if after := w.export("news"); after != before {
		w.t.Errorf("%s: the dry run wrote:\n%s", name, cmp.Diff(before, after))
	}
	o.plan = false
	real = w.run(file, o)
	if diff := cmp.Diff(real.Counts, plan.Counts); diff != "" || !plan.DryRun || real.DryRun || plan.State != crm.Done {
		w.t.Errorf("%s: dry run is %s (-import +dry run):\n%s", name, plan.State, diff)
	}
	if diff := cmp.Diff([][]crm.RejectGroup{real.Rejects, real.Warned}, [][]crm.RejectGroup{plan.Rejects, plan.Warned}); diff != "" {
		w.t.Errorf("%s: groups (-import +dry run):\n%s", name, diff)
	}
	if diff := cmp.Diff(w.rejected(real), w.rejected(plan)); diff != "" {
		w.t.Errorf("%s: rejected rows (-import +dry run):\n%s", name, diff)
	}
	if diff := cmp.Diff(w.list(real.WarnedObject), w.list(plan.WarnedObject)); diff != "" {
		w.t.Errorf("%s: rows with warnings (-import +dry run):\n%s", name, diff)
	}
	return plan, real
}

// TestDryRunSaysWhatTheImportWillDo plans random files under random mappings and
// modes over what other imports have left, and holds each plan against the
// import itself.
func TestDryRunSaysWhatTheImportWillDo(t *testing.T) {
	t.Parallel()
	settings := []string{
		"", "only: [contacts]\n", "only: [customers]\n", "bad_cells: blank\n", "match: email\n",
		"fields:\n  customer.company: {collision: fill_blank}\n  contact.first_name: {collision: never}\n",
	}
	check := func(t *testing.T, url string, seeds uint64) {
		seen := crm.Counts{}
		for seed := range seeds {
			w := newWorld(t, url, "")
			r := rand.New(rand.NewPCG(seed, 3))
			for round := range 3 {
				o := options{tuning: crm.Tuning{BatchRows: 1 + r.IntN(40), Group: 1 + r.IntN(4), Writers: 1 + r.IntN(4)},
					mode: []crm.Mode{"", crm.Upsert, crm.CreateOnly, crm.UpdateOnly}[r.IntN(4)]}
				if round == 0 {
					o.mode = ""
				}
				if s := settings[r.IntN(len(settings))]; s != "" {
					o.mapping = "version: 1\n" + s
				}
				n := 20 + r.IntN(60)
				file := asCSV(someRows(seed+uint64(round)*100, n))
				plan, _ := w.planned(fmt.Sprintf("seed %d, round %d, mode %q, mapping %q", seed, round, o.mode, o.mapping), file, o)
				seen.Add(plan.Counts)
			}
		}
		if seen.Rejected == 0 || seen.Customers.Updated == 0 || seen.Contacts.Unchanged == 0 || seen.Notes.Duplicate == 0 || seen.Warnings == 0 {
			t.Errorf("too little happened to mean anything: %+v", seen)
		}
	}
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); check(t, "", 5) })
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, servertest.Postgres(t), "")
		w.planned("first", asCSV(someRows(41, 200)), options{tuning: crm.Tuning{BatchRows: 13, Writers: 3}})
		plan, _ := w.planned("second", asCSV(someRows(42, 200)), options{tuning: crm.Tuning{BatchRows: 13, Writers: 3}})
		if plan.Customers.Updated == 0 || plan.Customers.Created == 0 {
			t.Errorf("too little happened to mean anything: %+v", plan.Counts)
		}
	})
}

func TestDryRunCountsTheFieldsItWouldChangeAndTellsNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", "")
	w.steps.Mailer, w.steps.MailTo = scribe{}, []string{"ops@example.com"}
	w.run("external_id,name,city\n1,Ann,Ulm\n2,Bob,Ulm\n3,Cid,Ulm\n", options{})
	plan, real := w.planned("", "external_id,name,city\n1,Ann,Bonn\n2,Bea,Bonn\n3,Cid,\n4,Dan,Bonn\n", options{})
	if diff := cmp.Diff(crm.Changes{"customer.name": 1, "customer.city": 2}, plan.Changes); diff != "" {
		t.Errorf("changes:\n%s", diff)
	}
	if real.Changes != nil || len(plan.Outbox) != 0 || len(real.Outbox) != 1 {
		t.Errorf("the import has changes %v and outbox %v, the dry run outbox %v", real.Changes, real.Outbox, plan.Outbox)
	}
}

// scribe composes mails and sends none.
type scribe struct{}

func (scribe) Compose(r crm.Report) (subject, body string) { return string(r.State), "" }

func TestDryRunOfARetryIsWhatTheRetryDoes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", "")
	first := w.run(someRejected, options{})
	rows := w.rejectFile(first)
	mend(t, rows, 3, "email", "bob@example.com")
	plan, _ := w.planned("", joined(rows), options{parent: first.ImportID})
	if plan.Accepted != 1 || plan.Rejected != 3 || plan.Parent != first.ImportID {
		t.Errorf("counts %+v of parent %q", plan.Counts, plan.Parent)
	}
}
