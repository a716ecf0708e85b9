package mapping

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"sluice/internal/crm"
)

// A choice is what became of one column, and why.
type choice struct {
	to       []string
	evidence string
	score    float64
	settled  bool // by the mapping file
	spec     *ColumnSpec
}

// A plan is a header being fitted: one choice a column.
type plan struct {
	header  []string // trimmed, NFC
	choices []choice
	allowed [3]bool        // entities that columns may fill
	taken   map[string]int // field to column
}

func newPlan(header []string, spec *Spec) *plan {
	p := &plan{choices: make([]choice, len(header)), taken: make(map[string]int), allowed: [3]bool{true, true, true}}
	for _, h := range header {
		p.header = append(p.header, headerText(h))
	}
	if spec != nil && spec.Only != nil {
		for _, e := range crm.Entities {
			p.allowed[e] = slices.Contains(spec.Only, e)
		}
	}
	return p
}

// headerText is a header text as mappings and reports name it.
func headerText(h string) string {
	value, _ := convertText(nil, trimmed(h))
	return value
}

// may reports whether a column may fill a field. Customers who are not
// imported are still referred to.
func (p *plan) may(t target) bool {
	return p.allowed[t.Entity] || t == customerID || t == customerEmail
}

// automap gives the columns that nobody settled to the fields that nobody
// took, best score first; of equal scores the leftmost column wins.
func (p *plan) automap() {
	type bid struct {
		candidate
		column int
	}
	var bids []bid
	all := make(map[string]bool, len(p.header))
	for _, h := range p.header {
		all[folded(h)] = true
	}
	for i := range p.header {
		if p.choices[i].settled {
			continue
		}
		p.choices[i].evidence = p.unknown(i)
		for _, c := range candidates(folded(p.header[i]), all) {
			if c.to == "" {
				p.choices[i].evidence = c.why
				continue
			}
			if t, _ := parseTarget(c.to); p.may(t) {
				bids = append(bids, bid{c, i})
			}
		}
	}
	slices.SortStableFunc(bids, func(a, b bid) int { return cmp.Compare(b.score, a.score) })
	for _, b := range bids {
		c := &p.choices[b.column]
		if c.to != nil {
			continue
		}
		if other, taken := p.taken[b.to]; taken {
			c.evidence = fmt.Sprintf("%s is filled by column %q", b.to, p.header[other])
			continue
		}
		c.to, c.evidence, c.score = []string{b.to}, b.why, b.score
		p.taken[b.to] = b.column
	}
	p.shareEmail()
	p.dropNameless()
}

func (p *plan) unknown(i int) string {
	if p.header[i] == "" {
		return "it has no name"
	}
	return "no field is called so"
}

// shareEmail lets one e-mail column feed the customer and the contact, when
// other columns tell of a contact. Where customers are known by an id and not
// imported, it is the contact's alone.
func (p *plan) shareEmail() {
	from, ok := p.taken[customerEmail.String()]
	if _, taken := p.taken[contactEmail.String()]; !ok || taken || p.choices[from].settled || !p.allowed[crm.Contact] {
		return
	}
	c := &p.choices[from]
	_, byID := p.taken[customerID.String()]
	switch {
	case !p.allowed[crm.Customer] && byID:
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

func (p *plan) hasContact() bool {
	for name := range p.taken {
		if strings.HasPrefix(name, "contact.") {
			return true
		}
	}
	return false
}

// identities are the fields that say who a contact is: see [crm.Identified].
var identities = []string{"contact.external_id", "contact.email", "contact.first_name", "contact.last_name"}

// nameless reports whether columns tell of contacts and none says who they are.
func (p *plan) nameless() bool {
	return p.hasContact() && !slices.ContainsFunc(identities, func(name string) bool { _, ok := p.taken[name]; return ok })
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
			*c = choice{evidence: "no column names the contact it would belong to"}
		case t.Entity == crm.Note && !text:
			*c = choice{evidence: "no column holds the note's text"}
		default:
			continue
		}
		delete(p.taken, t.String())
	}
}

// decisions tells what became of every column.
func (p *plan) decisions() []crm.Decision {
	out := make([]crm.Decision, len(p.choices))
	for i, c := range p.choices {
		to := strings.Join(c.to, ", ")
		if to == "" {
			to = ignore
		}
		out[i] = crm.Decision{About: p.about(i), Choice: to, Evidence: c.evidence, Score: c.score}
	}
	return out
}

func (p *plan) about(i int) string {
	if p.header[i] == "" {
		return fmt.Sprintf("column %d", i+1)
	}
	return fmt.Sprintf("column %q", p.header[i])
}
