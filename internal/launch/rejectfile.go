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

// ran reports whether an import really ran, and is no undo.
func ran(row crm.ImportRow) bool {
	return !row.Request.Plan && row.State != crm.AlreadyImported && row.Kind != crm.KindUndo
}

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
	layout, err := layoutOf(row, names)
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
		pw.CloseWithError(writeRejects(pw, layout, in))
	}()
	f, err := l.StageFile(ctx, "rejected.csv", pr)
	pr.CloseWithError(err) // ends the writing if staging gave up first
	<-written
	return f, err
}

// layoutOf returns how the rejected rows of an import stand in a reject file,
// names being those of its files. Rows of a file that the import did not have
// itself stood in a reject file that it was given, and have its columns.
func layoutOf(row crm.ImportRow, names []string) (*crm.RejectLayout, error) {
	headers, decided := make([][]string, len(names)), make([]bool, len(names))
	var listed []string
	for _, f := range row.Files {
		p, err := planOf(f)
		if err != nil {
			return nil, err
		}
		file := f.File.Number
		if p.Retry != nil {
			file = p.Retry.File
			if p.Retry.Listed {
				listed = p.Layout.Header
			}
		}
		if file >= 0 && file < len(names) {
			headers[file], decided[file] = p.Layout.Header, true
		}
	}
	for i := range headers {
		if !decided[i] {
			headers[i] = listed
		}
	}
	return crm.NewRejectLayout(names, headers, false), nil
}

// writeRejects writes a list of rejected rows as a reject file.
func writeRejects(w io.Writer, l *crm.RejectLayout, list io.Reader) error {
	out := csv.NewWriter(w)
	header, _ := l.Header()
	err := out.Write(header)
	for d := json.NewDecoder(bufio.NewReaderSize(list, 1<<16)); err == nil; {
		var row crm.RejectedRow
		if err = d.Decode(&row); errors.Is(err, io.EOF) {
			out.Flush()
			return out.Error()
		}
		if err == nil {
			err = out.Write(l.Record(row, ""))
		}
	}
	return err
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
