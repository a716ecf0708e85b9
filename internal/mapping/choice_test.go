package mapping

import (
	"slices"
	"testing"

	"sluice/internal/crm"
)

var choiceCells = slices.Concat(accept("New", "fresh", "FRESH", "New", "new"), accept("Old", "Älter", "A\u0308lter", "OLD"), reject(crm.ReasonBadChoice, "?", "newer", "\xff", "\x00"))

func TestChoice(t *testing.T) {
	t.Parallel()
	checkType(t, Choice, reading{choices: map[string]string{"fresh": "New", "new": "New", "älter": "Old", "old": "Old"}}, choiceCells)
	checkType(t, Choice, reading{}, reject(crm.ReasonBadChoice, "New"))
}
