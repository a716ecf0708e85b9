package mapping

import (
	"strings"
	"testing"

	"sluice/internal/crm"
)

var emailCells = []cellTest{
	{in: "ana@example.com", want: "ana@example.com"}, {in: "Ana.B+tag@EXAMPLE.Com", want: "Ana.B+tag@example.com"},
	{in: "mailto:ana@x.de", want: "ana@x.de"}, {in: "MAILTO: ana@x.de", want: "ana@x.de"}, {in: "mailto:ana@x.de?subject=Hi", want: "ana@x.de"}, {in: "<mailto:ana@x.de>", want: "ana@x.de"},
	{in: "ana@x.com.", want: "ana@x.com"}, {in: "ana@x.com,", want: "ana@x.com"}, {in: ";ana@x.com; ", want: "ana@x.com"}, {in: "ana@x.com.,", want: "ana@x.com"},
	{in: "o'brien@x.co.uk", want: "o'brien@x.co.uk"}, {in: "a@b-c.d1.museum", want: "a@b-c.d1.museum"}, {in: "a/b@x.com", want: "a/b@x.com"},
	{in: "josé@Bücher.DE", want: "josé@bücher.de"}, {in: "ana＠x．com", want: "ana@x.com"}, {in: "a@xn--bcher-kva.de", want: "a@xn--bcher-kva.de"}, {in: "a@пример.рф", want: "a@пример.рф"},
	{in: "a@x.xn--p1ai", want: "a@x.xn--p1ai"}, {in: "ana@acme.github.io", want: "ana@acme.github.io"},
	{in: strings.Repeat("a", 64) + "@x.com", want: strings.Repeat("a", 64) + "@x.com"},

	{in: "<ana@x.com>", want: "ana@x.com"}, {in: "Ana Lee <ana@X.com>", want: "ana@x.com"}, {in: "Lee, Ana <ana@x.com>", want: "ana@x.com"}, {in: `"Lee; Ana" <ana@x.com>`, want: "ana@x.com"},
	{in: "Ana (Sales) <ana@x.com>", want: "ana@x.com"}, {in: "Ana Lee (ana@x.com)", want: "ana@x.com"}, {in: "Ana<ana@x.com>;", want: "ana@x.com"}, {in: "李 <li@x.cn>", want: "li@x.cn"},
	{in: `"ana@y.com" <ana@x.com>`, want: "ana@x.com"},

	{in: "ana@x.com <ana@x.com>", want: "ana@x.com"}, {in: "ana@x.com; ana@X.com", want: "ana@x.com"},
	{in: "a@x.com,b@x.com", want: "a@x.com", fault: crm.ReasonMoreAddresses}, {in: "a@x.com; b@x.com", want: "a@x.com", fault: crm.ReasonMoreAddresses},
	{in: "a@x.com b@x.com", want: "a@x.com", fault: crm.ReasonMoreAddresses}, {in: "a@x.com\nb@x.com", want: "a@x.com", fault: crm.ReasonMoreAddresses},
	{in: "a@x.com / b@x.com", want: "a@x.com", fault: crm.ReasonMoreAddresses}, {in: "a@x.com/b@x.com", want: "a@x.com", fault: crm.ReasonMoreAddresses},
	{in: "a@x.com <b@x.com>", want: "a@x.com", fault: crm.ReasonMoreAddresses}, {in: "Ana <a@x.com>, Bo <b@x.com>", want: "a@x.com", fault: crm.ReasonMoreAddresses},
	{in: "a@x.com；b@x.com，c@x.com", want: "a@x.com", fault: crm.ReasonMoreAddresses}, {in: "A@x.com,a@x.com", want: "A@x.com", fault: crm.ReasonMoreAddresses},
}

var badEmails = reject(crm.ReasonBadEmail,
	"ana", "@", "@x.com", "ana@", "ana@localhost", "ana@x", "ana@co.uk", "ana@127.0.0.1", "ana@[127.0.0.1]", "ana@[IPv6:::1]", `"a b"@x.com`, `"ana"@x.com`,
	"a b@x.com", "a@@x.com", "a@b@x.com", ".a@x.com", "a.@x.com", "a..b@x.com", "a@x..com", "a@.x.com", "a@-x.com", "a@x-.com", "a@x_y.com", "a@x.c", "a@x.123", "a@x.c0m", "a@x.com:25",
	"a\x00@x.com", "a@x。com", "mailto:", "a\u200bb@x.com", "a@x.com..", "a\xff@x.com", ",", "<>", "none", "n/a", "-", "a@x.com|b@x.com",
	"a@x.com, none", "none; a@x.com", "a@x.com; b@localhost", "a@x.com b", "a@x.com or b@x.com", "Ana <ana>", "Ana <a@x.com", "a@x.com>", "Ana <a@x.com> Lee", `"Ana <a@x.com>`, "Ana Lee ana@x.com", "<a@x.com,b@x.com>",
	"a@"+strings.Repeat("x", 64)+".com", strings.Repeat("a", 65)+"@x.com", "a@"+strings.Repeat("x.", 200)+"com", strings.Repeat("a@x.com,", 600), strings.Repeat("<", 4096), strings.Repeat("\"", 4095),
)

func TestEmail(t *testing.T) {
	t.Parallel()
	checkType(t, emailType, reading{}, emailCells)
	checkType(t, emailType, reading{}, badEmails)
}

func TestEmailKeysFoldTheWholeAddress(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"Ana@x.com": "ana@x.com", "JOSÉ@x.com": "josé@x.com", "Straße@x.de": "strasse@x.de"} {
		if got := foldedAddress(in); got != want || foldedAddress(got) != got {
			t.Errorf("foldedAddress(%q) = %q, want %q", in, got, want)
		}
	}
}
