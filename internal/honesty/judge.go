package honesty

import (
	"fmt"
	"slices"
)

// Judge returns nil if the reading of c was honest, else what it did wrong
// first.
func Judge(c *Case, r Result) error {
	if r.Refused != nil {
		if c.Refuse == Never {
			return fmt.Errorf("the file was refused: %w", r.Refused)
		}
		return nil
	}
	if c.Refuse == Must {
		return fmt.Errorf("the file was read, and that is a guess")
	}
	if !slices.Equal(r.Header, c.Header) {
		return fmt.Errorf("header %q, want %q", r.Header, c.Header)
	}
	seen, reported := make(map[int]bool), make(map[int]bool)
	for _, got := range r.Rows {
		if i := rowAt(c, got.Line); i >= 0 && got.Fault != "" {
			reported[i] = true
		}
	}
	for _, got := range r.Rows {
		i := rowAt(c, got.Line)
		if i >= 0 && got.Fault == "" && reported[i] && slices.ContainsFunc(c.Rows[i].Parts, func(p []string) bool { return slices.Equal(p, got.Cells) }) {
			continue
		}
		switch {
		case i < 0:
			return fmt.Errorf("line %d: there is no row (fault %q, cells %q)", got.Line, got.Fault, got.Cells)
		case got.Fault != "" && !c.Rows[i].Touched:
			return fmt.Errorf("line %d: a row without fault is reported as %s", got.Line, got.Fault)
		case got.Fault == "" && got.Line != c.Rows[i].Line:
			return fmt.Errorf("line %d: a part of the row of line %d passes for a row: %q", got.Line, c.Rows[i].Line, got.Cells)
		case got.Fault == "" && seen[i]:
			return fmt.Errorf("line %d: the row is there twice", got.Line)
		case got.Fault == "" && !slices.Equal(padded(got.Cells, len(c.Rows[i].Cells)), c.Rows[i].Cells):
			return fmt.Errorf("line %d: cells %q, want %q", got.Line, got.Cells, c.Rows[i].Cells)
		}
		seen[i] = true
	}
	for i, w := range c.Rows {
		if !seen[i] {
			return fmt.Errorf("line %d: the row is lost", w.Line)
		}
	}
	return nil
}

// rowAt returns the place of the row that a line is part of, -1 if there is
// none.
func rowAt(c *Case, line int64) int {
	return slices.IndexFunc(c.Rows, func(w Row) bool { return w.Line <= line && line <= w.Last })
}

// padded returns cells with the blank ones that a sheet leaves away.
func padded(cells []string, n int) []string {
	cells = slices.Clone(cells)
	for len(cells) < n {
		cells = append(cells, "")
	}
	return cells
}
