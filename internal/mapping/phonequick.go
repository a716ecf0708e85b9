package mapping

import (
	"strings"
	"sync"

	"github.com/nyaruka/phonenumbers"
)

// quickE164 answers for numbers with a country code as the library would, a
// hundred times as fast: the library compiles its answers out of regular
// expressions, tens of microseconds each. sure is false for what it leaves to
// the library. A test compares the two.
func quickE164(s string) (e164 string, ok, sure bool) {
	var buf [24]byte
	number, plain := phoneDigits(buf[:], s)
	if number == nil {
		return "", false, false
	}
	c, width := callingCode(number[1:])
	if width == 0 {
		return "", false, true // no such code
	}
	national := number[1+width:]
	if len(national) < 2 || strings.IndexByte(c.prefixes, national[0]) >= 0 {
		return "", false, false
	}
	if national[0] == '0' && c.zero == stripZero && c.possible(len(national)-1) {
		number = append(number[:1+width], national[1:]...)
		national, plain = number[1+width:], false
	}
	switch {
	case !c.possible(len(national)):
		return "", false, true
	case plain:
		return s, true, true
	}
	return string(number), true, true
}

// phoneDigits takes a plus and digits out of their punctuation. plain is true
// if there was none. It returns nil for everything else, and where a digit does
// not follow soon enough for the shape to be beyond doubt.
func phoneDigits(buf []byte, s string) (number []byte, plain bool) {
	if len(s) < 5 || s[0] != '+' || s[1]-'1' >= 9 || s[len(s)-1]-'0' >= 10 {
		return nil, false
	}
	number = append(buf[:0], '+')
	plain = true
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c-'0' < 10:
			if len(number) == cap(buf) {
				return nil, false
			}
			number = append(number, c)
		case c == ' ' || c == '-' || c == '.' || c == '(' || c == ')':
			plain = false
		default:
			return nil, false
		}
	}
	return number, plain
}

// A calling is what a country calling code says of the digits behind it.
type calling struct {
	lengths  uint32 // bit n is set if a number may have n digits
	zero     zeroRule
	prefixes string // first digits that only the library can judge
}

type zeroRule int

const (
	keepZero  zeroRule = iota // a first 0 belongs to the number
	stripZero                 // a first 0 is the national prefix, and goes
)

func (c *calling) possible(n int) bool { return n >= 2 && n < 32 && c.lengths&(1<<n) != 0 }

// callingCode finds the calling code that digits begin with; no code begins
// with another.
func callingCode(digits []byte) (c *calling, width int) {
	n := 0
	for i := 0; i < 3 && i < len(digits); i++ {
		n = n*10 + int(digits[i]-'0')
		if c := callings()[n]; c != nil {
			return c, i + 1
		}
	}
	return nil, 0
}

// keepsZero are the codes behind which no prefix is dialled, stripsZero those
// behind which it is 0 and no number begins with 0. Behind others a first 0 is
// the library's to judge. oddPrefixes are the codes behind which other digits
// may begin a prefix too.
var (
	keepsZero = []int{30, 34, 39, 45, 47, 48, 52, 56, 65, 216, 220, 221, 222, 223, 224, 225, 226, 227, 228, 229, 230, 235, 236,
		237, 238, 239, 240, 242, 244, 245, 246, 247, 248, 253, 257, 258, 266, 267, 268, 269, 290, 297, 299, 350, 351, 354, 356,
		357, 371, 372, 376, 420, 500, 501, 502, 503, 504, 505, 507, 509, 592, 597, 599, 670, 673, 674, 675, 676, 677, 678, 679,
		680, 681, 682, 683, 685, 687, 688, 689, 690, 691, 852, 853, 960, 965, 968, 973, 974, 975, 992, 998}
	stripsZero = []int{20, 27, 31, 32, 33, 40, 41, 43, 46, 49, 51, 53, 58, 60, 63, 64, 84, 90, 92, 93, 94, 95, 98, 211, 212, 213,
		218, 231, 232, 233, 234, 243, 249, 251, 252, 254, 255, 256, 260, 262, 263, 264, 265, 291, 353, 355, 358, 373, 374, 377,
		380, 381, 382, 383, 385, 386, 387, 389, 421, 508, 590, 593, 594, 595, 596, 686, 850, 855, 856, 880, 886, 961, 962, 963,
		964, 966, 967, 970, 971, 972, 976, 977, 994, 995, 996}
	oddPrefixes = map[int]odd{1: {keepZero, "1"}, 7: {keepZero, "8"}, 44: {stripZero, "1"}, 54: {keepZero, "0123456789"},
		55: {keepZero, "09"}, 61: {stripZero, "1"}, 86: {stripZero, "1"}, 261: {keepZero, "02456789"}, 298: {keepZero, "1"},
		352: {keepZero, "1"}, 370: {stripZero, "8"}, 375: {stripZero, "8"}, 378: {keepZero, "89"}, 423: {stripZero, "1"},
		506: {keepZero, "1"}, 672: {keepZero, "01258"}, 692: {keepZero, "1"}, 993: {keepZero, "8"}}
)

type odd struct {
	zero     zeroRule
	prefixes string
}

// callings holds what is known of each calling code, by code. The lengths are
// the library's own.
var callings = sync.OnceValue(func() *[1000]*calling {
	var byCode [1000]*calling
	for code := range phonenumbers.GetSupportedCallingCodes() {
		c := &calling{prefixes: "0"}
		if o, ok := oddPrefixes[code]; ok {
			c.zero, c.prefixes = o.zero, o.prefixes
		}
		number := uint64(1)
		for n := 1; n <= 17; n++ {
			country := int32(code)
			p := &phonenumbers.PhoneNumber{CountryCode: &country, NationalNumber: &number}
			if phonenumbers.IsPossibleNumberWithReason(p) == phonenumbers.IS_POSSIBLE {
				c.lengths |= 1 << n
			}
			number *= 10
		}
		byCode[code] = c
	}
	for _, code := range keepsZero {
		byCode[code].prefixes, byCode[code].zero = "", keepZero
	}
	for _, code := range stripsZero {
		byCode[code].prefixes, byCode[code].zero = "", stripZero
	}
	return &byCode
})
