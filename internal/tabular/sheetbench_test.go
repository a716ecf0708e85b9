package tabular

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"archive/zip"

	"github.com/xuri/excelize/v2"
)

// benchBook writes a workbook of so many rows with 18 columns, 15 of which are
// filled, and returns its path. shared says where its texts are.
func benchBook(tb testing.TB, rows int, shared bool) string {
	tb.Helper()
	name := filepath.Join(tb.TempDir(), "book.xlsx")
	f, err := os.Create(name)
	must(tb, err)
	z := zip.NewWriter(f)
	frame, err := zip.NewReader(bytes.NewReader(pack(tb, "", parts{"xl/sharedStrings.xml": "<sst/>"})), int64(len(pack(tb, "", parts{"xl/sharedStrings.xml": "<sst/>"}))))
	must(tb, err)
	for _, p := range frame.File {
		if p.Name != "xl/worksheets/sheet1.xml" && p.Name != "xl/sharedStrings.xml" {
			must(tb, z.Copy(p))
		}
	}
	const head = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"
	const main = ` xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"`
	part, err := z.Create("xl/worksheets/sheet1.xml")
	must(tb, err)
	w := bufio.NewWriter(part)
	fmt.Fprintf(w, "%s<worksheet%s><sheetData>", head, main)
	var items []string
	numbers := make(map[string]int)
	for i := range rows {
		fmt.Fprintf(w, `<row r="%d" spans="1:18">`, i+1)
		for c, text := range benchRow(i) {
			ref := fmt.Sprintf("%c%d", 'A'+c, i+1)
			switch {
			case text == "":
			case c == 16:
				fmt.Fprintf(w, `<c r="%s"><v>%s</v></c>`, ref, text)
			case shared:
				n, ok := numbers[text]
				if !ok {
					n = len(items)
					items = append(items, text)
					numbers[text] = n
				}
				fmt.Fprintf(w, `<c r="%s" t="s"><v>%d</v></c>`, ref, n)
			default:
				fmt.Fprintf(w, `<c r="%s" t="inlineStr"><is><t>%s</t></is></c>`, ref, text)
			}
		}
		io.WriteString(w, "</row>")
	}
	io.WriteString(w, "</sheetData></worksheet>")
	must(tb, w.Flush())
	part, err = z.Create("xl/sharedStrings.xml")
	must(tb, err)
	w.Reset(part)
	fmt.Fprintf(w, `%s<sst%s count="%d" uniqueCount="%d">`, head, main, 14*rows, len(items))
	for _, text := range items {
		fmt.Fprintf(w, "<si><t>%s</t></si>", text)
	}
	io.WriteString(w, "</sst>")
	must(tb, w.Flush())
	must(tb, z.Close())
	must(tb, f.Close())
	return name
}

// benchRow is a lead; the 17th column holds a number, the others text.
func benchRow(i int) []string {
	rnd := rand.New(rand.NewSource(int64(i)))
	row := []string{
		fmt.Sprintf("lead-%08x", rnd.Uint32()), fmt.Sprintf("First%d Last%d", i%977, i%1009), fmt.Sprintf("person%d@company%d.example", i, i%4999),
		fmt.Sprintf("Company %d Inc.", i%4999), "DE", "BE", "Berlin", fmt.Sprintf("%05d", rnd.Intn(99999)),
		fmt.Sprintf("2024-%02d-%02dT12:00:00Z", i%12+1, i%28+1), "", "New Lead", fmt.Sprintf("owner%d@example.com", i%7),
		fmt.Sprintf("https://company%d.example/", i%4999), "red,blue", fmt.Sprintf("+49 30 %07d", rnd.Intn(9999999)), "", fmt.Sprint(rnd.Intn(100)), "",
	}
	if i%2 == 0 {
		row[15], row[9] = fmt.Sprintf("Wrote, no answer, number %d", i), ""
	} else {
		row[9] = "2024-12-31"
	}
	return row
}

// openBook opens a workbook's sheet to read.
func openBook(tb testing.TB, name string) (*sheetReader, io.Closer) {
	tb.Helper()
	f, err := os.Open(name)
	must(tb, err)
	info, err := f.Stat()
	must(tb, err)
	a, err := openArchive(f, info.Size())
	must(tb, err)
	b, err := openWorkbook(tb.Context(), a)
	must(tb, err)
	sheet, _, err := b.sheet("")
	must(tb, err)
	rows, err := b.open(tb.Context(), sheet)
	must(tb, err)
	return rows, closers{rows, f}
}

type closers []io.Closer

func (c closers) Close() error {
	var err error
	for _, one := range c {
		err = errors.Join(err, one.Close())
	}
	return err
}

func BenchmarkSheet(b *testing.B) {
	const rows = 100_000
	for _, kind := range []string{"inline", "shared"} {
		name := benchBook(b, rows, kind == "shared")
		for _, reader := range []struct {
			name string
			read func(testing.TB, string) int
		}{{"ours", readOurs}, {"excelize", readExcelize}} {
			b.Run(kind+"/"+reader.name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if n := reader.read(b, name); n != rows {
						b.Fatalf("%d rows", n)
					}
				}
				b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			})
		}
	}
}

func readOurs(tb testing.TB, name string) int {
	rows, close := openBook(tb, name)
	defer close.Close()
	var row sheetRow
	n := 0
	for {
		err := rows.next(&row)
		if errors.Is(err, io.EOF) {
			return n
		}
		must(tb, err)
		n++
	}
}

func readExcelize(tb testing.TB, name string) int {
	f, err := excelize.OpenFile(name, excelize.Options{RawCellValue: true})
	must(tb, err)
	defer f.Close()
	rows, err := f.Rows("Rows")
	must(tb, err)
	defer rows.Close()
	n := 0
	for rows.Next() {
		_, err := rows.Columns()
		must(tb, err)
		n++
	}
	must(tb, rows.Error())
	return n
}

// BenchmarkSheetHeap reports the largest heap met while a sheet is read, which
// does not grow with its rows: only with its shared strings, up to what is kept
// of them.
func BenchmarkSheetHeap(b *testing.B) {
	for _, kind := range []string{"inline", "shared"} {
		for _, rows := range []int{100_000, 400_000} {
			b.Run(fmt.Sprintf("%s/%dk", kind, rows/1000), func(b *testing.B) {
				name := benchBook(b, rows, kind == "shared")
				runtime.GC()
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				before, peak := m.HeapAlloc, uint64(0)
				for b.Loop() {
					r, close := openBook(b, name)
					var row sheetRow
					for n := 0; ; n++ {
						if err := r.next(&row); errors.Is(err, io.EOF) {
							break
						} else if err != nil {
							b.Fatal(err)
						}
						if n%1000 == 0 {
							runtime.ReadMemStats(&m)
							peak = max(peak, m.HeapAlloc-min(before, m.HeapAlloc))
						}
					}
					close.Close()
				}
				b.ReportMetric(float64(peak)/(1<<20), "peak-heap-MiB")
			})
		}
	}
}
