//go:build linux

package main

import (
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"sluice/internal/embedded"
	"sluice/internal/servertest"
)

// TestShortSetHolds plays the faults of the short set. They are not run at the
// same time: they kill servers that all share.
func TestShortSetHolds(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: it takes minutes; run it without -short")
	}
	if _, err := embedded.FindTemporal(); err != nil {
		t.Skipf("SKIPPED: no Temporal server: %v", err)
	}
	if servertest.PostgresBinary("postgres") == "" {
		t.Skip("SKIPPED: PostgreSQL is not installed; install it to run this test")
	}
	k, err := startStack(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.close)
	seed := uint64(time.Now().Unix())
	if os.Getenv("CI") != "" {
		seed = 1 // what lands must not depend on the hour
	}
	for _, f := range matrix() {
		if !f.short {
			continue
		}
		t.Run(f.id, func(t *testing.T) {
			r := f.run(t.Context(), k, seed, true)
			t.Log(r)
			if len(r.wrong) > 0 {
				t.Fail()
			}
		})
	}
}

// good returns an import of a few rows that went as it must: two rows of one
// customer, one of another that is there already, and a bad one.
func good() *checker {
	rows := []row{{customer: "a", company: "A"}, {customer: "a", company: "again", note: "n"}, {customer: "b", company: "B"},
		{customer: "c", email: "?", bad: "bad_email"}}
	asCSV(rows)
	return &checker{rows: rows, done: true,
		before: tables{keyOf(customer, "b"): {"2", []string{"was", "b@example.com"}}},
		after: tables{keyOf(customer, "a"): {"1", []string{"A", ""}}, keyOf(note, "a", "n"): {"3", nil},
			keyOf(customer, "b"): {"2", []string{"B", "b@example.com"}}},
		lists: lists{accepted: map[int][]outcome{2: {{customer, "created", "1"}}, 3: {{customer, "duplicate", "1"}, {note, "created", "3"}},
			4: {{customer, "updated", "2"}}},
			rejected: map[int]rejected{5: {[]string{"bad_email"}, rows[3].cells()}}},
		report: counts{Read: 4, Rejected: 1, Accepted: 3,
			Customers: tally{Records: 3, Created: 1, Updated: 1, Duplicate: 1}, Notes: tally{Records: 1, Created: 1}}}
}

// TestCheckerFindsWhatDoesNotHold harms a good import in one way at a time.
func TestCheckerFindsWhatDoesNotHold(t *testing.T) {
	t.Parallel()
	if wrong := good().check(); len(wrong) > 0 {
		t.Fatalf("a good import: %q", wrong)
	}
	for _, c := range []struct {
		name, promise string
		harm          func(*checker)
	}{
		{"a row without an outcome", "I1", func(c *checker) { delete(c.lists.accepted, 4) }},
		{"a row with two", "I2", func(c *checker) { c.lists.rejected[4] = rejected{} }},
		{"a row twice in a list", "I2", func(c *checker) { c.lists.twice = []int{2} }},
		{"an unprocessed row of an import that is done", "I1", func(c *checker) { c.lists.unprocessed = map[int][]string{9: nil} }},
		{"another winner", "I2", func(c *checker) { c.lists.accepted[3][0].outcome = "updated" }},
		{"a record that is not there", "I2", func(c *checker) { delete(c.after, keyOf(note, "a", "n")) }},
		{"a record too many", "I2", func(c *checker) { c.after[keyOf(customer, "c")] = entry{} }},
		{"another value", "I3", func(c *checker) { c.after[keyOf(customer, "a")] = entry{"1", []string{"again", ""}} }},
		{"a blank that erased", "I3", func(c *checker) { c.after[keyOf(customer, "b")] = entry{"2", []string{"B", ""}} }},
		{"another id", "I2", func(c *checker) { c.lists.accepted[4][0].id = "9" }},
		{"a good row rejected", "I4", func(c *checker) { c.rows[3].bad = "" }},
		{"another reason", "I4", func(c *checker) { c.rows[3].bad = "no_key" }},
		{"other cells", "I4", func(c *checker) { c.rows[3].company = "x" }},
		{"another count", "I1", func(c *checker) { c.report.Notes.Created++ }},
	} {
		ch := good()
		c.harm(ch)
		found := slices.ContainsFunc(ch.check(), func(s string) bool { return len(s) > len(c.promise) && s[:len(c.promise)+1] == c.promise+":" })
		if !found {
			t.Errorf("%s: found %q, want a breach of %s", c.name, ch.faults, c.promise)
		}
	}
}

// TestSeedGivesTheSameRows holds for a file what holds for a schedule.
func TestSeedGivesTheSameRows(t *testing.T) {
	t.Parallel()
	text := func(seed uint64) string { return asCSV(someRows(rand.New(rand.NewPCG(seed, 1)), 500)) }
	if text(1) != text(1) || text(1) == text(2) {
		t.Error("rows do not go by the seed")
	}
}

// TestEveryFaultIsDescribed holds the table of faults to what it must say.
func TestEveryFaultIsDescribed(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, f := range matrix() {
		if f.name == "" || f.how == "" || f.holds == "" || f.seen == "" || f.play == nil || seen[f.id] {
			t.Errorf("%s is not described, or twice there", f.id)
		}
		seen[f.id] = true
	}
}
