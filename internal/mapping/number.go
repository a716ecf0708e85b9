package mapping

import "strings"

// maxNumber bounds a number as written, in bytes.
const maxNumber = 100

// plainNumber takes a number out of the way its column writes it: it returns an
// optional sign and digits, with at most one point among them; cell itself if
// that is how it is written.
//
// Separators of thousands stand before every three digits of the whole part:
// spaces and apostrophes everywhere, and what the column does not use as its
// decimal character. Where the column does not say which that is, one comma
// alone is refused, for "1,234" is one number here and another there; two
// commas, or a comma and a point, can be read in one way only.
func plainNumber(r *reading, cell string) (string, bool) {
	if len(cell) > maxNumber {
		return "", false
	}
	if number, ok := pointNumber(cell); ok && r.decimal != ',' {
		return number, true
	}
	rest := plainText(cell)
	var buf [2 * maxNumber]byte
	out := buf[:0]
	if minus, ok := strings.CutPrefix(rest, "\u2212"); ok {
		rest, out = minus, append(out, '-')
	} else if rest != "" && (rest[0] == '-' || rest[0] == '+') {
		rest, out = rest[1:], append(out, rest[0])
	}
	point, group := ".", ","
	if r.decimal == ',' {
		point, group = ",", "."
	}
	whole, fraction, hasPoint := strings.Cut(rest, point)
	out, groups, mark := appendGroups(out, whole, group)
	if groups < 0 || !allDigits(fraction) || hasPoint && fraction == "" {
		return "", false
	}
	if groups == 1 && mark == ',' && !hasPoint && r.decimal == 0 {
		return "", false
	}
	if hasPoint {
		out = append(append(out, '.'), fraction...)
	}
	return pointNumber(string(out))
}

// pointNumber returns s if it is an optional sign and digits, with a point
// before the last of them at most.
func pointNumber(s string) (string, bool) {
	from := 0
	if s != "" && (s[0] == '-' || s[0] == '+') {
		from = 1
	}
	whole, fraction, point := strings.Cut(s[from:], ".")
	if len(whole)+len(fraction) == 0 || point && fraction == "" || !allDigits(whole) || !allDigits(fraction) {
		return "", false
	}
	return s, true
}

// appendGroups appends the digits of a whole part to out, without what divides
// them in groups of three. It returns how many such marks there were, and
// which; -1 if they divide it in another way.
func appendGroups(out []byte, whole, group string) (number []byte, groups int, mark byte) {
	at := strings.IndexAny(whole, group+" '’")
	if at < 0 {
		if !allDigits(whole) {
			return out, -1, 0
		}
		return append(out, whole...), 0, 0
	}
	sign := whole[at : at+1]
	if strings.HasPrefix(whole[at:], "’") {
		sign = "’"
	}
	for part := range strings.SplitSeq(whole, sign) {
		first := groups == 0 && mark == 0
		switch {
		case !allDigits(part):
			return out, -1, 0
		case first && (part == "" || len(part) > 3 || part[0] == '0'):
			return out, -1, 0
		case !first && len(part) != 3:
			return out, -1, 0
		}
		if !first {
			groups++
		}
		mark = sign[0]
		out = append(out, part...)
	}
	return out, groups, mark
}
