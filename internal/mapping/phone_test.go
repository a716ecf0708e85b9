package mapping

import (
	"math/rand/v2"
	"strconv"
	"testing"
)

// TestQuickPhoneAgreesWithLibrary ranges over numbers behind every prefix of
// three digits, in several punctuations.
func TestQuickPhoneAgreesWithLibrary(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 2))
	forms := []func(cc, n string) string{
		func(cc, n string) string { return "+" + cc + n },
		func(cc, n string) string { return "+" + cc + " " + n[:2] + "-" + n[2:] },
		func(cc, n string) string { return "+" + cc + " (" + n[:2] + ") " + n[2:] },
		func(cc, n string) string { return "+" + cc + " (0) " + n },
		func(cc, n string) string { return "+" + cc + ".." + n[:2] + " - " + n[2:] },
	}
	rounds := 8
	if testing.Short() {
		rounds = 1
	}
	sureCount, all := 0, 0
	for cc := 1; cc < 1000; cc++ {
		for range rounds {
			n := strconv.Itoa(rnd.IntN(10))
			for range 1 + rnd.IntN(14) {
				n += strconv.Itoa(rnd.IntN(10))
			}
			n += "7"
			s := forms[rnd.IntN(len(forms))](strconv.Itoa(cc), n)
			all++
			got, ok, sure := quickE164(s)
			if !sure {
				continue
			}
			sureCount++
			want, wantOK := libraryE164(s, "")
			if ok != wantOK || got != want {
				t.Errorf("quickE164(%q) = %q, %v; the library says %q, %v", s, got, ok, want, wantOK)
			}
		}
	}
	t.Logf("%d of %d answered", sureCount, all)
}
