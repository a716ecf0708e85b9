package activities

import (
	"fmt"
	"testing"

	"sluice/internal/crm"
)

func TestRejectGroupsAreBoundedAndLoseNoRow(t *testing.T) {
	t.Parallel()
	all := groups{}
	var rows int64
	for i := range 3 * crm.MaxRejectGroups {
		for n := range i + 1 {
			rows++
			all.add(&crm.RejectedRow{Line: int64(1000*i + n), Faults: []crm.Rejection{{Reason: crm.ReasonBadEmail, Column: fmt.Sprint(i)}}})
		}
	}
	got := all.sorted()
	var sum int64
	for i, g := range got {
		sum += g.Count
		if i > 0 && i < len(got)-1 && got[i-1].Count < g.Count {
			t.Errorf("group %d has more rows than the one before", i)
		}
	}
	last := got[len(got)-1]
	if len(got) != crm.MaxRejectGroups || sum != rows || last.Reason != "other" || last.FirstLine != 0 {
		t.Errorf("%d groups of %d rows, the last %+v; want %d groups of %d", len(got), sum, last, crm.MaxRejectGroups, rows)
	}
}
