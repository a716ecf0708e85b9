package mapping

import (
	"testing"

	"sluice/internal/crm"
)

var textCells = []cellTest{
	{in: "007", want: "007"}, {in: "1e5", want: "1e5"}, {in: "4111111111111111", want: "4111111111111111"}, {in: "1.23457E+15", want: "1.23457E+15"},
	{in: "2024-13-45", want: "2024-13-45"}, {in: "TRUE", want: "TRUE"}, {in: "0x1F", want: "0x1F"}, {in: "=1+1", want: "=1+1"},
	{in: "a\r\nb\t c", want: "a\r\nb\t c"}, {in: "a\x1bb\u0085c", want: "a\x1bb\u0085c"}, {in: "a\u200bb", want: "a\u200bb"},
	{in: "Zoe\u0308", want: "Zoë"}, {in: "李", want: "李"}, {in: "ﬁ", want: "ﬁ"}, {in: "👩‍💻", want: "👩‍💻"},
	{in: "a\x00b", fault: crm.ReasonBadCharacter}, {in: "李\x00", fault: crm.ReasonBadCharacter}, {in: "a\xffb", fault: crm.ReasonBadEncoding}, {in: "\xed\xa0\x80", fault: crm.ReasonBadEncoding},
}

func TestTextIsNeverRetyped(t *testing.T) {
	t.Parallel()
	checkType(t, textType, reading{}, textCells)
}

func TestOuterWhiteSpaceIsTrimmed(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "", " ": "", "\u00a0\t\r\n": "", "\u200b": "", " a b ": "a b", "\u00a0a\u00a0b\ufeff": "a\u00a0b", "\u3000東京": "東京", "\u2060x\u202f": "x",
	} {
		if got := trimmed(in); got != want {
			t.Errorf("trimmed(%q) = %q, want %q", in, got, want)
		}
	}
}
