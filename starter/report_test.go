package main

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"sluice/internal/crm"
)

var start = time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC)

func doneReport() crm.Report {
	return crm.Report{
		ImportID: "019a0000-0000-7000-8000-000000000012", Number: 12, Source: "newsletter", State: crm.Done,
		Counts: crm.Counts{Read: 412_331, Blank: 3, Rejected: 41, Duplicate: 12, Accepted: 412_278, Warnings: 5,
			Customers: crm.Tally{Records: 412_290, Created: 400_000, Updated: 12_000, Unchanged: 278, Duplicate: 12},
			Contacts:  crm.Tally{Records: 200_000, Created: 200_000}},
		Rejects: []crm.RejectGroup{
			{Reason: crm.ReasonBadEmail, Column: "Email", Count: 30, FirstLine: 1_204},
			{Reason: crm.ReasonTooFewCells, Count: 11, FirstLine: 8_812}},
		RejectFile:   "/data/stage/imports/12/rejected",
		RejectObject: crm.Object{Key: "imports/12/rejected", Size: 9},
		Seconds:      133.4, RowsPerSecond: 3091.2, StartedAt: start, EndedAt: start.Add(133400 * time.Millisecond),
	}
}

var somewhere = aside{Database: "postgres://sluice:xxxxx@db/crm",
	Link: "http://127.0.0.1:8233/namespaces/sluice/workflows/import:newsletter"}

func TestReportSaysWhatBecameOfEveryRow(t *testing.T) {
	t.Parallel()
	clean := doneReport()
	clean.Counts = crm.Counts{Read: 1, Accepted: 1, Customers: crm.Tally{Records: 1, Created: 1}}
	clean.Rejects, clean.RejectFile, clean.RejectObject, clean.Seconds, clean.RowsPerSecond = nil, "", crm.Object{}, 0.31, 3.2
	ended := doneReport()
	ended.State, ended.Unprocessed, ended.Accepted = crm.Failed, 100_000, 312_278
	ended.Failure = &crm.Failure{Type: crm.FailInvalid, Step: "Inspect", Message: `column "Date": invalid: dates can be read in two ways; set date_order`}
	cancelled := doneReport()
	cancelled.State, cancelled.Rejects = crm.Cancelled, nil
	already := crm.Report{ImportID: "019a0000-0000-7000-8000-000000000013", Number: 13, Source: "newsletter", State: crm.AlreadyImported,
		Earlier: "019a0000-0000-7000-8000-000000000012"}
	hinted := clean
	hinted.Hints = []string{"2 hidden rows are imported; set hidden to skip if they are no rows"}
	for name, r := range map[string]crm.Report{"hinted": hinted, "done_with_rejects": doneReport(), "clean": clean, "failed": ended,
		"cancelled": cancelled, "already_imported": already} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			golden(t, "report_"+name+".txt", reportText(r, somewhere))
		})
	}
}

func TestReportSaysWhatADryRunWouldDo(t *testing.T) {
	t.Parallel()
	r := doneReport()
	r.DryRun, r.Changes = true, crm.Changes{"customer.name": 11_900, "customer.city": 200, "customer.company": 200}
	r.Warned = []crm.RejectGroup{{Reason: crm.ReasonPhoneKept, Column: "Phone", Count: 5, FirstLine: 38}}
	r.WarnedObject = crm.Object{Key: "imports/12/warned", Size: 9}
	r.Ignored, r.IgnoredColumns = []string{"Internal", "x;y"}, 23
	r.Hints = []string{`line 412,335 looks like totals; set footer to 1 if it is no row`, `"Phone" and "Mobile" both go to the telephone number; the first that is filled is taken`}
	golden(t, "report_dry_run.txt", reportText(r, somewhere))
}

func TestReportNamesTheImportsThatBelongToIt(t *testing.T) {
	t.Parallel()
	at := somewhere
	at.Retries = []int64{13, 15}
	at.Groups = groupsOf(doneReport().Rejects)
	at.Groups[1].looked, at.Groups[1].cures = 11, curesFor(crm.ReasonTooFewCells)
	at.Groups[1].cures[0].mends = 11
	golden(t, "report_retried.txt", reportText(doneReport(), at))
	retry := doneReport()
	retry.Number, retry.Parent = 13, doneReport().ImportID
	golden(t, "report_retry.txt", reportText(retry, aside{Parent: 12}))
	already := crm.Report{Number: 14, Source: "newsletter", State: crm.AlreadyImported, Earlier: doneReport().ImportID}
	golden(t, "report_already_numbered.txt", reportText(already, aside{Earlier: 12, Left: 41}))
}

func TestReportIsOneJSONObjectWithTheKeysPromised(t *testing.T) {
	t.Parallel()
	var out, err bytes.Buffer
	p := newPrinter(streams{nil, &out, &err})
	p.json = true
	if err := p.printReport(doneReport(), somewhere); err != nil {
		t.Fatal(err)
	}
	golden(t, "report.json", out.String())
	if bytes.Count(out.Bytes(), []byte("\n")) != 1 || err.Len() != 0 {
		t.Errorf("stdout has %q and stderr %q, want one line and nothing", out.String(), err.String())
	}
	var keys map[string]any
	if err := json.Unmarshal(out.Bytes(), &keys); err != nil {
		t.Fatal(err)
	}
	for _, k := range []string{"import_id", "source", "state", "read", "blank", "rejected", "duplicate", "accepted", "unprocessed",
		"warnings", "customers", "contacts", "notes", "rejects", "reject_file", "seconds", "rows_per_second"} {
		if _, ok := keys[k]; !ok {
			t.Errorf("the key %q is missing", k)
		}
	}
}

func TestReportWithoutRejectsHasAnEmptyList(t *testing.T) {
	t.Parallel()
	r := complete(crm.Report{State: crm.Done})
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(text, []byte(`"rejects":[]`)) {
		t.Errorf("rejects is not an empty list in %s", text)
	}
}
