package tabular

import (
	"bytes"
	"strings"
)

// isZip reports whether head begins a zip archive, as workbooks do.
func isZip(head []byte) bool {
	return bytes.HasPrefix(head, []byte("PK\x03\x04")) || bytes.HasPrefix(head, []byte("PK\x05\x06"))
}

// signatures begin files that people upload in the place of a table.
var signatures = []struct{ magic, what string }{
	{"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "a password-protected or an old .xls workbook: save it as .xlsx without a password"},
	{"%PDF-", "a PDF document: export the table as CSV or XLSX"},
	{"\x89PNG\r\n", isImage}, {"\xFF\xD8\xFF", isImage}, {"GIF87a", isImage}, {"GIF89a", isImage},
	{"II*\x00", isImage}, {"MM\x00*", isImage},
	{magicGzip, isPackedTwice}, {magicZstd, isPackedTwice}, {"BZh", isPacked}, {"\xFD7zXZ\x00", isPacked},
	{"7z\xBC\xAF\x27\x1C", isPacked}, {"Rar!\x1A\x07", isPacked},
	{"PAR1", "a Parquet file: export the table as CSV"},
	{"SQLite format 3\x00", "an SQLite database: export the table as CSV"},
	{`{\rtf`, "a text document: save the table as CSV or XLSX"},
}

const (
	isImage       = "an image: export the table as CSV or XLSX"
	isPacked      = "compressed: unpack it first, or pack it as gzip, zstd or zip"
	isPackedTwice = "packed twice; unpack it first"

	magicGzip = "\x1F\x8B"
	magicZstd = "\x28\xB5\x2F\xFD"
)

// notText says what a file is that is known by its first bytes, and what to do.
// It is empty for what may be text.
func notText(head []byte) string {
	for _, s := range signatures {
		if bytes.HasPrefix(head, []byte(s.magic)) {
			return s.what
		}
	}
	if len(head) > 262 && string(head[257:262]) == "ustar" {
		return "a tar archive: unpack it first"
	}
	return ""
}

// notTable says what a text in the given encoding is that holds no table.
func notTable(head []byte, encoding string) string {
	text := head
	if d, err := decoderOf(encoding); err == nil && d != nil {
		text = make([]byte, 4*len(head))
		n, _, _ := d.Transform(text, head, false)
		text = text[:n]
	}
	text = bytes.TrimPrefix(text, []byte(bom8))
	start := strings.ToLower(string(bytes.TrimSpace(text[:min(len(text), 1024)])))
	switch {
	case strings.HasPrefix(start, "<!doctype html"), strings.HasPrefix(start, "<html"):
		return "a web page: export the table as CSV or XLSX, or check the address it came from"
	case strings.HasPrefix(start, "<?xml"):
		return "XML: save it as CSV or XLSX"
	case strings.HasPrefix(start, `{"`), strings.HasPrefix(start, "[{"):
		return "JSON that is not UTF-8: write it as UTF-8"
	case controls(text):
		return "a binary file: export the table as CSV or XLSX"
	}
	return ""
}

// controls reports whether characters that no table holds are a good part of
// it. A few are faults of their rows.
func controls(text []byte) bool {
	n := 0
	for _, c := range text {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != '\v' || c == 0x7F {
			n++
		}
	}
	return n >= 16 && n*20 > len(text)
}
