package activities

import (
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"sluice/internal/crm"
	"sluice/internal/tabular"
)

// relisting makes of a reject file what Parse reads: its rows where they stood
// in the import that is retried, in the order in which they stood there,
// whatever a person did to the order of the file.
//
// A row that could not be read, and whose cells are still what could be made
// out of it, is rejected again, unless its cell for the reason is blank: by that
// its owner declares that what is shown is right, and it is taken as it stands.
// One with characters that were lost, and one that cannot be read in the reject
// file either, is rejected whatever its owner declares.
//
// A row whose cell for the line is blank stands in the reject file itself, and
// so comes after all others. A row that says no place, and two rows that say
// the same, wrap [crm.ErrInvalid].
type relisting struct {
	a      *Activities
	parent crm.ImportRow
	files  []string // names of the files that the parent's addresses speak of
	retry  retry

	file    crm.File       // the reject file, readable
	layout  tabular.Layout // of it
	columns crm.RejectColumns
	padded  bool // the mapping has it that missing cells are blank

	maxRows int   // zero means maxRelisted
	atOnce  int64 // zero means sortAtOnce

	header []string // the columns of the rows' own
	places []place
	sorted bool // the rows are in order of their places
	only   int  // the file of all rows, if the reject file names none
	width  int  // own cells of the widest row, at least as many as the header has
	blank  int64
	before *rejectedBefore
	out    *csv.Writer
	record []string
}

// place is where a row of the reject file belongs.
type place struct {
	address crm.Address
	line    int64 // in the reject file
	size    int64 // of its text, in bytes
}

const (
	// maxRelisted bounds the places in memory, at 24 bytes a row.
	maxRelisted = 4 << 20

	// sortAtOnce bounds the text in memory when rows are out of order: as
	// many bytes of them are sorted at once, and for each such part the file
	// is read again.
	sortAtOnce = 64 << 20

	// maxRelistedRow is less than a row may have for the one who reads it next.
	maxRelistedRow = 15 << 20
)

// table turns a table that is a reject file into one of rows that bear their
// addresses.
func (r *relisting) table(ctx context.Context, in crm.InspectInput, t table) (table, error) {
	if err := r.a.onlyList(ctx, in); err != nil {
		return t, err
	}
	r.file, r.layout = t.file, t.plan.Layout
	r.header = slices.Clone(r.layout.Header[r.columns.Width():])
	r.unguard(r.header)
	operation := fmt.Sprintf("reject file %q", in.File.Name)
	if err := r.survey(ctx); err != nil {
		return t, fmt.Errorf("%s: %w", operation, err)
	}
	err := r.a.rewrite(ctx, &t.file, fileKey(in.Import.ID, attempt(ctx), in.File.Number, "rows"), func(w io.Writer) error {
		return r.write(ctx, w)
	})
	if err != nil {
		return t, fmt.Errorf("%s: %w", operation, err)
	}
	r.retry.Listed, r.retry.Width = true, r.width
	t.plan.Retry = &r.retry
	t.plan.Layout = tabular.Layout{Delimiter: ",", Header: r.header, HeaderLine: r.layout.HeaderLine, Start: crm.Position{Line: 1}}
	t.decisions = append(t.decisions, r.decision())
	t.known, err = r.lookBack(ctx)
	return t, err
}

func (r *relisting) decision() crm.Decision {
	added := 0
	for _, p := range r.places {
		if p.address.File() == r.retry.File {
			added++
		}
	}
	return crm.Decision{About: "rows", Choice: "retried", Score: 1,
		Evidence: fmt.Sprintf("a reject file: %d rows stay where they stood, %d are new", len(r.places)-added, added)}
}

// unguard takes away what kept a spreadsheet from running cells.
func (r *relisting) unguard(cells []string) {
	if r.columns.Raw {
		return
	}
	for i, c := range cells {
		cells[i] = crm.Unguard(c)
	}
}

// survey finds out where every row belongs, and sorts the places.
func (r *relisting) survey(ctx context.Context) error {
	if err := r.findOnly(ctx); err != nil {
		return err
	}
	most := cmp.Or(r.maxRows, maxRelisted)
	r.width = len(r.header)
	err := r.rows(ctx, func(p place, row *listed) error {
		if len(r.places) == most {
			return fmt.Errorf("%w: it has over %d rows; retry it in parts", crm.ErrInvalid, most)
		}
		r.places = append(r.places, p)
		r.width = max(r.width, len(row.cells))
		return nil
	})
	if err != nil {
		return err
	}
	byAddress := func(a, b place) int { return cmp.Compare(a.address, b.address) }
	if r.sorted = slices.IsSortedFunc(r.places, byAddress); !r.sorted {
		slices.SortStableFunc(r.places, byAddress)
	}
	for i, p := range r.places {
		if i > 0 && r.places[i-1].address == p.address {
			return fmt.Errorf("%w: lines %d and %d of it are the same row by their column %q; take one away, or blank its cell there to make it a new row",
				crm.ErrInvalid, r.places[i-1].line, p.line, r.layout.Header[r.columns.Line])
		}
	}
	return nil
}

// write writes the rows in address order: at once if the file has them so, else
// part by part.
func (r *relisting) write(ctx context.Context, w io.Writer) error {
	list, err := r.a.Stage.ReadCompressed(ctx, r.parent.Report.RejectObject)
	if err != nil {
		return err
	}
	defer list.Close()
	if r.before, err = newRejectedBefore(list, r.parent); err != nil {
		return err
	}
	r.out = csv.NewWriter(w)
	if r.sorted {
		err = r.rows(ctx, func(_ place, row *listed) error { return r.put(row) })
	} else {
		err = r.writeSorted(ctx)
	}
	r.out.Flush()
	if err = errors.Join(err, r.out.Error()); err == nil && r.blank > 0 {
		_, err = io.CopyN(w, newlines{}, r.blank) // so that they are counted
	}
	return err
}

// newlines is a reader of nothing else.
type newlines struct{}

func (newlines) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '\n'
	}
	return len(p), nil
}

// listed is a row of the reject file.
type listed struct {
	address  crm.Address
	fault    crm.Reason // why it cannot be read in the reject file
	declared bool       // its owner says that it is right: there is no reason
	cells    []string   // the row's own
}

// writeSorted writes rows that are out of order. Parts are cut where the sizes
// of the sorted places add up to atOnce.
func (r *relisting) writeSorted(ctx context.Context) error {
	atOnce := cmp.Or(r.atOnce, sortAtOnce)
	for rest := r.places; len(rest) > 0; {
		n := 1
		for size := rest[0].size; n < len(rest) && size+rest[n].size <= atOnce; n++ {
			size += rest[n].size
		}
		least, greatest := rest[0].address, rest[n-1].address
		part := make([]listed, 0, n)
		err := r.rows(ctx, func(p place, row *listed) error {
			if p.address < least || p.address > greatest {
				return nil
			}
			kept := *row
			kept.cells = slices.Clone(row.cells)
			for i := range kept.cells {
				kept.cells[i] = strings.Clone(kept.cells[i])
			}
			part = append(part, kept)
			return nil
		})
		if err != nil {
			return err
		}
		slices.SortFunc(part, func(a, b listed) int { return cmp.Compare(a.address, b.address) })
		for i := range part {
			if err := r.put(&part[i]); err != nil {
				return err
			}
		}
		rest = rest[n:]
	}
	return nil
}

// put writes one row, as [reading] reads it. Every record has as many cells as
// the widest: one of another width would not keep the line ends in its cells.
func (r *relisting) put(row *listed) error {
	fault, cells := row.fault, row.cells
	before, err := r.before.fault(row.address, r.header, cells, r.padded, row.declared)
	if err != nil {
		return err
	}
	size := 0
	for _, c := range cells {
		size += len(c) + strings.Count(c, `"`) + 3
	}
	if size > maxRelistedRow {
		fault, cells = crm.ReasonRowTooLong, nil
	}
	r.record = append(r.record[:0], strconv.FormatInt(int64(row.address), 10), string(cmp.Or(fault, before)))
	r.record = append(r.record, cells...)
	for len(r.record) < listedCells+r.width {
		r.record = append(r.record, "")
	}
	return r.out.Write(r.record)
}
