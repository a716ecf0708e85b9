package tabular

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"sluice/internal/crm"
)

// What a hostile workbook may cost. The promise is 30 s and 512 MB; the tests
// leave room for the machine that runs them.
const (
	hostileTime = 30 * time.Second
	hostileHeap = 512 << 20
)

func TestHostileWorkbooksAreRefused(t *testing.T) {
	t.Parallel()
	const rels = `<Relationships><Relationship Id="rId1" Type="x/worksheet" Target="%s"/></Relationships>`
	at := func(target string) parts {
		return parts{"xl/_rels/workbook.xml.rels": fmt.Sprintf(rels, target)}
	}
	long := strings.Repeat("x", maxToken+1)
	random := make([]byte, 1<<10)
	rand.New(rand.NewSource(1)).Read(random)
	for _, tt := range []struct {
		name string
		in   []byte
		want string
	}{
		{"a row number beyond Excel's", pack(t, `<row r="1"><c><v>1</v></c></row><row r="2000000000"><c><v>1</v></c></row>`, nil), "row numbered beyond 1048576"},
		{"a row number far beyond Excel's", pack(t, `<row r="231999999999940"/>`, nil), "row numbered beyond 1048576"},
		{"a row number beyond integers", pack(t, `<row r="231999999999940000000"/>`, nil), "row numbered beyond 1048576"},
		{"a row number that is none", pack(t, `<row r="-1"/>`, nil), "is damaged"},
		{"row 0", pack(t, `<row r="0"/>`, nil), "out of order"},
		{"rows out of order", pack(t, `<row r="2"/><row r="1"/>`, nil), "out of order"},
		{"two rows of one number", pack(t, `<row r="2"/><row r="2"/>`, nil), "out of order"},
		{"a column beyond Excel's", pack(t, `<row r="1"><c r="XFE1"><v>1</v></c></row>`, nil), "column numbered beyond 16384"},
		{"too many cells", pack(t, "<row>"+strings.Repeat("<c/>", maxColumns+1)+"</row>", nil), "more than 16384 cells"},
		{"too many cells of one column", pack(t, "<row>"+strings.Repeat(`<c r="A1"/>`, maxColumns+1)+"</row>", nil), "more than 16384 cells"},
		{"a tag too long", pack(t, `<row `+long+`/>`, nil), "is damaged"},
		{"a tag that is never closed", pack(t, `<row a="`+strings.Repeat(">", maxToken), nil), "is damaged"},
		{"elements within elements", pack(t, strings.Repeat("<row>", maxDepth+1), nil), "is damaged"},
		{"an attribute without a value", pack(t, `<row r><c><v>1</v></c></row>`, nil), "is damaged"},
		{"elements closed in another order", pack(t, `<row><c><v>1</c></v></row>`, nil), "is damaged"},
		{"a DTD in the sheet", pack(t, "", parts{"xl/worksheets/sheet1.xml": `<!DOCTYPE a [<!ENTITY b "c">]><worksheet/>`}), "document type definition"},
		{"a DTD in the list of sheets", pack(t, "<row/>", parts{"xl/workbook.xml": `<?xml version="1.0"?><!DOCTYPE a><a/>`}), "document type definition"},
		{"a DTD in the strings", pack(t, `<row/>`, parts{"xl/sharedStrings.xml": "<!DOCTYPE a" + strings.Repeat(" ", 8192) + "><sst/>"}), "document type definition"},
		{"a DTD in the styles", pack(t, "<row/>", parts{"xl/styles.xml": strings.Repeat(" ", 8192) + `<!DOCTYPE a><a/>`}), "document type definition"},
		{"formats without end", pack(t, "<row/>", parts{"xl/styles.xml": "<styleSheet><numFmts>" +
			strings.Repeat(`<numFmt numFmtId="164" formatCode="0"/>`, maxCodes+1) + "</numFmts></styleSheet>"}), `part "xl/styles.xml" of the workbook is damaged`},
		{"a bomb of entities", pack(t, `<row><c t="str"><v>&lol9;</v></c></row>`, nil), "is damaged"},
		{"zeros that unpack without end", pack(t, strings.Repeat(" ", 20<<20), nil), "over 200 times its size"},
		{"a cell of 400 MB", hugeCell(t, 400<<20), "over 200 times its size"},
		{"a part that says it is small", lies(t), "the workbook is damaged"},
		{"parts that overlap", overlapping(t), "two of its parts overlap"},
		{"two sheets in one part of the archive", twice(t), "twice"},
		{"a directory without end", directory(t, 70_000), "table of contents that is far too long"},
		{"a sheet cut short", pack(t, "", parts{"xl/worksheets/sheet1.xml": `<worksheet><sheetData><row><c><v>1</v></c></row>`}), "is damaged"},
		{"a sheet without rows' place", pack(t, "", parts{"xl/worksheets/sheet1.xml": `<worksheet/>`}), "is damaged"},
		{"text behind the sheet", pack(t, "", parts{"xl/sharedStrings.xml": `<sst/>x`}), "is damaged"},
		{"an unknown reference", pack(t, `<row><c t="str"><v>&x;</v></c></row>`, nil), "is damaged"},
		{"a sheet in UTF-16", pack(t, "", parts{"xl/worksheets/sheet1.xml": string(wide("<worksheet><sheetData/></worksheet>", false))}), "not in UTF-8"},
		{"no sheets", pack(t, "", parts{"xl/workbook.xml": "<workbook><sheets/></workbook>"}), "no visible sheet"},
		{"an empty sheet", pack(t, "", nil), "no rows"},
		{"no part for the sheet", pack(t, "", parts{"xl/worksheets/sheet1.xml": "-"}), `its sheet "Rows" is not there`},
		{"no part for the strings", pack(t, "<row/>", parts{"xl/sharedStrings.xml": "-"}), "table of strings is not there"},
		{"no part for the styles", pack(t, "<row/>", parts{"xl/styles.xml": "-"}), "table of formats is not there"},
		{"no list of parts", pack(t, "<row/>", parts{"xl/_rels/workbook.xml.rels": "-"}), "list of parts is not there"},
		{"a sheet outside the workbook", pack(t, "<row/>", at("../../../etc/passwd")), `its sheet "Rows" is not there`},
		{"a sheet on the web", pack(t, "<row/>", at(`https://example.com/a.xml" TargetMode="External`)), `its sheet "Rows" is not there`},
		{"a sheet that is the workbook", pack(t, "<row/>", at("workbook.xml")), "is damaged"},
		{"a sheet that is its own list of parts", pack(t, "<row/>", at("_rels/workbook.xml.rels")), "is damaged"},
		{"an error in the header", pack(t, `<row r="3"><c t="e"><v>#REF!</v></c></row><row><c><v>1</v></c></row>`, nil), "line 3: the header is damaged (cell_error)"},
		{"a zip of something else", zipped(t, parts{"a.csv": "a,b\n1,2\n"}), "compressed: unpack it first"},
		{"a document", zipped(t, parts{"word/document.xml": "<a/>", "[Content_Types].xml": "<a/>", "_rels/.rels": "<a/>"}), "a Word document"},
		{"OpenDocument", zipped(t, parts{"mimetype": "x", "content.xml": "<a/>"}), "an OpenDocument file: save it as .xlsx"},
		{"a binary workbook", zipped(t, parts{"xl/workbook.bin": "x"}), "a binary workbook: save it as .xlsx"},
		{"an encrypted workbook", []byte("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1 and so on"), "a password-protected or an old .xls workbook"},
		{"a zip cut short", pack(t, "<row/>", nil)[:200], "the workbook is damaged"},
		{"noise behind the magic", append([]byte("PK\x03\x04"), random...), "the workbook is damaged"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := readTable(t, tt.in, crm.Reading{})
			if !errors.Is(err, crm.ErrInvalid) || !strings.Contains(fmt.Sprint(err), tt.want) {
				t.Errorf("got %v, want ErrInvalid and %q", err, tt.want)
			}
		})
	}
}

// hugeCell makes a workbook with a cell of n bytes in a small archive.
func hugeCell(t testing.TB, n int) []byte {
	return pack(t, `<row><c t="inlineStr"><is><t>`+strings.Repeat("0", n)+`</t></is></c></row>`, nil)
}

// lies makes a workbook whose directory says of the sheet that it is small.
func lies(t testing.TB) []byte {
	b := pack(t, strings.Repeat(" ", 20<<20), nil)
	return mended(t, b, "xl/worksheets/sheet1.xml", func(h []byte) { binary.LittleEndian.PutUint32(h[24:], 1000) })
}

// overlapping makes a workbook whose strings lie where the sheet does.
func overlapping(t testing.TB) []byte {
	b := pack(t, "<row/>", parts{"xl/sharedStrings.xml": "<sst/>"})
	var sheet []byte
	b = mended(t, b, "xl/worksheets/sheet1.xml", func(h []byte) { sheet = bytes.Clone(h[:46]) })
	return mended(t, b, "xl/sharedStrings.xml", func(h []byte) {
		copy(h[16:28], sheet[16:28]) // checksum and sizes
		copy(h[42:46], sheet[42:46]) // offset
	})
}

// mended changes the entry of a part in the directory of an archive.
func mended(t testing.TB, b []byte, name string, change func(header []byte)) []byte {
	t.Helper()
	at := bytes.LastIndex(b, []byte(name)) - 46
	if string(b[at:at+4]) != "PK\x01\x02" {
		t.Fatalf("%s is not in the directory", name)
	}
	change(b[at:])
	return b
}

// twice makes a workbook that has its sheet under two names that differ by case.
func twice(t testing.TB) []byte {
	return pack(t, "<row/>", parts{"xl/Worksheets/Sheet1.xml": "<worksheet/>"})
}

// directory makes an archive of n parts without a byte.
func directory(t testing.TB, n int) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for i := range n {
		_, err := z.CreateRaw(&zip.FileHeader{Name: fmt.Sprintf("xl/media/%0200d.png", i), CRC32: crc32.ChecksumIEEE(nil)})
		must(t, err)
	}
	must(t, z.Close())
	return out.Bytes()
}

func TestTooManyPartsAreRefused(t *testing.T) {
	t.Parallel()
	all := parts{}
	for i := range maxParts + 1 {
		all[fmt.Sprintf("xl/media/%d.png", i)] = "x"
	}
	_, err := readTable(t, pack(t, "<row/>", all), crm.Reading{})
	if !errors.Is(err, crm.ErrInvalid) || !strings.Contains(err.Error(), "more than 10000 parts") {
		t.Errorf("got %v, want ErrInvalid", err)
	}
}

// TestADTDThatIsNotReadDoesNoHarm: only the parts that say what the rows are
// get read.
func TestADTDThatIsNotReadDoesNoHarm(t *testing.T) {
	t.Parallel()
	tab := mustRead(t, pack(t, `<row><c t="str"><v>a</v></c></row><row><c><v>1</v></c></row>`,
		parts{"xl/theme/theme1.xml": `<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>`}), crm.Reading{})
	if len(tab.Rows) != 1 {
		t.Errorf("%d rows", len(tab.Rows))
	}
}

// TestSlowWorkbooksEndInTime reads workbooks that are within the limits of size
// and made to take as long as they can. It is not parallel: it measures. Under
// the race detector the workbooks are smaller, those that reach a limit of
// gigabytes are left to a run without it, and time is not looked at.
func TestSlowWorkbooksEndInTime(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute; run without -short")
	}
	size := 40 << 20
	if raced {
		size = 4 << 20
	}
	long := "<sst><si><t>" + strings.Repeat("ä", maxCharacters) + "</t></si></sst>"
	far := func() []byte {
		var b strings.Builder
		for i := range 400_000 {
			fmt.Fprintf(&b, `<row r="%d"><c r="XFD%d"><v>1</v></c></row>`, i+2, i+2)
		}
		return pack(t, b.String(), nil)
	}
	for _, tt := range []struct {
		name string
		in   func() []byte
		want string // of the error; "" for a workbook that is read
	}{
		{"cells without a value", func() []byte { return pack(t, salted("<c/>", "row", 16_000, size), nil) }, ""},
		{"cells in a wrong order", func() []byte {
			return pack(t, salted(`<c r="B1"><v>1</v></c><c r="A1"><v>1</v></c>`, "row", 8_000, size), nil)
		}, ""},
		{"runs without end", func() []byte {
			return pack(t, `<row><c>`+salted("<r><t>ä</t></r>", "is", size, size)+`</c></row>`, nil)
		}, ""},
		{"rows too long for a row", func() []byte {
			return pack(t, salted(`<c t="s"><v>0</v></c>`, "row", 16_000, size), parts{"xl/sharedStrings.xml": long})
		}, ""},
		{"a long string everywhere", func() []byte {
			return pack(t, salted(`<c t="s"><v>0</v></c>`, "row", 100, size), parts{"xl/sharedStrings.xml": long})
		}, "more than 4 GiB of text"},
		{"cells far to the right", far, "more than 4 GiB of text"},
		{"strings without text", func() []byte {
			return pack(t, "", parts{"xl/sharedStrings.xml": salted("<si/>", "sst", 6*maxStrings, 6*maxStrings)})
		}, "more entries than any sheet needs"},
	} {
		if raced && tt.want != "" {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			in := tt.in()
			debug.FreeOSMemory()
			before, start := heapHeld(), time.Now()
			src := inMemory(in)
			_, _, err := Identify(t.Context(), src, crm.Reading{})
			if err == nil {
				err = Format{Kind: KindXLSX, Sheet: "Rows"}.Rewrite(t.Context(), src, io.Discard)
			}
			took, heap := time.Since(start), heapHeld()-before
			if tt.want == "" && err != nil || tt.want != "" && (!errors.Is(err, crm.ErrInvalid) || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			t.Logf("%d KiB packed: %v, %d MiB more of heap", len(in)>>10, took.Round(time.Millisecond), heap>>20)
			if !raced && took > hostileTime || heap > hostileHeap {
				t.Errorf("took %v and %d MiB", took, heap>>20)
			}
		})
	}
}

// heapHeld returns how many bytes the heap has of the system. What it takes for
// a while it gives back slowly.
func heapHeld() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapSys) - int64(m.HeapReleased)
}

// salted repeats an element until there are so many bytes, with each perParent
// of them in a parent. Noise between them makes the archive's ratio an honest
// one.
func salted(element, parent string, perParent, size int) string {
	rnd := rand.New(rand.NewSource(1))
	var b strings.Builder
	b.Grow(size + size/8)
	for b.Len() < size {
		b.WriteString("<" + parent + ">")
		for n, noise := 0, 0; n < perParent && b.Len() < size; n++ {
			b.WriteString(element)
			if noise += len(element); noise > 1000 {
				fmt.Fprintf(&b, "<!--%016x-->", rnd.Uint64())
				noise = 0
			}
		}
		b.WriteString("</" + parent + ">")
	}
	return b.String()
}
