package tabular

import (
	"context"
	"fmt"
	"io"

	"sluice/internal/crm"
)

// The kinds of file that hold a table.
const (
	KindCSV    = "csv" // text with any delimiter
	KindXLSX   = "xlsx"
	KindNDJSON = "ndjson" // a JSON object a line
	KindJSON   = "json"   // an array of JSON objects
)

// A Format is what kind of file a table is in.
type Format struct {
	Kind string `json:"kind"` // [KindCSV], [KindXLSX], [KindNDJSON] or [KindJSON]

	// Encoding is the text's, by its name in the WHATWG Encoding Standard, or
	// "utf-32le" or "utf-32be". Empty for a workbook.
	Encoding string `json:"encoding,omitempty"`

	// Sheet is the name of the sheet to read. Empty for text.
	Sheet string `json:"sheet,omitempty"`

	// SkipHidden is true when the sheet's hidden rows are left out.
	SkipHidden bool `json:"skip_hidden,omitempty"`
}

// Plain reports whether the file can be read as it stands: it is UTF-8 text,
// with or without a byte order mark. Any other must be rewritten first.
func (f Format) Plain() bool { return f.Kind == KindCSV && f.Encoding == utf8Name }

// numbered reports whether Rewrite makes CSV of the file, in which each row
// begins with its number and its fault.
func (f Format) numbered() bool { return f.Kind != KindCSV }

// Identify finds out what src is, by its content alone: the name decides
// nothing. It reads 256 KiB of a text, and, if these say nothing about its
// encoding, eight parts of what follows; of a workbook its table of contents
// and, to say what it hides, the sheet.
//
// An empty file, a file that is no table, a workbook without such a sheet and a
// text whose encoding cannot be told wrap [crm.ErrInvalid]; the error says what
// the file is and what to do.
func Identify(ctx context.Context, src Source, s crm.Reading) (Format, []crm.Decision, error) {
	f, decisions, err := identify(ctx, src, s)
	if err != nil {
		return Format{}, nil, fmt.Errorf("identify %q: %w", src.Name, err)
	}
	return f, decisions, nil
}

func identify(ctx context.Context, src Source, s crm.Reading) (Format, []crm.Decision, error) {
	if src.Size == 0 {
		return Format{}, nil, invalid("the file is empty")
	}
	head, err := src.bytes(ctx, 0, sampleSize)
	if err != nil {
		return Format{}, nil, err
	}
	if isZip(head) {
		return identifyWorkbook(ctx, src, s)
	}
	if what := notText(head); what != "" {
		return Format{}, nil, invalid("%s", what)
	}
	sample, cut := head, int64(len(head)) < src.Size
	if f, ok, err := identifyJSON(head, cut); ok || err != nil {
		return f, []crm.Decision{told(f.Kind)}, err
	}
	if s.Encoding == "" && cut && isASCII(head) {
		if sample, err = src.farther(ctx); err != nil {
			return Format{}, nil, err
		}
	}
	name, decision, err := findEncoding(sample, cut, s.Encoding)
	if err != nil {
		return Format{}, nil, err
	}
	if what := notTable(head, name); what != "" {
		return Format{}, nil, invalid("%s", what)
	}
	f := Format{Kind: KindCSV, Encoding: name}
	return f, []crm.Decision{told(KindCSV), decision}, nil
}

// told is the decision about a format that its content leaves no doubt of.
func told(kind string) crm.Decision {
	return crm.Decision{About: "format", Choice: kind, Evidence: "by its content", Score: 1}
}

// Rewrite writes the table of src to w once, as UTF-8 text that [Sniff] and
// [NewReader] read with the same Format. Text keeps its dialect and its lines;
// bytes that are no text in its encoding become a byte that is none in UTF-8
// either, so that the row is found faulty. A sheet, and records in JSON, become
// CSV whose first two columns are the row's number and its fault.
//
// Both are streamed. Of a workbook's shared strings what is beyond 32 MiB goes
// to a temporary file, which is removed before Rewrite returns. A workbook that
// is damaged, or larger than a workbook can be, wraps [crm.ErrInvalid]. After an
// error what w holds is of no use.
func (f Format) Rewrite(ctx context.Context, src Source, w io.Writer) error {
	var err error
	switch f.Kind {
	case KindXLSX:
		err = rewriteSheet(ctx, src, f, w)
	case KindNDJSON, KindJSON:
		err = rewriteJSON(ctx, src, f, w)
	default:
		err = f.transcode(ctx, src, w)
	}
	if err != nil {
		return fmt.Errorf("rewrite %q: %w", src.Name, err)
	}
	return nil
}
