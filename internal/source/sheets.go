package source

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"sluice/internal/crm"
)

// Sheets reads the rows of one sheet of a Google spreadsheet, which is shared
// with a service account. A row is known by its number; the first names the
// columns.
//
// Cells are read with their values and formats (spreadsheets.get), and mean
// what they do in a workbook: see [sheetsCell.text]. As spreadsheets.values
// renders them they would not: FORMATTED_VALUE may make "$1.2K" of 1234.567,
// and UNFORMATTED_VALUE makes 1067 of the postcode 01067 and, of a date, 46054
// or what the sheet's locale writes for it
// (developers.google.com/workspace/sheets/api/reference/rest/v4/ValueRenderOption).
//
// Nothing says what has changed, so every reading is of all rows. Nor does
// anything hold a sheet still while it is read: a row that is inserted,
// deleted or dragged moves all those below. So a page begins with a look back
// at the last row of the page before. When that is another one, or the header
// is, the cursor is lost, and the sheet is read from its beginning. Two rows
// that change places across the place that is being read are not seen to; the
// next reading mends that.
var Sheets = register(sheets{page: sheetsPage})

type sheets struct {
	page int // how many rows are asked for at a time
}

const (
	// Google advises against answers of more than 2 MB, and a cell with its
	// format takes 60 bytes or more
	// (developers.google.com/workspace/sheets/api/limits).
	sheetsPage = 2000

	sheetsRows = "rows" // the stream
	sheetsRead = "read" // the class of requests that has a limit
)

func (sheets) About() About {
	return About{
		Kind: "sheets", Title: "Google Sheets", Reads: "the rows of one sheet, whose columns are mapped by their names",
		Settings: []Setting{
			{Name: "service_account_key", Help: "of a service account that the spreadsheet is shared with: the JSON file's content", Secret: true, Required: true, Check: checkServiceAccount},
			{Name: "spreadsheet", Help: "the spreadsheet's address or id", Required: true, Check: checkSpreadsheet},
			{Name: "sheet", Help: "the sheet's name; if not set, the one that the address names, or the first"},
			{Name: "range", Help: "which rows and columns, such as A3:F or 3:; its first row names the columns; all if not set", Check: checkRange},
			apiSetting(sheetsAPI),
		},
		Free: true, Increments: FullReading,
		// developers.google.com/workspace/sheets/api/limits, for each user; requests
		// for tokens do not count.
		Quotas:  map[string]Quota{sheetsRead: {Requests: 60, Per: time.Minute}},
		Ceiling: sheetsPage, CeilingOf: sheetsRead,
	}
}

// sheetsAnswer is what is read of a spreadsheet
// (developers.google.com/workspace/sheets/api/reference/rest/v4/spreadsheets).
type sheetsAnswer struct {
	Properties struct {
		Title    string `json:"title"`
		TimeZone string `json:"timeZone"`
	} `json:"properties"`
	Sheets []struct {
		Properties struct {
			ID    int64  `json:"sheetId"`
			Title string `json:"title"`
			Type  string `json:"sheetType"`
			Grid  struct {
				Rows int `json:"rowCount"` // blank ones too
			} `json:"gridProperties"`
		} `json:"properties"`
		Data []sheetsBlock `json:"data"` // of each range that was asked for
	} `json:"sheets"`
}

// A sheetsBlock is what a range holds. Blank rows at its end, and blank cells
// at the end of a row, are not there.
type sheetsBlock struct {
	StartRow int `json:"startRow"` // from 0
	RowData  []struct {
		Values []sheetsCell `json:"values"`
	} `json:"rowData"`
}

// row is the text of a row's cells, without blank ones at the end; nil if all
// are blank.
func (b *sheetsBlock) row(i int) []string {
	if i >= len(b.RowData) {
		return nil
	}
	var cells []string
	filled := 0
	for i, cell := range b.RowData[i].Values {
		cells = append(cells, cell.text())
		if cells[i] != "" {
			filled = i + 1
		}
	}
	return cells[:filled]
}

// hash tells a row from others by what was entered into it. What a formula
// comes to does not count: it may be another value every time, as that of
// NOW() is.
func (b *sheetsBlock) hash(i int) string {
	var entered []string
	if i < len(b.RowData) {
		for _, cell := range b.RowData[i].Values {
			entered = append(entered, firstOf(cell.Entered.Formula, cell.text()))
		}
	}
	for len(entered) > 0 && entered[len(entered)-1] == "" {
		entered = entered[:len(entered)-1]
	}
	text, _ := json.Marshal(entered) // it never fails
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:12])
}

const sheetsProperties = "properties(title,timeZone),sheets(properties(sheetId,title,sheetType,gridProperties(rowCount))"

// Check reads the names of the spreadsheet and of its sheets.
func (s sheets) Check(ctx context.Context, a *Access) (Account, error) {
	area, got, err := s.properties(ctx, a)
	if err != nil {
		return Account{}, err
	}
	if _, err := got.sheet(area); err != nil {
		return Account{}, err
	}
	out := Account{Name: got.Properties.Title, Limits: "60 requests a minute, 2,000 rows each",
		Notes: []string{"Google does not say which rows have changed: every sync reads all of them"}}
	if zone := got.Properties.TimeZone; zone != "" {
		out.Notes = append(out.Notes, "the spreadsheet's time zone is "+zone+": dates in it mean what the time zone of the source says, so set that to it")
	}
	return out, nil
}

// properties reads what there is in the spreadsheet, without a cell.
func (s sheets) properties(ctx context.Context, a *Access) (sheetsArea, *sheetsAnswer, error) {
	area, err := a.sheetsArea()
	if err != nil {
		return area, nil, err
	}
	got, err := s.get(ctx, a, area.id, url.Values{"fields": {sheetsProperties + ")"}}, false)
	return area, got, err
}

// sheetsArgs say which sheet is read.
type sheetsArgs struct {
	Sheet string `json:"sheet"` // title
}

// Plan makes one partition of all rows, whatever was asked for: the rows below
// one that is not read yet may move.
func (s sheets) Plan(ctx context.Context, a *Access, _ Want) ([]crm.Partition, error) {
	area, got, err := s.properties(ctx, a)
	if err != nil {
		return nil, err
	}
	title, err := got.sheet(area)
	if err != nil {
		return nil, err
	}
	args, err := json.Marshal(sheetsArgs{Sheet: title})
	return []crm.Partition{{ID: sheetsRows, Stream: sheetsRows, Args: args}}, err
}

// sheet finds the title of the sheet to read.
func (got *sheetsAnswer) sheet(area sheetsArea) (string, error) {
	var titles []string
	for _, s := range got.Sheets {
		p := s.Properties
		if p.Type != "" && p.Type != "GRID" { // a chart, or a table elsewhere
			continue
		}
		titles = append(titles, p.Title)
		named := area.sheet == p.Title || area.sheet == "" && area.gid == strconv.FormatInt(p.ID, 10)
		if named || area.sheet == "" && area.gid == "" {
			return p.Title, nil
		}
	}
	return "", fmt.Errorf("%w: the spreadsheet has no such sheet with rows (found: %q)", crm.ErrInvalid, titles[:min(len(titles), 10)])
}

// sheetsCursor says where the next page begins, and what the sheet was like.
// What rows hold is there as a hash alone.
type sheetsCursor struct {
	Row    int    `json:"row"`              // its number, from 1
	Header string `json:"header"`           // of the names of the columns
	Anchor int    `json:"anchor,omitempty"` // the last row that was read and is not blank; 0: none
	Seen   string `json:"seen,omitempty"`   // of what it held
}

func (s sheets) Read(ctx context.Context, a *Access, p crm.Partition, c Cursor) (Page, error) {
	var in sheetsArgs
	var at sheetsCursor
	if p.Stream != sheetsRows || json.Unmarshal(p.Args, &in) != nil {
		return Page{}, noPartition(p)
	}
	if err := readCursor(c, &at); err != nil {
		return Page{}, err
	}
	area, err := a.sheetsArea()
	if err != nil {
		return Page{}, err
	}
	if c == nil {
		at.Row = area.header
	}
	first, last := at.Row, at.Row+s.page-1
	if area.last > 0 {
		last = min(last, area.last)
	}
	blocks, rows, err := s.blocks(ctx, a, area, in.Sheet, at.spans(area.header, last))
	if err != nil {
		return Page{}, err
	}
	next := sheetsCursor{Row: last + 1, Header: blocks[0].hash(0), Anchor: at.Anchor, Seen: at.Seen}
	if c != nil && next.Header != at.Header || at.Anchor > 0 && blocks[1].hash(0) != at.Seen {
		return Page{}, errSheetMoved
	}
	names, err := sheetsNames(blocks[0].row(0), area.header)
	if err != nil {
		return Page{}, err
	}
	var page Page
	block, anchor := &blocks[len(blocks)-1], -1
	for i := range block.RowData {
		cells := block.row(i)
		if first+i == area.header || len(cells) == 0 {
			continue
		}
		anchor = i
		page.Rows = append(page.Rows, sheetsRow(first+i, names, cells))
	}
	if anchor >= 0 {
		next.Anchor, next.Seen = first+anchor, block.hash(anchor)
	}
	if last < rows && (area.last == 0 || last < area.last) {
		page.Next, err = cursor(next)
	}
	return page, err
}

// spans are the rows to ask for, of which the last are the page's: the header
// and the anchor come first, unless the page begins with the header.
func (c sheetsCursor) spans(header, last int) [][2]int {
	out := [][2]int{{c.Row, last}}
	if c.Anchor > 0 {
		out = append([][2]int{{c.Anchor, c.Anchor}}, out...)
	}
	if c.Row > header {
		out = append([][2]int{{header, header}}, out...)
	}
	return out
}

// errSheetMoved says that what was read may not be where it was.
var errSheetMoved = fmt.Errorf("%w: rows or columns of the sheet were moved while it was read", crm.ErrCursorLost)

// blocks reads spans of rows, all of one moment, and says how many rows the
// sheet has. Google refuses a span that begins below them
// (github.com/airbytehq/airbyte/issues/1740): so it does where rows have been
// deleted since the page before. It ends one with them that ends below.
func (s sheets) blocks(ctx context.Context, a *Access, area sheetsArea, title string, spans [][2]int) ([]sheetsBlock, int, error) {
	q := url.Values{"fields": {sheetsProperties + ",data(startRow,rowData(values(userEnteredValue(formulaValue),effectiveValue,effectiveFormat(numberFormat)))))"}}
	for _, span := range spans {
		q.Add("ranges", area.rows(title, span[0], span[1]))
	}
	got, err := s.get(ctx, a, area.id, q, len(spans) > 1)
	if err != nil {
		return nil, 0, err
	}
	for _, sheet := range got.Sheets {
		if sheet.Properties.Title == title && sheetsFit(sheet.Data, spans) {
			return sheet.Data, sheet.Properties.Grid.Rows, nil
		}
	}
	return nil, 0, errors.New("the answer is not of the rows that were asked for")
}

// sheetsFit reports whether blocks are those of the spans, in their order.
func sheetsFit(blocks []sheetsBlock, spans [][2]int) bool {
	for i, block := range blocks {
		if i >= len(spans) || block.StartRow+1 != spans[i][0] || len(block.RowData) > spans[i][1]-spans[i][0]+1 {
			return false
		}
	}
	return len(blocks) == len(spans)
}

// sheetsNames are the names of the columns; "" where a column has none. As
// with a file, no two may be the same, and the error does not say what they
// are: a sheet without a header has a row in its place (invariant 4).
func sheetsNames(header []string, line int) ([]string, error) {
	if len(header) == 0 {
		return nil, fmt.Errorf("%w: row %d of the sheet is blank and names no columns; set range to begin with the row that does", crm.ErrInvalid, line)
	}
	names := make([]string, len(header))
	for i, name := range header {
		names[i] = strings.TrimSpace(name)
		if first := slices.Index(names[:i], names[i]); names[i] != "" && first >= 0 {
			return nil, fmt.Errorf("%w: row %d of the sheet: columns %d and %d have the same name; rename one", crm.ErrInvalid, line, first+1, i+1)
		}
	}
	return names, nil
}

// sheetsRow is a row by the names of the columns. Each of them is there, blank
// ones too, so that every part of the sheet has the same columns. What stands
// outside of them goes by the number of its column.
func sheetsRow(number int, names, cells []string) Row {
	r := Row{ID: strconv.Itoa(number), Extra: make(Fields, len(names))}
	for _, name := range names {
		if name != "" {
			r.Extra[name] = ""
		}
	}
	for i, cell := range cells {
		if i < len(names) && names[i] != "" {
			r.Extra[names[i]] = cell
			continue
		}
		r.Extra.Set(fmt.Sprintf("column %d", i+1), cell)
	}
	return r
}

// get reads a spreadsheet. Further says that an earlier answer was of the same
// rows: then a refusal of them is a matter of what has happened since.
func (sheets) get(ctx context.Context, a *Access, id string, q url.Values, further bool) (*sheetsAnswer, error) {
	account, err := a.serviceAccount()
	if err != nil {
		return nil, err
	}
	token, err := account.token(ctx, a)
	if err != nil {
		return nil, err
	}
	q.Set("prettyPrint", "false")
	res, err := a.do(ctx, call{class: sheetsRead, url: a.api() + "/v4/spreadsheets/" + id, query: q,
		header: http.Header{"Authorization": {"Bearer " + token}}, fault: func(res *answer) error { return sheetsFault(res, account.Email, further) }})
	if err != nil {
		return nil, err
	}
	var got sheetsAnswer
	return &got, res.json(&got)
}

// sheetsFault knows what Google's refusals mean
// (developers.google.com/workspace/sheets/api/troubleshoot-api-errors).
func sheetsFault(res *answer, email string, further bool) error {
	var e struct {
		Error struct {
			Status string `json:"status"`
		} `json:"error"`
	}
	_ = res.json(&e) // without it the status alone decides
	switch status := e.Error.Status; {
	case res.status == http.StatusTooManyRequests, status == "RESOURCE_EXHAUSTED":
		if res.header.Get("Retry-After") == "" { // quotas are filled up every minute
			return &crm.Throttled{Until: res.now.Add(time.Minute), Why: "the requests of a minute are used up"}
		}
	case res.status == http.StatusForbidden:
		return fmt.Errorf("%w: the service account may not read the spreadsheet (403); share it with %s, and enable the Google Sheets API in its project", crm.ErrDenied, email)
	case res.status == http.StatusNotFound:
		return fmt.Errorf("%w: Google knows no such spreadsheet (404)", crm.ErrNotFound)
	case res.status == http.StatusBadRequest && status == "FAILED_PRECONDITION":
		return fmt.Errorf("%w: the file is no Google spreadsheet but an Excel workbook; save it as Google Sheets, or import it as a file", crm.ErrInvalid)
	case res.status == http.StatusBadRequest && further:
		return errSheetMoved
	case res.status == http.StatusBadRequest:
		return fmt.Errorf("%w: the sheet has no such rows or columns (400); correct sheet and range", crm.ErrInvalid)
	}
	return nil
}
