package mapping

import (
	"fmt"
	"time"

	"sluice/internal/crm"
)

// Suggest proposes a mapping file for a header, for a person to edit. Rows from
// the file's beginning speak against a name whose cells are something else, and
// for a column of e-mail addresses under any name; there may be none. There is
// a decision for each column, and one more if rows would not say which customer
// they are about.
func Suggest(header []string, samples [][]string, o Options) (*Spec, []crm.Decision) {
	p := newPlan(header, nil)
	p.automap()
	base := reading{region: o.Region, zone: time.UTC}
	if p.doubt(samples, &base) {
		for i := range p.choices {
			if !p.choices[i].settled {
				p.choices[i] = choice{}
			}
		}
		clear(p.taken)
		p.automap()
	}
	p.findEmail(samples, &base)
	s := &Spec{Version: 1}
	seen := make(map[string]bool)
	for i, c := range p.choices {
		if name := p.header[i]; name != "" && !seen[name] {
			seen[name] = true
			s.Columns = append(s.Columns, ColumnSpec{Column: name, To: c.to})
		}
	}
	decisions := p.decisions()
	_, byID := p.taken[customerID.String()]
	_, byEmail := p.taken[customerEmail.String()]
	if !byID && !byEmail {
		decisions = append(decisions, crm.Decision{
			About: "customer", Choice: "none",
			Evidence: "no column says which customer a row is about; map one to customer.external_id or customer.email",
		})
	}
	return s, decisions
}

// doubt settles the columns most of whose cells do not fit their field as
// ignored. It reports whether there were any.
func (p *plan) doubt(samples [][]string, base *reading) bool {
	found := false
	for i := range p.choices {
		c := &p.choices[i]
		if len(c.to) == 0 {
			continue
		}
		t, _ := parseTarget(c.to[0])
		if fit, filled := fitting(samples, i, t.typ(""), base); filled > 0 && fit*2 < filled {
			why := fmt.Sprintf("called like %s, but %d of %d cells looked at do not fit it", c.to[0], filled-fit, filled)
			*c = choice{evidence: why, settled: true}
			found = true
		}
	}
	return found
}

// findEmail looks for addresses under an unknown name when nothing else says
// which customer a row is about.
func (p *plan) findEmail(samples [][]string, base *reading) {
	if _, ok := p.taken[customerEmail.String()]; ok {
		return
	}
	for i := range p.choices {
		c := &p.choices[i]
		if c.to != nil || c.settled || p.header[i] == "" {
			continue
		}
		if fit, filled := fitting(samples, i, emailType, base); fit > 0 && fit == filled {
			*c = choice{to: []string{customerEmail.String()}, evidence: "all cells looked at are e-mail addresses", score: 0.6}
			p.taken[customerEmail.String()] = i
			p.shareEmail()
			return
		}
	}
}

// fitting counts the cells of a column that are not blank, and those of them
// that the type can read in any date order.
func fitting(samples [][]string, column int, typ Type, base *reading) (fit, filled int) {
	for _, row := range samples {
		if column >= len(row) || trimmed(row[column]) == "" {
			continue
		}
		filled++
		for _, order := range [...]DateOrder{DMY, MDY} {
			r := *base
			r.order = order
			if _, fault := converters[typ](&r, trimmed(row[column])); fault == "" || fault.Warns() {
				fit++
				break
			}
		}
	}
	return fit, filled
}
