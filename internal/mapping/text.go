package mapping

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"sluice/internal/crm"
)

// convertText keeps a text as it is, in NFC. It never retypes: "007" stays
// three characters and "1e5" no number. Tabs, line ends and other control
// characters stay too: they are part of what somebody wrote. It has no length
// of its own beyond that of a cell, which the reader bounds.
func convertText(_ *reading, _ *memory, cell string) (string, crm.Reason) {
	if latin(cell) {
		return cell, ""
	}
	return unicodeText(cell)
}

// latin reports whether s is valid UTF-8 of characters below U+0300, without
// U+0000. None of them composes with its neighbours, so such text is NFC.
func latin(s string) bool {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c-1 < 0x7f: // 0 wraps around
		case c >= 0xc2 && c <= 0xcb && i+1 < len(s) && s[i+1]&0xc0 == 0x80:
			i++
		default:
			return false
		}
	}
	return true
}

func unicodeText(cell string) (string, crm.Reason) {
	if strings.IndexByte(cell, 0) >= 0 {
		return "", crm.ReasonBadCharacter
	}
	if !utf8.ValidString(cell) {
		return "", crm.ReasonBadEncoding
	}
	return norm.NFC.String(cell), ""
}

// trimmed returns cell without outer white space, no-break spaces and the
// marks of no width that spreadsheets leave behind.
func trimmed(cell string) string {
	if cell == "" {
		return cell
	}
	if first, last := cell[0]-'!', cell[len(cell)-1]-'!'; first < 0x7f-'!' && last < 0x7f-'!' {
		return cell
	}
	return strings.TrimFunc(cell, outer)
}

func outer(r rune) bool {
	return unicode.IsSpace(r) || r == '\u200b' || r == '\ufeff' || r == '\u2060'
}
