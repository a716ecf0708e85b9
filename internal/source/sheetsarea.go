package source

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"sluice/internal/crm"
)

// A sheetsArea is what is read of a spreadsheet.
type sheetsArea struct {
	id    string // the spreadsheet's
	gid   string // the sheet's in the address; "" if it names none
	sheet string // its title; "" if none was set

	left, right string // columns; "" for all
	header      int    // the row that names the columns, from 1
	last        int    // 0: the sheet's last
}

// sheetsArea is the area that the settings name.
func (a *Access) sheetsArea() (sheetsArea, error) {
	out, err := parseRange(a.Settings["range"])
	if err != nil {
		return out, err
	}
	out.sheet = a.Settings["sheet"]
	out.id, out.gid, err = spreadsheet(a.Settings["spreadsheet"])
	return out, err
}

// rows is the area's part from one row to another, both inclusive, in A1
// notation.
func (r sheetsArea) rows(title string, from, to int) string {
	return fmt.Sprintf("'%s'!%s%d:%s%d", strings.ReplaceAll(title, "'", "''"), r.left, from, r.right, to)
}

var (
	spreadsheetURL = regexp.MustCompile(`^https://docs\.google\.com/spreadsheets/(?:u/[0-9]+/)?d/([0-9A-Za-z_-]+)(?:[/?#].*)?$`)
	spreadsheetGID = regexp.MustCompile(`[#?&]gid=([0-9]+)`)
	spreadsheetID  = regexp.MustCompile(`^[0-9A-Za-z_-]{20,}$`)
)

func checkSpreadsheet(value string) error {
	_, _, err := spreadsheet(value)
	return err
}

// spreadsheet reads the id, and the sheet's own, out of an address or an id. A
// copy that was published has another kind of address, which is refused.
func spreadsheet(value string) (id, gid string, err error) {
	id = value
	if m := spreadsheetURL.FindStringSubmatch(value); m != nil {
		id = m[1]
		if g := spreadsheetGID.FindStringSubmatch(value); g != nil {
			gid = g[1]
		}
	}
	if !spreadsheetID.MatchString(id) {
		return "", "", fmt.Errorf("%w: it is no id of a spreadsheet and no address such as https://docs.google.com/spreadsheets/d/…/edit", crm.ErrInvalid)
	}
	return id, gid, nil
}

var sheetsRange = regexp.MustCompile(`^(?:([A-Z]{1,3})([1-9][0-9]{0,7})?:([A-Z]{1,3})([1-9][0-9]{0,7})?|([1-9][0-9]{0,7}):([1-9][0-9]{0,7})?)$`)

func checkRange(value string) error {
	_, err := parseRange(value)
	return err
}

// parseRange reads rows and columns, such as A3:F2000, A3:F, A:F, 3:2000 or
// 3:. A blank text is everything.
func parseRange(value string) (sheetsArea, error) {
	out := sheetsArea{header: 1}
	if value == "" {
		return out, nil
	}
	m := sheetsRange.FindStringSubmatch(value)
	if m == nil {
		return out, fmt.Errorf("%w: it is no range such as A3:F, A3:F2000 or 3:", crm.ErrInvalid)
	}
	out.left, out.right = m[1], m[3]
	if from, err := strconv.Atoi(m[2] + m[5]); err == nil {
		out.header = from
	}
	if to, err := strconv.Atoi(m[4] + m[6]); err == nil {
		out.last = to
	}
	if out.last > 0 && out.last < out.header {
		return out, fmt.Errorf("%w: the range ends before it begins", crm.ErrInvalid)
	}
	return out, nil
}
