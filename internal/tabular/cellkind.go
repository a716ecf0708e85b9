package tabular

import (
	"strings"
	"unicode"
)

// A cellKind is what a cell looks like to somebody who does not know what the
// column means. It serves to tell names of columns from values.
type cellKind uint8

const (
	blankCell cellKind = iota
	textCell
	addressCell // an e-mail address or a web address
	dateCell
	figureCell // a number, an amount, a telephone number
	codeCell   // letters and digits without a space, such as an id
	truthCell
)

// kindOf looks at one cell.
func kindOf(cell string) cellKind {
	v := strings.TrimSpace(cell)
	switch {
	case v == "":
		return blankCell
	case len(v) > 256:
		return textCell
	case isAddress(v):
		return addressCell
	case isDate(v), hasMonth(v):
		return dateCell
	}
	digits, letters, others := 0, 0, 0
	for _, r := range v {
		switch {
		case r >= '0' && r <= '9':
			digits++
		case strings.ContainsRune(" \u00A0\u202F.,'+-/:()%$€£¥", r):
		case r == '_' || r == '#':
			others++
		default:
			letters++
		}
	}
	switch {
	case digits > 0 && letters+others == 0:
		return figureCell
	case digits >= 3 && !strings.ContainsAny(v, " \u00A0"):
		return codeCell
	}
	switch strings.ToLower(v) {
	case "true", "false", "yes", "no":
		return truthCell
	}
	return textCell
}

func isAddress(v string) bool {
	if strings.ContainsAny(v, " \t\n") {
		return false
	}
	if at := strings.IndexByte(v, '@'); at > 0 && strings.IndexByte(v[at:], '.') > 1 {
		return true
	}
	return strings.HasPrefix(v, "http://") || strings.HasPrefix(v, "https://") || strings.HasPrefix(v, "www.")
}

// isDate reports whether v begins with a year, month and day in figures, in any
// order, or is a year and a month.
func isDate(v string) bool {
	day, _, _ := strings.Cut(v, " ")
	day, _, _ = strings.Cut(day, "T")
	for _, sep := range []string{"-", "/", "."} {
		parts := strings.Split(day, sep)
		if len(parts) == 2 && sep == "-" && len(parts[0]) == 4 && len(parts[1]) == 2 && isDigits(parts[0]+parts[1]) {
			return true
		}
		if len(parts) != 3 || !isDigits(strings.Join(parts, "")) {
			continue
		}
		a, b, c := len(parts[0]), len(parts[1]), len(parts[2])
		if a == 4 && in(b, 1, 2) && in(c, 1, 2) || in(a, 1, 2) && in(b, 1, 2) && (c == 4 || c == 2) {
			return true
		}
	}
	return false
}

// months are the names of months in English, and abbreviations of three letters
// in the languages around it.
var months = func() map[string]bool {
	set := make(map[string]bool)
	for _, m := range strings.Fields("january february march april may june july august september october november december " +
		"jan feb mar apr jun jul aug sep oct nov dec mär mai okt dez fév avr aoû déc ene abr ago dic gen mag giu lug set ott") {
		set[m] = true
	}
	return set
}()

// hasMonth reports whether v is a date that names its month, such as
// "5 Jan 2024": the first word of it is a month, and there are a day and a year.
func hasMonth(v string) bool {
	if len(v) > 40 {
		return false
	}
	digits := 0
	for i := range len(v) {
		if v[i] >= '0' && v[i] <= '9' {
			digits++
		}
	}
	words := strings.FieldsFunc(strings.ToLower(v), func(r rune) bool { return !unicode.IsLetter(r) })
	return digits >= 3 && len(words) > 0 && months[words[0]]
}

func in(n, low, high int) bool { return n >= low && n <= high }

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// isYear reports whether v may be the name of a column for one year.
func isYear(v string) bool {
	v = strings.TrimSpace(v)
	return len(v) == 4 && isDigits(v) && (v[:2] == "19" || v[:2] == "20")
}
