package mapping

import (
	"hash/maphash"
	"net/netip"
	"strings"
	"sync/atomic"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
	"golang.org/x/text/unicode/norm"
)

// The lengths of a host name and of its labels (RFC 1035, 2.3.4), in bytes.
const (
	maxHost  = 253
	maxLabel = 63
)

// mailHost reports whether a lower-case host can have mailboxes: a name with a
// dot below a public suffix.
func mailHost(host string) bool {
	plain, ok := asciiHost(host)
	if !ok {
		return false
	}
	last, ok := hostLabels(plain)
	if !ok || last == 0 {
		return false
	}
	switch plain[last:] {
	case "com", "net", "org": // no public suffix below them: most hosts end here
		return true
	}
	at := &knownHosts[maphash.String(hostSeed, plain)%uint64(len(knownHosts))]
	if known := at.Load(); known != nil && known.host == plain {
		return known.mail
	}
	suffix, icann := publicsuffix.PublicSuffix(plain)
	known := &knownHost{host: strings.Clone(plain), mail: !icann || suffix != plain}
	at.Store(known)
	return known.mail
}

// A knownHost is an answer of mailHost to remember: most addresses are at few
// hosts, and the list of suffixes takes its time.
type knownHost struct {
	host string
	mail bool
}

var (
	knownHosts [512]atomic.Pointer[knownHost]
	hostSeed   = maphash.MakeSeed()
)

// webHost reports whether a lower-case host is a name with a dot, or an IPv4
// address.
func webHost(host string) bool {
	plain, ok := asciiHost(host)
	if !ok {
		return false
	}
	last, ok := hostLabels(plain)
	return ok && last > 0 || ipAddress(plain)
}

// asciiHost returns a host as name servers know it: itself, or the ASCII form
// of an internationalised name.
func asciiHost(host string) (string, bool) {
	if ascii(host) {
		return host, true
	}
	// What only looks like a dot must not divide a name.
	if !norm.NFKC.IsNormalString(host) || strings.ContainsRune(host, '。') {
		return "", false
	}
	plain, err := idna.Lookup.ToASCII(host)
	return plain, err == nil && ascii(plain)
}

// hostLabels checks a host's labels and returns where the last begins; 0 if
// there is but one. Top-level domains are letters alone, or letters of another
// script as xn-- writes them; so no IP address is a host here.
func hostLabels(host string) (last int, ok bool) {
	if len(host) > maxHost {
		return 0, false
	}
	from := 0
	letters := true
	for i := 0; i <= len(host); i++ {
		if i < len(host) && host[i] != '.' {
			c := host[i]
			if c-'a' >= 26 && c-'0' >= 10 && c != '-' {
				return 0, false
			}
			letters = letters && c-'a' < 26
			continue
		}
		if i == from || i-from > maxLabel || host[from] == '-' || host[i-1] == '-' {
			return 0, false
		}
		if i < len(host) {
			from, letters = i+1, true
		}
	}
	if len(host)-from < 2 || !letters && !strings.HasPrefix(host[from:], "xn--") {
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
