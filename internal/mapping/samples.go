package mapping

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"sluice/internal/crm"
)

// cellAt returns a trimmed cell of a row, which may be short.
func cellAt(row []string, column int) string {
	if column >= len(row) {
		return ""
	}
	return trimmed(row[column])
}

// cells returns the cells of a column that are not blank, of the samples.
func (p *plan) cells(column int) []string {
	var list []string
	for _, row := range p.samples {
		if cell := cellAt(row, column); cell != "" {
			list = append(list, cell)
		}
	}
	return list
}

// against says what of the samples speaks against a column's name; "" if
// nothing does. Where some cells do, the candidate's reason tells how many.
func (p *plan) against(column int, c *candidate) string {
	t, _ := parseTarget(c.to)
	cells := p.cells(column)
	switch {
	case c.proof && len(cells) == 0:
		return c.why + ", and no cell looked at shows that it fits " + c.to
	case t == customerID && len(cells)*2 < len(p.samples):
		return fmt.Sprintf("called like %s, but blank in %d of %d rows looked at", c.to, len(p.samples)-len(cells), len(p.samples))
	case t == customerID && folded(p.header[column]) == "id" && len(cells) >= 4 && distinct(cells)*2 < len(cells):
		return fmt.Sprintf("called like %s, but %d of %d cells looked at repeat others", c.to, len(cells)-distinct(cells), len(cells))
	}
	fit := p.fitting(t, cells)
	if fit*2 < len(cells) && !(sure(c, t) && (fit > 0 || t == customerEmail || t == contactEmail)) {
		return fmt.Sprintf("called like %s, but %d of %d cells looked at do not fit it", c.to, len(cells)-fit, len(cells))
	}
	if fit < len(cells) {
		c.why += fmt.Sprintf("; %d of %d cells looked at fit it", fit, len(cells))
	}
	return ""
}

// sure reports whether a name leaves so little doubt of what a column is that
// cells which do not fit are bad cells, and their rows are rejected: a column
// must not go missing because half of it is damaged. Statuses are words of each
// vendor's own, and text fits everything but where names are meant.
func sure(c *candidate, t target) bool {
	return c.score >= usualScore && t.typ("") != statusType && !slices.Contains(nameFields, t.String())
}

// fitting counts the cells that a field can take, under any date order.
func (p *plan) fitting(t target, cells []string) (fit int) {
	if t.String() == customerStatus {
		_, fit = bestWords(cells, nil)
		return fit
	}
	for _, cell := range cells {
		if fits(t.typ(""), &p.base, cell) && (!slices.Contains(nameFields, t.String()) || nameLike(cell)) {
			fit++
		}
	}
	return fit
}

// nameFields are the fields of text that hold names of something.
var nameFields = []string{"customer.name", "customer.company", "customer.city", "contact.name", "contact.first_name", "contact.last_name", "contact.title"}

// nameLike reports whether a text can be a name: an address cannot, nor what
// has no letter.
func nameLike(cell string) bool {
	return !strings.Contains(cell, "@") && !strings.Contains(cell, "://") && strings.ContainsFunc(cell, unicode.IsLetter)
}

func fits(typ Type, base *reading, cell string) bool {
	if typ == phoneType && !strings.ContainsAny(cell, "0123456789") {
		return false // it would be kept as written
	}
	for _, order := range [...]DateOrder{DMY, MDY} {
		r := *base
		r.order = order
		if _, fault := converters[typ](&r, nil, cell); fault == "" || fault.Warns() {
			return true
		}
	}
	return false
}

func distinct(cells []string) int {
	seen := make(map[string]bool, len(cells))
	for _, cell := range cells {
		seen[strings.ToLower(cell)] = true
	}
	return len(seen)
}

// A tell is what the cells of a column say of themselves, whatever its name.
type tell struct {
	field string
	score float64
	what  string
	holds func(p *plan, cells []string) bool
}

// tells are asked in order. Each needs every cell looked at.
var tells = []tell{
	{"customer.email", 0.6, "e-mail addresses", func(p *plan, cells []string) bool {
		return p.every(cells, emailType) && varied(cells)
	}},
	{"customer.website_url", 0.5, "web addresses of different hosts", func(p *plan, cells []string) bool {
		hosts := make([]string, 0, len(cells))
		for _, cell := range cells {
			address, fault := convertURL(&p.base, nil, cell)
			lower := strings.ToLower(cell)
			scheme := strings.HasPrefix(lower, "http") || strings.HasPrefix(lower, "www.")
			_, rest, _ := strings.Cut(address, "://")
			if _, path, _ := strings.Cut(rest, "/"); fault != "" || !scheme || path != "" {
				return false
			}
			hosts = append(hosts, siteHost(address))
		}
		return varied(hosts)
	}},
	{"contact.phone", 0.5, "telephone numbers with a country code", func(p *plan, cells []string) bool {
		for _, cell := range cells {
			if value, fault := convertPhone(&p.base, nil, cell); fault != "" || !strings.HasPrefix(cell, "+") || !strings.HasPrefix(value, "+") {
				return false
			}
		}
		return varied(cells)
	}},
	{"customer.country", 0.4, "countries", func(p *plan, cells []string) bool {
		return len(cells) >= 3 && p.every(cells, countryType) && plainlyCountries(cells)
	}},
}

// byValue maps columns whose names say nothing by what their cells are. A cell
// is weak evidence, so a column must be full of the one kind, and its field
// must be wanting.
func (p *plan) byValue() {
	for _, tell := range tells {
		t, _ := parseTarget(tell.field)
		for i := range p.choices {
			c := &p.choices[i]
			if !p.free(t) {
				break
			}
			if c.to != nil || c.settled || c.known || len(c.part) > 0 || p.header[i] == "" {
				continue
			}
			if cells := p.cells(i); len(cells) > 0 && tell.holds(p, cells) {
				c.to, c.score = []string{tell.field}, tell.score
				c.evidence = fmt.Sprintf("all %d cells looked at are %s", len(cells), tell.what)
				p.taken[tell.field] = i
			}
		}
	}
}

func (p *plan) every(cells []string, typ Type) bool {
	for _, cell := range cells {
		if _, fault := converters[typ](&p.base, nil, cell); fault != "" {
			return false
		}
	}
	return true
}

// varied reports whether few cells repeat others: addresses of a colleague who
// looks after many customers do.
func varied(cells []string) bool { return distinct(cells)*5 >= len(cells)*4 }

// plainlyCountries tells countries from codes that look like them: states of
// the United States and languages.
func plainlyCountries(cells []string) bool {
	states := 0
	for _, cell := range cells {
		if cell != strings.ToUpper(cell) && len(cell) <= 3 {
			return false
		}
		if _, ok := americanState(cell); ok {
			states++
		}
	}
	return states*2 < len(cells)
}

// customerStatus is the field whose words each vendor has of its own.
var customerStatus = target{Entity: crm.Customer, Field: crm.FieldIndex(crm.Customer, "status")}.String()
