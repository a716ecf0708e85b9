package mapping

import (
	"strings"

	"github.com/nyaruka/phonenumbers"
	"golang.org/x/text/unicode/norm"

	"sluice/internal/crm"
)

// convertPhone writes a telephone number as E.164. One that cannot be is kept
// as written, with a warning: a number with an extension too, since E.164 has
// no room for it. A number is never a reason to reject a row.
//
// A number with a country code must have a length that the country knows; one
// without must be a valid number of the source's region, since nothing else
// speaks for its being from there.
func convertPhone(r *reading, cell string) (string, crm.Reason) {
	value, fault := convertText(r, cell)
	if fault != "" {
		return value, fault
	}
	plain := value
	if !ascii(plain) {
		plain = norm.NFKC.String(plain)
	}
	e164, ok, sure := quickE164(plain)
	if !sure {
		e164, ok = libraryE164(plain, r.region)
	}
	switch {
	case !ok:
		return value, crm.ReasonPhoneKept
	case e164 == value:
		return value, ""
	}
	return e164, ""
}

// maxPhone is longer than any number people write, extension and all.
const maxPhone = 64

func libraryE164(s, region string) (string, bool) {
	if len(s) > maxPhone {
		return "", false
	}
	international := strings.HasPrefix(s, "+")
	if !international && region == "" {
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
