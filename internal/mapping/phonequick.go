package mapping

import "bytes"

// quickE164 answers for plain numbers as the library would, a hundred times as
// fast: the library compiles its answers out of regular expressions, tens of
// microseconds each. A number without a calling code is one of the region. sure
// is false for what is left to the library. A test compares the two.
func quickE164(made *memory, s, region string) (e164 string, ok, sure bool) {
	var buf [32]byte
	number, plain := phoneDigits(buf[:1:25], s)
	if number == nil {
		return "", false, false
	}
	if s[0] != '+' {
		return regionalE164(made, number[1:], region)
	}
	number[0] = '+'
	plans, national, ok, sure := foreign(number[1:])
	if !ok {
		return "", false, sure
	}
	if at := 1 + len(plans[0].code); !bytes.Equal(number[at:], national) {
		number, plain = append(number[:at], national...), false
	}
	if plain {
		return s, true, true
	}
	return made.string(number), true, true
}

// foreign takes digits apart that begin with a calling code. ok is false if
// there is no such code, or no number of that length behind it.
func foreign(digits []byte) (plans []*phonePlan, national []byte, ok, sure bool) {
	plans, width := phonePlans().callingCode(digits)
	if plans == nil {
		return nil, nil, false, true
	}
	if national = digits[width:]; len(national) < 2 || !plans[0].known() {
		return nil, nil, false, false
	}
	national = plans[0].national(national)
	return plans, national, plans[0].length(national) == lengthPossible, true
}

// regionalE164 answers for a number without a plus. It may begin with the
// region's own calling code all the same, or with what is dialled before a
// calling code.
func regionalE164(made *memory, number []byte, region string) (e164 string, ok, sure bool) {
	p := phonePlans().regions[region]
	if p == nil || !p.detailed() {
		return "", false, false
	}
	var plans []*phonePlan
	if p.outgoing.begins(number) {
		rest, plain := bytes.CutPrefix(number, p.abroad)
		if !plain || len(p.abroad) == 0 || len(rest) < 3 || rest[0] == '0' {
			return "", false, false
		}
		plans, number, ok, sure = foreign(rest)
	} else {
		plans, number, ok, sure = p.domestic(number)
	}
	if ok {
		ok, sure = sharedValid(plans, number)
	}
	if !ok {
		return "", false, sure
	}
	var buf [32]byte
	e := append(append(append(buf[:0], '+'), plans[0].code...), number...)
	return made.string(e), true, true
}

// domestic is foreign for a number of the region.
func (p *phonePlan) domestic(number []byte) (plans []*phonePlan, national []byte, ok, sure bool) {
	plans, _ = phonePlans().callingCode([]byte(p.code))
	if !plans[0].known() {
		return nil, nil, false, false
	}
	if rest, coded := bytes.CutPrefix(number, []byte(p.code)); coded {
		rest = p.strip(rest)
		if !p.general.has(number) && p.general.has(rest) || p.length(number) == lengthLong {
			number, p = rest, plans[0]
		}
	}
	if len(number) < 2 {
		return nil, nil, false, true
	}
	number = p.national(number)
	return plans, number, len(number) <= maxNational && plans[0].length(number) == lengthPossible, true
}

// sharedValid reports whether a number is one of the regions that share a
// calling code: of the first that claims it.
func sharedValid(plans []*phonePlan, number []byte) (valid, sure bool) {
	for _, p := range plans {
		if !p.detailed() {
			return false, false
		}
		if len(plans) == 1 || p.leading == nil {
			if p.valid(number) {
				return true, true
			}
		} else if p.leading.begins(number) {
			return p.valid(number), true
		}
	}
	return false, true
}

// phoneDigits appends the digits of a number to buf, without a plus before them
// and the punctuation between them. plain is true if there was none. It returns
// nil for everything else, and where a digit does not follow soon enough for the
// shape to be beyond doubt.
func phoneDigits(buf []byte, s string) (number []byte, plain bool) {
	if len(s) < 5 || len(s) > maxPhone || s[len(s)-1]-'0' >= 10 {
		return nil, false
	}
	from := 0
	switch {
	case s[0] == '+' && s[1]-'1' < 9:
		from = 1
	case s[0]-'0' >= 10 && (s[0] != '(' || s[1]-'0' >= 10):
		return nil, false
	}
	number, plain = buf, true
	for i := from; i < len(s); i++ {
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
	if len(number) < len(buf)+4 {
		return nil, false
	}
	return number, plain
}
