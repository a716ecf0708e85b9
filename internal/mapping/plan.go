package mapping

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"sluice/internal/crm"
)

// A choice is what became of one column, and why.
type choice struct {
	to       []string
	evidence string
	score    float64
	settled  bool // by the mapping file
	known    bool // its name says what it is, so its cells are not asked
	spec     *ColumnSpec
	part     []string // fields that the mapping file fills from it and other columns

	// What goes with the name where the mapping file is silent.
	values   map[string]string
	badCells BadCells
}

// A plan is a header being fitted: one choice a column.
type plan struct {
	header  []string // trimmed, NFC
	samples [][]string
	base    reading // for a look at samples
	match   crm.Match
	choices []choice
	allowed [3]bool        // entities that columns may fill
	taken   map[string]int // field to column, or byFile

	firstOf map[string][]int // fields filled from several columns, because of their names
	lost    []bid            // of columns whose field was taken
	more    []crm.Decision   // beside those of the columns
}

// byFile stands for a column in plan.taken where the mapping file fills a field
// without one of its own.
const byFile = -1

func newPlan(header []string, samples [][]string, spec *Spec, region string) *plan {
	p := &plan{
		samples: samples, base: reading{region: strings.ToUpper(region), zone: time.UTC}, match: spec.Match,
		choices: make([]choice, len(header)), allowed: [3]bool{true, true, true},
		taken: make(map[string]int), firstOf: make(map[string][]int),
	}
	for _, h := range header {
		p.header = append(p.header, headerText(h))
	}
	if spec.Only != nil {
		for _, e := range crm.Entities {
			p.allowed[e] = slices.Contains(spec.Only, e)
		}
	}
	return p
}

// headerText is a header text as mappings and reports name it.
func headerText(h string) string {
	value, _ := convertText(nil, nil, trimmed(h))
	return value
}

// barred says why a column may not fill a field; "" if it may. Customers who
// are not imported are still referred to.
func (p *plan) barred(t target) string {
	matched := p.match == crm.MatchEmail || p.match == crm.MatchDomain
	switch {
	case t == customerID && matched:
		return fmt.Sprintf("customers are matched by %s, and so have no id of their own", keyField(p.match))
	case t == customerID, t == customerEmail, t == keyField(p.match), p.allowed[t.Entity]:
		return ""
	}
	return t.Entity.Plural() + " are not among those imported"
}

// filler says what fills a field that is taken.
func (p *plan) filler(field string) string {
	if at := p.taken[field]; at != byFile {
		return fmt.Sprintf("%s is filled by column %q", field, p.header[at])
	}
	return field + " is filled as the mapping file says"
}

// rival returns the field that keeps a field from being filled, because it is
// the same or the same in other parts; "" for none.
func (p *plan) rival(field string) string {
	rivals := []string{field}
	switch field {
	case contactName.String():
		rivals = append(rivals, contactFirst.String(), contactLast.String())
	case contactFirst.String(), contactLast.String():
		rivals = append(rivals, contactName.String())
	}
	for _, r := range rivals {
		if _, taken := p.taken[r]; taken {
			return r
		}
	}
	return ""
}

// free reports whether a column can fill a field that nothing fills yet.
func (p *plan) free(t target) bool { return p.rival(t.String()) == "" && p.barred(t) == "" }

func (p *plan) hasContact() bool {
	for name := range p.taken {
		if strings.HasPrefix(name, "contact.") {
			return true
		}
	}
	return false
}

// identities are the fields that say who a contact is: see [crm.Identified].
var identities = []string{"contact.external_id", "contact.email", "contact.first_name", "contact.last_name", "contact.name"}

// nameless reports whether columns tell of contacts and none says who they are.
func (p *plan) nameless() bool {
	return p.hasContact() && !slices.ContainsFunc(identities, func(name string) bool { _, ok := p.taken[name]; return ok })
}

// keyless says what a mapping needs so that rows say which customer they are
// about; "" if it has it.
func (p *plan) keyless() string {
	has := func(t target) bool { _, ok := p.taken[t.String()]; return ok }
	switch {
	case p.match != "" && !has(keyField(p.match)):
		return fmt.Sprintf("customers are matched by %s, and no column says it; map one to %[1]s", keyField(p.match))
	case p.match == "" && !has(customerID) && !has(customerEmail):
		return "no column says which customer a row is about; map one to customer.external_id or customer.email"
	}
	return ""
}

// decisions tells what became of every column, and what else was decided.
func (p *plan) decisions() []crm.Decision {
	out := make([]crm.Decision, len(p.choices), len(p.choices)+len(p.more))
	for i, c := range p.choices {
		to := append(slices.Clone(c.to), c.part...)
		evidence, score := c.evidence, c.score
		if len(c.part) > 0 && len(c.to) == 0 {
			evidence, score = "the mapping file says so", 1
		}
		if len(to) == 0 {
			to = []string{ignore}
		}
		out[i] = crm.Decision{About: p.about(i), Choice: strings.Join(to, ", "), Evidence: evidence, Score: score}
	}
	return append(out, p.more...)
}

func (p *plan) about(i int) string {
	if p.header[i] == "" {
		return fmt.Sprintf("column %d", i+1)
	}
	return fmt.Sprintf("column %q", p.header[i])
}
