package tabular

import (
	"context"
	"strings"
)

// What a table of formats holds at the most. Excel takes 65,490 formats of
// cells and some 250 of numbers; reading one of the latter can take half a
// millisecond.
const (
	maxFormats = 1 << 16
	maxCodes   = 4096
)

// formats returns what the number format of each format of cells means, by the
// number that cells give; nil if the workbook has no table of them.
func (b *workbook) formats(ctx context.Context) ([]numberFormat, error) {
	if b.styles.part == nil {
		if b.styles.named {
			return nil, invalid(notThere, "table of formats")
		}
		return nil, nil
	}
	t := formatTable{codes: make(map[int]numberFormat)}
	if err := b.scan(ctx, b.styles.part, t.look); err != nil {
		return nil, err
	}
	out := make([]numberFormat, len(t.cells))
	for i, id := range t.cells {
		var given bool
		if out[i], given = t.codes[id]; !given {
			out[i] = builtin(id)
		}
	}
	return out, nil
}

// formatTable is what a table of formats says of numbers.
type formatTable struct {
	list  string               // the list that is open
	codes map[int]numberFormat // by id
	read  int                  // how many codes
	cells []int                // the id that each format of cells has
}

func (t *formatTable) look(x *xmlScanner, tok token) error {
	switch {
	case tok != tagOpen:
	case x.depth == 2:
		t.list = string(x.name)
	case x.depth != 3:
	case t.list == "numFmts" && string(x.name) == "numFmt":
		at, err := attributes(x)
		if err != nil {
			return err
		}
		id, ok := decimal([]byte(at["numFmtId"]))
		if t.read++; !ok || t.read > maxCodes {
			return errMarkup
		}
		t.codes[id] = parseFormat(strings.TrimSpace(string(unescape([]byte(at["formatCode"])))))
	case t.list == "cellXfs" && string(x.name) == "xf":
		return t.addCell(x)
	}
	return nil
}

// addCell adds a format of cells.
func (t *formatTable) addCell(x *xmlScanner) error {
	id := 0
	for {
		name, value, ok := x.attr()
		if !ok {
			break
		}
		if string(name) != "numFmtId" {
			continue
		}
		if id, ok = decimal(value); !ok {
			return errMarkup
		}
	}
	if len(t.cells) == maxFormats {
		return errMarkup
	}
	t.cells = append(t.cells, id)
	return nil
}
