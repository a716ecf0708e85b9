package main

import (
	"context"
	"encoding/json"

	"sluice/internal/crm"
	"sluice/internal/mapping"
	"sluice/internal/tabular"
)

// A filePlan is what Inspect decided about a file, as its import keeps it.
type filePlan struct {
	Layout  tabular.Layout   `json:"layout"`
	Mapping *mapping.Mapping `json:"mapping"`
	Retry   *struct {
		File   int  `json:"file"`   // the file's number in the addresses of rows
		Listed bool `json:"listed"` // it holds rows of other files
	} `json:"retry"`
}

// origins are the files that the rows of an import are of, by their numbers in
// addresses. Those of a retry are of the files of the imports that it retries,
// and stand together in its own.
type origins struct {
	names []string
	plans []filePlan // zero where nothing was decided
}

// fileNamer is the part of the store that origins need.
type fileNamer interface {
	FileNames(ctx context.Context, number int64) ([]string, error)
}

func originsOf(ctx context.Context, db fileNamer, row crm.ImportRow) (origins, error) {
	names, err := db.FileNames(ctx, row.Number)
	o := origins{names: names, plans: make([]filePlan, len(names))}
	decided := make([]bool, len(names))
	var list filePlan
	for _, f := range row.Files {
		var p filePlan
		if json.Unmarshal(f.Plan, &p) != nil {
			continue
		}
		at := f.File.Number
		if p.Retry != nil {
			at = p.Retry.File
			if p.Retry.Listed {
				list = p
			}
		}
		if at >= 0 && at < len(names) {
			o.plans[at], decided[at] = p, true
		}
	}
	for i := range o.plans {
		if !decided[i] {
			o.plans[i] = list
		}
	}
	return o, err
}

// origins looks up of which files the rows of an import are.
func (s *session) origins(ctx context.Context, row crm.ImportRow) (origins, error) {
	db, err := s.readStore(ctx)
	if err != nil {
		return origins{}, err
	}
	defer db.Close()
	return originsOf(ctx, db, row)
}

// files returns the names by which rows say which file they are of, as
// [crm.RejectFileNames] does.
func (o origins) files() []string { return crm.RejectFileNames(o.names) }

// nameOf returns the name of a file by its number; "" if it has none here.
func nameOf(files []string, n int) string {
	if n < len(files) {
		return files[n]
	}
	return ""
}
