package mapping

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"sluice/internal/crm"
)

// maxURL is what browsers and sitemaps agree on, in bytes.
const maxURL = 2048

// convertURL reads a web address. Without a scheme it gets https://; scheme and
// host are written in lower case and the rest is left alone. The host is a name
// with a dot, of any script, or an IPv4 address. An e-mail address, user names
// in the address, several addresses, and schemes other than http and https are
// refused.
func convertURL(_ *reading, _ *memory, cell string) (string, crm.Reason) {
	if len(cell) > maxURL || !utf8.ValidString(cell) || strings.ContainsFunc(cell, notInURL) {
		return "", crm.ReasonBadURL
	}
	if !ascii(cell) {
		cell = norm.NFC.String(cell)
	}
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
	plain := strings.TrimSuffix(lowerFrom(host, 0), ".")
	if !webHost(plain) || !portNumber(rest[:end], port) {
		return "", crm.ReasonBadURL
	}
	if len(rest) < len(cell) && plain == host && (scheme == "https" || scheme == "http") {
		return cell, ""
	}
	value := strings.ToLower(scheme) + "://" + plain + rest[len(host):]
	if len(value) > maxURL {
		return "", crm.ReasonBadURL
	}
	return value, ""
}

func notInURL(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || r == utf8.RuneError || strings.ContainsRune("<>\"`\\^{}|", r)
}

// portNumber reports whether what follows the host's colon, if there is one,
// is a number of at most five digits.
func portNumber(authority, port string) bool {
	if port == "" {
		return !strings.Contains(authority, ":")
	}
	return len(port) <= 5 && allDigits(port)
}
