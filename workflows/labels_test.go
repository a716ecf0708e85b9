package workflows

import (
	"strings"
	"testing"

	"sluice/internal/crm"
)

func TestLabelsSayWhatKindOfImportItIs(t *testing.T) {
	t.Parallel()
	files := []crm.FileRef{{Name: "a.csv"}}
	for _, tt := range []struct {
		in         crm.Request
		want, kind string
	}{
		{crm.Request{Files: files}, "Import into news · a.csv", crm.KindImport},
		{crm.Request{Files: files, Plan: true}, "Dry run of an import into news · a.csv", crm.KindImport},
		{crm.Request{Files: files, Parent: "p"}, "Retry of rejected rows into news · a.csv", crm.KindRetry},
		{crm.Request{Reads: []crm.Partition{{}, {}}}, "Import of news · 2 partitions", crm.KindSync},
		{crm.Request{Reads: []crm.Partition{{ID: "customers-2024"}}}, "Import of news · customers-2024", crm.KindSync},
		{crm.Request{Files: []crm.FileRef{{Name: strings.Repeat("ä", 80)}}}, "Import into news · " + strings.Repeat("ä", 60) + "…", crm.KindImport},
		{crm.Request{Undoes: "p"}, "Undo of an import into news", crm.KindUndo},
	} {
		tt.in.Source = "news"
		got := LabelsOf(tt.in)
		kind, _ := got.Attributes.GetKeyword(AttrKind)
		if got.Summary != tt.want || kind != tt.kind {
			t.Errorf("%+v is called %q of kind %s, want %q of kind %s", tt.in, got.Summary, kind, tt.want, tt.kind)
		}
		if p := got.Priority; p.PriorityKey != 0 || p.FairnessKey != "news" {
			t.Errorf("its priority is %+v: it should take turns with other sources and inherit the rest", p)
		}
	}
	if sync, back := PriorityScheduled, PriorityBackfill; sync >= 3 || back <= 3 {
		t.Errorf("schedules have priority %d and backfills %d: less comes first, and 3 is what has none", sync, back)
	}
}
