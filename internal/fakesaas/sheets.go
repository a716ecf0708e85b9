package fakesaas

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Google Sheets answers spreadsheets.get
// (developers.google.com/workspace/sheets/api/reference/rest/v4/spreadsheets/get),
// to tokens that Google gives for what a service account has signed
// (developers.google.com/identity/protocols/oauth2/service-account). Its
// limits are those of developers.google.com/workspace/sheets/api/limits.

var sheets = &provider{name: "sheets", limit: func(_ *Server, w http.ResponseWriter, _ throttling) {
	sheetsFault(w, http.StatusTooManyRequests, "RESOURCE_EXHAUSTED", "Quota exceeded for quota metric 'Read requests'")
}}

func init() {
	sheets.routes = func(s *Server) {
		s.handle(sheets, "POST /token", nil, s.sheetsToken)
		s.handle(sheets, "GET /v4/spreadsheets/{id}", []limit{{"sheets", 60, time.Minute}}, s.spreadsheet)
	}
	provide(*sheets)
}

// SheetsSpreadsheet is the id of the spreadsheet that has the world's
// customers in its first sheet, one a row, without those that are deleted.
const SheetsSpreadsheet = "fakesaas-customers-spreadsheet"

// A Sheet is one sheet of a spreadsheet of its own.
type Sheet struct {
	Title string
	Rows  [][]Cell // the first is row 1
	Grid  int      // how many rows there are with blank ones at the end; never fewer than Rows
}

// A Cell is a string, a float64, a bool, a [CellError] or nil, with the format
// of a number.
type Cell struct {
	Value         any
	Type, Pattern string // such as DATE and M/d/yyyy; "" if it has none
	Formula       string // what came to the value; "" if it was entered
}

// A CellError is the type of an error in a cell, such as N_A.
type CellError string

// PutSheet puts a spreadsheet with one sheet under an id, in the place of what
// was there.
func (s *Server) PutSheet(id string, sheet Sheet) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sheets == nil {
		s.sheets = map[string]*Sheet{}
	}
	s.sheets[id] = &sheet
}

// sheetGrid is a sheet as it is shown.
type sheetGrid struct {
	title      string
	rows, grid int                // grid counts blank ones at the end too
	row        func(n int) []Cell // from 1 to rows
}

// sheet returns a spreadsheet's sheet; nil if there is none of that id.
func (s *Server) sheet(id string) *sheetGrid {
	s.mu.Lock()
	put := s.sheets[id]
	s.mu.Unlock()
	switch {
	case put != nil:
		return &sheetGrid{put.Title, len(put.Rows), max(put.Grid, len(put.Rows)), func(n int) []Cell { return put.Rows[n-1] }}
	case id == SheetsSpreadsheet:
		return s.worldSheet()
	}
	return nil
}

// sheetsKey is the key of the one service account there is. It takes a while
// to make, so it is made when it is asked for.
var sheetsKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err) // the machine has no randomness
	}
	return key
})

const (
	sheetsEmail    = "sluice@fakesaas.iam.gserviceaccount.com"
	sheetsTokenURI = "https://oauth2.googleapis.com/token"
)

// SheetsKey is the JSON file of a service account that may read every
// spreadsheet.
func SheetsKey() string {
	der, err := x509.MarshalPKCS8PrivateKey(sheetsKey())
	if err != nil {
		panic(err)
	}
	b, err := json.Marshal(map[string]string{"type": "service_account", "project_id": "fakesaas", "private_key_id": "1", "client_email": sheetsEmail,
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), "token_uri": sheetsTokenURI})
	if err != nil {
		panic(err)
	}
	return string(b)
}

// sheetsToken gives out a token for a claim that the service account has
// signed.
func (s *Server) sheetsToken(w http.ResponseWriter, r *http.Request) {
	refuse := func(description string) {
		writeJSON(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant", "error_description": description})
	}
	if r.FormValue("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
		writeJSON(w, http.StatusBadRequest, map[string]any{"error": "unsupported_grant_type"})
		return
	}
	signed, signature, _ := cutLast(r.FormValue("assertion"), ".")
	_, payload, _ := strings.Cut(signed, ".")
	sum := sha256.Sum256([]byte(signed))
	sig, _ := base64.RawURLEncoding.DecodeString(signature)
	if s.Traps().Revoked || rsa.VerifyPKCS1v15(&sheetsKey().PublicKey, crypto.SHA256, sum[:], sig) != nil {
		refuse("Invalid JWT Signature.")
		return
	}
	var claim struct {
		Iss, Scope, Aud string
		Iat, Exp        int64
	}
	text, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil || json.Unmarshal(text, &claim) != nil || claim.Iss != sheetsEmail || claim.Aud != sheetsTokenURI ||
		!strings.Contains(claim.Scope, "spreadsheets.readonly") || claim.Exp <= claim.Iat || claim.Exp-claim.Iat > 3600 {
		refuse("Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.")
		return
	}
	s.mu.Lock()
	token := fmt.Sprintf("ya29.%d", len(s.tokens))
	s.tokens[token] = s.World.clock.Now()
	s.mu.Unlock()
	writeJSON(w, http.StatusOK, map[string]any{"access_token": token, "expires_in": 3599, "token_type": "Bearer"})
}

func cutLast(v, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(v, sep); i >= 0 {
		return v[:i], v[i+len(sep):], true
	}
	return v, "", false
}

func sheetsFault(w http.ResponseWriter, status int, name, message string) {
	writeJSON(w, status, map[string]any{"error": map[string]any{"code": status, "status": name, "message": message}})
}

// spreadsheet answers a spreadsheet's properties and, where ranges or cells
// are asked for, what they hold. It gives all fields, whatever the mask says
// of them.
func (s *Server) spreadsheet(w http.ResponseWriter, r *http.Request) {
	if !s.bearer(r) {
		sheetsFault(w, http.StatusUnauthorized, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
		return
	}
	sheet := s.sheet(r.PathValue("id"))
	if sheet == nil {
		sheetsFault(w, http.StatusNotFound, "NOT_FOUND", "Requested entity was not found.")
		return
	}
	one := map[string]any{"properties": map[string]any{"sheetId": 0, "title": sheet.title, "index": 0, "sheetType": "GRID",
		"gridProperties": map[string]any{"rowCount": sheet.grid, "columnCount": 26}}}
	var data []any
	for _, asked := range r.URL.Query()["ranges"] {
		from, to, left, right, ok := sheet.parse(asked)
		switch {
		case !ok:
			sheetsFault(w, http.StatusBadRequest, "INVALID_ARGUMENT", "Unable to parse range: "+asked)
			return
		case from > sheet.grid:
			sheetsFault(w, http.StatusBadRequest, "INVALID_ARGUMENT", fmt.Sprintf("Range (%s) exceeds grid limits. Max rows: %d, max columns: 26", asked, sheet.grid))
			return
		}
		data = append(data, sheet.block(from, min(to, sheet.grid), left, right))
	}
	if mask := r.URL.Query().Get("fields"); data != nil && (strings.Contains(mask, "data(") || r.URL.Query().Get("includeGridData") == "true") {
		one["data"] = data
	}
	writeJSON(w, http.StatusOK, map[string]any{"spreadsheetId": r.PathValue("id"), "sheets": []any{one},
		"properties": map[string]any{"title": "Leads of the world", "locale": "de_DE", "timeZone": "Europe/Berlin"}})
}

var sheetsA1 = regexp.MustCompile(`^'((?:[^']|'')*)'!([A-Z]*)([0-9]+):([A-Z]*)([0-9]+)$`)

// parse reads a range of rows; left and right are columns, from 0, right
// exclusive.
func (sheet *sheetGrid) parse(a1 string) (from, to, left, right int, ok bool) {
	m := sheetsA1.FindStringSubmatch(a1)
	if m == nil || strings.ReplaceAll(m[1], "''", "'") != sheet.title {
		return 0, 0, 0, 0, false
	}
	column := func(letters string) int {
		n := 0
		for _, c := range letters {
			n = n*26 + int(c-'A') + 1
		}
		return n
	}
	from, _ = strconv.Atoi(m[3])
	to, _ = strconv.Atoi(m[5])
	left, right = max(column(m[2])-1, 0), column(m[4])
	if m[4] == "" {
		right = math.MaxInt
	}
	return from, to, left, right, from > 0 && to >= from
}

// What a range, a row and a cell are in an answer.
type (
	sheetsBlock struct {
		StartRow int         `json:"startRow,omitempty"` // from 0
		RowData  []sheetsRow `json:"rowData,omitempty"`
	}
	sheetsRow struct {
		Values []sheetsCell `json:"values,omitempty"`
	}
	sheetsCell struct {
		Entered map[string]string `json:"userEnteredValue,omitempty"`
		Value   *sheetsValue      `json:"effectiveValue,omitempty"`
		Format  *sheetsFormat     `json:"effectiveFormat,omitempty"`
	}
	sheetsValue struct {
		Number any               `json:"numberValue,omitempty"`
		Text   any               `json:"stringValue,omitempty"`
		Bool   any               `json:"boolValue,omitempty"`
		Error  map[string]string `json:"errorValue,omitempty"`
	}
	sheetsFormat struct {
		Number struct {
			Type    string `json:"type"`
			Pattern string `json:"pattern,omitempty"`
		} `json:"numberFormat"`
	}
)

// block is what a range holds. Blank rows at its end, and blank cells at the
// end of a row, are left out, as Google leaves them out.
func (sheet *sheetGrid) block(from, to, left, right int) sheetsBlock {
	out := sheetsBlock{StartRow: from - 1}
	filled := 0
	for n := from; n <= min(to, sheet.rows); n++ {
		row := sheet.row(n)
		row = row[min(left, len(row)):min(right, len(row))]
		for len(row) > 0 && row[len(row)-1].Value == nil {
			row = row[:len(row)-1]
		}
		var values []sheetsCell
		for _, c := range row {
			values = append(values, c.shown())
		}
		if out.RowData = append(out.RowData, sheetsRow{values}); len(values) > 0 {
			filled = len(out.RowData)
		}
	}
	out.RowData = out.RowData[:filled]
	return out
}

func (c Cell) shown() (out sheetsCell) {
	if c.Formula != "" {
		out.Entered = map[string]string{"formulaValue": c.Formula}
	}
	switch v := c.Value.(type) {
	case string:
		out.Value = &sheetsValue{Text: v}
	case float64:
		out.Value = &sheetsValue{Number: v}
	case bool:
		out.Value = &sheetsValue{Bool: v}
	case CellError:
		out.Value = &sheetsValue{Error: map[string]string{"type": string(v), "message": "nobody may repeat this: c0@example.com"}}
	}
	if c.Type != "" {
		out.Format = &sheetsFormat{}
		out.Format.Number.Type, out.Format.Number.Pattern = c.Type, c.Pattern
	}
	return out
}

// SheetsDate is an instant as a sheet keeps it: days since 30 December 1899.
func SheetsDate(at time.Time) float64 {
	return float64(at.UnixMilli())/86_400_000 + 25_569
}

var sheetsHeader = []Cell{{Value: "Email"}, {Value: "Name"}, {Value: "Company"}, {Value: "Country"}, {Value: "City"}, {Value: "Postcode"},
	{Value: "Phone"}, {Value: "Since"}, {Value: "Budget"}, {Value: "Share"}}

// worldSheet is the world as somebody keeps it in a sheet, who has a format
// for everything. Below its rows there are blank ones, up to a whole thousand.
func (s *Server) worldSheet() *sheetGrid {
	var live []int
	s.World.View(func(all []*Customer) {
		live = make([]int, 0, len(all))
		for _, c := range all {
			if !c.Deleted {
				live = append(live, c.N)
			}
		}
	})
	rows := len(live) + 1
	return &sheetGrid{"Leads 'n' more", rows, (rows + 999) / 1000 * 1000, func(n int) []Cell {
		if n == 1 {
			return sheetsHeader
		}
		c, _ := s.World.Customer(live[n-2]) // none is ever removed
		return sheetsCustomer(&c)
	}}
}

func sheetsCustomer(c *Customer) []Cell {
	zip := Cell{Value: c.Zip}
	if n, err := strconv.Atoi(c.Zip); err == nil {
		zip = Cell{Value: float64(n), Type: "NUMBER", Pattern: "00000"}
	}
	company := Cell{Value: c.Company}
	if c.Company == "" {
		company = Cell{}
	}
	return []Cell{{Value: c.Email}, {Value: c.Name}, company, {Value: c.Country}, {Value: c.City}, zip, {Value: c.Phone},
		{Value: SheetsDate(c.Created.Truncate(time.Second)), Type: "DATE_TIME", Pattern: "d. mmm yy"},
		{Value: float64(c.N) + 0.125, Type: "CURRENCY", Pattern: "#,##0\" €\""}, {Value: float64(c.N%8) / 8, Type: "PERCENT", Pattern: "0%"}}
}
