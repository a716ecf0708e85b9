package main

import (
	"bytes"
	"testing"

	"sluice/internal/crm"
)

func TestUndoSaysWhatBecameOfEveryRecord(t *testing.T) {
	t.Parallel()
	done := crm.Report{ImportID: "019a0000-0000-7000-8000-000000000014", Number: 14, Source: "newsletter", State: crm.Done, Seconds: 41,
		Undo: &crm.UndoneReport{Number: 12, UndoCounts: crm.UndoCounts{
			Customers: crm.UndoneEntity{Created: crm.UndoTally{Records: 100_000, Reversed: 99_990, Kept: 8, Gone: 2}, Changed: crm.UndoTally{Records: 12_000, Reversed: 11_900, Kept: 100}},
			Contacts:  crm.UndoneEntity{Created: crm.UndoTally{Records: 200_000, Reversed: 200_000}},
			Whys:      map[crm.Why]int64{crm.WhyChangedSince: 100, crm.WhyOthersHangOnIt: 8, crm.WhyGone: 2}}}}
	cancelled := done
	cancelled.State = crm.Cancelled
	cancelled.Undo = &crm.UndoneReport{Number: 12, UndoCounts: crm.UndoCounts{
		Notes: crm.UndoneEntity{Changed: crm.UndoTally{Records: 12_000, Reversed: 5_000, Earlier: 2_000, Unprocessed: 5_000}}}}
	for name, r := range map[string]crm.Report{"undo_done": done, "undo_cancelled": cancelled} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			golden(t, "report_"+name+".txt", reportText(r, somewhere))
		})
	}
	preview := done
	preview.DryRun, preview.Number = true, 0
	golden(t, "report_undo_dry_run.txt", previewText(preview, crm.ImportRow{Import: crm.Import{Number: 12}, State: crm.Done, StartedAt: start,
		Request: crm.Request{StartedBy: "ana", Files: []crm.FileRef{{Name: "leads.csv"}}}}, somewhere.Database))
	undone := doneReport()
	undone.State = crm.Undone
	golden(t, "report_undone.txt", reportText(undone, aside{Database: somewhere.Database, UndoneBy: 14}))
}

func TestUndoWithKeptRecordsExitsAsRejectedRowsDo(t *testing.T) {
	t.Parallel()
	for want, r := range map[int]crm.Report{
		exitDone:     {State: crm.Done, Undo: &crm.UndoneReport{}},
		exitRejected: {State: crm.Done, Undo: &crm.UndoneReport{UndoCounts: crm.UndoCounts{Notes: crm.UndoneEntity{Changed: crm.UndoTally{Kept: 1}}}}},
		exitFailed:   {State: crm.Failed, Undo: &crm.UndoneReport{}},
	} {
		if got := codeOfReport(r); got != want {
			t.Errorf("codeOfReport(%s, %+v) = %d, want %d", r.State, r.Undo, got, want)
		}
	}
}

func TestUndoneRecordsAreListedByFileAndLine(t *testing.T) {
	t.Parallel()
	records := []crm.UndoneRecord{{File: 1, Line: 8, Entity: "contact", Outcome: crm.Removed, ID: "a"}, {Entity: "note", Outcome: crm.Kept, Why: crm.WhyGone, ID: "b"}}
	for form, want := range map[string]string{
		asCSV: "file,line,entity,outcome,why,id\nb.csv,8,contact,removed,,a\na.csv,,note,kept,gone,b\n",
		asJSON: `{"file":"b.csv","line":8,"entity":"contact","outcome":"removed","id":"a"}` + "\n" +
			`{"file":"a.csv","entity":"note","outcome":"kept","why":"gone","id":"b"}` + "\n",
	} {
		var out bytes.Buffer
		lines := newUndoneWriter(&out, []string{"a.csv", "b.csv"}, form)
		for _, r := range records {
			if err := lines.row(r); err != nil {
				t.Fatal(err)
			}
		}
		if err := lines.close(); err != nil || out.String() != want {
			t.Errorf("%s: %v\n%s\nwant\n%s", form, err, out.String(), want)
		}
	}
}
