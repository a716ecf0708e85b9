package mapping

import (
	"strings"
	"unicode"

	"github.com/nyaruka/phonenumbers"
	"golang.org/x/text/unicode/norm"

	"sluice/internal/crm"
)

// convertPhone writes a telephone number as E.164. One that cannot be is kept
// as written, with a warning: so are a number with an extension, since E.164
// has no room for it, one with words beside it, and two numbers. One that a
// spreadsheet has cut to its first digits is refused, for it is no number any
// more.
//
// A number with a country code must have a length that the country knows; one
// without must be a valid number of the source's region, since nothing else
// speaks for its being from there.
func convertPhone(r *reading, made *memory, cell string) (string, crm.Reason) {
	if damagedNumber(cell) {
		return "", crm.ReasonDamagedNumber
	}
	value, fault := convertText(r, nil, cell)
	if fault != "" {
		return value, fault
	}
	plain := value
	if !ascii(plain) {
		plain = trimmed(norm.NFKC.String(strings.Map(seen, plain)))
	}
	const scheme = "tel:"
	if len(plain) > len(scheme) && strings.EqualFold(plain[:len(scheme)], scheme) {
		plain = trimmed(plain[len(scheme):])
	}
	e164, ok := e164Of(made, plain, r.region)
	switch {
	case !ok:
		return value, crm.ReasonPhoneKept
	case e164 == value:
		return value, ""
	}
	// Of "+49 000 000" each reading takes off another zero: it is no number.
	if again, ok := e164Of(made, e164, ""); !ok || again != e164 {
		return value, crm.ReasonPhoneKept
	}
	return e164, ""
}

// seen leaves out the marks that nobody sees, such as those of the direction of
// writing, which come along when a number is copied from elsewhere.
func seen(r rune) rune {
	if unicode.Is(unicode.Cf, r) {
		return -1
	}
	return r
}

func e164Of(made *memory, s, region string) (string, bool) {
	if e164, ok, sure := quickE164(made, s, region); sure {
		return e164, ok
	}
	return libraryE164(s, region)
}

// maxPhone is longer than any number people write, extension and all.
const maxPhone = 64

func libraryE164(s, region string) (string, bool) {
	international, ok := oneNumber(s)
	if !ok || !international && region == "" {
		return "", false
	}
	n, err := phonenumbers.Parse(s, region)
	if err != nil || n.GetExtension() != "" {
		return "", false
	}
	if phonenumbers.IsPossibleNumberWithReason(n) != phonenumbers.IS_POSSIBLE {
		return "", false
	}
	if !international && !phonenumbers.IsValidNumber(n) {
		return "", false
	}
	return phonenumbers.Format(n, phonenumbers.E164), true
}

// oneNumber reports whether s is made of digits and their punctuation alone,
// and whether a plus begins it. The library would pass over words before a
// number, dial the letters behind one, and drop all that follows a second
// number: none of these may be lost without a word.
func oneNumber(s string) (international, ok bool) {
	if s == "" || len(s) > maxPhone {
		return false, false
	}
	digits := 0 // since the last slash
	slash := false
	for i, r := range s {
		switch {
		case unicode.IsDigit(r):
			digits++
		case r == '+':
			if international || strings.Trim(s[:i], " (") != "" {
				return false, false
			}
			international = true
		case r == '/':
			slash, digits = true, 0
		case !strings.ContainsRune(phoneMarks, r):
			return false, false
		}
	}
	// Two digits behind a slash are another way to end the number.
	return international, digits > 2 || !slash
}

// phoneMarks are what people put between the digits of one number.
const phoneMarks = " -.()\u2010\u2011\u2012\u2013\u2014\u2212"
