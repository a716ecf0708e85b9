package mapping

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/nyaruka/phonenumbers"
)

// A phonePlan is what the library knows of the numbers of one region, or of a
// calling code that is no region's: its own metadata, in a form that answers in
// nanoseconds. What it answers is what phonenumbers.Parse and IsValidNumber
// would; a test compares them. It is safe for concurrent use.
type phonePlan struct {
	from *phonenumbers.PhoneMetadata
	code string // calling code

	once    sync.Once
	unknown bool // the metadata say more than a plan can; the library is asked
	lengths [32]phoneLength
	general *digitSet // all numbers, roughly

	// What may stand before a national number: digits, or a pattern and what
	// the number turns into without it.
	prefix    []byte
	prefixes  *regexp.Regexp // nil if prefix is all there is
	perhaps   *digitSet      // what numbers begin with that prefixes may match
	transform []byte

	details  sync.Once
	vague    bool         // unknown, as far as the details go
	abroad   []byte       // outgoing, if it is digits
	outgoing *digitSet    // what is dialled before a calling code
	leading  *digitSet    // what numbers of a region begin with that shares its code; nil where only types tell
	types    []numberType // all numbers, exactly
}

// A numberType is a set of numbers, of these lengths only; 0 is any.
type numberType struct {
	lengths uint64
	numbers *digitSet
}

// A phoneLength is what a plan says of numbers of one length.
type phoneLength byte

const (
	lengthUnusual phoneLength = iota
	lengthPossible
	lengthLocal // can be dialled from nearby alone
	lengthShort
	lengthLong
)

// maxNational is the longest number behind a calling code that the library
// takes.
const maxNational = 17

// A phoneBook holds every plan.
type phoneBook struct {
	regions map[string]*phonePlan
	codes   [1000][]*phonePlan // those that share a code; the first is asked about lengths
}

var phonePlans = sync.OnceValue(func() *phoneBook {
	all, err := phonenumbers.MetadataCollection()
	if err != nil {
		panic("mapping: telephone numbers: " + err.Error())
	}
	b := &phoneBook{regions: make(map[string]*phonePlan)}
	for _, from := range all.GetMetadata() {
		code := int(from.GetCountryCode())
		p := &phonePlan{from: from, code: strconv.Itoa(code)}
		if from.GetId() == phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY {
			b.codes[code] = []*phonePlan{p}
			continue
		}
		b.regions[from.GetId()] = p
	}
	for code := range b.codes {
		for _, region := range phonenumbers.GetRegionCodesForCountryCode(code) {
			if p := b.regions[region]; p != nil {
				b.codes[code] = append(b.codes[code], p)
			}
		}
	}
	return b
})

// callingCode finds the plans of the calling code that digits begin with; no
// code begins with another.
func (b *phoneBook) callingCode(digits []byte) (plans []*phonePlan, width int) {
	n := 0
	for i := 0; i < 3 && i < len(digits); i++ {
		n = n*10 + int(digits[i]-'0')
		if b.codes[n] != nil {
			return b.codes[n], i + 1
		}
	}
	return nil, 0
}

// known makes the plan ready for use. It reports false for one that only the
// library can follow.
func (p *phonePlan) known() bool {
	p.once.Do(func() { p.unknown = !p.read() })
	return !p.unknown
}

func (p *phonePlan) read() (ok bool) {
	general := p.from.GetGeneralDesc()
	possible := general.GetPossibleLength()
	if general.GetNationalNumberPattern() == "" || len(possible) == 0 || possible[0] < 2 {
		return false
	}
	for n := range p.lengths {
		switch {
		case n < int(possible[0]):
			p.lengths[n] = lengthShort
		case n > int(possible[len(possible)-1]):
			p.lengths[n] = lengthLong
		}
	}
	for _, n := range possible {
		p.lengths[n] = lengthPossible
	}
	for _, n := range general.GetPossibleLengthLocalOnly() {
		p.lengths[n] = lengthLocal
	}
	prefix := p.from.GetNationalPrefixForParsing()
	p.transform = []byte(p.from.GetNationalPrefixTransformRule())
	if p.prefix = []byte(prefix); !allDigits(prefix) || len(p.transform) > 0 {
		p.prefixes = regexp.MustCompile("^(?:" + prefix + ")")
		if p.perhaps, ok = newDigitSet(strings.ReplaceAll(prefix, "$", "")); !ok {
			return false
		}
	}
	p.general, ok = newDigitSet(general.GetNationalNumberPattern())
	return ok
}

func (p *phonePlan) length(number []byte) phoneLength {
	return p.lengths[min(len(number), len(p.lengths)-1)]
}

// national returns a number without its national prefix, where that leaves a
// number of some length that the plan has.
func (p *phonePlan) national(number []byte) []byte {
	stripped := p.strip(number)
	switch p.length(stripped) {
	case lengthShort, lengthLocal, lengthUnusual:
		return number
	}
	return stripped
}

// strip takes the national prefix off, unless what has it is a number and what
// is left is none.
func (p *phonePlan) strip(number []byte) []byte {
	var rest []byte
	switch {
	case len(number) == 0:
		return number
	case p.prefixes != nil && p.perhaps.begins(number):
		rest = p.transformed(number)
	case p.prefixes == nil && len(p.prefix) > 0 && bytes.HasPrefix(number, p.prefix):
		rest = number[len(p.prefix):]
	default:
		return number
	}
	if p.general.has(number) && !p.general.has(rest) {
		return number
	}
	return rest
}

// transformed is strip without conditions, by the pattern.
func (p *phonePlan) transformed(number []byte) []byte {
	kept := bytes.Clone(number) // the number itself stays where it is, on the stack
	at := p.prefixes.FindSubmatchIndex(kept)
	switch {
	case at == nil:
		return number
	case len(p.transform) > 0 && at[len(at)-2] >= 0:
		return p.prefixes.ReplaceAll(kept, p.transform)
	}
	return number[at[1]:]
}

// detailed makes ready what only numbers without a calling code are asked.
func (p *phonePlan) detailed() bool {
	if !p.known() {
		return false
	}
	p.details.Do(func() { p.vague = !p.readDetails() })
	return !p.vague
}

func (p *phonePlan) readDetails() (ok bool) {
	m := p.from
	if p.outgoing, ok = newDigitSet(m.GetInternationalPrefix()); !ok {
		return false
	}
	if allDigits(m.GetInternationalPrefix()) {
		p.abroad = []byte(m.GetInternationalPrefix())
	}
	if m.GetLeadingDigits() != "" {
		if p.leading, ok = newDigitSet(m.GetLeadingDigits()); !ok {
			return false
		}
	}
	for _, of := range []*phonenumbers.PhoneNumberDesc{
		m.GetFixedLine(), m.GetMobile(), m.GetTollFree(), m.GetPremiumRate(), m.GetSharedCost(),
		m.GetVoip(), m.GetPersonalNumber(), m.GetPager(), m.GetUan(), m.GetVoicemail(),
	} {
		var t numberType
		if t.numbers, ok = newDigitSet(of.GetNationalNumberPattern()); !ok {
			return false
		}
		for _, n := range of.GetPossibleLength() {
			t.lengths |= 1 << (n & 63) // -1, of a type that has no numbers, is a length that none has
		}
		p.types = append(p.types, t)
	}
	return true
}

// valid reports whether the region has the number.
func (p *phonePlan) valid(number []byte) bool {
	if !p.general.has(number) {
		return false
	}
	for _, t := range p.types {
		if (t.lengths == 0 || t.lengths>>len(number)&1 != 0) && t.numbers.has(number) {
			return true
		}
	}
	return false
}
