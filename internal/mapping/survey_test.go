package mapping

import (
	"errors"
	"strings"
	"testing"

	"sluice/internal/crm"
)

func TestSurveyFindsTheDateOrder(t *testing.T) {
	t.Parallel()
	times := func(n int, cell string) []string { return strings.Split(strings.Repeat(cell+"|", n)+cell, "|") }
	tests := []struct {
		name  string
		cells []string
		want  DateOrder
		fault string // what the error says
	}{
		{name: "one day above twelve settles the column", cells: append(times(40, "3/4/2024"), "25/4/2024 10:00"), want: DMY},
		{name: "in either place", cells: append(times(40, "3.4.2024"), "4.25.2024"), want: MDY},
		{name: "dates that begin with the year need none", cells: []string{"2024-05-06", "", "6 May 2024", "junk"}, want: YMD},
		{name: "nor do days that are their month", cells: []string{"5/5/2024"}, want: DMY},
		{name: "no evidence asks the owner", cells: times(40, "3/4/2024"), fault: `column "Signup": 41 cells could be day/month or month/day; set date_order: dmy or mdy in the mapping`},
		{name: "split evidence asks the owner", cells: []string{"25/4/2024", "4/25/2024"}, fault: "1 cell can only be day/month and 1 cell only month/day"},
		{name: "a few strays are rejected instead", cells: append(times(40, "25/4/2024"), "4/25/2024"), want: DMY},
		{name: "days that no calendar has are no evidence", cells: append(times(1, "31/2/2024"), "4/25/2024"), want: MDY},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m, _, err := Resolve([]string{"id", "Signup"}, nil, &Spec{Columns: []ColumnSpec{{Column: "Signup", To: []string{"customer.lead_created_at"}}}}, Options{})
			if err != nil {
				t.Fatal(err)
			}
			s := m.Survey()
			for _, cell := range tt.cells {
				s.Observe([]string{"1", cell})
			}
			s.Observe([]string{"short"})
			decisions, err := s.Decide(m)
			if tt.fault != "" {
				if !errors.Is(err, crm.ErrInvalid) || !strings.Contains(err.Error(), tt.fault) {
					t.Errorf("error %v, want ErrInvalid saying %q", err, tt.fault)
				}
				return
			}
			if err != nil || m.Columns[1].DateOrder != tt.want || len(decisions) != 1 || decisions[0].Choice != string(tt.want) {
				t.Errorf("order %q, decisions %+v, error %v; want %q", m.Columns[1].DateOrder, decisions, err, tt.want)
			}
			if m.Survey() != nil {
				t.Error("there is still something to survey")
			}
		})
	}
}

func TestNothingIsSurveyedWithoutNeed(t *testing.T) {
	t.Parallel()
	for name, spec := range map[string]string{"no dates": "", "one order for all": "date_order: dmy\ncolumns: {d: customer.lead_created_at}", "one of its own": "columns: {d: {to: customer.lead_created_at, date_order: ymd}}"} {
		s, err := ParseSpec([]byte(spec))
		if err != nil {
			t.Fatal(err)
		}
		m, _, err := Resolve([]string{"id", "d"}, nil, s, Options{})
		if err != nil || m.Survey() != nil {
			t.Errorf("%s: survey %v, error %v", name, m.Survey(), err)
		}
	}
}
