package source

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"sluice/internal/crm"
	"sluice/internal/fakesaas"
)

const testPage = 50 // rows

// sheetsSubject has two pages and a part of one.
var sheetsSubject = subject{connector: sheets{page: testPage}, provider: "sheets", customers: 2*testPage + 20,
	settings: map[string]string{"service_account_key": fakesaas.SheetsKey(), "spreadsheet": fakesaas.SheetsSpreadsheet},
	ids: func(w *fakesaas.World) (ids []string) {
		for i := range w.Customers(nil) {
			ids = append(ids, strconv.Itoa(i+2)) // below the header
		}
		return ids
	}}

func init() { subjects = append(subjects, sheetsSubject) }

// onSheet is a trial with a sheet of its own.
func onSheet(t *testing.T, sheet fakesaas.Sheet) *trial {
	t.Helper()
	s := sheetsSubject
	s.customers = 1
	s.settings = maps.Clone(s.settings)
	s.settings["spreadsheet"] = ownSheet
	x := s.begin(t)
	x.put(sheet)
	return x
}

const ownSheet = "a-spreadsheet-of-its-own"

func (x *trial) put(sheet fakesaas.Sheet) {
	if sheet.Title == "" {
		sheet.Title = "Sheet1"
	}
	x.server.PutSheet(ownSheet, sheet)
}

// texts makes rows of texts; "" is a blank cell.
func texts(rows ...[]string) (out [][]fakesaas.Cell) {
	for _, row := range rows {
		var cells []fakesaas.Cell
		for _, text := range row {
			cell := fakesaas.Cell{Value: text}
			if text == "" {
				cell.Value = nil
			}
			cells = append(cells, cell)
		}
		out = append(out, cells)
	}
	return out
}

// people are rows of so many people below a header.
func people(n int) [][]fakesaas.Cell {
	rows := [][]string{{"Name", "Email"}}
	for i := range n {
		rows = append(rows, []string{fmt.Sprintf("Name %d", i), fmt.Sprintf("p%d@example.com", i)})
	}
	return texts(rows...)
}

// first reads the first page.
func (x *trial) first() (crm.Partition, Page, error) {
	x.t.Helper()
	parts, err := persist(x, func() ([]crm.Partition, error) { return x.connector.Plan(x.t.Context(), x.access, Want{}) })
	if err != nil {
		return crm.Partition{}, Page{}, err
	}
	page, err := x.page(parts[0], nil)
	return parts[0], page, err
}

func TestSheetsKeepsDigitsDatesAndZeros(t *testing.T) {
	t.Parallel()
	when := fakesaas.SheetsDate(time.Date(2024, time.February, 29, 13, 45, 0, 250e6, time.UTC))
	for name, c := range map[string]struct {
		cell fakesaas.Cell
		want string
	}{
		"a text that looks like a number":  {fakesaas.Cell{Value: "0049 151", Type: "TEXT"}, "0049 151"},
		"a whole number":                   {fakesaas.Cell{Value: 15105550001.0}, "15105550001"},
		"a number that is shown rounded":   {fakesaas.Cell{Value: 1234.567, Type: "CURRENCY", Pattern: `"$"#,##0`}, "1234.567"},
		"a share":                          {fakesaas.Cell{Value: 0.125, Type: "PERCENT", Pattern: "0%"}, "0.125"},
		"a number that is shown shortened": {fakesaas.Cell{Value: 1.5e20, Type: "SCIENTIFIC", Pattern: "0.00E+00"}, "150000000000000000000"},
		"a number beyond all digits":       {fakesaas.Cell{Value: 1.5e300}, "1.5e+300"},
		"a postcode":                       {fakesaas.Cell{Value: 1067.0, Type: "NUMBER", Pattern: "00000"}, "01067"},
		"a number with zeros and hyphens":  {fakesaas.Cell{Value: 12345678.0, Type: "NUMBER", Pattern: "000-00-0000"}, "012-34-5678"},
		"more digits than zeros":           {fakesaas.Cell{Value: 123456.0, Type: "NUMBER", Pattern: "00000"}, "123456"},
		"a fraction under zeros":           {fakesaas.Cell{Value: 10.5, Type: "NUMBER", Pattern: "00000"}, "10.5"},
		"decimals that are shown":          {fakesaas.Cell{Value: 5.0, Type: "NUMBER", Pattern: "0.00"}, "5"},
		"zero":                             {fakesaas.Cell{Value: 0.0}, "0"},
		"a day":                            {fakesaas.Cell{Value: 45351.0, Type: "DATE", Pattern: "dd.MM.yy"}, "2024-02-29"},
		"a day that a formula came to":     {fakesaas.Cell{Value: 45351.0, Type: "DATE", Formula: "=TODAY()"}, "2024-02-29"},
		"a day that is shown without year": {fakesaas.Cell{Value: 45351.0, Type: "DATE", Pattern: "mmm d"}, "2024-02-29"},
		"an instant":                       {fakesaas.Cell{Value: when, Type: "DATE_TIME", Pattern: "M/d/yyyy H:mm"}, "2024-02-29T13:45:00.250"},
		"an instant that is shown as day":  {fakesaas.Cell{Value: 45351.5, Type: "DATE", Pattern: "yyyy-mm-dd"}, "2024-02-29T12:00:00"},
		"a time of day":                    {fakesaas.Cell{Value: 0.4479166666666667, Type: "TIME", Pattern: "h:mm:ss am/pm"}, "10:45:00"},
		"a duration":                       {fakesaas.Cell{Value: 23.083333333333332, Type: "TIME", Pattern: "[h]:mm:ss"}, "554:00:00"},
		"the first day there is":           {fakesaas.Cell{Value: 1.0, Type: "DATE"}, "1899-12-31"},
		"a date that is none":              {fakesaas.Cell{Value: -1.0, Type: "DATE"}, "-1"},
		"true":                             {fakesaas.Cell{Value: true}, "TRUE"},
		"an error":                         {fakesaas.Cell{Value: fakesaas.CellError("N_A")}, "#N/A"},
		"a formula that came to nothing":   {fakesaas.Cell{Value: "", Formula: `=""`}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := onSheet(t, fakesaas.Sheet{Rows: append(texts([]string{"A", "B"}), []fakesaas.Cell{{Value: "x"}, c.cell})})
			_, page, err := x.first()
			if err != nil || len(page.Rows) != 1 || page.Rows[0].Extra["B"] != c.want {
				t.Errorf("got %v (%v), want %q", page.Rows, err, c.want)
			}
		})
	}
}

func TestSheetsRowsAreRaggedAndKnownByTheirNumber(t *testing.T) {
	t.Parallel()
	x := onSheet(t, fakesaas.Sheet{Grid: testPage, Rows: texts(
		[]string{" Name ", "Email", "", "City"},
		[]string{"Ada"},
		[]string{},
		[]string{"", "bo@example.com", "hidden", "Bonn", "beyond"},
		[]string{"", "", ""},
		[]string{"Mei", "", "", "Oslo"},
	)})
	_, page, err := x.first()
	want := []Row{
		{ID: "2", Extra: Fields{"Name": "Ada", "Email": "", "City": ""}},
		{ID: "4", Extra: Fields{"Name": "", "Email": "bo@example.com", "City": "Bonn", "column 3": "hidden", "column 5": "beyond"}},
		{ID: "6", Extra: Fields{"Name": "Mei", "Email": "", "City": "Oslo"}},
	}
	if err != nil || page.Next != nil || !sameRows(page.Rows, want) {
		t.Errorf("got %v, next %s (%v), want %v", page.Rows, page.Next, err, want)
	}
}

func TestSheetsGapOfWholePagesDoesNotEndTheReading(t *testing.T) {
	t.Parallel()
	rows := people(3)
	rows = append(rows, make([][]fakesaas.Cell, 2*testPage)...)
	rows = append(rows, people(2)[1:]...)
	x := onSheet(t, fakesaas.Sheet{Rows: rows})
	h := x.read(Want{})
	want := []string{"2", "3", "4", strconv.Itoa(2*testPage + 5), strconv.Itoa(2*testPage + 6)}
	slices.Sort(want)
	if got := slices.Sorted(maps.Keys(h.rows)); !slices.Equal(got, want) {
		t.Errorf("got the rows %v, want %v", got, want)
	}
}

// Google refuses rows that begin below the sheet's last.
func TestSheetsSheetThatEndsWithAPageIsNotAskedForMore(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ people, grid, pages int }{
		"a header alone":       {0, 1, 1},
		"a whole page":         {testPage - 1, testPage, 1},
		"a page and a row":     {testPage, testPage + 1, 2},
		"blank rows behind it": {5, 2*testPage + 1, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := onSheet(t, fakesaas.Sheet{Rows: people(c.people), Grid: c.grid})
			if h := x.read(Want{}); len(h.rows) != c.people || len(h.reads) != c.pages {
				t.Errorf("%d rows in %d pages, want %d in %d", len(h.rows), len(h.reads), c.people, c.pages)
			}
		})
	}
}

func TestSheetsRowsThatMoveWhileTheyAreReadAreReadAnew(t *testing.T) {
	t.Parallel()
	const n = 2*testPage + 10
	for name, move := range map[string]func(rows [][]fakesaas.Cell) [][]fakesaas.Cell{
		"one is deleted above": func(rows [][]fakesaas.Cell) [][]fakesaas.Cell { return slices.Delete(rows, 5, 6) },
		"one is inserted above": func(rows [][]fakesaas.Cell) [][]fakesaas.Cell {
			return slices.Insert(rows, 5, texts([]string{"new"})...)
		},
		"one is dragged up": func(rows [][]fakesaas.Cell) [][]fakesaas.Cell {
			row := rows[n-3]
			return slices.Insert(slices.Delete(rows, n-3, n-2), 5, row)
		},
		"all are sorted": func(rows [][]fakesaas.Cell) [][]fakesaas.Cell {
			slices.Reverse(rows[1:])
			return rows
		},
		"columns change places": func(rows [][]fakesaas.Cell) [][]fakesaas.Cell {
			for _, row := range rows {
				slices.Reverse(row)
			}
			return rows
		},
		"nearly all are deleted": func(rows [][]fakesaas.Cell) [][]fakesaas.Cell { return rows[:5] },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := onSheet(t, fakesaas.Sheet{Rows: people(n)})
			p, page, err := x.first()
			if err != nil {
				t.Fatal(err)
			}
			moved := move(people(n))
			x.put(fakesaas.Sheet{Rows: moved})
			if _, err := x.page(p, page.Next); !errors.Is(err, crm.ErrCursorLost) {
				t.Fatalf("the page behind it: %v, want ErrCursorLost", err)
			}
			seen := map[string]bool{}
			for _, r := range x.read(Want{}).rows {
				seen[r.Extra["Name"]] = true
			}
			if len(seen) != len(moved)-1 {
				t.Errorf("read anew, there are %d, want %d", len(seen), len(moved)-1)
			}
		})
	}
}

func TestSheetsChangesThatMoveNothingAreReadOver(t *testing.T) {
	t.Parallel()
	const n = testPage + 10
	volatile := func(value float64) [][]fakesaas.Cell {
		rows := people(n)
		for i := range rows[1:] {
			rows[i+1] = append(rows[i+1], fakesaas.Cell{Value: value + float64(i), Formula: "=NOW()-B2"})
		}
		return rows
	}
	x := onSheet(t, fakesaas.Sheet{Rows: volatile(1)})
	p, page, err := x.first()
	if err != nil {
		t.Fatal(err)
	}
	later := append(volatile(2), people(3)[1:]...)
	later[3][0].Value = "another name"
	x.put(fakesaas.Sheet{Rows: later})
	rest, err := x.page(p, page.Next)
	if err != nil || len(page.Rows)+len(rest.Rows) != n+3 {
		t.Errorf("%d and %d rows, %v; want %d with the three that came", len(page.Rows), len(rest.Rows), err, n+3)
	}
}

func TestSheetsHeaderThatIsNoneIsRefusedAndNotRepeated(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rows [][]fakesaas.Cell
		want string
	}{
		"two columns of one name": {texts([]string{"x", "c0@example.com", "y", " c0@example.com"}), "columns 2 and 4 have the same name"},
		"a blank row":             {texts([]string{}, []string{"c0@example.com"}), "row 1 of the sheet is blank"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := onSheet(t, fakesaas.Sheet{Rows: c.rows})
			_, _, err := x.first()
			if !errors.Is(err, crm.ErrInvalid) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "c0@") {
				t.Errorf("got %v, want ErrInvalid: %s", err, c.want)
			}
		})
	}
}

func TestSheetsRangeSaysWhereTheHeaderIs(t *testing.T) {
	t.Parallel()
	rows := texts([]string{"Our leads"}, []string{}, []string{"no", "Name", "Email", "x"}, []string{"1", "Ada", "ada@example.com"}, []string{"2", "Bo"}, []string{"3", "Cy"})
	for name, c := range map[string]struct {
		setting string
		want    []Row
	}{
		"columns and rows": {"B3:C5", []Row{{ID: "4", Extra: Fields{"Name": "Ada", "Email": "ada@example.com"}}, {ID: "5", Extra: Fields{"Name": "Bo", "Email": ""}}}},
		"columns":          {"B3:B", []Row{{ID: "4", Extra: Fields{"Name": "Ada"}}, {ID: "5", Extra: Fields{"Name": "Bo"}}, {ID: "6", Extra: Fields{"Name": "Cy"}}}},
		"rows":             {"3:4", []Row{{ID: "4", Extra: Fields{"no": "1", "Name": "Ada", "Email": "ada@example.com", "x": ""}}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := onSheet(t, fakesaas.Sheet{Rows: rows, Grid: 5000})
			x.access.Settings["range"] = c.setting
			_, page, err := x.first()
			if err != nil || !sameRows(page.Rows, c.want) {
				t.Errorf("got %v (%v), want %v", page.Rows, err, c.want)
			}
		})
	}
}

func TestSheetsSettingsThatMakeNoSenseAreRefused(t *testing.T) {
	t.Parallel()
	for _, s := range Sheets.About().Settings {
		for _, value := range map[string][]string{
			"spreadsheet": {"Leads", "https://example.com/", "https://docs.google.com/spreadsheets/d/e/2PACX-1vQ/pubhtml", "https://docs.google.com/document/d/1BxiMVs0XRA5nFMdKvBdBZjgmUUqptlbs74OgvE2upms/edit"},
			"range":       {"A3", "3", "A:3", "A0:B", "F3:F2", "Sheet1!A:B"},
			"service_account_key": {"", "{}", `{"type":"authorized_user","client_email":"a@b","private_key":"x","token_uri":"https://oauth2.googleapis.com/token"}`,
				strings.Replace(fakesaas.SheetsKey(), "service_account", "authorized_user", 1), strings.Replace(fakesaas.SheetsKey(), "https", "ftp", 1)},
		}[s.Name] {
			if err := s.Check(value); !errors.Is(err, crm.ErrInvalid) {
				t.Errorf("%s %.20q…: %v, want ErrInvalid", s.Name, value, err)
			}
		}
	}
}

func TestSheetsAddressesNameSpreadsheetAndSheet(t *testing.T) {
	t.Parallel()
	const id = "1BxiMVs0XRA5nFMdKvBdBZjgmUUqptlbs74OgvE2upms"
	for address, gid := range map[string]string{
		id: "",
		"https://docs.google.com/spreadsheets/d/" + id:                               "",
		"https://docs.google.com/spreadsheets/d/" + id + "/edit?usp=sharing":         "",
		"https://docs.google.com/spreadsheets/d/" + id + "/edit#gid=17":              "17",
		"https://docs.google.com/spreadsheets/u/1/d/" + id + "/edit?gid=17#gid=17":   "17",
		"https://docs.google.com/spreadsheets/d/" + id + "/edit?usp=sharing&gid=120": "120",
	} {
		if gotID, gotGID, err := spreadsheet(address); err != nil || gotID != id || gotGID != gid {
			t.Errorf("spreadsheet(%q) = %q, %q, %v, want %q, %q", address, gotID, gotGID, err, id, gid)
		}
	}
}

func TestSheetsSheetIsFoundByNameElseByAddress(t *testing.T) {
	t.Parallel()
	const properties = `{"properties":{"title":"T"},"sheets":[{"properties":{"sheetId":5,"title":"A chart","sheetType":"OBJECT"}},
		{"properties":{"sheetId":0,"title":"It's","sheetType":"GRID"}},{"properties":{"sheetId":17,"title":"Leads","sheetType":"GRID"}}]}`
	const address = "https://docs.google.com/spreadsheets/d/1BxiMVs0XRA5nFMdKvBdBZjgmUUqptlbs74OgvE2upms/edit"
	for name, c := range map[string]struct{ address, sheet, want string }{
		"the first with rows":  {address, "", `{"sheet":"It's"}`},
		"that of the address":  {address + "#gid=17", "", `{"sheet":"Leads"}`},
		"that of the setting":  {address + "#gid=0", "Leads", `{"sheet":"Leads"}`},
		"none, by the setting": {address, "Deals", ""},
		"none, by the address": {address + "#gid=18", "", ""},
		"a chart":              {address + "#gid=5", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := sheetsAccess(func(*http.Request, string) (int, string) { return 200, properties })
			a.Settings["spreadsheet"], a.Settings["sheet"] = c.address, c.sheet
			parts, err := Sheets.Plan(t.Context(), a, Want{})
			if c.want == "" {
				if !errors.Is(err, crm.ErrInvalid) || !strings.Contains(err.Error(), `"It's" "Leads"`) {
					t.Errorf("got %v, want ErrInvalid and what there is", err)
				}
				return
			}
			if err != nil || string(parts[0].Args) != c.want {
				t.Errorf("got %v, %v, want %s", parts, err, c.want)
			}
		})
	}
}

// sheetsAccess answers requests for tokens; do answers the others.
func sheetsAccess(do canned) *Access {
	return &Access{Settings: map[string]string{"service_account_key": fakesaas.SheetsKey(), "spreadsheet": ownSheet, "api": sheetsAPI},
		Now: func() time.Time { return start },
		HTTP: canned(func(req *http.Request, class string) (int, string) {
			if class == "token" {
				return 200, `{"access_token":"ya29.1","expires_in":3599,"token_type":"Bearer"}`
			}
			return do(req, class)
		})}
}

// throttler asks to wait, and hides that from nobody.
type throttler struct{ until time.Time }

func (d throttler) Do(*http.Request, string) (*http.Response, error) {
	return nil, &crm.Throttled{Until: d.until, Why: "a test"}
}
