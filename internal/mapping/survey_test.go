package mapping

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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
		{name: "no evidence asks the owner", cells: append(times(40, "3/4/2024"), "4/4/2024"), fault: `column "Signup": 42 cells could be day/month or month/day, and 41 of them would change; set date_order: dmy or mdy in the mapping`},
		{name: "split evidence asks the owner", cells: []string{"25/4/2024", "4/25/2024", "3/4/2024", "junk"}, fault: `1 cell can only be day/month; 1 cell can only be month/day; 1 cell could be day/month or month/day, and 1 of them would change; set date_order: dmy or mdy`},
		{name: "a year of two digits may stand in front", cells: times(40, "25/12/23"), fault: `41 cells could be day/month or year/month/day, and 41 of them would change; set date_order: dmy or ymd in the mapping`},
		{name: "and may be all three", cells: []string{"3/4/05"}, fault: `1 cell could be day/month, month/day or year/month/day, and 1 of them would change; set date_order: dmy, mdy or ymd in the mapping`},
		{name: "unless it cannot be a day", cells: append(times(40, "25/12/23"), "1/12/99"), want: DMY},
		{name: "or a month stands second that is none", cells: append(times(40, "4/5/24"), "4/25/24"), want: MDY},
		{name: "or others have four", cells: append(times(40, "3/4/05"), "25/4/2024"), want: DMY},
		{name: "two dates may settle what neither does", cells: []string{"25/12/23", "1/2/99"}, want: DMY},
		{name: "a weekday settles a date", cells: []string{"Mon 5/6/2024", "3/4/2024"}, want: MDY},
		{name: "a few strays are rejected instead", cells: append(times(40, "25/4/2024"), "4/25/2024"), want: DMY},
		{name: "numbers and times are none", cells: []string{"45418", "1714953600", "2024-05-06T10:00:00Z"}, want: YMD},
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

// TestFindingsNeverFail asks before the file is read to its end, and where
// Decide refuses.
func TestFindingsNeverFail(t *testing.T) {
	t.Parallel()
	m, _, err := Resolve([]string{"id", "Signup", "Trial"}, nil, &Spec{Columns: []ColumnSpec{{Column: "Signup", To: []string{"customer.lead_created_at"}}, {Column: "Trial", To: []string{"customer.free_trial_started_at"}}}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := m.Survey()
	if got := s.Findings(m); len(got) != 2 || got[0].Choice != "ymd" || got[0].Score != 1 {
		t.Errorf("before any row: %+v", got)
	}
	s.Observe([]string{"1", "3/4/2024", "25/4/2024"})
	want := []crm.Decision{
		{About: `date order of column "Signup"`, Choice: "undecided", Evidence: "1 cell could be day/month or month/day, and 1 of them would change; set date_order: dmy or mdy in the mapping"},
		{About: `date order of column "Trial"`, Choice: "dmy", Evidence: "1 cell fit no other order", Score: 1},
	}
	if diff := cmp.Diff(want, s.Findings(m)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if m.Columns[1].DateOrder != "" || m.Columns[2].DateOrder != "" {
		t.Error("Findings decided something")
	}
	if decisions, err := s.Decide(m); !errors.Is(err, crm.ErrInvalid) || len(decisions) != 1 || m.Columns[2].DateOrder != DMY {
		t.Errorf("Decide() = %+v, %v", decisions, err)
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

// TestEveryColumnOfADateIsSurveyed has a date that several columns fill.
func TestEveryColumnOfADateIsSurveyed(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"a field":      "fields: {customer.lead_created_at: {first_of: [a, b]}}",
		"an attribute": "columns: {a: {to: ignore, type: timestamp}}\nfields: {customer.custom.t: {first_of: [a, b]}}",
	} {
		spec, err := ParseSpec([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		m, _, err := Resolve([]string{"id", "a", "b"}, nil, spec, Options{})
		if err != nil {
			t.Fatal(err)
		}
		s := m.Survey()
		if s == nil {
			t.Fatalf("%s: no survey", name)
		}
		s.Observe([]string{"1", "25/4/2024", "4/25/2024"})
		if _, err := s.Decide(m); err != nil || m.Columns[1].DateOrder != DMY || m.Columns[2].DateOrder != MDY {
			t.Errorf("%s: orders %q and %q, error %v", name, m.Columns[1].DateOrder, m.Columns[2].DateOrder, err)
		}
	}
}
