package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"sluice/internal/crm"
	"sluice/internal/mapping"
	"sluice/internal/tabular"
)

// grouped lets rows be rejected under a mapping and looks into them.
func grouped(t *testing.T, spec string, header []string, rows ...[]string) []*group {
	t.Helper()
	s, err := mapping.ParseSpec([]byte(spec))
	if err != nil {
		t.Fatal(err)
	}
	m, _, err := mapping.Resolve(header, nil, s, mapping.Options{})
	if err != nil {
		t.Fatal(err)
	}
	mapper, err := m.Mapper()
	if err != nil {
		t.Fatal(err)
	}
	from := origins{names: []string{"leads.csv"}, plans: []filePlan{{Layout: tabular.Layout{Header: header}, Mapping: m}}}
	var list []crm.RejectGroup
	counts := map[crm.Rejection]int{}
	var rejected []crm.RejectedRow
	for i, cells := range rows {
		var out mapping.Mapped
		in := crm.Row{Line: int64(i + 2), Cells: cells}
		if len(cells) < len(header) {
			in.Fault = crm.ReasonTooFewCells
		}
		mapper.Map(&in, &out)
		for _, f := range out.Faults {
			at, known := counts[f]
			if !known {
				at = len(list)
				counts[f] = at
				list = append(list, crm.RejectGroup{Reason: f.Reason, Column: f.Column, FirstLine: in.Line})
			}
			list[at].Count++
		}
		if len(out.Faults) > 0 {
			rejected = append(rejected, crm.RejectedRow{Line: in.Line, Faults: out.Faults, Cells: cells})
		}
	}
	groups, err := lookInto(strings.NewReader(staged(t, rejected)), list, from)
	if err != nil {
		t.Fatal(err)
	}
	return groups
}

func TestARemedyIsTriedBeforeItIsNamed(t *testing.T) {
	t.Parallel()
	header := []string{"Email", "Signed up", "Status", "Fee"}
	columns := "columns:\n  Email: customer.email\n  Signed up: {to: customer.lead_created_at, date_order: mdy}\n" +
		"  Status: customer.status\n  Fee: {to: customer.custom.fee, type: decimal}\n"
	row := func(i int, date, status, fee string) []string {
		return []string{fmt.Sprintf("a%d@example.com", i), date, status, fee}
	}
	for _, c := range []struct {
		name, want, flags string
		rows              [][]string
	}{
		{"dates in the other order", `bad_date in "Signed up": date_order: dmy reads all; the column was decided as mdy; or bad_cells: blank takes in all, with that cell left blank`,
			" --date-order dmy", [][]string{row(1, "13/01/2024", "", ""), row(2, "31/12/2024", "", "")}},
		{"some of them", `bad_date in "Signed up": date_order: dmy reads 1 of 3; the column was decided as mdy; or bad_cells: blank takes in all, with that cell left blank`,
			" --date-order dmy", [][]string{row(1, "13/01/2024", "", ""), row(2, "31/31/2024", "", ""), row(3, "soon", "", "")}},
		{"dates that no order reads", `bad_date in "Signed up": bad_cells: blank takes in all, with that cell left blank`, "", [][]string{row(1, "soon", "", "")}},
		{"words", `bad_status in "Status": 2 different words: translate the words with values in the mapping; or bad_cells: blank takes in all, with that cell left blank`,
			"", [][]string{row(1, "", "Hot", ""), row(2, "", "hot ", ""), row(3, "", "Cold", "")}},
		{"commas before fractions", `bad_decimal in "Fee": decimal: "," reads all; or bad_cells: blank takes in all, with that cell left blank`, "", [][]string{row(1, "", "", "1,2345")}},
		{"short rows that fit", "too_few_cells: short_rows: pad reads all", " --short-rows pad", [][]string{{"a@example.com", "1/1/2024"}}},
		{"short rows that would not fit", "too_few_cells: short_rows: pad reads 1 of 2", " --short-rows pad", [][]string{{"a@example.com"}, {""}}},
		{"nothing that helps", "bad_email in \"Email\": ", "", [][]string{{"ana at example.com", "", "", ""}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			groups := grouped(t, columns, header, c.rows...)
			if len(groups) != 1 {
				t.Fatalf("%d groups, want 1", len(groups))
			}
			if got := groups[0].name() + ": " + groups[0].atOnce(); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if got := retryFlags(groups); got != c.flags {
				t.Errorf("flags of a retry = %q, want %q", got, c.flags)
			}
		})
	}
}

func TestGroupsNameTheirFirstLinesAndNoCell(t *testing.T) {
	t.Parallel()
	var rows [][]string
	for i := range 9 {
		rows = append(rows, []string{fmt.Sprintf("a%d@example.com", i), "13/01/2024", "zxqv"})
	}
	groups := grouped(t, "columns:\n  Email: customer.email\n  Signed up: {to: customer.lead_created_at, date_order: mdy}\n  Status: customer.status\n",
		[]string{"Email", "Signed up", "Status"}, rows...)
	var text bytes.Buffer
	for _, g := range groups {
		object, err := json.Marshal(g.object())
		if err != nil {
			t.Fatal(err)
		}
		text.WriteString(g.text(nil))
		text.Write(object)
	}
	got := text.String()
	if !strings.Contains(got, "2, 3, 4, 5, 6, …") || strings.Contains(got, "zxqv") || strings.Contains(got, "13/01") {
		t.Errorf("the groups name other lines than the first five, or a cell:\n%s", got)
	}
}

func TestALookIntoManyRowsIsBounded(t *testing.T) {
	t.Parallel()
	list := []crm.RejectGroup{{Reason: crm.ReasonBadStatus, Column: "S", Count: 30_000}}
	one := staged(t, []crm.RejectedRow{{Line: 2, Faults: []crm.Rejection{{Column: "S", Reason: crm.ReasonBadStatus}}, Cells: []string{"x"}}})
	groups, err := lookInto(strings.NewReader(strings.Repeat(one, 30_000)), list, origins{plans: make([]filePlan, 1)})
	if err != nil || groups[0].looked != lookRows || groups[0].share(3) != "3 of the first 20,000" {
		t.Errorf("looked at %d rows with %v, want %d", groups[0].looked, err, lookRows)
	}
}
