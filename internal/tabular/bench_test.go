package tabular

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"testing"

	"sluice/internal/crm"
)

const benchColumns = 18

// benchText is some 22 MB of leads: 18 columns, 220 bytes a row, a quoted line
// end in every sixth row and notes in every second.
func benchText() []byte {
	rnd := rand.New(rand.NewSource(1))
	var b bytes.Buffer
	for i := range 100_000 {
		fmt.Fprintf(&b, "lead-%08x,First%d Last%d,person%d@company%d.example,Company %d Inc.,DE,BE,Berlin,%05d,",
			rnd.Uint32(), i%977, i%1009, i, i%4999, i%4999, rnd.Intn(99999))
		fmt.Fprintf(&b, "2024-%02d-%02dT12:00:00Z,,New Lead,owner%d@example.com,https://company%d.example/,", i%12+1, i%28+1, i%7, i%4999)
		fmt.Fprintf(&b, "\"red,blue\",+49 30 %07d,%d,", rnd.Intn(9999999), rnd.Intn(100))
		switch {
		case i%6 == 0:
			fmt.Fprintf(&b, "\"Called on %d.\r\nAsked to \"\"call back\"\".\",x\r\n", i)
		case i%2 == 0:
			fmt.Fprintf(&b, "\"Wrote, no answer, number %d\",x\r\n", i)
		default:
			b.WriteString(",x\r\n")
		}
	}
	return b.Bytes()
}

func BenchmarkReader(b *testing.B) {
	text := benchText()
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	l := layout(benchColumns)
	var row crm.Row
	for b.Loop() {
		r := NewReader(bytes.NewReader(text), l, l.Start)
		for {
			if err := r.Read(&row); errors.Is(err, io.EOF) {
				break
			} else if err != nil || row.Fault != "" {
				b.Fatal(err, row.Line, row.Fault)
			}
		}
	}
}

func BenchmarkEncodingCSV(b *testing.B) {
	text := benchText()
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		r := csv.NewReader(bytes.NewReader(text))
		r.ReuseRecord = true
		r.FieldsPerRecord = benchColumns
		for {
			if _, err := r.Read(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
	}
}
