package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"sluice/internal/crm"
)

func rejectedList(t *testing.T) string {
	t.Helper()
	var list bytes.Buffer
	e := json.NewEncoder(&list)
	for _, r := range []crm.RejectedRow{
		{Line: 2, Faults: []crm.Rejection{{Column: "Email", Reason: crm.ReasonBadEmail}}, Cells: []string{"nobody", "=HYPERLINK(\"x\")", "+41 44"}},
		{Line: 5, Faults: []crm.Rejection{{Reason: crm.ReasonTooFewCells}}, Cells: []string{"@sum"}},
		{Line: 7, Faults: []crm.Rejection{{Column: "Email", Reason: crm.ReasonRequired}, {Column: "=Phone", Reason: crm.ReasonTooLong}}, Cells: []string{"", "-1", "\ttab"}},
		{Line: 9, Faults: []crm.Rejection{{Reason: crm.ReasonTooManyCells}}, Cells: []string{"a", "b", "c", "d, e"}},
	} {
		if err := e.Encode(r); err != nil {
			t.Fatal(err)
		}
	}
	return list.String()
}

func TestRejectsKeepTheirCells(t *testing.T) {
	t.Parallel()
	header := []string{"Email", "Name", "=Phone"}
	for _, c := range []struct {
		name, format string
		raw          bool
	}{{"rejects.csv", "csv", false}, {"rejects_raw.csv", "csv", true}, {"rejects.ndjson", "json", false}} {
		var out bytes.Buffer
		if err := writeRejects(strings.NewReader(rejectedList(t)), rejectWriter(&out, header, nil, c.format, c.raw)); err != nil {
			t.Fatal(err)
		}
		golden(t, c.name, out.String())
	}
}

func TestFormulasAreNeutralised(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"=1+1": "'=1+1", "@x": "'@x", "\tx": "'\tx", "\rx": "'\rx",
		"": "", "a=b": "a=b", " =1": " =1", "'=1": "'=1"} {
		if got := neutral(in); got != want {
			t.Errorf("neutral(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestOnlyWhatASpreadsheetWouldRunIsNeutralised(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "", "Ann": "Ann", "+49 351 123-456": "'+49 351 123-456", "+49 351 (123) 456": "+49 351 (123) 456", "+1.5": "+1.5", "-7": "-7",
		"=1+1": "'=1+1", "+1+1": "'+1+1", "-2+3": "'-2+3", "@SUM(A1)": "'@SUM(A1)", "+A1": "'+A1", "-cmd|' /C calc'!A0": "'-cmd|' /C calc'!A0", "\tx": "'\tx",
	} {
		if got := neutral(in); got != want {
			t.Errorf("neutral(%q) = %q, want %q", in, got, want)
		}
	}
}
