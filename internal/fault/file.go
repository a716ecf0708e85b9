//go:build linux

package main

import (
	"context"
	"fmt"
	"strings"
	"time"
)

var fileFaults = []*fault{{
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
}}

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
