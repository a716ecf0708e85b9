//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

var fileFaults = []*fault{{
	id: "F4", name: "a cell of a hundred megabytes", rows: 1000,
	how:   "one cell of the file has 100 MB; what the worker held at the most is read afterwards, as always",
	holds: "I1 I4 I9 I10: the row is rejected, alone, and the worker took at most 256 MB",
	seen:  "exit code 3; the row is rejected as `row_too_long`",
	play: func(ctx context.Context, s *scene) error {
		at := s.random.IntN(len(s.rows))
		huge := row{customer: "huge", company: strings.Repeat("long ", 20<<20), bad: "row_too_long", cut: true}
		if err := s.write(slices.Insert(s.rows, at, huge)); err != nil {
			return err
		}
		w := s.worker()
		if err := s.begin(ctx); err != nil {
			return err
		}
		if err := s.end(ctx); err != nil {
			return err
		}
		peak, err := w.peak()
		s.say("row %d; the worker held %d MB", at+1, peak>>20)
		return err
	},
}, {
	id: "F27", name: "rows of poison among good ones", short: true, rows: 1000,
	how:   "U+0000, bytes that are not UTF-8, a cell of over 1 MiB, and texts that look like numbers, formulas, SQL and markup",
	holds: "I1 I4: what cannot be kept as it is is rejected, alone; all else is in the tables as it was written",
	seen:  "exit code 3; the rejected rows have reasons",
	play: func(ctx context.Context, s *scene) error {
		rows := s.rows
		for i, p := range poison() {
			p.customer = fmt.Sprintf("poison-%02d", i)
			at := s.random.IntN(len(rows))
			rows = append(rows[:at:at], append([]row{p}, rows[at:]...)...)
		}
		if err := s.write(rows); err != nil {
			return err
		}
		s.worker()
		if err := s.begin(ctx, "--encoding", "utf-8"); err != nil {
			return err
		}
		return s.end(ctx)
	},
}, {
	id: "F28", name: "a file of poison: every row is bad",
	how:   "no row has an address that is one; an operator looks, and cancels",
	holds: "I1 I4 I8: the import stops and asks before it has gone through the file",
	seen:  "the state is `needs_attention`; the progress says how many rows are rejected",
	play: func(ctx context.Context, s *scene) error {
		rows := s.rows
		for i := range rows {
			rows[i].email, rows[i].bad = "nobody at home", "bad_email"
		}
		if err := s.write(rows); err != nil {
			return err
		}
		s.worker()
		if err := s.begin(ctx); err != nil {
			return err
		}
		if err := s.sees(ctx, "needs_attention", "are rejected"); err != nil {
			return err
		}
		s.state = "cancelled"
		if _, err := s.must(ctx, "imports", "cancel", news); err != nil {
			return err
		}
		return s.within(ctx, 30*time.Second)
	},
}, {
	id: "F33", name: "the mapping and the tables are changed meanwhile", rows: 6000,
	how: "after a seeded number of batches the mapping's file says to leave columns out, and so does the one that the source has saved; " +
		"somebody adds a column to each table; SIGKILL of the worker, so that another one reads all anew",
	holds: "I1 I3: an import goes by the mapping that it began with",
	seen:  "nothing",
	play: func(ctx context.Context, s *scene) error {
		mapping := filepath.Join(s.dir, "mapping.yaml")
		if err := os.WriteFile(mapping, []byte("version: 1\n"), 0o600); err != nil {
			return err
		}
		w, at := s.worker(), 1+s.random.IntN(30)
		if err := s.begin(ctx, "--mapping", mapping); err != nil {
			return err
		}
		s.say("changed after batch %d", at)
		if err := s.in(ctx, at); err != nil {
			return err
		}
		if err := s.remap(ctx, mapping); err != nil {
			return err
		}
		w.signal(syscall.SIGKILL)
		return s.end(ctx)
	},
}}

// remap makes the mapping and the tables other ones than an import began with.
func (s *scene) remap(ctx context.Context, mapping string) error {
	if err := os.WriteFile(mapping, []byte("version: 1\ncolumns:\n  company: ignore\n  first_name: ignore\n"), 0o600); err != nil {
		return err
	}
	if _, err := s.must(ctx, "sources", "add", news, "--mapping", mapping); err != nil {
		return err
	}
	for _, table := range []string{"customer_records", "contacts", "notes"} {
		if err := execute(ctx, s.databaseURL, "ALTER TABLE "+table+" ADD COLUMN of_somebody text DEFAULT 'else'"); err != nil {
			return err
		}
	}
	return nil
}

// poison returns rows that loaders trip over.
func poison() []row {
	rows := []row{
		{company: "nul\x00nul", bad: "bad_character"},
		{company: "no \xff\xfe text", bad: "bad_encoding"},
		{company: strings.Repeat("long ", 220_000), bad: "cell_too_long"},
	}
	for _, text := range []string{"007", "1e5", "2024-13-45", "99999999999999999999999999999999", "NaN", "NULL", "true",
		"=cmd|' /C calc'!A0", "+1-1", "@SUM(1)", "'; DROP TABLE contacts; --", `\N`, `\.`, `a\tb\\`, "?0 ? $1", "<script>alert(1)</script>",
		"{{7*7}}", "%s%n", "a\u202eb", "👩‍👩‍👧‍👦", "Z̸a̷l̶g̵o̴", "ﷺ", "a\u200bb", "back\bspace"} {
		rows = append(rows, row{company: text})
	}
	return rows
}
