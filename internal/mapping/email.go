package mapping

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"sluice/internal/crm"
)

// The lengths of an address and of what stands before its @ (RFC 5321,
// 4.5.3.1), in bytes.
const (
	maxEmail = 320
	maxLocal = 64
)

// convertEmail reads an address: the kind people give, not all that mail
// servers take. Quoted local parts, IP addresses and hosts without a dot are
// refused. The domain is written in lower case; the local part is left alone.
// Of a name and an address the address is taken, and of several addresses the
// first: see [addressList].
func convertEmail(_ *reading, _ *memory, cell string) (string, crm.Reason) {
	if value, ok := oneAddress(cell); ok {
		return value, ""
	}
	return addressList(cell)
}

// oneAddress reads an address with nothing around it but a mailto: and the full
// stop of a sentence.
func oneAddress(cell string) (string, bool) {
	const scheme = "mailto:"
	if len(cell) > len(scheme)+maxEmail {
		return "", false
	}
	if len(cell) > len(scheme) && strings.EqualFold(cell[:len(scheme)], scheme) {
		cell, _, _ = strings.Cut(trimmed(cell[len(scheme):]), "?")
	}
	if !ascii(cell) {
		if !utf8.ValidString(cell) {
			return "", false
		}
		cell = norm.NFKC.String(cell)
	}
	cell = strings.TrimSuffix(cell, ".")
	at := strings.IndexByte(cell, '@')
	if at < 1 || len(cell) > maxEmail || !localPart(cell[:at]) {
		return "", false
	}
	value := lowerFrom(cell, at+1)
	if len(value) > maxEmail || !mailHost(value[at+1:]) {
		return "", false
	}
	return value, true
}

// localPart accepts what RFC 5322 calls a dot-atom, and letters, marks and
// digits of any script.
func localPart(s string) bool {
	if len(s) > maxLocal || s[0] == '.' || s[len(s)-1] == '.' {
		return false
	}
	for i, r := range s {
		switch {
		case r < utf8.RuneSelf && atext[r]:
		case r == '.':
			if s[i-1] == '.' {
				return false
			}
		case r >= utf8.RuneSelf && r != unicode.ReplacementChar && (unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r)):
		default:
			return false
		}
	}
	return true
}

var atext = func() (set [utf8.RuneSelf]bool) {
	for r := range set {
		set[r] = letter(byte(r)) || byte(r)-'0' < 10
	}
	for _, r := range "!#$%&'*+-/=?^_`{|}~" {
		set[r] = true
	}
	return set
}()

// foldedAddress returns the form of an address by which customers without an
// id are known: NFKC and case folded. Databases keep it, so the rule is frozen.
func foldedAddress(address string) string {
	if ascii(address) {
		return strings.ToLower(address)
	}
	return norm.NFKC.String(cases.Fold().String(norm.NFKC.String(address)))
}
