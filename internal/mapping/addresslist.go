package mapping

import (
	"strings"
	"unicode/utf8"

	"sluice/internal/crm"
)

// maxAddressList bounds a cell of several addresses, in bytes.
const maxAddressList = 4096

// addressList reads what mail programs and exports put into one cell:
//
//	<ana@x.com>  Ana Lee <ana@x.com>  "Lee, Ana" <ana@x.com>  Ana Lee (ana@x.com)
//	ana@x.com; bo@x.com  ana@x.com, Bo <bo@x.com>  ana@x.com / bo@x.com
//
// It returns the first address, with a warning if there is another. If any
// part is no address the cell is none: which of them the owner meant cannot be
// known.
func addressList(cell string) (string, crm.Reason) {
	if len(cell) > maxAddressList || !utf8.ValidString(cell) {
		return "", crm.ReasonBadEmail
	}
	var first string
	var warning crm.Reason
	rest := plainText(cell)
	for {
		if rest = strings.TrimLeft(rest, ",;/ \t\r\n"); rest == "" {
			break
		}
		var part string
		part, rest = cutAddress(rest)
		value, ok := oneAddress(trimmed(part))
		switch {
		case !ok:
			return "", crm.ReasonBadEmail
		case first == "":
			first = value
		case value != first:
			warning = crm.ReasonMoreAddresses
		}
	}
	if first == "" {
		return "", crm.ReasonBadEmail
	}
	return first, warning
}

// cutAddress cuts the first address off a list: what stands in brackets, if
// brackets come before an @, and else all to where it ends. Commas, slashes and
// spaces belong to a name as long as no @ has come, and a slash to an address.
func cutAddress(s string) (part, rest string) {
	at := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '@':
			at = true
		case ';', '\n', '\r':
			return s[:i], s[i+1:]
		case ',', '/', ' ', '\t':
			if at {
				return s[:i], s[i+1:]
			}
		case '<':
			end := strings.IndexByte(s[i:], '>')
			if at || end < 0 {
				return s[:i], s[i:]
			}
			return s[i+1 : i+end], s[i+end+1:]
		case '(':
			end := strings.IndexByte(s[i:], ')')
			if at || end < 0 {
				return s[:i], s[i:]
			}
			if inside := s[i+1 : i+end]; strings.Contains(inside, "@") {
				return inside, s[i+end+1:]
			}
			i += end
		case '"':
			end := strings.IndexByte(s[i+1:], '"')
			if at || end < 0 {
				return s, ""
			}
			i += end + 1
		}
	}
	return s, ""
}
