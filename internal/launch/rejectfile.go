package launch

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"sluice/internal/crm"
)

// A RetryError says why the rejected rows of an import cannot be retried. It
// wraps [crm.ErrInvalid].
type RetryError struct {
	ImportID string
	Number   int64
	Source   string
	Why      string // a phrase for people
}

func refuse(row crm.ImportRow, why string) error {
	return &RetryError{ImportID: row.ID, Number: row.Number, Source: row.Source, Why: why}
}

func (e *RetryError) Error() string {
	return fmt.Sprintf("import %d of %s cannot be retried: %s", e.Number, e.Source, e.Why)
}

// Unwrap makes a RetryError a fault of the request.
func (e *RetryError) Unwrap() error { return crm.ErrInvalid }

// Retryable returns a [RetryError] unless an import has ended, kept what it
// wrote, and left rejected rows. It looks at the row alone, so it can be asked
// before anything is started.
func Retryable(row crm.ImportRow) error {
	why := ""
	switch {
	case row.State.Open():
		why = fmt.Sprintf("it is %s; wait for its end, or cancel it", strings.ReplaceAll(string(row.State), "_", " "))
	case row.Request.Plan:
		why = "it was a dry run; import the file itself"
	case row.State == crm.Undone:
		why = "it was undone; import the file itself"
	case row.State == crm.AlreadyImported && row.Report == nil:
		why = "an earlier import did its work; retry that one"
	case row.Report == nil:
		why = "it ended without a report, and so without a list of its rejected rows"
	case row.Report.RejectObject.IsZero():
		why = "it has no rejected rows"
	default:
		return nil
	}
	return refuse(row, why)
}

// parent finds the import that a retry names. Of a source of which no import
// really ran it is the latest, so that the refusal says why.
//
// It looks back from the latest import by number, over those of other sources
// too: one that did not really run is rarely far from one that did.
func (l *Launcher) parent(ctx context.Context, ref string) (crm.ImportRow, error) {
	latest, err := l.Store.Import(ctx, ref)
	if err != nil || ran(latest) || !bySource(ref, latest) {
		return latest, err
	}
	for n := latest.Number - 1; n > 0; n-- {
		row, err := l.Store.Import(ctx, "#"+strconv.FormatInt(n, 10))
		if errors.Is(err, crm.ErrNotFound) {
			continue
		}
		if err != nil {
			return row, err
		}
		if row.Source == latest.Source && ran(row) {
			return row, nil
		}
	}
	return latest, nil
}

// ran reports whether an import really ran.
func ran(row crm.ImportRow) bool { return !row.Request.Plan && row.State != crm.AlreadyImported }

// bySource reports whether an import was found by its source, and not by its
// number, which goes before, or its id.
func bySource(ref string, row crm.ImportRow) bool {
	return ref == row.Source && ref != row.ID && ref != strconv.FormatInt(row.Number, 10)
}

// RetryFile stages the rejected rows of an import as a file, for a retry with
// nothing mended but the mapping. It is the reject file that a person would
// mend, but for the advice; see [crm.RejectHeader]. An import whose rows cannot
// be retried gives a [RetryError].
func (l *Launcher) RetryFile(ctx context.Context, row crm.ImportRow) (crm.FileRef, error) {
	if err := Retryable(row); err != nil {
		return crm.FileRef{}, err
	}
	names, err := l.Store.FileNames(ctx, row.Number)
	if err != nil {
		return crm.FileRef{}, err
	}
	columns, err := columnsOf(row, names)
	if err != nil {
		return crm.FileRef{}, err
	}
	in, err := l.Stage.ReadCompressed(ctx, row.Report.RejectObject)
	if err != nil {
		return crm.FileRef{}, fmt.Errorf("rejected rows of import %d: %w", row.Number, err)
	}
	defer in.Close()
	pr, pw := io.Pipe()
	written := make(chan struct{})
	go func() {
		defer close(written)
		pw.CloseWithError(columns.write(pw, in))
	}()
	f, err := l.StageFile(ctx, "rejected.csv", pr)
	pr.CloseWithError(err) // ends the writing if staging gave up first
	<-written
	return f, err
}

// columns are those of a reject file: those of all the files that an import
// has rejected rows of.
type columns struct {
	files  []string         // names by the number of the file in addresses
	own    []string         // names of the rows' own columns
	named  map[string][]int // where in own the columns of a name are
	places []place
	listed int // place of rows that stood in no file of the import's own; -1 if there are none
}

// place says where among the columns those of one file are.
type place struct {
	file int // number in addresses
	at   []int
}

// columnsOf gathers the columns of an import's files. Columns are the same when
// their names are; of columns with one name, or none, the first of a file is the
// same as the first of another, and so on.
func columnsOf(row crm.ImportRow, names []string) (*columns, error) {
	c := &columns{files: names, named: map[string][]int{}, listed: -1}
	for _, f := range row.Files {
		p, err := planOf(f)
		if err != nil {
			return nil, err
		}
		file := f.File.Number
		if p.Retry != nil {
			file = p.Retry.File
			if p.Retry.Listed {
				c.listed = len(c.places)
			}
		}
		c.add(file, p.Layout.Header)
	}
	return c, nil
}

func (c *columns) add(file int, header []string) {
	p := place{file: file, at: make([]int, len(header))}
	used := make(map[string]int, len(header)) // columns of a name so far
	for i, name := range header {
		if used[name] == len(c.named[name]) {
			c.named[name] = append(c.named[name], len(c.own))
			c.own = append(c.own, name)
		}
		p.at[i] = c.named[name][used[name]]
		used[name]++
	}
	c.places = append(c.places, p)
}

// of returns where the cells of a row go that stood in a file.
func (c *columns) of(file int) []int {
	for _, p := range c.places {
		if p.file == file {
			return p.at
		}
	}
	if c.listed >= 0 {
		return c.places[c.listed].at
	}
	return nil
}

// write writes the list of rejected rows as a reject file.
func (c *columns) write(w io.Writer, list io.Reader) error {
	out := csv.NewWriter(w)
	header := crm.RejectHeader(c.own, len(c.files) > 1, false)
	for i := range header {
		header[i] = crm.Guard(header[i])
	}
	err := out.Write(header)
	for d := json.NewDecoder(bufio.NewReaderSize(list, 1<<16)); err == nil; {
		var row crm.RejectedRow
		if err = d.Decode(&row); errors.Is(err, io.EOF) {
			out.Flush()
			return out.Error()
		}
		if err == nil {
			err = out.Write(c.record(&row))
		}
	}
	return err
}

// record lays a row out under the header.
func (c *columns) record(row *crm.RejectedRow) []string {
	var record, at, why []string
	for _, f := range row.Faults {
		at, why = append(at, f.Column), append(why, string(f.Reason))
	}
	if len(c.files) > 1 {
		record = append(record, crm.Guard(c.name(row.File)))
	}
	record = append(record, strconv.FormatInt(row.Line, 10), crm.Guard(strings.Join(at, "; ")), strings.Join(why, "; "), "")
	ours, places := len(record), c.of(row.File)
	record = append(record, make([]string, len(c.own))...)
	beyond := row.Cells[min(len(places), len(row.Cells)):]
	for i, cell := range row.Cells[:len(row.Cells)-len(beyond)] {
		record[ours+places[i]] = crm.Guard(cell)
	}
	if len(beyond) == 0 {
		return record
	}
	// A row that is wider than the header must not go over several lines: it
	// would not be found again as one row. It is not read any further anyway.
	for _, cell := range beyond {
		record = append(record, crm.Guard(cell))
	}
	for i := range record {
		record[i] = strings.NewReplacer("\r", " ", "\n", " ").Replace(record[i])
	}
	return record
}

// name is what a reject file calls a file: its name, or "#2" for the second
// when another has the same.
func (c *columns) name(file int) string {
	if file >= len(c.files) {
		return ""
	}
	for i, name := range c.files {
		if i != file && name == c.files[file] {
			return "#" + strconv.Itoa(file+1)
		}
	}
	return c.files[file]
}

// plan is what launching needs of the plan that Inspect kept for a file.
type plan struct {
	Layout struct {
		Header []string `json:"header"`
	} `json:"layout"`
	Mapping struct {
		Match crm.Match `json:"match"`
	} `json:"mapping"`
	Retry *struct {
		File   int  `json:"file"`
		Listed bool `json:"listed"`
	} `json:"retry"`
}

func planOf(f crm.FileRow) (p plan, err error) {
	if err = json.Unmarshal(f.Plan, &p); err != nil {
		err = fmt.Errorf("plan of file %d: %w", f.File.Number, err)
	}
	return p, err
}
