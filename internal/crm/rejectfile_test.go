package crm

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestGuardIsTakenAwayAgain(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		cell := rapid.StringMatching(`'{0,2}[=+\-@\ta1 ]{0,3}.{0,3}`).Draw(t, "cell")
		if got := Unguard(Guard(cell)); got != cell {
			t.Errorf("Unguard(Guard(%q)) = %q", cell, got)
		}
	})
	for cell, want := range map[string]string{
		"=1+1": "'=1+1", "@x": "'@x", "+49 (30) 123-4": "'+49 (30) 123-4", "+49 30 1234": "+49 30 1234",
		"-5": "-5", "'=a": "''=a", "a=b": "a=b", "'tis": "'tis", "": "",
	} {
		if got := Guard(cell); got != want {
			t.Errorf("Guard(%q) = %q, want %q", cell, got, want)
		}
	}
}

func TestRejectHeaderIsFoundAgain(t *testing.T) {
	t.Parallel()
	for _, own := range [][]string{{"id", "email"}, {"line", "reason", "reason_"}, {"file", "line (raw)"}, nil} {
		for _, several := range []bool{false, true} {
			for _, raw := range []bool{false, true} {
				header := RejectHeader(own, several, raw)
				c, ok := ParseRejectHeader(header)
				if !ok || c.Raw != raw || (c.File == 0) != several || !slices.Equal(header[c.Width():], own) {
					t.Errorf("header %q is read as %+v, %v", header, c, ok)
				}
			}
		}
	}
	if _, ok := ParseRejectHeader([]string{"line", "email"}); ok {
		t.Error("a file of somebody's is taken for a reject file")
	}
}
