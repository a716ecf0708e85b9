package mapping

import (
	"testing"

	"sluice/internal/crm"
)

var tagCells = []cellTest{
	{in: "a", want: `["a"]`}, {in: "b,a", want: `["a","b"]`}, {in: " b ; a | b,,", want: `["a","b"]`}, {in: ",;|", want: ""}, {in: "a b", want: `["a b"]`}, {in: "A,a", want: `["A","a"]`},
	{in: `"VIP","New one"`, want: `["New one","VIP"]`}, {in: `"a, b" ; c`, want: `["a, b","c"]`}, {in: `"say ""hi""",b`, want: `["b","say \"hi\""]`}, {in: `"a" b,c`, want: `["\"a\" b","c"]`}, {in: `"a,b`, want: `["\"a","b"]`}, {in: `"",x`, want: `["x"]`},
	{in: `["b","a, c","b"]`, want: `["a, c","b"]`}, {in: `[a]`, want: `["[a]"]`}, {in: `[1,2]`, want: `["2]","[1"]`}, {in: `a"b\c`, want: `["a\"b\\c"]`}, {in: "über", want: `["über"]`}, {in: `[""]`, want: ""}, {in: `[]`, want: ""}, {in: "a\tb\n,c", want: `["a\tb","c"]`},
	{in: `["\u0000"]`, fault: crm.ReasonBadCharacter}, {in: "a\x00", fault: crm.ReasonBadCharacter}, {in: "\xff", fault: crm.ReasonBadEncoding},
}

func TestTags(t *testing.T) {
	t.Parallel()
	checkType(t, tagsType, reading{}, tagCells)
}

func TestTagsAreDividedByTheirColumnsSeparator(t *testing.T) {
	t.Parallel()
	checkType(t, tagsType, reading{separator: ";"}, []cellTest{{in: "a, b; c|d", want: `["a, b","c|d"]`}, {in: `"x;y";z`, want: `["x;y","z"]`}, {in: `["q","p"]`, want: `["p","q"]`}, {in: ";;", want: ""}})
	checkType(t, tagsType, reading{separator: " / "}, []cellTest{{in: "a/b / c", want: `["a/b","c"]`}, {in: `"a" / b`, want: `["\"a\"","b"]`}})
	checkType(t, tagsType, reading{separator: " "}, []cellTest{{in: "b  a", want: `["a","b"]`}})
}
