package tabular

import (
	"bytes"
	"context"
	"io"
	"testing"

	"sluice/internal/crm"
)

// bytesSource is a source in memory.
func bytesSource(b []byte) Source {
	return Source{Name: "test.csv", Size: int64(len(b)), Open: func(_ context.Context, off int64) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(b[off:])), nil
	}}
}

func TestSmoke(t *testing.T) {
	src := bytesSource([]byte("\xEF\xBB\xBFa;b;c;\r\n1;2;3;\r\n\r\n\"x\r\ny\";\"q\"\"\";z;\n1;2\n1;\"2;3\n4;5;6"))
	f, ds, err := Identify(t.Context(), src, Settings{})
	t.Log(f, ds, err)
	l, ds, err := Sniff(t.Context(), src, f, Settings{})
	t.Logf("%+v %v %v", l, ds, err)
	r, c, _ := open(t.Context(), src, l, l.Start)
	defer c.Close()
	var row crm.Row
	for r.Read(&row) == nil {
		t.Logf("%d %q %s %v", row.Line, row.Cells, row.Fault, r.Position())
	}
	t.Log(r.Blank(), r.Position())
}
