package notify

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/crm"
)

func report() crm.Report {
	r := crm.Report{ImportID: "0197-import", Source: "newsletter", State: crm.Done, Seconds: 12.34}
	r.Counts = crm.Counts{Read: 1_234_567, Accepted: 1_234_000, Duplicate: 500, Rejected: 67,
		Customers: crm.Tally{Records: 1_234_500, Created: 1_000_000, Updated: 234_000, Duplicate: 500},
		Contacts:  crm.Tally{Records: 2, Unchanged: 2}}
	r.Rejects = []crm.RejectGroup{
		{Reason: crm.ReasonBadEmail, Column: "E-mail", Count: 66, FirstLine: 8_812},
		{Reason: crm.ReasonTooFewCells, Count: 1, FirstLine: 3},
	}
	return r
}

func TestComposeSaysWhatHappened(t *testing.T) {
	t.Parallel()
	subject, body := Compose(report(), "stage/reports/rejected.csv")
	if want := "newsletter: import done, 1,234,000 of 1,234,567 rows accepted, 67 rejected"; subject != want {
		t.Errorf("subject %q, want %q", subject, want)
	}
	want := `newsletter: import done.

  rows read  1,234,567
   accepted  1,234,000
  duplicate        500
   rejected         67

               records    created  updated  unchanged  duplicate
  customers  1,234,500  1,000,000  234,000          0        500
   contacts          2          0        0          2          0

Rejected:
  66 rows: bad_email in column "E-mail", first in line 8,812
  1 row: too_few_cells, first in line 3

The rejected rows are in
  stage/reports/rejected.csv
Correct them there and import them again.

Import 0197-import took 12.3 seconds.
`
	if diff := cmp.Diff(want, body); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestComposeSaysWhyItFailed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(r *crm.Report)
		want   []string
	}{
		"failed": {func(r *crm.Report) {
			r.State, r.Unprocessed = crm.Failed, 40
			r.Failure = &crm.Failure{Type: crm.FailInvalid, Step: "Parse", Message: "the header is damaged"}
		}, []string{"import failed", "step Parse: the header is damaged", "not processed         40"}},
		"imported before": {func(r *crm.Report) { r.State, r.Earlier = crm.AlreadyImported, "0196-import" },
			[]string{"already imported", "by import 0196-import"}},
		"of a state of its own": {func(r *crm.Report) { r.State = "strange" }, []string{"import strange"}},
		"many reasons": {func(r *crm.Report) { r.Rejects = make([]crm.RejectGroup, 13) },
			[]string{"and 3 other reasons"}},
	} {
		r := report()
		c.change(&r)
		subject, body := (&Mailer{}).Compose(r)
		for _, want := range c.want {
			if !strings.Contains(subject+"\n"+body, want) {
				t.Errorf("%s: %q is not in\n%s\n%s", name, want, subject, body)
			}
		}
		if strings.Contains(body, "rows are in") {
			t.Errorf("%s: there is no reject file:\n%s", name, body)
		}
	}
}
