package activities

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"sluice/internal/crm"
	"sluice/internal/stage"
	"sluice/internal/tabular"
)

// aRelisting reads a reject file of n rows in no order, some of them new, of an
// import of three files.
func aRelisting(t *testing.T, n int) *relisting {
	t.Helper()
	s, err := stage.Open(t.Context(), "file://"+t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	var rows []string
	var list bytes.Buffer
	for i := range n {
		line := fmt.Sprintf("c.csv,%d", i+2)
		if i%7 == 0 {
			line = "," // a new row
		} else if err := json.NewEncoder(&list).Encode(crm.RejectedRow{File: 2, Line: int64(i + 2), Faults: []crm.Rejection{{Reason: crm.ReasonStrayQuote}},
			Cells: []string{"x", fmt.Sprint(i / 2)}}); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, fmt.Sprintf("%s,,,,x,\"%d\n%s\"", line, i, strings.Repeat("y", i%50)))
	}
	rand.New(rand.NewPCG(1, 1)).Shuffle(n, func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	o, err := s.Put(t.Context(), "file", strings.NewReader("file,line,column,reason,how to fix,a,b\n"+strings.Join(rows, "\n\n")+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	r := &relisting{a: &Activities{Stage: s}, files: []string{"a.csv", "b.csv", "c.csv"}, retry: retry{File: 3}, file: crm.File{Object: o}}
	r.parent.Report = &crm.Report{}
	if r.parent.Report.RejectObject, err = s.PutCompressed(t.Context(), "list", &list); err != nil {
		t.Fatal(err)
	}
	src := r.a.source(r.file)
	format, _, err := tabular.Identify(t.Context(), src, crm.Reading{})
	if err == nil {
		r.layout, _, err = tabular.Sniff(t.Context(), src, format, crm.Reading{})
	}
	if err != nil {
		t.Fatal(err)
	}
	r.columns, _ = crm.ParseRejectHeader(r.layout.Header)
	r.header = r.layout.Header[r.columns.Width():]
	return r
}

func TestRowsOutOfOrderAreSortedInPartsAsAtOnce(t *testing.T) {
	t.Parallel()
	want := ""
	for _, atOnce := range []int64{0, 1, 100, 1000} {
		r := aRelisting(t, 500)
		r.atOnce = atOnce
		var out strings.Builder
		err := r.survey(t.Context())
		if err == nil {
			err = r.write(t.Context(), &out)
		}
		if err != nil || r.sorted {
			t.Fatalf("%d bytes at once: %v, sorted %v", atOnce, err, r.sorted)
		}
		if want == "" {
			want = out.String()
		}
		if out.String() != want {
			t.Errorf("%d bytes at once give another list than all", atOnce)
		}
	}
	p := plan{Layout: tabular.Layout{Delimiter: ",", Header: []string{"a", "b"}}, Retry: &retry{File: 3, Listed: true, Width: 2}}
	rows := &reading{Reader: tabular.NewReader(strings.NewReader(want), p.layout(), crm.Position{}), file: 3, listed: true, width: 2}
	var row crm.Row
	var last crm.Address
	n, added := 0, 0
	for ; rows.Read(&row) == nil; n++ {
		if rows.address <= last || len(row.Cells) != 2 || row.Fault != "" {
			t.Fatalf("row %d: address %d after %d, %q, %s", n, rows.address, last, row.Cells, row.Fault)
		}
		if last = rows.address; last.File() == 3 {
			added++
		}
	}
	if n != 500 || added != 72 || rows.Blank() != 499 {
		t.Errorf("%d rows, %d of them new, and %d blank ones; want 500, 72 and 499", n, added, rows.Blank())
	}
}

func TestRetryOfTooManyRowsIsRefused(t *testing.T) {
	t.Parallel()
	r := aRelisting(t, 20)
	r.maxRows = 20
	if err := r.survey(t.Context()); err != nil {
		t.Errorf("as many rows as may be: %v", err)
	}
	r = aRelisting(t, 20)
	r.maxRows = 19
	if err := r.survey(t.Context()); !errors.Is(err, crm.ErrInvalid) {
		t.Errorf("a row too many: %v, want invalid", err)
	}
}

func TestCellsOfARowAreLaidUnderAnotherHeader(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ cells, from, to, want []string }{
		"the same header": {[]string{"1", "2"}, []string{"a", "b"}, []string{"a", "b"}, []string{"1", "2"}},
		"another order":   {[]string{"1", "2", "3"}, []string{"a", "b"}, []string{"b", "c", "a"}, []string{"2", "", "1", "3"}},
		"without names":   {[]string{"1", "2", "3"}, []string{"", "a", ""}, []string{"x", "", "", "a"}, []string{"", "1", "3", "2"}},
		"a short row":     {[]string{"1"}, []string{"a", "b"}, []string{"b", "a"}, []string{"", "1"}},
	} {
		if got := laid(c.cells, c.from, c.to); !alike(got, c.want) || !alike(c.want, got) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
