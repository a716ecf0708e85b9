//go:build linux

package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A checker holds an import that has ended against the file it was given. It
// reads the file, the lists of what became of each row, the tables as they were
// before and are now, and the mails; the product's own counts are what it
// checks, and nothing that it goes by.
type checker struct {
	rows    []row            // of the file
	before  tables           // of the source
	after   tables           //
	lists   lists            //
	report  counts           // what the product says
	done    bool             // the import went through the whole file
	partial bool             // rows may be in no list, and rejected ones without their cells
	loose   map[string]bool  // keys that others write meanwhile: created is as good as updated
	faults  []string         // what does not hold, with the promise that is broken
	won     map[string]int   // the line that holds each key
	want    map[string]entry // what the tables must hold
}

// tables is what a source holds, by key.
type tables map[string]entry

// An entry is a record in the tables.
type entry struct {
	id     string
	values []string
}

// lists is what the product says became of each row, by line.
type lists struct {
	accepted    map[int][]outcome
	rejected    map[int]rejected
	unprocessed map[int][]string // cells
	twice       []int            // lines that are in a list more than once
}

// A rejected row, with its own cells.
type rejected struct {
	reasons []string
	cells   []string
}

// An outcome is what became of one record of a row.
type outcome struct{ entity, outcome, id string }

// counts are those of invariant 1.
type counts struct {
	Read, Rejected, Duplicate, Accepted, Unprocessed int
	Customers, Contacts, Notes                       tally
}

type tally struct{ Records, Created, Updated, Unchanged, Duplicate, Waiting int }

func (c *counts) of(entity string) *tally {
	switch entity {
	case customer:
		return &c.Customers
	case contact:
		return &c.Contacts
	}
	return &c.Notes
}

func (c *checker) fault(promise, format string, args ...any) {
	if len(c.faults) < 20 {
		c.faults = append(c.faults, promise+": "+fmt.Sprintf(format, args...))
	}
}

// check returns what does not hold.
func (c *checker) check() []string {
	c.once()
	c.outcomes()
	c.tables()
	c.counts()
	return c.faults
}

// once: every row of the file is in one list, and no list has other rows.
func (c *checker) once() {
	for _, line := range c.lists.twice {
		c.fault("I2", "line %d has two outcomes", line)
	}
	lines := map[int]bool{}
	for i := range c.rows {
		r := &c.rows[i]
		lines[r.line] = true
		_, accepted := c.lists.accepted[r.line]
		bad, rejected := c.lists.rejected[r.line]
		_, left := c.lists.unprocessed[r.line]
		switch {
		case !accepted && !rejected && !left && c.partial:
		case !accepted && !rejected && !left:
			c.fault("I1", "line %d has no outcome", r.line)
		case accepted && rejected || accepted && left || rejected && left:
			c.fault("I2", "line %d has two outcomes", r.line)
		case left && c.done:
			c.fault("I1", "line %d is unprocessed, and the import is done", r.line)
		case rejected:
			c.explained(r, bad)
		case accepted && r.bad != "":
			c.fault("I1", "line %d must be rejected (%s) and is accepted", r.line, r.bad)
		}
	}
	for _, list := range []map[int]bool{keys(c.lists.accepted), keys(c.lists.rejected), keys(c.lists.unprocessed)} {
		for line := range list {
			if !lines[line] {
				c.fault("I1", "line %d is in a list and begins no row", line)
			}
		}
	}
}

func keys[V any](m map[int]V) map[int]bool {
	out := make(map[int]bool, len(m))
	for k := range m {
		out[k] = true
	}
	return out
}

// explained: a rejected row says why, and has the text it came with.
func (c *checker) explained(r *row, bad rejected) {
	if r.bad == "" {
		c.fault("I4", "line %d is rejected (%s) and nothing is wrong with it", r.line, strings.Join(bad.reasons, ", "))
	}
	if r.bad != "" && !slices.Contains(bad.reasons, r.bad) {
		c.fault("I4", "line %d is rejected as %v, want %s", r.line, bad.reasons, r.bad)
	}
	if bad.cells == nil || c.partial || r.cut {
		return
	}
	for i, cell := range r.cells() {
		if bad.cells[i] != listed(cell) {
			c.fault("I4", "line %d is rejected with another %s than it has: %d bytes and not %d", r.line, header[i], len(bad.cells[i]), len(cell))
		}
	}
}

// listed is a cell as a list can show it: as text, and no longer than a cell may
// be.
func listed(cell string) string {
	return strings.ToValidUTF8(cell[:min(len(cell), 1<<20)], "\uFFFD")
}

// outcomes walks the rows as the file has them: the first record of an identity
// wins, and a rejected row takes nothing. Of an import that was stopped only the
// rows that it came to are known, and so which rows won.
func (c *checker) outcomes() {
	c.want, c.won = maps.Clone(c.before), map[string]int{}
	for i := range c.rows {
		r := &c.rows[i]
		list, accepted := c.lists.accepted[r.line]
		if !accepted {
			continue
		}
		carried := r.records()
		if len(list) != len(carried) {
			c.fault("I1", "line %d carries %d records and %d have outcomes", r.line, len(carried), len(list))
		}
		for _, o := range list {
			rec, ok := carried[o.entity]
			if !ok {
				c.fault("I1", "line %d carries no %s and one has an outcome", r.line, o.entity)
				continue
			}
			c.record(r.line, o, rec)
		}
	}
}

// record takes one outcome into what the tables must hold.
func (c *checker) record(line int, o outcome, rec record) {
	first, taken := c.won[rec.key]
	must := c.must(rec)
	if taken {
		must = "duplicate"
	}
	if !c.done && !taken && (o.outcome == "duplicate" || o.outcome == "waiting") {
		return // of a row that the import did not come to, or waits for one
	}
	near := c.loose[rec.key] && !taken && (o.outcome == "created" || o.outcome == "updated" || o.outcome == "unchanged")
	if o.outcome != must && !near {
		c.fault("I2", "line %d: its %s is %s, want %s (line %d holds its key)", line, o.entity, o.outcome, must, first)
		return
	}
	if taken {
		return
	}
	c.won[rec.key] = line
	c.want[rec.key] = entry{o.id, merged(c.want[rec.key].values, rec.values)}
}

// must is what becomes of the first record of a key.
func (c *checker) must(rec record) string {
	was, there := c.want[rec.key]
	switch {
	case !there:
		return "created"
	case slices.Equal(was.values, merged(was.values, rec.values)):
		return "unchanged"
	}
	return "updated"
}

// merged is what a record holds after it was written over: a blank leaves what
// is there.
func merged(was, is []string) []string {
	out := slices.Clone(is)
	for i := range out {
		if out[i] == "" && i < len(was) {
			out[i] = was[i]
		}
	}
	return out
}

// tables: what is there is what the file and the lists say, no more, no less.
func (c *checker) tables() {
	for key, want := range c.want {
		got, there := c.after[key]
		if !there && c.loose[key] {
			continue
		}
		switch {
		case !there:
			c.fault("I2", "a %s that landed is not in the tables", entityOf(key))
		case !slices.Equal(got.values, want.values):
			c.fault("I3", "a %s holds %d values other than the file's", entityOf(key), differing(got.values, want.values))
		case got.id != want.id && want.id != "":
			c.fault("I2", "the lists name another %s than the tables hold", entityOf(key))
		}
	}
	for key := range c.after {
		if _, wanted := c.want[key]; !wanted && !c.loose[key] {
			c.fault("I2", "the tables hold a %s that no list names", entityOf(key))
		}
	}
}

func entityOf(key string) string {
	entity, _, _ := strings.Cut(key, "\x00")
	return entity
}

func differing(a, b []string) (n int) {
	for i := range a {
		if i >= len(b) || a[i] != b[i] {
			n++
		}
	}
	return n
}

// counts: what the product counted is what its lists come to.
func (c *checker) counts() {
	got := counts{Rejected: len(c.lists.rejected), Unprocessed: len(c.lists.unprocessed)}
	for _, list := range c.lists.accepted {
		duplicate := true
		for _, o := range list {
			t := got.of(o.entity)
			t.Records++
			switch o.outcome {
			case "created":
				t.Created++
			case "updated":
				t.Updated++
			case "unchanged":
				t.Unchanged++
			case "duplicate":
				t.Duplicate++
			case "waiting":
				t.Waiting++
			}
			duplicate = duplicate && o.outcome == "duplicate"
		}
		if duplicate {
			got.Duplicate++
		} else {
			got.Accepted++
		}
	}
	got.Read = got.Rejected + got.Duplicate + got.Accepted + got.Unprocessed
	if got != c.report {
		c.fault("I1", "the report counts %+v, its lists come to %+v", c.report, got)
	}
}
