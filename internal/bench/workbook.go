package main

import (
	"archive/zip"
	"bufio"
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
)

// maxSheetRows is how many rows a sheet may have below its header.
const maxSheetRows = 1<<20 - 1

// fewValues says of columns that they repeat a few values, which a workbook
// keeps once: country, state, city, tags, the contact's names and title.
var fewValues = [18]bool{4: true, 5: true, 6: true, 10: true, 11: true, 12: true, 13: true}

const (
	xmlHead  = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"
	mainNS   = `xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"`
	relation = `http://schemas.openxmlformats.org/officeDocument/2006/relationships`
	kind     = `application/vnd.openxmlformats-officedocument.spreadsheetml.`
)

// writeXLSX writes the data as a workbook of one sheet, all cells text, in no
// memory to speak of. With shared the texts stand in a table of their own, as
// spreadsheet programs write them; else in the cells.
func (d dataset) writeXLSX(w io.Writer, shared bool) error {
	if d.rows > maxSheetRows {
		return fmt.Errorf("a sheet takes %d rows at the most", maxSheetRows)
	}
	z := zip.NewWriter(w)
	parts := []struct{ name, text string }{
		{"[Content_Types].xml", `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">` +
			`<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
			`<Override PartName="/xl/workbook.xml" ContentType="` + kind + `sheet.main+xml"/>` +
			`<Override PartName="/xl/worksheets/sheet1.xml" ContentType="` + kind + `worksheet+xml"/>` +
			`<Override PartName="/xl/sharedStrings.xml" ContentType="` + kind + `sharedStrings+xml"/></Types>`},
		{"_rels/.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` +
			`<Relationship Id="rId1" Type="` + relation + `/officeDocument" Target="xl/workbook.xml"/></Relationships>`},
		{"xl/workbook.xml", `<workbook ` + mainNS + ` xmlns:r="` + relation + `"><sheets><sheet name="Leads" sheetId="1" r:id="rId1"/></sheets></workbook>`},
		{"xl/_rels/workbook.xml.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` +
			`<Relationship Id="rId1" Type="` + relation + `/worksheet" Target="worksheets/sheet1.xml"/>` +
			`<Relationship Id="rId2" Type="` + relation + `/sharedStrings" Target="sharedStrings.xml"/></Relationships>`},
	}
	for _, p := range parts {
		if err := part(z, p.name, func(w *bufio.Writer) { w.WriteString(p.text) }); err != nil {
			return err
		}
	}
	if err := part(z, "xl/worksheets/sheet1.xml", func(w *bufio.Writer) { d.sheet(w, shared) }); err != nil {
		return err
	}
	if err := part(z, "xl/sharedStrings.xml", func(w *bufio.Writer) { d.strings(w, shared) }); err != nil {
		return err
	}
	return z.Close()
}

// part writes one part of a workbook. A writer's errors are those of its end.
func part(z *zip.Writer, name string, write func(w *bufio.Writer)) error {
	p, err := z.Create(name)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(p, 1<<16)
	w.WriteString(xmlHead)
	write(w)
	return w.Flush()
}

// sheet writes all cells that are not blank.
func (d dataset) sheet(w *bufio.Writer, shared bool) {
	w.WriteString(`<worksheet ` + mainNS + `><sheetData>`)
	var table table
	last := -1
	d.eachCell(func(row, column int, text string) {
		if row != last {
			if last >= 0 {
				w.WriteString("</row>")
			}
			fmt.Fprintf(w, `<row r="%d">`, row+1)
			last = row
		}
		w.WriteString(`<c r="`)
		w.WriteByte(byte('A' + column))
		w.WriteString(strconv.Itoa(row + 1))
		if shared {
			n, _ := table.number(column, text)
			w.WriteString(`" t="s"><v>`)
			w.WriteString(strconv.Itoa(n))
			w.WriteString(`</v></c>`)
			return
		}
		w.WriteString(`" t="inlineStr"><is>`)
		writeText(w, text)
		w.WriteString(`</is></c>`)
	})
	w.WriteString("</row></sheetData></worksheet>")
}

// strings writes the table of texts, in the order in which sheet numbers them.
func (d dataset) strings(w *bufio.Writer, shared bool) {
	w.WriteString(`<sst ` + mainNS + `>`)
	if shared {
		var table table
		d.eachCell(func(_, column int, text string) {
			if _, first := table.number(column, text); first {
				w.WriteString("<si>")
				writeText(w, text)
				w.WriteString("</si>")
			}
		})
	}
	w.WriteString(`</sst>`)
}

func writeText(w *bufio.Writer, text string) {
	w.WriteString(`<t xml:space="preserve">`)
	_ = xml.EscapeText(w, []byte(text)) // as part has it
	w.WriteString("</t>")
}

// eachCell calls do for the header, which is row 0, and every cell that is not
// blank.
func (d dataset) eachCell(do func(row, column int, text string)) {
	for column, name := range header {
		do(0, column, name)
	}
	cells := make([]string, len(header))
	for i := range d.rows {
		d.row(i, cells)
		for column, text := range cells {
			if text != "" {
				do(i+1, column, text)
			}
		}
	}
}

// A table numbers texts. Only those of columns with few values are looked up:
// the others hardly ever repeat.
type table struct {
	known map[string]int
	n     int
}

func (t *table) number(column int, text string) (n int, first bool) {
	if fewValues[column] {
		if n, ok := t.known[text]; ok {
			return n, false
		}
		if t.known == nil {
			t.known = make(map[string]int)
		}
		t.known[text] = t.n
	}
	t.n++
	return t.n - 1, true
}
