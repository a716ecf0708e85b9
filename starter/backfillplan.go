package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"

	"sluice/internal/crm"
)

// planFile is a plan of a backfill:
//
//	sources:
//	  - source: billing          # one that is read
//	    from: 2015-01-01
//	    to: 2024-12-31
//	  - source: webinars         # one of files
//	    files: [exports/2019-*.csv, exports/2020.xlsx]
//	    mapping: webinars.yaml
//
// Files and mappings are looked for beside the plan.
type planFile struct {
	Sources []struct {
		Source  string   `yaml:"source"`
		From    string   `yaml:"from"`
		To      string   `yaml:"to"`
		Files   []string `yaml:"files"`
		Mapping string   `yaml:"mapping"`
		Sheet   string   `yaml:"sheet"`
	} `yaml:"sources"`
}

// readPlan reads a plan, and looks whether its files are there. All that is
// wrong is one usage error.
func readPlan(path string) ([]wantedSource, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	var p planFile
	if err := d.Decode(&p); err != nil && !errors.Is(err, io.EOF) {
		return nil, usage("%s: %v", path, err)
	}
	if len(p.Sources) == 0 {
		return nil, usage("%s: it names no sources", path)
	}
	var out []wantedSource
	for _, s := range p.Sources {
		if err := crm.CheckSlug(s.Source); err != nil {
			return nil, usage("%s: source %q: use 1 to 64 of a-z, 0-9 and -", path, s.Source)
		}
		var from, to day
		if err := errors.Join(from.read(s.From), to.read(s.To)); err != nil {
			return nil, usage("%s: source %s: %v", path, s.Source, err)
		}
		w := wantedSource{BackfillSource: crm.BackfillSource{Source: s.Source, Span: span(from, to), Sheet: s.Sheet}, mapping: s.Mapping}
		dir := filepath.Dir(path)
		if w.mapping != "" && !filepath.IsAbs(w.mapping) {
			w.mapping = filepath.Join(dir, w.mapping)
		}
		if err := w.find(dir, s.Files); err != nil {
			return nil, err
		}
		out = append(out, w)
	}
	return out, nil
}
