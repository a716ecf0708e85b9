package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"sluice/internal/crm"
	"sluice/internal/mapping"
	"sluice/internal/tabular"
)

// plan is what Inspect decided about a file and every later step obeys: how to
// read it, what its columns mean and where its rows stand. It is kept as JSON
// in the import's row, and read there by others too: internal/launch looks at
// the header and at how customers are matched.
type plan struct {
	// Layout has in its Header the columns of the rows' own. Where a file is
	// listed, the address and the fault stand before them: see [plan.layout].
	Layout  tabular.Layout   `json:"layout"`
	Mapping *mapping.Mapping `json:"mapping"`
	Ignored []string         `json:"ignored,omitempty"` // columns that go nowhere
	Retry   *retry           `json:"retry,omitempty"`   // nil unless the import retries rejected rows
}

// retry says where the rows of a file stand that was given to a retry.
type retry struct {
	// File is the number that addresses have for the file: its rows stand
	// there unless they stood elsewhere before. The files of the import that
	// was retried first have the first numbers, then come those of each retry
	// of it, down to the import's own.
	File int `json:"file"`

	// Listed is true when the file was a reject file. What Parse reads then is
	// made of it: no header, rows in address order, each with its address and
	// its fault in front.
	Listed bool `json:"listed,omitempty"`

	// Width is how many cells a listed row has behind those in front: as many
	// as the widest row has, or the header.
	Width int `json:"width,omitempty"`
}

// listedCells is how many cells stand before a listed row's own.
const listedCells = 2

// listed reports whether rows bear their addresses.
func (p *plan) listed() bool { return p.Retry != nil && p.Retry.Listed }

// layout returns how the file that Parse reads is written.
func (p *plan) layout() tabular.Layout {
	l := p.Layout
	if p.listed() {
		l.Header = make([]string, listedCells+p.Retry.Width)
		copy(l.Header[listedCells:], p.Layout.Header)
	}
	return l
}

// planned reads what Inspect decided about a file.
func (a *Activities) planned(ctx context.Context, imp crm.Import, file int) (crm.FileRow, plan, error) {
	row, err := a.Store.File(ctx, imp.Number, file)
	if err != nil {
		return row, plan{}, err
	}
	var p plan
	if err := json.Unmarshal(row.Plan, &p); err != nil {
		return row, plan{}, fmt.Errorf("plan of file %d: %w", file, err)
	}
	return row, p, nil
}

// source lets tabular read a staged file.
func (a *Activities) source(f crm.File) tabular.Source {
	return tabular.Source{Name: f.Name, Size: f.Object.Size, Open: func(ctx context.Context, offset int64) (io.ReadCloser, error) {
		return a.open(ctx, f, offset)
	}}
}

// rows reads a staged file's rows from a position on. The caller closes it.
func (a *Activities) rows(ctx context.Context, f crm.File, p *plan, at crm.Position) (*reading, error) {
	r, err := a.open(ctx, f, at.Offset)
	if err != nil {
		return nil, err
	}
	out := &reading{Reader: tabular.NewReader(r, p.layout(), at), file: f.Number, listed: p.listed(), width: len(p.Layout.Header), Closer: r}
	if p.Retry != nil {
		out.file = p.Retry.File
	}
	return out, nil
}

// reading reads the rows of a file as its plan says. It is the one place that
// knows where a row stands: the line of a row is its place in the file that is
// read, which orders the rows of a batch, and its address is where a person
// finds it. The two differ in a retry.
type reading struct {
	*tabular.Reader
	io.Closer

	file    int // number of the file in addresses
	listed  bool
	width   int         // columns of the header
	address crm.Address // of the row read last
}

// Read reads the next row, as [tabular.Reader.Read] does. The cells are the
// row's own.
func (r *reading) Read(row *crm.Row) error {
	if err := r.Reader.Read(row); err != nil {
		return err
	}
	r.address = crm.At(r.file, row.Line)
	if !r.listed {
		return nil
	}
	if len(row.Cells) < listedCells {
		return fmt.Errorf("line %d of a list of rows: no address", row.Line)
	}
	n, err := strconv.ParseInt(row.Cells[0], 10, 64)
	if err != nil {
		return fmt.Errorf("line %d of a list of rows: no address", row.Line)
	}
	r.address = crm.Address(n)
	if fault := row.Cells[1]; fault != "" {
		row.Fault = crm.Reason(strings.Clone(fault)) // the cell is the reader's
	}
	row.Cells = row.Cells[listedCells:]
	for len(row.Cells) > r.width && row.Cells[len(row.Cells)-1] == "" {
		row.Cells = row.Cells[:len(row.Cells)-1]
	}
	return nil
}
