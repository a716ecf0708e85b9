package mapping

import (
	"strings"
	"unicode"
)

// divideName divides a person's whole name where it says where it divides:
// "Last, First", or exactly two words. One word is a first name. Everything
// else is kept whole as the first name, and is not sure: nobody knows whether
// "Anna Maria Berg" is Berg or Maria Berg.
func divideName(name string) (first, last string, sure bool) {
	words := strings.Fields(name)
	switch strings.Count(name, ",") {
	case 0:
		if len(words) == 1 {
			return name, "", true
		}
		if len(words) == 2 && !byTheWay(words[0]) && !byTheWay(words[1]) && !familyFirst(name) {
			return words[0], words[1], true
		}
	case 1:
		family, given, _ := strings.Cut(name, ",")
		family, given = trimmed(family), trimmed(given)
		if family != "" && given != "" && !byTheWay(given) {
			return given, family, true
		}
	}
	return name, "", false
}

// byTheWay reports whether a word beside a name is no part of it: a title, or
// what follows one.
func byTheWay(word string) bool {
	switch folded(word) {
	case "mr", "mrs", "ms", "miss", "dr", "prof", "sir", "herr", "frau", "hr", "fr", "m", "mme", "mlle", "monsieur", "madame",
		"sr", "sra", "senor", "senora", "jr", "ii", "iii", "iv", "phd", "md", "mba", "esq", "cpa", "inc", "ltd", "llc", "gmbh", "ag":
		return true
	}
	return false
}

// familyFirst reports whether the name is in a script of those who write the
// family's name first.
func familyFirst(name string) bool {
	return strings.ContainsFunc(name, func(r rune) bool {
		return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul)
	})
}
