package tabular

import (
	"archive/zip"
	"context"
	"fmt"
	"strings"

	"sluice/internal/crm"
)

// workbook is what a workbook's own parts say of it.
type workbook struct {
	*archive
	sheets   []sheetPart
	strings  link
	styles   link
	from1904 bool // dates count from 1904, not from 1900
}

// sheetPart is one sheet of cells.
type sheetPart struct {
	name   string
	hidden bool
	part   *zip.File // nil if it is not there
}

// A link is a part that another one names.
type link struct {
	kind  string    // the last word of its type, such as "worksheet"
	named bool      // the other part names it
	part  *zip.File // nil if it is not there
}

const notThere = "the workbook is damaged (its %s is not there); open it and save it again"

// openWorkbook finds the parts of a workbook by their relationships, whatever
// the parts are called.
func openWorkbook(ctx context.Context, a *archive) (*workbook, error) {
	root, err := a.links(ctx, a.parts["_rels/.rels"], "")
	if err != nil {
		return nil, err
	}
	main := a.parts["xl/workbook.xml"]
	for _, l := range root {
		if l.kind == "officeDocument" && l.part != nil {
			main = l.part
		}
	}
	if main == nil {
		return nil, invalid("compressed: unpack it first")
	}
	name := strings.ReplaceAll(main.Name, `\`, "/")
	cut := strings.LastIndexByte(name, '/') + 1
	rels, ok := a.find("", name[:cut]+"_rels/"+name[cut:]+".rels")
	if !ok {
		return nil, invalid(notThere, "list of parts")
	}
	links, err := a.links(ctx, rels, name)
	if err != nil {
		return nil, err
	}
	b := &workbook{archive: a}
	for _, l := range links {
		switch l.kind {
		case "sharedStrings":
			b.strings = l
		case "styles":
			b.styles = l
		}
	}
	return b, a.scan(ctx, main, func(x *xmlScanner, tok token) error { return b.look(x, tok, links) })
}

// links reads the relationships of the part from, by their ids. What lies
// outside the workbook is left out.
func (a *archive) links(ctx context.Context, rels *zip.File, from string) (map[string]link, error) {
	out := make(map[string]link)
	return out, a.scan(ctx, rels, func(x *xmlScanner, tok token) error {
		if tok != tagOpen || x.depth != 2 || string(x.name) != "Relationship" {
			return nil
		}
		at, err := attributes(x)
		if err != nil || strings.EqualFold(at["TargetMode"], "External") {
			return err
		}
		l := link{kind: at["Type"][strings.LastIndexByte(at["Type"], '/')+1:], named: true}
		l.part, _ = a.find(from, at["Target"])
		if out[at["Id"]] = l; len(out) > maxParts {
			return errMarkup
		}
		return nil
	})
}

// look takes a token of the part that lists the sheets. Sheets of charts,
// dialogs and macros are no sheets of cells.
func (b *workbook) look(x *xmlScanner, tok token, links map[string]link) error {
	if tok != tagOpen || x.depth < 2 || x.depth > 3 {
		return nil
	}
	switch name := string(x.name); {
	case x.depth == 2 && name == "workbookPr":
		for {
			name, value, ok := x.attr()
			if !ok {
				return nil
			}
			if string(name) == "date1904" {
				b.from1904 = isTrue(value)
			}
		}
	case x.depth == 3 && name == "sheet":
		at, err := attributes(x)
		if err != nil {
			return err
		}
		l := links[at["id"]]
		if l.named && l.kind != "worksheet" {
			return nil
		}
		if len(b.sheets) == maxParts {
			return errMarkup
		}
		hidden := at["state"] == "hidden" || at["state"] == "veryHidden"
		b.sheets = append(b.sheets, sheetPart{string(unescape([]byte(at["name"]))), hidden, l.part})
	}
	return nil
}

// sheet returns the sheet of that name, or the first visible one, and the
// decision about it.
func (b *workbook) sheet(name string) (sheetPart, crm.Decision, error) {
	var visible []string
	var first *sheetPart
	for i := range b.sheets {
		s := &b.sheets[i]
		if !s.hidden {
			visible = append(visible, s.name)
		}
		if first == nil && (name != "" && s.name == name || name == "" && !s.hidden) {
			first = s
		}
	}
	switch {
	case first == nil && name == "":
		return sheetPart{}, crm.Decision{}, invalid("the workbook has no visible sheet with cells")
	case first == nil:
		return sheetPart{}, crm.Decision{}, invalid("the workbook has no sheet %.100q (found: %s); name one of them in the sheet setting",
			name, quoted(visible))
	case first.part == nil:
		return sheetPart{}, crm.Decision{}, invalid(notThere, fmt.Sprintf("sheet %.100q", first.name))
	}
	d := crm.Decision{About: "sheet", Choice: first.name, Evidence: "as set", Score: 1}
	switch {
	case name != "" && first.hidden:
		d.Evidence = "as set; it is hidden"
	case name != "":
	case len(visible) == 1:
		d.Evidence = "the only visible sheet"
	default:
		d.Evidence = fmt.Sprintf("the first of %d visible sheets", len(visible))
		d.Score = 1 / float64(len(visible))
	}
	return *first, d, nil
}

// quoted lists names for an error, twenty at the most.
func quoted(names []string) string {
	var b strings.Builder
	for i, n := range names {
		if i == 20 {
			fmt.Fprintf(&b, " and %d more", len(names)-i)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%.100q", n)
	}
	return b.String()
}

// identifyWorkbook reads what the workbook says of its sheets, and looks for
// what the sheet hides.
func identifyWorkbook(ctx context.Context, src Source, set crm.Reading) (Format, []crm.Decision, error) {
	if set.Hidden != "" && set.Hidden != crm.ImportHidden && set.Hidden != crm.SkipHidden {
		return Format{}, nil, invalid("the hidden setting must be %s or %s", crm.ImportHidden, crm.SkipHidden)
	}
	at := &sourceAt{ctx: ctx, src: src}
	defer at.Close()
	a, err := openArchive(at, src.Size)
	if err != nil {
		return Format{}, nil, err
	}
	b, err := openWorkbook(ctx, a)
	if err != nil {
		return Format{}, nil, err
	}
	s, d, err := b.sheet(set.Sheet)
	if err != nil {
		return Format{}, nil, err
	}
	hidden, err := b.hidden(ctx, s, set.Hidden)
	if err != nil {
		return Format{}, nil, err
	}
	f := Format{Kind: KindXLSX, Sheet: s.name, SkipHidden: set.Hidden == crm.SkipHidden}
	return f, append([]crm.Decision{told(KindXLSX), d}, hidden...), nil
}
