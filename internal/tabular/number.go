package tabular

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/nfp"
)

// numberKind is what a number format makes of a number.
type numberKind int

const (
	asNumber   numberKind = iota
	asDate                // a day, with or without a time
	asTime                // a time of day alone
	asDuration            // hours, which may be more than a day has
	asPattern             // a number with the zeros that its format puts before it
)

// numberFormat is what must be known of a format to write a number as text
// that means the same without it. What a format adds for the eye is left out:
// 12.5 % is 0.125, and 1,200.00 € is 1200.
type numberFormat struct {
	kind    numberKind
	pattern string // of asPattern: zeros, and what stands between them
}

// builtin returns the kind of a format that workbooks refer to by number alone
// (ECMA-376 part 1, 18.8.30).
func builtin(id int) numberFormat {
	switch {
	case id >= 14 && id <= 17, id == 22, id >= 27 && id <= 31, id == 36, id >= 50 && id <= 54, id >= 57 && id <= 58:
		return numberFormat{kind: asDate}
	case id >= 18 && id <= 21, id == 45, id == 47, id >= 32 && id <= 35, id >= 55 && id <= 56:
		return numberFormat{kind: asTime}
	case id == 46:
		return numberFormat{kind: asDuration}
	}
	return numberFormat{}
}

// maxFormat is the length of the longest format code that Excel takes.
const maxFormat = 255

// parseFormat reads the first section of a format code: the one for numbers
// above zero, and for all where there is no other.
func parseFormat(code string) numberFormat {
	if len(code) > maxFormat || strings.EqualFold(code, "standard") { // some writers say General in German
		return numberFormat{}
	}
	parser := nfp.NumberFormatParser()
	sections := parser.Parse(code)
	if len(sections) == 0 {
		return numberFormat{}
	}
	var letters strings.Builder // of dates and times
	for _, t := range sections[0].Items {
		switch t.TType {
		case nfp.TokenTypeElapsedDateTimes:
			return numberFormat{kind: asDuration}
		case nfp.TokenTypeGeneral:
			return numberFormat{}
		case nfp.TokenTypeDateTimes:
			letters.WriteString(strings.ToLower(t.TValue))
		}
	}
	switch l := letters.String(); {
	case strings.ContainsAny(l, "yde"), strings.Contains(l, "m") && !strings.ContainsAny(l, "hs"):
		return numberFormat{kind: asDate}
	case l != "":
		return numberFormat{kind: asTime}
	}
	return zeroPattern(sections[0].Items)
}

// zeroPattern returns the format of a section that fills up with zeros, such as
// "00000" or "000-00-0000", as people use for codes: two zeros at the least,
// and nothing else but literals that are no zeros.
func zeroPattern(items []nfp.Token) numberFormat {
	var b strings.Builder
	zeros := 0
	for _, t := range items {
		switch {
		case t.TType == nfp.TokenTypeZeroPlaceHolder:
			zeros += len(t.TValue)
		case t.TType != nfp.TokenTypeLiteral || strings.Contains(t.TValue, "0"):
			return numberFormat{}
		}
		b.WriteString(t.TValue)
	}
	if zeros < 2 {
		return numberFormat{}
	}
	return numberFormat{asPattern, b.String()}
}

// append appends a number as text; it reports false if v is none. v is as the
// sheet holds it, which may be scientific.
func (f numberFormat) append(dst, v []byte, from1904 bool) ([]byte, bool) {
	whole, exponent, ok := parseNumber(v)
	if !ok {
		return dst, false
	}
	if f.kind == asNumber && whole {
		return append(dst, v...), true
	}
	n, err := strconv.ParseFloat(string(v), 64)
	if err != nil {
		return dst, false // it is beyond what a cell can hold
	}
	switch f.kind {
	case asDate, asTime:
		if s, ok := dateText(n, f.kind, from1904); ok {
			return append(dst, s...), true
		}
	case asDuration:
		if n >= 0 && n < maxDays {
			return appendDuration(dst, n), true
		}
	case asPattern:
		if n == math.Trunc(n) && n >= 0 && n < 1e15 {
			return append(dst, fillPattern(f.pattern, strconv.FormatFloat(n, 'f', 0, 64))...), true
		}
	}
	return appendPlain(dst, v, n, exponent), true
}

// parseNumber reports whether v is a decimal number, whether it is nothing but
// digits and a sign, and whether it has an exponent.
func parseNumber(v []byte) (whole, exponent, ok bool) {
	whole = true
	digits := 0
	for i, c := range v {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c == '.' && whole:
			whole = false
		case (c == 'e' || c == 'E') && digits > 0:
			e := v[i+1:]
			if len(e) > 0 && (e[0] == '-' || e[0] == '+') {
				e = e[1:]
			}
			_, ok = decimal(e)
			return false, true, ok
		case i > 0 || c != '-' && c != '+':
			return false, false, false
		}
	}
	return whole, false, digits > 0
}

// appendPlain appends n, which stands in the sheet as v, without an exponent
// and without zeros at its end that say nothing. Digits that stand in the sheet
// are kept as they are, since some programs write more than a float holds, but
// for this: Excel writes 17 of them, and then 1.1 is 1.1000000000000001.
func appendPlain(dst, v []byte, n float64, exponent bool) []byte {
	shortest := strconv.AppendFloat(dst, n, 'f', -1, 64)
	switch {
	case exponent && (math.Abs(n) >= 1e21 || n != 0 && math.Abs(n) < 1e-15):
		return strconv.AppendFloat(dst, n, 'g', -1, 64)
	case exponent:
		return shortest
	}
	if bytes.IndexByte(v, '.') >= 0 {
		v = bytes.TrimRight(v, "0")
		v = bytes.TrimSuffix(v, []byte{'.'})
	}
	if given := significant(v); given > 15 && given <= 17 && significant(shortest[len(dst):]) <= 15 {
		return shortest
	}
	if len(v) == 0 || v[0] == '.' || v[0] == '+' || v[0] == '-' && (len(v) == 1 || v[1] == '.') {
		return shortest
	}
	return append(dst, v...)
}

// significant counts the digits of a number from the first that is not 0.
func significant(v []byte) int {
	v = bytes.TrimLeft(v, "-+0.")
	n := len(v)
	if bytes.IndexByte(v, '.') >= 0 {
		n--
	}
	return n
}

// fillPattern puts digits into the zeros of a pattern from the right; those
// left over stand in the place of the first zero.
func fillPattern(pattern, digits string) string {
	zeros := strings.Count(pattern, "0")
	if missing := zeros - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	var b strings.Builder
	first := len(digits) - zeros + 1
	for i := range len(pattern) {
		if pattern[i] != '0' {
			b.WriteByte(pattern[i])
			continue
		}
		b.WriteString(digits[:first])
		digits, first = digits[first:], 1
	}
	return b.String()
}

// maxDays is the first day beyond the year 9999.
const maxDays = 2_958_466

// dateText writes a number of days as a date, with a time if it has one, to the
// millisecond. It reports false for numbers that are no date: negative ones,
// those beyond the year 9999 and Excel's 29 February 1900.
func dateText(days float64, kind numberKind, from1904 bool) (string, bool) {
	ms := int64(math.Round(days * 86_400_000))
	if days < 0 || days >= maxDays {
		return "", false
	}
	day, within := ms/86_400_000, time.Duration(ms%86_400_000)*time.Millisecond
	if day == 0 && kind == asTime {
		return timeText(time.Time{}.Add(within)), true
	}
	var t time.Time
	switch {
	case from1904:
		t = time.Date(1904, 1, 1+int(day), 0, 0, 0, 0, time.UTC)
	case day == 0 || day == 60:
		return "", false
	case day < 60:
		t = time.Date(1899, 12, 31+int(day), 0, 0, 0, 0, time.UTC)
	default:
		t = time.Date(1899, 12, 30+int(day), 0, 0, 0, 0, time.UTC)
	}
	if t.Year() > 9999 {
		return "", false
	}
	if within == 0 {
		return t.Format(time.DateOnly), true
	}
	t = t.Add(within)
	return t.Format(time.DateOnly) + "T" + timeText(t), true
}

func timeText(t time.Time) string {
	if t.Nanosecond() == 0 {
		return t.Format(time.TimeOnly)
	}
	return t.Format("15:04:05.000")
}

// appendDuration appends a number of days as hours, minutes and seconds.
func appendDuration(dst []byte, days float64) []byte {
	ms := int64(math.Round(days * 86_400_000))
	const hour = int64(time.Hour / time.Millisecond)
	dst = strconv.AppendInt(dst, ms/hour, 10)
	return append(dst, timeText(time.Time{}.Add(time.Duration(ms%hour) * time.Millisecond))[2:]...)
}
