package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"

	"sluice/internal/crm"
	"sluice/internal/mapping"
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

// A wantedSource is what is asked for of one source, with files where this
// process can read them.
type wantedSource struct {
	crm.BackfillSource
	files   []input
	mapping string // the mapping file; "" if there is none
}

// wanted reads what is asked for: a source, or a plan.
func (c *backfillStartCmd) wanted() ([]wantedSource, error) {
	if (c.Plan == "") == (c.Source == "") {
		return nil, usage("name a source, or a plan file with --plan")
	}
	if c.Plan != "" {
		return readPlan(c.Plan)
	}
	w := wantedSource{BackfillSource: crm.BackfillSource{Source: c.Source, Span: span(c.From, c.To), Sheet: c.Sheet}, mapping: c.Mapping}
	return []wantedSource{w}, w.find("", c.Files)
}

// find looks for files, which may be named by patterns, below a folder.
func (w *wantedSource) find(dir string, names []string) error {
	for _, name := range names {
		if urlStart.MatchString(name) {
			in, err := placeInput(name, true)
			if err != nil {
				return err
			}
			w.files = append(w.files, in)
			continue
		}
		if !filepath.IsAbs(name) {
			name = filepath.Join(dir, name)
		}
		list := []string{name}
		if strings.ContainsAny(name, "*?[") {
			var err error
			if list, err = filepath.Glob(name); err != nil {
				return usage("%s: it is no pattern", name)
			}
			if len(list) == 0 {
				return usage("%s: no file is like that", name)
			}
		}
		for _, path := range list {
			in, copied, err := oneInput(context.Background(), path, strings.NewReader(""))
			if err != nil {
				return err
			}
			if copied != "" {
				_ = os.Remove(copied)
				return usage("%s: it can be read only once; import it by itself", path)
			}
			w.files = append(w.files, in)
		}
	}
	if len(w.files) > 0 && w.Span != (crm.Span{}) {
		return usage("source %s: files have no span; leave from and to away", w.Source)
	}
	if w.mapping == "" {
		return nil
	}
	text, err := os.ReadFile(w.mapping)
	if err != nil {
		return unreadable(w.mapping, err)
	}
	if _, err := mapping.ParseSpec(text); err != nil {
		return usage("%s: %s", w.mapping, fault(err))
	}
	return nil
}

// staged brings the files and the mapping into the stage.
func (w *wantedSource) staged(ctx context.Context, k *stack) (crm.BackfillSource, error) {
	src := w.BackfillSource
	for _, f := range w.files {
		ref, err := stageInput(ctx, k, f)
		if err != nil {
			return src, err
		}
		src.Files = append(src.Files, ref)
	}
	if w.mapping == "" {
		return src, nil
	}
	text, err := os.ReadFile(w.mapping)
	if err != nil {
		return src, unreadable(w.mapping, err)
	}
	src.Mapping, err = k.Launcher.StageMapping(ctx, text)
	return src, err
}
