package mapping

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"sluice/internal/crm"
)

// A bid is a column that a field might be filled by.
type bid struct {
	candidate
	column int
}

// automap gives the columns that nobody settled to the fields that nobody
// took: by their names first, and where a name says nothing by their cells.
func (p *plan) automap() {
	p.byName()
	p.byValue()
	p.fallBack()
	p.shareEmail()
	p.shareName()
	p.dropNameless()
}

// byName maps columns by their names, best score first; of equal scores the
// leftmost column wins. Cells that do not fit speak against a name.
func (p *plan) byName() {
	bids := p.bids()
	slices.SortStableFunc(bids, func(a, b bid) int {
		if aside := cmp.Compare(last(a.to), last(b.to)); aside != 0 {
			return aside
		}
		return cmp.Compare(b.score, a.score)
	})
	for _, b := range bids {
		c := &p.choices[b.column]
		if c.to != nil {
			continue
		}
		if rival := p.rival(b.to); rival != "" {
			c.evidence, c.known = p.filler(rival), true
			p.lost = append(p.lost, b)
			continue
		}
		c.to, c.evidence, c.score = []string{b.to}, b.why, b.score
		p.taken[b.to] = b.column
		if b.to == customerStatus {
			p.translate(b.column)
		}
	}
}

// last is 1 for a field that gives way to others: a whole name is divided only
// where nobody has divided it already.
func last(field string) int {
	if field == contactName.String() {
		return 1
	}
	return 0
}

func (p *plan) bids() []bid {
	all := make(map[string]bool, len(p.header))
	for _, h := range p.header {
		all[folded(h)] = true
	}
	var bids []bid
	for i := range p.header {
		choice := &p.choices[i]
		if choice.settled {
			continue
		}
		choice.evidence = "no field is called so"
		if p.header[i] == "" {
			choice.evidence = "it has no name"
			continue
		}
		for _, c := range candidates(p.header[i], all) {
			c = p.companyName(i, c, all)
			if c.to == "" {
				choice.evidence, choice.known = c.why, true
				continue
			}
			t, _ := parseTarget(c.to)
			if why := p.barred(t); why != "" {
				choice.evidence, choice.known = why, true
			} else if why := p.against(i, &c); why != "" {
				choice.evidence = why
			} else {
				bids = append(bids, bid{c, i})
			}
		}
	}
	return bids
}

// companyName makes a name that stands beside a person's first and last the
// name of a company, if the cells are not made of those.
func (p *plan) companyName(column int, c candidate, all map[string]bool) candidate {
	if folded(p.header[column]) != "name" || c.to != "customer.name" || all["company"] || all["companyname"] {
		return c
	}
	first, last := -1, -1
	for i, h := range p.header {
		switch folded(h) {
		case "firstname":
			first = i
		case "lastname":
			last = i
		}
	}
	if first < 0 || last < 0 {
		return c
	}
	filled, made := 0, 0
	for _, row := range p.samples {
		name, given, family := folded(cellAt(row, column)), folded(cellAt(row, first)), folded(cellAt(row, last))
		if name == "" || given+family == "" {
			continue
		}
		filled++
		if given != "" && strings.Contains(name, given) || family != "" && strings.Contains(name, family) {
			made++
		}
	}
	if made*2 < filled {
		c.to, c.why = "customer.company", fmt.Sprintf("beside the names of a person and not made of them in %d of %d rows looked at", filled-made, filled)
	}
	return c
}

// fallBack lets other numbers of a contact stand in for a blank one.
func (p *plan) fallBack() {
	const phone = "contact.phone"
	first, ok := p.taken[phone]
	if !ok || first == byFile || p.choices[first].settled || !p.unique(first) {
		return
	}
	columns := []int{first}
	for _, b := range p.lost {
		c := &p.choices[b.column]
		if b.to != phone || c.to != nil || len(c.part) > 0 || !p.unique(b.column) {
			continue
		}
		c.to, c.score = []string{phone}, b.score
		c.evidence = fmt.Sprintf("%s; taken where column %q is blank", b.why, p.header[columns[len(columns)-1]])
		columns = append(columns, b.column)
	}
	if len(columns) > 1 {
		p.firstOf[phone] = columns
	}
}

// unique reports whether no other column is called the same.
func (p *plan) unique(column int) bool {
	return !slices.Contains(p.header[:column], p.header[column]) && !slices.Contains(p.header[column+1:], p.header[column])
}

// shareEmail lets one e-mail column feed the customer and the contact, when
// other columns tell of a contact. Where customers are known by an id and not
// imported, it is the contact's alone.
func (p *plan) shareEmail() {
	from, ok := p.taken[customerEmail.String()]
	if _, taken := p.taken[contactEmail.String()]; !ok || taken || from == byFile || p.choices[from].settled || !p.allowed[crm.Contact] {
		return
	}
	c := &p.choices[from]
	_, byID := p.taken[customerID.String()]
	switch {
	case !p.allowed[crm.Customer] && (byID || p.match == crm.MatchDomain):
		c.to = []string{contactEmail.String()}
		delete(p.taken, customerEmail.String())
	case p.hasContact():
		c.to = append(c.to, contactEmail.String())
		c.evidence += "; contact columns are there too"
	default:
		return
	}
	p.taken[contactEmail.String()] = from
}

// shareName lets one column with a person's name feed the customer and the
// contact, where nothing else names the other.
func (p *plan) shareName() {
	name, company := "customer.name", "customer.company"
	_, companies := p.taken[company]
	if from, ok := p.taken[name]; ok && from != byFile && !p.choices[from].settled && p.free(contactName) && p.hasContact() {
		if h := folded(p.header[from]); personal[h] || companies && plainName[h] {
			p.share(from, contactName.String(), "; contact columns are there too")
		}
		return
	}
	from, ok := p.taken[contactName.String()]
	if t, _ := parseTarget(name); ok && from != byFile && !p.choices[from].settled && !companies && p.free(t) {
		p.share(from, name, "; nothing else names the customer")
	}
}

func (p *plan) share(column int, field, why string) {
	c := &p.choices[column]
	c.to, c.evidence = append(c.to, field), c.evidence+why
	p.taken[field] = column
}

// dropNameless leaves out columns that belong to a contact nobody names, and to
// a note without text: they would reject every row, or fill nothing.
func (p *plan) dropNameless() {
	_, text := p.taken[noteText.String()]
	nameless := p.nameless()
	for i := range p.choices {
		c := &p.choices[i]
		if c.settled || len(c.to) != 1 {
			continue
		}
		t, _ := parseTarget(c.to[0])
		switch {
		case t.Entity == crm.Contact && nameless:
			*c = choice{evidence: "no column names the contact it would belong to", part: c.part}
		case t.Entity == crm.Note && !text:
			*c = choice{evidence: "no column holds the note's text", part: c.part}
		default:
			continue
		}
		delete(p.taken, t.String())
		delete(p.firstOf, t.String())
	}
}
