package mapping

import (
	"fmt"
	"slices"

	"sluice/internal/crm"
)

// A Survey looks at date columns whole, to find whether they are written day
// or month first. It is not safe for concurrent use.
type Survey struct {
	columns []evidence
}

// evidence counts how the cells of one column can be read.
type evidence struct {
	place    int // in Mapping.Columns
	cell     int
	dmy, mdy int64 // cells that exist in this order alone
	both     int64 // cells that exist in both, as different days
	same     int64 // cells that are the same day in both
}

// Survey returns a survey of the date columns of m that no order is known for;
// nil if there are none, and then rows need not be read twice.
func (m *Mapping) Survey() *Survey {
	s := &Survey{}
	for i := range m.Columns {
		if m.Columns[i].timed() && m.Columns[i].DateOrder == "" {
			s.columns = append(s.columns, evidence{place: i, cell: m.Columns[i].Index})
		}
	}
	if len(s.columns) == 0 {
		return nil
	}
	return s
}

func (c *Column) timed() bool {
	return slices.ContainsFunc(c.To, func(name string) bool {
		t, _ := parseTarget(name)
		return t.typ(c.Type).timed()
	})
}

// Observe takes the cells of one row into account. Rows that cannot be read
// are not to be observed.
func (s *Survey) Observe(cells []string) {
	for i := range s.columns {
		if e := &s.columns[i]; e.cell < len(cells) {
			e.observe(trimmed(cells[e.cell]))
		}
	}
}

func (e *evidence) observe(cell string) {
	if cell == "" {
		return
	}
	m, ok := scanMoment(cell)
	if !ok || m.year < minYear {
		return
	}
	if !m.unsettled {
		return
	}
	dmy, mdy := m.fits(DMY), m.fits(MDY)
	switch {
	case dmy && mdy && m.a != m.b:
		e.both++
	case dmy && mdy:
		e.same++
	case dmy:
		e.dmy++
	case mdy:
		e.mdy++
	}
}

// stray is how many cells against one for it an order bears: those are taken
// for slips, and their rows are rejected.
const stray = 20

// Decide fixes the order of every surveyed column in m. Where the cells do not
// tell and it matters, it wraps [crm.ErrInvalid] and says what to write into the
// mapping file: a date read wrong would go unnoticed.
func (s *Survey) Decide(m *Mapping) ([]crm.Decision, error) {
	var decisions []crm.Decision
	var faults []string
	for i := range s.columns {
		e := &s.columns[i]
		c := &m.Columns[e.place]
		order, score, why := e.order()
		if order == "" {
			faults = append(faults, fmt.Sprintf("column %q: %s; set date_order: dmy or mdy in the mapping", c.Name, why))
			continue
		}
		c.DateOrder = order
		decisions = append(decisions, crm.Decision{
			About: fmt.Sprintf("date order of column %q", c.Name), Choice: string(order), Evidence: why, Score: score,
		})
	}
	if len(faults) > 0 {
		return decisions, invalid("dates", faults)
	}
	return decisions, nil
}

func (e *evidence) order() (order DateOrder, score float64, why string) {
	more, less := e.dmy, e.mdy
	order = DMY
	if e.mdy > e.dmy {
		more, less, order = e.mdy, e.dmy, MDY
	}
	switch {
	case more == 0 && e.both == 0:
		if e.same > 0 {
			return DMY, 1, "every cell is the same day in any order"
		}
		return YMD, 1, "no cell needs an order"
	case more == 0:
		return "", 0, fmt.Sprintf("%s could be day/month or month/day", cells(e.both))
	case less*stray > more:
		return "", 0, fmt.Sprintf("%s can only be day/month and %s only month/day", cells(e.dmy), cells(e.mdy))
	case less > 0:
		return order, 1 - float64(less)/float64(more), fmt.Sprintf("%s fit no other order; %s do not fit it and will be rejected", cells(more), cells(less))
	}
	return order, 1, fmt.Sprintf("%s fit no other order", cells(more))
}

func cells(n int64) string {
	if n == 1 {
		return "1 cell"
	}
	return fmt.Sprintf("%d cells", n)
}
