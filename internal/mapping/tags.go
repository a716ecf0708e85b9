package mapping

import (
	"encoding/json"
	"slices"
	"strings"

	"sluice/internal/crm"
)

// convertTags reads tags divided by the column's separator, or by commas,
// semicolons and bars if it has none; or a JSON array of texts. Blank ones and
// repeats are dropped, and quotes around a tag, as Mailchimp writes them. The
// tags come out sorted.
func convertTags(r *reading, made *memory, cell string) (string, crm.Reason) {
	value, fault := convertText(r, nil, cell)
	if fault != "" {
		return "", fault
	}
	var few [16]string
	list := few[:0]
	array := false
	if cell[0] == '[' { // as it is: NFC would join an escape and a mark behind it
		list, array = tagArray(cell)
	}
	if !array {
		list = splitTags(few[:0], value, r.separator)
	}
	for i := range list {
		if list[i], fault = convertText(r, nil, trimmed(list[i])); fault != "" {
			return "", fault
		}
	}
	slices.Sort(list)
	list = slices.Compact(list)
	var some [256]byte
	out := append(some[:0], '[')
	for _, tag := range list {
		if tag == "" {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = appendJSON(out, tag)
	}
	if len(out) == 1 {
		return "", ""
	}
	out = append(out, ']')
	if string(out) == cell {
		return cell, ""
	}
	return made.string(out), ""
}

// tagArray reads a JSON array of texts.
func tagArray(cell string) ([]string, bool) {
	var list []string
	err := json.Unmarshal([]byte(cell), &list)
	return list, err == nil
}

// splitTags divides a cell at its column's separator. Inside quotes nothing
// divides, and a quote is written twice.
func splitTags(list []string, cell, separator string) []string {
	for more := true; more; {
		var tag string
		tag, cell, more = cutTag(strings.TrimLeftFunc(cell, outer), separator)
		list = append(list, tag)
	}
	return list
}

func cutTag(s, separator string) (tag, rest string, more bool) {
	if tag, rest, ok := cutQuoted(s); ok {
		if at, width := cutAt(rest, separator); at == 0 || rest == "" {
			return tag, rest[width:], rest != ""
		}
	}
	at, width := cutAt(s, separator)
	if at < 0 {
		return s, "", false
	}
	return s[:at], s[at+width:], true
}

// cutAt finds the first separator in s: at is -1 if there is none.
func cutAt(s, separator string) (at, width int) {
	if separator == "" {
		at, width = strings.IndexAny(s, ",;|"), 1
	} else {
		at, width = strings.Index(s, separator), len(separator)
	}
	if at < 0 {
		width = 0
	}
	return at, width
}

// cutQuoted cuts a text in quotes off s, and the spaces behind it.
func cutQuoted(s string) (text, rest string, ok bool) {
	if s == "" || s[0] != '"' {
		return "", s, false
	}
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] != '"':
		case i+1 < len(s) && s[i+1] == '"':
			i++
		default:
			return strings.ReplaceAll(s[1:i], `""`, `"`), strings.TrimLeftFunc(s[i+1:], outer), true
		}
	}
	return "", s, false
}
