package mapping

import (
	"encoding/json"
	"slices"

	"sluice/internal/crm"
)

// convertTags reads tags divided by commas, semicolons or bars, or a JSON array
// of texts. Blank ones and repeats are dropped, and quotes around a tag, as
// Mailchimp writes them. The tags come out sorted.
func convertTags(_ *reading, cell string) (string, crm.Reason) {
	value, fault := convertText(nil, cell)
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
		list = splitTags(few[:0], value)
	}
	for i := range list {
		if list[i], fault = convertText(nil, trimmed(list[i])); fault != "" {
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
	return string(out), ""
}

// tagArray reads a JSON array of texts.
func tagArray(cell string) ([]string, bool) {
	var list []string
	err := json.Unmarshal([]byte(cell), &list)
	return list, err == nil
}

func splitTags(list []string, cell string) []string {
	from := 0
	for i := 0; i <= len(cell); i++ {
		if i < len(cell) && cell[i] != ',' && cell[i] != ';' && cell[i] != '|' {
			continue
		}
		tag := trimmed(cell[from:i])
		if len(tag) > 1 && tag[0] == '"' && tag[len(tag)-1] == '"' {
			tag = tag[1 : len(tag)-1]
		}
		list = append(list, tag)
		from = i + 1
	}
	return list
}
