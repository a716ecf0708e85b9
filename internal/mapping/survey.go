package mapping

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"sluice/internal/crm"
)

// A Survey looks at date columns whole, to find whether they are written day
// or month first. It is not safe for concurrent use.
type Survey struct {
	columns []evidence
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

// Findings tells what the cells observed so far say of every surveyed column
// of m, which it leaves as it is. A column whose order they do not tell has a
// decision with score 0, whose Choice is "undecided" and whose Evidence says
// what to write into the mapping file.
func (s *Survey) Findings(m *Mapping) []crm.Decision {
	decisions := make([]crm.Decision, len(s.columns))
	for i := range s.columns {
		order, score, why := s.columns[i].order()
		if order == "" {
			order = "undecided"
		}
		decisions[i] = crm.Decision{
			About:  fmt.Sprintf("date order of column %q", m.Columns[s.columns[i].place].Name),
			Choice: string(order), Evidence: why, Score: score,
		}
	}
	return decisions
}

// Decide fixes the order of every surveyed column in m. Where the cells do not
// tell and it matters, it wraps [crm.ErrInvalid] and says what to write into the
// mapping file: a date read wrong would go unnoticed.
func (s *Survey) Decide(m *Mapping) ([]crm.Decision, error) {
	var decisions []crm.Decision
	var faults []string
	for i, d := range s.Findings(m) {
		c := &m.Columns[s.columns[i].place]
		if d.Score == 0 {
			faults = append(faults, fmt.Sprintf("column %q: %s", c.Name, d.Evidence))
			continue
		}
		c.DateOrder = DateOrder(d.Choice)
		decisions = append(decisions, d)
	}
	if len(faults) > 0 {
		return decisions, invalid("dates", faults)
	}
	return decisions, nil
}

// evidence counts how the cells of one column can be read.
type evidence struct {
	place int // in Mapping.Columns
	cell  int

	// seen counts the cells that need an order by the set of orders in which
	// they exist, and by the set of pairs of these that make them different
	// days.
	seen [1 << len(orders)][1 << len(pairs)]int64
}

// pairs are the pairs of orders, by their places.
var pairs = [...][2]int{{0, 1}, {0, 2}, {1, 2}}

func (e *evidence) observe(cell string) {
	if cell == "" {
		return
	}
	m, ok := scanMoment(cell)
	if !ok || !m.unsettled {
		return
	}
	fits, differ := 0, 0
	for i, o := range orders {
		if m.fits(o) {
			fits |= 1 << i
		}
	}
	for i, p := range pairs {
		y, mo, d := m.under(orders[p[0]])
		if y2, mo2, d2 := m.under(orders[p[1]]); y != y2 || mo != mo2 || d != d2 {
			differ |= 1 << i
		}
	}
	e.seen[fits][differ]++
}

// count adds up the cells for which is holds.
func (e *evidence) count(is func(fits, differ int) bool) (n int64) {
	for fits := 1; fits < len(e.seen); fits++ {
		for differ, cells := range e.seen[fits] {
			if cells > 0 && is(fits, differ) {
				n += cells
			}
		}
	}
	return n
}

// against returns how many cells fit order i and not order j.
func (e *evidence) against(i, j int) int64 {
	return e.count(func(fits, _ int) bool { return fits&(1<<i) != 0 && fits&(1<<j) == 0 })
}

// stray is how many cells for it an order needs for each one against: those
// against are then taken for slips, and their rows are rejected.
const stray = 20

// beats reports whether the cells tell that the column has order i and not j.
func (e *evidence) beats(i, j int) bool {
	more := e.against(i, j)
	return more > 0 && e.against(j, i)*stray <= more
}

// alike reports whether it does not matter which of two orders the column has.
func (e *evidence) alike(i, j int) bool {
	both := 1<<i | 1<<j
	return e.count(func(fits, differ int) bool {
		return fits&both != 0 && (fits&both != both || differ&pairsOf(both) != 0)
	}) == 0
}

// order returns the order that beats every other, or that is as good as any;
// "" with score 0 if the cells do not tell.
func (e *evidence) order() (order DateOrder, score float64, why string) {
	all := e.count(func(_, _ int) bool { return true })
	if all == 0 {
		return YMD, 1, "no cell needs an order"
	}
	for i, o := range orders {
		won := true
		for j := range orders {
			won = won && (i == j || e.beats(i, j) || e.alike(i, j))
		}
		if !won {
			continue
		}
		fit := e.count(func(fits, _ int) bool { return fits&(1<<i) != 0 })
		alone := e.count(func(fits, _ int) bool { return fits == 1<<i })
		switch misfits := all - fit; {
		case misfits > 0:
			return o, float64(fit) / float64(all), fmt.Sprintf("%s fit no other order; %s do not fit it and will be rejected", cells(alone), cells(misfits))
		case alone > 0:
			return o, 1, fmt.Sprintf("%s fit no other order", cells(alone))
		case e.alike(0, 1):
			return o, 1, "every cell is the same day in any order"
		}
		return o, 1, fmt.Sprintf("%s fit no other order together", cells(fit))
	}
	return "", 0, e.undecided()
}

// undecided says between which orders the cells do not decide, how many of
// them could be either, and how many would be another day for it.
func (e *evidence) undecided() string {
	left := e.left()
	var names, settings, facts []string
	for i, o := range orders {
		if left&(1<<i) == 0 {
			continue
		}
		name := [...]string{"day/month", "month/day", "year/month/day"}[i]
		names, settings = append(names, name), append(settings, string(o))
		if n := e.count(func(fits, _ int) bool { return fits&left == 1<<i }); n > 0 {
			facts = append(facts, fmt.Sprintf("%s can only be %s", cells(n), name))
		}
	}
	several := func(fits, _ int) bool { return bits.OnesCount(uint(fits&left)) > 1 }
	if n := e.count(several); n > 0 {
		change := e.count(func(fits, differ int) bool { return several(fits, 0) && differ&pairsOf(fits&left) != 0 })
		facts = append(facts, fmt.Sprintf("%s could be %s, and %d of them would change", cells(n), orList(names), change))
	}
	return strings.Join(facts, "; ") + "; set date_order: " + orList(settings) + " in the mapping"
}

// left returns the set of orders that some cell fits and no other order beats.
func (e *evidence) left() (set int) {
	for i := range orders {
		lost := e.count(func(fits, _ int) bool { return fits&(1<<i) != 0 }) == 0
		for j := range orders {
			lost = lost || i != j && e.beats(j, i)
		}
		if !lost {
			set |= 1 << i
		}
	}
	return set
}

// pairsOf returns the set of pairs within a set of orders.
func pairsOf(set int) (in int) {
	for i, p := range pairs {
		if set&(1<<p[0]) != 0 && set&(1<<p[1]) != 0 {
			in |= 1 << i
		}
	}
	return in
}

func orList(items []string) string {
	last := len(items) - 1
	if last < 1 {
		return strings.Join(items, "")
	}
	return strings.Join(items[:last], ", ") + " or " + items[last]
}

func cells(n int64) string {
	if n == 1 {
		return "1 cell"
	}
	return fmt.Sprintf("%d cells", n)
}
