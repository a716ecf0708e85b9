package mapping

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// folded is the form in which header texts are compared: NFKC, case folded,
// letters and digits only, without accents. "E-Mail (Arbeit)" and
// "e_mail arbeit" are the same.
func folded(header string) string {
	s := norm.NFKD.String(cases.Fold().String(norm.NFKC.String(header)))
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, s)
}

// attributeKey makes the name of a custom attribute of a header text: lower
// case, with underscores; "" if nothing is left of it.
func attributeKey(header string) string {
	var b strings.Builder
	gap := false
	for _, r := range norm.NFKC.String(header) {
		if r == unicode.ReplacementChar || !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			gap = true
			continue
		}
		if gap && b.Len() > 0 {
			b.WriteByte('_')
		}
		gap = false
		b.WriteRune(unicode.ToLower(r))
		if b.Len() > 120 {
			break
		}
	}
	return b.String()
}

// didYouMean returns a remark that names the known word nearest to name; "" if
// none is near.
func didYouMean(name string, known []string) string {
	if best := nearest(name, known); best != "" {
		return fmt.Sprintf(" (did you mean %q?)", best)
	}
	return ""
}

// nearest returns the known word with the fewest edits to name, if those are
// at most a third of its letters.
func nearest(name string, known []string) string {
	best, least := "", -1
	from := []rune(folded(name))
	for _, k := range known {
		to := []rune(folded(k))
		d := edits(from, to)
		if d <= max(len(from), len(to))/3 && (least < 0 || d < least) {
			best, least = k, d
		}
	}
	return best
}

// edits counts the insertions, deletions and replacements between a and b.
func edits(a, b []rune) int {
	if len(a) > 200 || len(b) > 200 {
		return max(len(a), len(b))
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i, x := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j, y := range b {
			cost := diagonal
			if x != y {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}

// names lists header texts for an error: the first of them, if they are many.
func names(header []string) string {
	const most = 40
	quoted := make([]string, 0, min(len(header), most))
	for _, h := range header[:min(len(header), most)] {
		if r := []rune(h); len(r) > 60 {
			h = string(r[:60]) + "…"
		}
		quoted = append(quoted, fmt.Sprintf("%q", h))
	}
	list := strings.Join(quoted, ", ")
	if len(header) > most {
		list += fmt.Sprintf(" and %d more", len(header)-most)
	}
	return list
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
