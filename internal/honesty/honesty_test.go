package honesty_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"sluice/internal/crm"
	"sluice/internal/honesty"
	"sluice/internal/tabular"
)

// TestEveryDamagedFileIsReadHonestly reads the whole corpus, for several
// seeds, as the steps Inspect and Parse do.
func TestEveryDamagedFileIsReadHonestly(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		for _, c := range append(honesty.Corpus(seed), honesty.Workbooks(seed)...) {
			t.Run(fmt.Sprintf("seed %d/%s", seed, c.Name), func(t *testing.T) {
				t.Parallel()
				if err := honesty.Judge(&c, read(t.Context(), c)); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// TestTheCorpusIsLargeEnough counts its files: the README states the number.
func TestTheCorpusIsLargeEnough(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, c := range append(honesty.Corpus(0), honesty.Workbooks(0)...) {
		if names[c.Name] {
			t.Errorf("two files are called %s", c.Name)
		}
		names[c.Name] = true
	}
	t.Logf("%d files", len(names))
	if len(names) < 200 {
		t.Errorf("%d files, want at least 200", len(names))
	}
}

// TestJudgeTellsADishonestReading makes sure that the judge can say no.
func TestJudgeTellsADishonestReading(t *testing.T) {
	t.Parallel()
	row := func(line int64, fault crm.Reason, cells ...string) crm.Row {
		return crm.Row{Line: line, Cells: cells, Fault: fault}
	}
	c := honesty.Case{Header: []string{"a"}, Rows: []honesty.Row{{Line: 2, Last: 3, Cells: []string{"x"}, Touched: true}, {Line: 4, Last: 4, Cells: []string{"y"}}}}
	for name, r := range map[string]honesty.Result{
		"a row is lost":         {Header: c.Header, Rows: []crm.Row{row(4, "", "y")}},
		"a row is there twice":  {Header: c.Header, Rows: []crm.Row{row(2, "stray_quote"), row(4, "", "y"), row(4, "", "y")}},
		"a cell is another":     {Header: c.Header, Rows: []crm.Row{row(2, "", "z"), row(4, "", "y")}},
		"a part is a row":       {Header: c.Header, Rows: []crm.Row{row(3, "", "x"), row(4, "", "y")}},
		"a line is wrong":       {Header: c.Header, Rows: []crm.Row{row(2, "stray_quote"), row(5, "", "y")}},
		"a neighbour is harmed": {Header: c.Header, Rows: []crm.Row{row(2, "stray_quote"), row(4, "stray_quote", "y")}},
		"the header is another": {Header: []string{"b"}, Rows: []crm.Row{row(2, "stray_quote"), row(4, "", "y")}},
		"the file is refused":   {Refused: io.ErrUnexpectedEOF},
	} {
		if honesty.Judge(&c, r) == nil {
			t.Errorf("%s, and the judge calls it honest", name)
		}
	}
	if err := honesty.Judge(&c, honesty.Result{Header: c.Header, Rows: []crm.Row{row(2, "stray_quote"), row(3, "too_few_cells"), row(4, "", "y")}}); err != nil {
		t.Errorf("an honest reading is called dishonest: %v", err)
	}
}

// read reads a file as an import does: unpacked and rewritten where it must be.
func read(ctx context.Context, c honesty.Case) honesty.Result {
	src := source(c.Name, c.File)
	packing, err := tabular.Packed(ctx, src)
	if err == nil && packing != "" {
		var b bytes.Buffer
		err = tabular.Unpack(ctx, src, packing, &b)
		src = source(c.Name, b.Bytes())
	}
	if err != nil {
		return honesty.Result{Refused: err}
	}
	format, _, err := tabular.Identify(ctx, src, c.Reading)
	if err == nil && !format.Plain() {
		var b bytes.Buffer
		err = format.Rewrite(ctx, src, &b)
		src = source(c.Name, b.Bytes())
	}
	if err != nil {
		return honesty.Result{Refused: err}
	}
	layout, _, err := tabular.Sniff(ctx, src, format, c.Reading)
	if err != nil {
		return honesty.Result{Refused: err}
	}
	return rows(ctx, src, layout)
}

func rows(ctx context.Context, src tabular.Source, layout tabular.Layout) honesty.Result {
	out := honesty.Result{Header: layout.Header}
	f, err := src.Open(ctx, layout.Start.Offset)
	if err != nil {
		return honesty.Result{Refused: err}
	}
	defer f.Close()
	r := tabular.NewReader(f, layout, layout.Start)
	for {
		var row crm.Row
		err := r.Read(&row)
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			return honesty.Result{Refused: err}
		}
		row.Cells = slices.Clone(row.Cells)
		for i := range row.Cells {
			row.Cells[i] = strings.Clone(row.Cells[i])
		}
		out.Rows = append(out.Rows, row)
	}
}

func source(name string, b []byte) tabular.Source {
	return tabular.Source{Name: name, Size: int64(len(b)), Open: func(_ context.Context, offset int64) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(b[offset:])), nil
	}}
}
