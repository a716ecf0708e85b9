package source

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// sheetsCell is what is read of a cell
// (developers.google.com/workspace/sheets/api/reference/rest/v4/spreadsheets/cells).
type sheetsCell struct {
	Entered struct {
		Formula string `json:"formulaValue"` // "" if it is none
	} `json:"userEnteredValue"`
	Value struct {
		Number *float64 `json:"numberValue"` // dates too
		Text   *string  `json:"stringValue"`
		Bool   *bool    `json:"boolValue"`
		Error  *struct {
			Type string `json:"type"`
		} `json:"errorValue"`
	} `json:"effectiveValue"` // of a formula, what it came to
	Format struct {
		Number struct {
			Type    string `json:"type"`
			Pattern string `json:"pattern"`
		} `json:"numberFormat"`
	} `json:"effectiveFormat"`
}

// text is what the owner of a cell would call its value, written as that of a
// workbook's cell is. A number has all its digits and nothing of what its
// format adds for the eye, such as a currency, but for the zeros before it
// that a format like 00000 shows. A date is 2024-02-29 or 2024-02-29T13:45:00,
// a time of day 13:45:00, a duration 36:00:00. An error is what the sheet
// shows.
func (c *sheetsCell) text() string {
	switch v := c.Value; {
	case v.Text != nil:
		return *v.Text
	case v.Bool != nil:
		return strings.ToUpper(strconv.FormatBool(*v.Bool))
	case v.Error != nil:
		return sheetsError(v.Error.Type)
	case v.Number == nil:
		return ""
	}
	n, f := *c.Value.Number, c.Format.Number
	switch f.Type {
	case "DATE", "DATE_TIME", "TIME":
		if text, ok := sheetsTime(n, f.Type, f.Pattern); ok {
			return text
		}
	}
	return zeroPadded(plainNumber(n), f.Pattern)
}

// sheetsErrors are what a sheet shows for an error.
var sheetsErrors = map[string]string{"NULL_VALUE": "#NULL!", "DIVIDE_BY_ZERO": "#DIV/0!", "VALUE": "#VALUE!", "REF": "#REF!",
	"NAME": "#NAME?", "NUM": "#NUM!", "N_A": "#N/A", "LOADING": "Loading..."}

func sheetsError(kind string) string { return firstOf(sheetsErrors[kind], "#ERROR!") }

// plainNumber writes a number without an exponent, unless that takes more
// digits than a number has.
func plainNumber(n float64) string {
	if size := math.Abs(n); size >= 1e21 || size > 0 && size < 1e-15 {
		return strconv.FormatFloat(n, 'g', -1, 64)
	}
	return strconv.FormatFloat(n, 'f', -1, 64)
}

// zeroPadded puts the digits of a whole number into a pattern of zeros from
// the right, such as 00000 or 000-00-0000. Any other pattern adds nothing.
func zeroPadded(number, pattern string) string {
	zeros := strings.Count(pattern, "0")
	missing := zeros - len(number)
	if zeros < 2 || strings.Trim(pattern, "0 ()/-") != "" || missing < 0 || strings.ContainsAny(number, "-.e") {
		return number
	}
	digits := strings.Repeat("0", missing) + number
	var b strings.Builder
	for _, c := range pattern {
		if c != '0' {
			b.WriteRune(c)
			continue
		}
		b.WriteByte(digits[0])
		digits = digits[1:]
	}
	return b.String()
}

// sheetsMaxDays is the first day beyond the year 9999.
const sheetsMaxDays = 2_958_466

// sheetsTime writes a number of days since 30 December 1899, to the
// millisecond (developers.google.com/workspace/sheets/api/guides/formats). It
// reports false for numbers that are no date.
func sheetsTime(days float64, kind, pattern string) (string, bool) {
	if days < 0 || days >= sheetsMaxDays {
		return "", false
	}
	ms := int64(math.Round(days * 86_400_000))
	if kind == "TIME" && strings.HasPrefix(pattern, "[") { // hours, which may be more than a day has
		const hour = int64(time.Hour / time.Millisecond)
		return strconv.FormatInt(ms/hour, 10) + clockText(ms % hour)[2:], true
	}
	day, within := ms/86_400_000, ms%86_400_000
	if day == 0 && kind == "TIME" {
		return clockText(within), true
	}
	date := time.Date(1899, time.December, 30, 0, 0, 0, 0, time.UTC).AddDate(0, 0, int(day)).Format(time.DateOnly)
	if within == 0 {
		return date, true
	}
	return date + "T" + clockText(within), true
}

// clockText writes milliseconds since midnight.
func clockText(ms int64) string {
	t := time.Time{}.Add(time.Duration(ms) * time.Millisecond)
	if t.Nanosecond() == 0 {
		return t.Format(time.TimeOnly)
	}
	return t.Format("15:04:05.000")
}
