package mapping

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"

	"sluice/internal/crm"
)

// maxURL is what browsers and sitemaps agree on, in bytes.
const maxURL = 2048

// convertURL reads a web address. Without a scheme it gets https://; scheme and
// host are written in lower case and the rest is left alone. An e-mail address,
// user names in the address, and schemes other than http and https are refused.
func convertURL(_ *reading, cell string) (string, crm.Reason) {
	if !utf8.ValidString(cell) || len(cell) > maxURL || strings.ContainsFunc(cell, notInURL) {
		return "", crm.ReasonBadURL
	}
	cell = norm.NFC.String(cell)
	scheme, rest, ok := strings.Cut(cell, "://")
	switch {
	case !ok || strings.ContainsAny(scheme, "/?#.@:"):
		scheme, rest = "https", cell
	case !strings.EqualFold(scheme, "http") && !strings.EqualFold(scheme, "https"):
		return "", crm.ReasonBadURL
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	host, port, _ := strings.Cut(rest[:end], ":")
	host = lowerFrom(host, 0)
	if !webHost(strings.TrimSuffix(host, ".")) || !portNumber(rest[:end], port) {
		return "", crm.ReasonBadURL
	}
	value := strings.ToLower(scheme) + "://" + host + rest[len(host):]
	if len(host) != strings.IndexByte(rest[:end]+":", ':') { // lower case has another length
		value = strings.ToLower(scheme) + "://" + host + rest[strings.IndexByte(rest[:end]+":", ':'):]
	}
	if value == cell {
		return cell, ""
	}
	if len(value) > maxURL {
		return "", crm.ReasonBadURL
	}
	return value, ""
}

func notInURL(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || r == utf8.RuneError || strings.ContainsRune("<>\"`\\^{}|", r)
}

// webHost reports whether host is a name with a dot, or an IPv4 address.
func webHost(host string) bool {
	if ascii(host) {
		last, ok := hostLabels(host)
		return ok && last > 0 || ipAddress(host)
	}
	if !norm.NFKC.IsNormalString(host) {
		return false
	}
	plain, err := idna.Lookup.ToASCII(host)
	if err != nil {
		return false
	}
	last, ok := hostLabels(plain)
	return ok && last > 0
}

// portNumber reports whether what follows the host's colon, if there is one,
// is a number of at most five digits.
func portNumber(authority, port string) bool {
	if port == "" {
		return !strings.Contains(authority, ":")
	}
	for i := range len(port) {
		if port[i]-'0' >= 10 {
			return false
		}
	}
	return len(port) <= 5
}
