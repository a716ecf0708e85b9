package mapping

import (
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"sluice/internal/crm"
)

// The lengths of an address (RFC 5321, 4.5.3.1) and of a host name (RFC 1035,
// 2.3.4), in bytes.
const (
	maxEmail = 320
	maxLocal = 64
	maxHost  = 253
	maxLabel = 63
)

// convertEmail reads one address: the kind people give, not all that mail
// servers take. Quoted local parts, IP addresses, hosts without a dot, names
// around the address and several addresses are refused. The domain is written
// in lower case; the local part is left alone.
func convertEmail(_ *reading, cell string) (string, crm.Reason) {
	if len(cell) > len("mailto:")+maxEmail {
		return "", crm.ReasonBadEmail
	}
	const scheme = "mailto:"
	if len(cell) > len(scheme) && strings.EqualFold(cell[:len(scheme)], scheme) {
		cell = trimmed(cell[len(scheme):])
	}
	if !ascii(cell) {
		if !utf8.ValidString(cell) {
			return "", crm.ReasonBadEmail
		}
		cell = norm.NFKC.String(cell)
	}
	cell = strings.TrimSuffix(cell, ".")
	at := strings.IndexByte(cell, '@')
	if at < 1 || len(cell) > maxEmail || !localPart(cell[:at]) {
		return "", crm.ReasonBadEmail
	}
	value := lowerFrom(cell, at+1)
	if len(value) > maxEmail || !mailHost(value[at+1:]) {
		return "", crm.ReasonBadEmail
	}
	return value, ""
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

// mailHost reports whether a lower-case host can have mailboxes: a name with a
// dot below a public suffix.
func mailHost(host string) bool {
	if !ascii(host) {
		return unicodeHost(host)
	}
	last, ok := hostLabels(host)
	if !ok || last == 0 {
		return false
	}
	switch host[last:] {
	case "com", "net", "org": // no public suffix below them: most hosts end here
		return true
	}
	suffix, icann := publicsuffix.PublicSuffix(host)
	return !icann || suffix != host
}

// unicodeHost judges an internationalised name by its ASCII form.
func unicodeHost(host string) bool {
	if !norm.NFKC.IsNormalString(host) || strings.ContainsRune(host, '。') {
		return false
	}
	plain, err := idna.Lookup.ToASCII(host)
	return err == nil && ascii(plain) && mailHost(plain)
}

// hostLabels checks a host's labels and returns where the last begins; 0 if
// there is but one. A last label without a letter would be part of an IP
// address.
func hostLabels(host string) (last int, ok bool) {
	if len(host) > maxHost {
		return 0, false
	}
	from := 0
	letters := false
	for i := 0; i <= len(host); i++ {
		if i < len(host) && host[i] != '.' {
			c := host[i]
			if c-'a' >= 26 && c-'0' >= 10 && c != '-' {
				return 0, false
			}
			letters = letters || c-'a' < 26
			continue
		}
		if i == from || i-from > maxLabel || host[from] == '-' || host[i-1] == '-' {
			return 0, false
		}
		if i < len(host) {
			from, letters = i+1, false
		}
	}
	if len(host)-from < 2 || !letters {
		return 0, false
	}
	return from, true
}

// ipAddress reports whether host is an IP address.
func ipAddress(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

// lowerFrom returns s with what begins at from in lower case; s itself if it is.
func lowerFrom(s string, from int) string {
	if !ascii(s) {
		return s[:from] + norm.NFC.String(strings.ToLower(s[from:]))
	}
	for i := from; i < len(s); i++ {
		if s[i]-'A' < 26 {
			var buf [maxEmail]byte
			b := append(buf[:0], s...)
			for ; i < len(b); i++ {
				b[i] = lower(b[i])
			}
			return string(b)
		}
	}
	return s
}

// foldedAddress returns the form of an address by which customers without an
// id are known: NFKC and case folded. Databases keep it, so the rule is frozen.
func foldedAddress(address string) string {
	if ascii(address) {
		return strings.ToLower(address)
	}
	return norm.NFKC.String(cases.Fold().String(norm.NFKC.String(address)))
}
