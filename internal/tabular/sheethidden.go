package tabular

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"sluice/internal/crm"
)

// hidden returns what is to be said of rows and columns that the sheet does not
// show; nothing for one that shows all. set is how the owner wants them.
//
// Nearly every sheet is read in no more time than it takes to unpack it, since
// the word must stand in the part of one that hides anything.
func (b *workbook) hidden(ctx context.Context, sheet sheetPart, set string) ([]crm.Decision, error) {
	r, err := b.archive.open(ctx, sheet.part)
	if err != nil {
		return nil, err
	}
	found, err := contains(r, "hidden")
	if err = errors.Join(err, r.Close()); err != nil || !found {
		return nil, damage(err)
	}
	if r, err = b.archive.open(ctx, sheet.part); err != nil {
		return nil, err
	}
	defer r.Close()
	s := sheetReader{x: newXMLScanner(r), outline: true}
	rows, columns := 0, 0
	var row sheetRow
	for {
		err := s.next(&row)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, damage(err)
		}
		if row.hidden && !blankRow(&row) {
			rows++
		}
		if n := len(row.cells); n > 0 {
			columns = max(columns, row.cells[n-1].column)
		}
	}
	return hiddenDecisions(rows, s.hidden.within(columns), set), nil
}

// contains reports whether a part holds a word.
func contains(r io.Reader, word string) (bool, error) {
	buf := make([]byte, 64<<10)
	kept := 0
	for {
		n, err := r.Read(buf[kept:])
		if bytes.Contains(buf[:kept+n], []byte(word)) {
			return true, nil
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return false, err
		}
		tail := min(len(word)-1, kept+n)
		kept = copy(buf, buf[kept+n-tail:kept+n])
	}
}

func hiddenDecisions(rows, columns int, set string) []crm.Decision {
	var out []crm.Decision
	if rows > 0 {
		d := crm.Decision{About: "hidden rows", Choice: set, Score: 1,
			Evidence: fmt.Sprintf("as set; the sheet hides %s", howMany(rows, "row"))}
		if set == "" {
			d.Choice, d.Score = crm.ImportHidden, 0.5
			d.Evidence = fmt.Sprintf("the sheet hides %s", howMany(rows, "row"))
		}
		out = append(out, d)
	}
	if columns > 0 {
		out = append(out, crm.Decision{About: "hidden columns", Choice: crm.ImportHidden, Score: 0.5,
			Evidence: fmt.Sprintf("the sheet hides %s", howMany(columns, "column"))})
	}
	return out
}

func howMany(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// columnSpans are the columns that a sheet hides, from 1, both ends included.
type columnSpans [][2]int

// look takes a start tag above the rows of a sheet.
func (c *columnSpans) look(x *xmlScanner) {
	if x.depth != rowDepth || string(x.name) != "col" || len(*c) == maxColumns {
		return
	}
	var span [2]int
	hidden := false
	for {
		name, value, ok := x.attr()
		if !ok {
			break
		}
		switch string(name) {
		case "min":
			span[0], _ = decimal(value)
		case "max":
			span[1], _ = decimal(value)
		case "hidden":
			hidden = isTrue(value)
		}
	}
	if hidden {
		*c = append(*c, span)
	}
}

// within returns how many of the first n columns are hidden. Excel hides all
// columns behind the last one that is used in one span.
func (c columnSpans) within(n int) int {
	hidden := 0
	for _, s := range c {
		hidden += max(min(s[1], n)-max(s[0], 1)+1, 0)
	}
	return min(hidden, n)
}
