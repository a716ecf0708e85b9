package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"sluice/internal/crm"
	"sluice/internal/mapping"
)

// A group is the rejections of one reason in one column, with what a look at
// the rows themselves found out. It holds no cell that is ever shown
// (invariant 4).
type group struct {
	crm.RejectGroup
	lines  []crm.Address // of the first few rows, ascending
	looked int64         // rows looked at; 0: none, and then only the reason is known
	cures  []*cure
	words  map[string]bool // different cells, up to maxWords; nil where they do not matter

	decided mapping.DateOrder // of the column, in the first row's file; "" if it has none
}

// A cure is a setting under which rows of a group may fit. It is tried out, by
// the code that maps rows.
type cure struct {
	setting string // as in a mapping file
	flag    string // as on the command line
	change  func(*mapping.Column)
	mappers map[int]*mapping.Mapper // by file; nil where the setting changes nothing
	mends   int64                   // rows looked at whose cell fits under it
}

const (
	fewLines = 5      // lines named of a group
	maxWords = 50     // different cells counted of a group
	lookRows = 20_000 // rejected rows looked at, of all groups together
)

var errLookedEnough = errors.New("enough rows were looked at")

// groupsOf returns the groups of a report without a look at the rows.
func groupsOf(list []crm.RejectGroup) []*group {
	var all []*group
	for _, g := range list {
		all = append(all, &group{RejectGroup: g})
	}
	return all
}

// lookInto returns the groups of an import's rejections with what its first
// rejected rows, read from list, say about them.
func lookInto(list io.Reader, groups []crm.RejectGroup, from origins) ([]*group, error) {
	all := groupsOf(groups)
	by := map[crm.Rejection]*group{}
	for _, g := range all {
		by[crm.Rejection{Column: g.Column, Reason: g.Reason}] = g
		g.cures = curesFor(g.Reason)
		switch g.Reason {
		case crm.ReasonBadCountry, crm.ReasonBadStatus, crm.ReasonBadBoolean, crm.ReasonBadNoteType, crm.ReasonBadChoice:
			g.words = map[string]bool{}
		}
	}
	plans := from.plans
	for _, g := range all {
		if g.FirstFile < len(plans) {
			g.decided = orderOf(plans[g.FirstFile], g.Column)
		}
	}
	rows := 0
	err := eachRow(list, func(r crm.RejectedRow) error {
		if rows++; rows > lookRows {
			return errLookedEnough
		}
		for _, f := range r.Faults {
			if g := by[crm.Rejection{Column: f.Column, Reason: f.Reason}]; g != nil && r.File < len(plans) {
				g.look(r, plans[r.File])
			}
		}
		return nil
	})
	if errors.Is(err, errLookedEnough) {
		err = nil
	}
	return all, err
}

// curesFor returns the settings that can help against a reason.
func curesFor(r crm.Reason) []*cure {
	order := func(o mapping.DateOrder) *cure {
		return &cure{setting: "date_order: " + string(o), flag: "--date-order " + string(o),
			change: func(c *mapping.Column) { c.DateOrder = o }}
	}
	var list []*cure
	switch r {
	case crm.ReasonBadDate, crm.ReasonFutureDate:
		list = []*cure{order(mapping.DMY), order(mapping.MDY), order(mapping.YMD)}
	case crm.ReasonBadDecimal, crm.ReasonBadInteger:
		list = []*cure{{setting: `decimal: ","`, change: func(c *mapping.Column) { c.Decimal = "," }}}
	case crm.ReasonTooFewCells:
		list = []*cure{{setting: "short_rows: pad", flag: "--short-rows pad", change: func(*mapping.Column) {}}}
	}
	switch r {
	case crm.ReasonBadEmail, crm.ReasonBadDate, crm.ReasonFutureDate, crm.ReasonBadCountry, crm.ReasonBadURL, crm.ReasonBadStatus,
		crm.ReasonBadInteger, crm.ReasonBadDecimal, crm.ReasonBadBoolean, crm.ReasonBadNoteType, crm.ReasonBadChoice,
		crm.ReasonDamagedNumber, crm.ReasonTooLong:
		list = append(list, &cure{setting: blankCells, flag: "--bad-cells blank",
			change: func(c *mapping.Column) { c.BadCells = mapping.BlankCell }})
	}
	return list
}

// blankCells is the last resort: it mends by leaving the value out.
const blankCells = "bad_cells: blank"

// look takes one row into account.
func (g *group) look(r crm.RejectedRow, p filePlan) {
	g.looked++
	if len(g.lines) < fewLines {
		g.lines = append(g.lines, crm.At(r.File, r.Line))
	}
	if at := slices.Index(p.Layout.Header, g.Column); g.words != nil && at >= 0 && at < len(r.Cells) && len(g.words) < maxWords {
		g.words[strings.ToLower(strings.TrimSpace(r.Cells[at]))] = true
	}
	for _, c := range g.cures {
		if c.mapper(g.Column, r.File, p) != nil && c.helps(g.Column, r) {
			c.mends++
		}
	}
}

// mapper returns how rows of a file are mapped under the cure.
func (c *cure) mapper(column string, file int, p filePlan) *mapping.Mapper {
	if m, known := c.mappers[file]; known {
		return m
	}
	if c.mappers == nil {
		c.mappers = map[int]*mapping.Mapper{}
	}
	c.mappers[file] = c.compile(column, p)
	return c.mappers[file]
}

func (c *cure) compile(column string, p filePlan) *mapping.Mapper {
	if p.Mapping == nil {
		return nil
	}
	m := *p.Mapping
	m.Columns = slices.Clone(m.Columns)
	at := slices.IndexFunc(m.Columns, func(col mapping.Column) bool { return col.Name == column })
	if column != "" && at < 0 {
		return nil
	}
	if at >= 0 {
		c.change(&m.Columns[at])
	}
	mapper, err := m.Mapper()
	if err != nil {
		return nil
	}
	return mapper
}

// helps reports whether nothing is wrong with a row's cell under the cure; of a
// row that was at fault as a whole, with the row.
func (c *cure) helps(column string, r crm.RejectedRow) bool {
	var out mapping.Mapped
	c.mappers[r.File].Map(&crm.Row{Line: r.Line, Cells: r.Cells}, &out)
	return !slices.ContainsFunc(out.Faults, func(f crm.Rejection) bool { return column == "" || f.Column == column })
}

// name says which rows a group has.
func (g *group) name() string {
	if g.Column == "" {
		return string(g.Reason)
	}
	return fmt.Sprintf("%s in %q", g.Reason, g.Column)
}

// best returns the cure that mends most, apart from leaving values out; nil if
// none does.
func (g *group) best() *cure {
	var best *cure
	for _, c := range g.cures {
		if c.setting != blankCells && c.mends > 0 && (best == nil || c.mends > best.mends) {
			best = c
		}
	}
	return best
}

// atOnce says what mends the rows of a group all at once; "" if they must be
// mended one by one.
func (g *group) atOnce() string {
	ways := []string{g.setting(), g.leftOut()}
	return strings.Join(slices.DeleteFunc(ways, func(way string) bool { return way == "" }), "; or ")
}

// setting says under which setting the rows of a group would fit.
func (g *group) setting() string {
	if c := g.best(); c != nil {
		text := fmt.Sprintf("%s reads %s", c.setting, g.share(c.mends))
		if g.decided != "" && strings.HasPrefix(c.setting, "date_order") {
			text += fmt.Sprintf("; the column was decided as %s", g.decided)
		}
		return text
	}
	text := remedies[g.Reason].all
	if g.looked > 0 && slices.ContainsFunc(g.cures, func(c *cure) bool { return c.setting != blankCells }) {
		text = "" // what was tried is known not to help
	}
	words := count(int64(len(g.words)), "different word")
	switch len(g.words) {
	case 0:
		return text
	case 1:
		words = "the same word each time"
	case maxWords:
		words = "at least " + words
	}
	return words + ": " + text
}

// leftOut says how many rows of a group could go in without the value.
func (g *group) leftOut() string {
	for _, c := range g.cures {
		if c.setting == blankCells && c.mends > 0 {
			return fmt.Sprintf("%s takes in %s, with that cell left blank", c.setting, g.share(c.mends))
		}
	}
	return ""
}

// share writes how many rows of a group, or of those looked at.
func (g *group) share(n int64) string {
	switch {
	case n == g.Count:
		return "all"
	case g.looked < g.Count:
		return fmt.Sprintf("%s of the first %s", number(n), number(g.looked))
	}
	return fmt.Sprintf("%s of %s", number(n), number(g.Count))
}

// orderOf returns how the dates of a column are read.
func orderOf(p filePlan, column string) mapping.DateOrder {
	if p.Mapping != nil {
		for _, c := range p.Mapping.Columns {
			if c.Name == column {
				return c.DateOrder
			}
		}
	}
	return ""
}
