package mapping

import (
	"slices"
	"strings"

	"sluice/internal/crm"
)

// A wordList translates a vendor's words for the state of a lead.
type wordList struct {
	vendor string
	beside string // folded headers that only this vendor's exports have
	words  map[string]string
}

// wordLists holds what vendors write as they come, both as labels and as the
// names behind them. Only what plainly says one of our states is translated:
// HubSpot's "Bad timing" says nothing of whether a lead is worth the work.
var wordLists = []wordList{
	{"HubSpot", "recordid lifecyclestage contactowner", map[string]string{
		"New": "New Lead", "Open": "New Lead", "In progress": "Working Lead", "IN_PROGRESS": "Working Lead",
		"Open deal": "Qualified Lead", "OPEN_DEAL": "Qualified Lead", "Unqualified": "Unqualified Lead",
		"Attempted to contact": "Working Lead", "ATTEMPTED_TO_CONTACT": "Working Lead", "Connected": "Working Lead",
	}},
	{"Salesforce", "leadid leadsource leadowner companyaccount isconverted", map[string]string{
		"Open - Not Contacted": "New Lead", "Working - Contacted": "Working Lead",
		"Closed - Converted": "Qualified Lead", "Closed - Not Converted": "Unqualified Lead",
		"New": "New Lead", "Open": "New Lead", "Contacted": "Working Lead", "Working": "Working Lead", "Nurturing": "Working Lead",
		"Qualified": "Qualified Lead", "Unqualified": "Unqualified Lead",
	}},
	{"Zoho", "recordid leadsource leadowner createdtime modifiedtime", map[string]string{
		"Not Contacted": "New Lead", "Attempted to Contact": "Working Lead", "Contacted": "Working Lead", "Contact in Future": "Working Lead",
		"Pre-Qualified": "Qualified Lead", "Junk Lead": "Unqualified Lead", "Lost Lead": "Unqualified Lead", "Not Qualified": "Unqualified Lead",
	}},
}

// translates reports whether a cell is one of the list's words.
func (l *wordList) translates(cell string) bool {
	for word := range l.words {
		if strings.EqualFold(word, cell) {
			return true
		}
	}
	return false
}

// bestWords returns the list by which most cells are states, nil if they need
// none, and how many are. Of lists that do as well the one in preferred wins.
func bestWords(cells []string, preferred *wordList) (best *wordList, fit int) {
	own := make([]bool, len(cells))
	for i, cell := range cells {
		if _, fault := convertStatus(nil, nil, cell); fault == "" {
			own[i] = true
			fit++
		}
	}
	for i := range wordLists {
		list, n := &wordLists[i], 0
		for j, cell := range cells {
			if own[j] || list.translates(cell) {
				n++
			}
		}
		if n > fit || n == fit && best != nil && list == preferred {
			best, fit = list, n
		}
	}
	return best, fit
}

// translate sets how a vendor's words become states, where a column holds
// them. What says nothing of a state is then left out with a warning, and so it
// is where no cell looked at says anything: nobody has asked for the column, so
// it must not cost a row.
func (p *plan) translate(column int) {
	cells, vendor := p.cells(column), p.vendor()
	list, _ := bestWords(cells, vendor)
	if len(cells) == 0 {
		list = vendor
	}
	c := &p.choices[column]
	switch {
	case list != nil:
		c.values, c.badCells = list.words, BlankCell
	case len(cells) == 0 && len(p.samples) > 0:
		c.badCells = BlankCell
		c.evidence += "; blank in all rows looked at, so what is no lead status is left blank, with a warning"
		return
	default:
		return
	}
	p.more = append(p.more, list.decisions(p.about(column))...)
}

// decisions shows what a list translates, a state at a time.
func (l *wordList) decisions(column string) []crm.Decision {
	byState := make(map[string][]string)
	seen := make(map[string]bool)
	for _, word := range sortedKeys(l.words) {
		if !seen[folded(word)] {
			seen[folded(word)] = true
			byState[l.words[word]] = append(byState[l.words[word]], word)
		}
	}
	var out []crm.Decision
	for _, state := range leadStatuses {
		if words := byState[state]; words != nil {
			out = append(out, crm.Decision{
				About: "values of " + column, Choice: state, Evidence: l.vendor + "'s " + strings.Join(words, ", "), Score: 0.8,
			})
		}
	}
	return append(out, crm.Decision{
		About: "values of " + column, Choice: "blank", Evidence: "all others, with a warning: they say nothing of a lead's state", Score: 0.8,
	})
}

var leadStatuses = []string{"New Lead", "Working Lead", "Qualified Lead", "Unqualified Lead"}

// vendor finds whose export a header is, by at least two names that few others
// use together.
func (p *plan) vendor() (best *wordList) {
	most := 1
	for i := range wordLists {
		found := 0
		for _, h := range p.header {
			if slices.Contains(strings.Fields(wordLists[i].beside), folded(h)) {
				found++
			}
		}
		if found > most {
			best, most = &wordLists[i], found
		}
	}
	return best
}
