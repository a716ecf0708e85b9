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
	strings  *zip.File // nil if there are no shared strings
	styles   *zip.File // nil if there are no styles
	from1904 bool      // dates count from 1904, not from 1900
}

// sheetPart is one sheet of cells.
type sheetPart struct {
	name   string
	hidden bool
	part   *zip.File
}

// relationships of a part.
type relationships struct {
	List []struct {
		ID     string `xml:"Id,attr"`
		Type   string `xml:"Type,attr"`
		Target string `xml:"Target,attr"`
	} `xml:"Relationship"`
}

// contents is the part that lists the sheets.
type contents struct {
	Properties struct {
		Date1904 string `xml:"date1904,attr"`
	} `xml:"workbookPr"`
	Sheets []struct {
		Name  string `xml:"name,attr"`
		State string `xml:"state,attr"`
		ID    string `xml:"id,attr"`
	} `xml:"sheets>sheet"`
}

// openWorkbook finds the parts of a workbook by their relationships, whatever
// the parts are called.
func openWorkbook(ctx context.Context, a *archive) (*workbook, error) {
	var root relationships
	if err := a.decode(ctx, a.parts["_rels/.rels"], &root); err != nil {
		return nil, err
	}
	main := a.parts["xl/workbook.xml"]
	for _, r := range root.List {
		if f, ok := a.find("", r.Target); ok && strings.HasSuffix(r.Type, "/officeDocument") {
			main = f
		}
	}
	if main == nil {
		return nil, invalid("compressed: unpack it first")
	}
	mainName := strings.ReplaceAll(main.Name, `\`, "/")
	var list contents
	if err := a.decode(ctx, main, &list); err != nil {
		return nil, err
	}
	folder, file := "", mainName
	if i := strings.LastIndexByte(mainName, '/'); i >= 0 {
		folder, file = mainName[:i+1], mainName[i+1:]
	}
	relsPart, ok := a.find("", folder+"_rels/"+file+".rels")
	if !ok {
		return nil, invalid("the workbook is damaged (it does not say where its sheets are); open it and save it again")
	}
	var rels relationships
	if err := a.decode(ctx, relsPart, &rels); err != nil {
		return nil, err
	}
	b := &workbook{archive: a}
	b.from1904 = list.Properties.Date1904 == "1" || list.Properties.Date1904 == "true"
	b.place(mainName, list, rels)
	return b, nil
}

// place finds the parts that the workbook's relationships name.
func (b *workbook) place(from string, list contents, rels relationships) {
	cells := make(map[string]*zip.File)
	for _, r := range rels.List {
		f, ok := b.find(from, r.Target)
		switch kind := r.Type[strings.LastIndexByte(r.Type, '/')+1:]; {
		case !ok:
		case kind == "worksheet":
			cells[r.ID] = f
		case kind == "sharedStrings":
			b.strings = f
		case kind == "styles":
			b.styles = f
		}
	}
	for _, s := range list.Sheets {
		if f := cells[s.ID]; f != nil {
			b.sheets = append(b.sheets, sheetPart{s.Name, s.State == "hidden" || s.State == "veryHidden", f})
		}
	}
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
		if name != "" && s.name == name || name == "" && !s.hidden && first == nil {
			first = s
		}
	}
	if first == nil && name == "" {
		return sheetPart{}, crm.Decision{}, invalid("the workbook has no visible sheet with cells")
	}
	if first == nil {
		return sheetPart{}, crm.Decision{}, invalid("the workbook has no sheet %q (found: %s); name one of them in the sheet setting",
			name, quoted(visible))
	}
	d := crm.Decision{About: "sheet", Choice: first.name, Evidence: "as set", Score: 1}
	if name == "" {
		d.Evidence = fmt.Sprintf("the first of %d visible sheets", len(visible))
		d.Score = 1 / float64(len(visible))
		if len(visible) == 1 {
			d.Evidence = "the only visible sheet"
		}
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
		fmt.Fprintf(&b, "%q", n)
	}
	return b.String()
}

// identifyWorkbook reads what the workbook says of its sheets.
func identifyWorkbook(ctx context.Context, src Source, set crm.Reading) (Format, []crm.Decision, error) {
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
	return Format{Kind: KindXLSX, Sheet: s.name, SkipHidden: set.Hidden == crm.SkipHidden}, []crm.Decision{told(KindXLSX), d}, nil
}
