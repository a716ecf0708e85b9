package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"sluice/internal/crm"
	"sluice/internal/launch"
	"sluice/internal/wiring"
)

type importsAcceptedCmd struct {
	Import    string `arg:"" name:"id|source" help:"An import's id or number, or a source, which means its latest."`
	listFlags `embed:""`
}

// Run prints, for every accepted or duplicate row of an import that has ended,
// what became of its records and where they are now.
func (c *importsAcceptedCmd) Run(ctx context.Context, s *session) error {
	s.json = c.form() == asJSON
	if err := c.check(s.out); err != nil {
		return err
	}
	row, err := s.ended(ctx, c.Import, "accepted rows")
	if err != nil {
		return err
	}
	if row.Request.Plan {
		return failed(fmt.Errorf("import %d of %s was a dry run: nothing was written, and so there is no list of it", row.Number, row.Source))
	}
	db, err := s.readStore(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	from, err := originsOf(ctx, db, row)
	if err != nil {
		return err
	}
	stage, err := wiring.OpenStage(ctx, s.config)
	if err != nil {
		return err
	}
	defer stage.Close()
	return s.list(c.listFlags, func(w io.Writer) error {
		lines := newAcceptedWriter(w, from.files(), c.form())
		if err := launch.Accepted(ctx, db, stage, row, lines.row); err != nil {
			return errors.Join(wiring.WhySwept(ctx, s.config, db, row, err), lines.close())
		}
		return lines.close()
	})
}

// newAcceptedWriter writes where a row stands, and for each entity the outcome
// and the id of its record.
func newAcceptedWriter(w io.Writer, files []string, form string) rowWriter[crm.AcceptedRow] {
	if form == asJSON {
		return acceptedAsJSON(w, files)
	}
	var header []string
	if files != nil {
		header = append(header, "file")
	}
	header = append(header, "line")
	for _, e := range crm.Entities {
		header = append(header, e.String(), e.String()+" id")
	}
	t := newCells(w, form, "accepted", header)
	record := make([]string, 0, len(header))
	return rowWriter[crm.AcceptedRow]{
		row: func(r crm.AcceptedRow) error {
			record = record[:0]
			if files != nil {
				record = append(record, crm.Guard(nameOf(files, r.File)))
			}
			record = append(record, strconv.FormatInt(r.Line, 10))
			for _, e := range crm.Entities {
				outcome, id := "", ""
				for _, a := range r.Records {
					if a.Entity == e.String() {
						outcome, id = a.Outcome, a.ID
					}
				}
				record = append(record, outcome, id)
			}
			return t.row(record)
		},
		close: t.close,
	}
}

func acceptedAsJSON(w io.Writer, files []string) rowWriter[crm.AcceptedRow] {
	return asObjects(w, func(r crm.AcceptedRow) any {
		return struct {
			File    string               `json:"file,omitempty"`
			Line    int64                `json:"line"`
			Records []crm.AcceptedRecord `json:"records"`
		}{nameOf(files, r.File), r.Line, r.Records}
	})
}

// asObjects writes rows as one JSON object a line.
func asObjects[T any](w io.Writer, object func(T) any) rowWriter[T] {
	out := bufio.NewWriter(w)
	e := json.NewEncoder(out)
	return rowWriter[T]{row: func(r T) error { return e.Encode(object(r)) }, close: out.Flush}
}
