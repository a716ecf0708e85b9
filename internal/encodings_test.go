package internal_test

import (
	"bytes"
	"context"
	"io"
	"testing"

	"sluice/internal/crm"
	"sluice/internal/mapping"
	"sluice/internal/tabular"
)

// TestMappingsNameTheEncodingsThatAreRead holds two rooms to one list: a
// mapping file may name an encoding if and only if a file can be read in it.
func TestMappingsNameTheEncodingsThatAreRead(t *testing.T) {
	t.Parallel()
	text := []byte("id,email\n1,ana@example.com\n")
	src := tabular.Source{Name: "t.csv", Size: int64(len(text)), Open: func(_ context.Context, at int64) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(text[at:])), nil
	}}
	for _, name := range []string{
		"utf-8", "UTF-16LE", "utf-16be", "utf-32le", "utf-32be", "windows-1250", "windows-1252", "latin1", "iso-8859-1", "iso-8859-15",
		"macintosh", "koi8-r", "shift_jis", "euc-jp", "iso-2022-jp", "euc-kr", "gb18030", "gbk", "big5", "windows-874",
		"ibm437", "ibm850", "ibm852", "cp437", "cp850", "cp852", "ibm500", "utf-7", "replacement", "x-user-defined", "klingon",
	} {
		_, _, read := tabular.Identify(t.Context(), src, crm.Reading{Encoding: name})
		_, named := mapping.ParseSpec([]byte("encoding: " + name))
		if (read == nil) != (named == nil) {
			t.Errorf("%s: reading says %v, a mapping file %v", name, read, named)
		}
	}
}
