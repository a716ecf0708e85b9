package main

import (
	"context"
	"errors"
	"os"
	"regexp"
	"strings"

	"sluice/internal/crm"
	"sluice/internal/mapping"
)

// A reading is how the files of one import are to be read: by what the flags,
// its mapping and its source say.
type reading struct {
	spec     *mapping.Spec // nil: the header decides
	text     []byte        // of the mapping file, with the flags laid over it; nil if the saved one holds
	settings crm.Reading
	options  mapping.Options
}

// readMapping reads the mapping file at path, or the source's saved one when
// path is "", and lays the flags over it. The error names every fault with its
// line.
func readMapping(path string, source crm.Source, f readingFlags, m meaningFlags) (reading, error) {
	r := reading{options: mapping.Options{Region: source.Region, TimeZone: source.TimeZone}}
	text, name := []byte(source.Mapping), "saved mapping of "+source.Slug
	if path != "" {
		var err error
		if text, err = os.ReadFile(path); err != nil {
			return r, unreadable(path, err)
		}
		r.text, name = text, path
	}
	var given *mapping.Spec
	if len(text) > 0 {
		var err error
		if given, err = mapping.ParseSpec(text); err != nil {
			return r, usage("%s: %s", name, fault(err))
		}
	}
	if r.spec = f.over(given, m); r.spec != given {
		var err error
		if r.text, err = r.spec.YAML(); err == nil {
			r.spec, err = mapping.ParseSpec(r.text) // what is staged is what was checked
		}
		if err != nil {
			return r, usage("the flags: %s", ofFlags.ReplaceAllString(fault(err), ""))
		}
	}
	r.settings = crm.Reading{Sheet: f.Sheet}
	if r.spec != nil {
		r.settings = r.settings.Over(r.spec.Reading)
	}
	return r, nil
}

// ofFlags is where a fault stands in a mapping that nobody wrote.
var ofFlags = regexp.MustCompile(`line \d+: `)

// check looks at a file as the step Inspect will, so that what cannot be
// imported is known before anything is started. The error is one line.
func (r reading) check(ctx context.Context, in input) error {
	_, err := r.checked(ctx, in)
	return err
}

// checked is check, and returns the file's header as far as it is known.
func (r reading) checked(ctx context.Context, in input) (header []string, err error) {
	found, err := r.look(ctx, in, false)
	if err == nil {
		defer found.close()
		header = found.layout.Header
		_, _, err = mapping.Resolve(header, found.samples, r.spec, r.options)
	}
	return header, fileFault(ctx, in, err)
}

// fileFault makes a fault of a file a usage error that begins with its name.
func fileFault(ctx context.Context, in input, err error) error {
	if err == nil || ctx.Err() != nil {
		return ctx.Err()
	}
	return usage("%s: %s", in.name, fault(err))
}

// fault is the text of an error without what stands before the fault itself:
// which room of ours found out.
func fault(err error) string {
	text := err.Error()
	if _, after, found := strings.Cut(text, crm.ErrInvalid.Error()+": "); found && errors.Is(err, crm.ErrInvalid) {
		text = after
	}
	return plain(text)
}
