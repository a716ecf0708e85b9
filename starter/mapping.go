package main

import (
	"context"
	"fmt"
	"strings"

	"sluice/internal/crm"
	"sluice/internal/mapping"
)

type mappingSuggestCmd struct {
	File  string `arg:"" help:"The file, or - for standard input."`
	Sheet string `placeholder:"NAME" env:"SLUICE_SHEET" help:"The sheet of a workbook."`
}

// Run prints a mapping file to edit. It reads the file alone.
func (c *mappingSuggestCmd) Run(ctx context.Context, s *session) error {
	files, clean, err := inputs(ctx, []string{c.File}, s.in)
	if err != nil {
		return err
	}
	defer clean()
	read, err := readMapping("", c.Sheet, crm.Source{})
	if err != nil {
		return err
	}
	found, err := read.look(ctx, files[0])
	if err != nil {
		return fileFault(ctx, files[0], err)
	}
	spec, decisions := mapping.Suggest(found.layout.Header, found.samples, read.options)
	spec.Reading.Sheet = c.Sheet
	text, err := spec.YAML()
	if err != nil {
		return err
	}
	return s.data(evidence(files[0].name, append(found.decisions, decisions...)) + string(text))
}

// evidence says, as comments, what was decided and what speaks for it.
func evidence(name string, list []crm.Decision) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# A mapping for %q, to read and mend. What was found out, and how sure it is:\n#\n", name)
	for _, line := range strings.Split(strings.TrimRight(decisionsTable(list), "\n"), "\n") {
		b.WriteString("#   " + line + "\n")
	}
	b.WriteString("#\n")
	return b.String()
}

type mappingCheckCmd struct {
	Mapping string `arg:"" help:"The mapping file."`
	File    string `arg:"" optional:"" help:"A file it is to fit."`
	Sheet   string `placeholder:"NAME" env:"SLUICE_SHEET" help:"The sheet of a workbook."`
}

// Run checks a mapping, and whether a file fits it.
func (c *mappingCheckCmd) Run(ctx context.Context, s *session) error {
	read, err := readMapping(c.Mapping, c.Sheet, crm.Source{})
	if err != nil {
		return err
	}
	if c.File == "" {
		return s.data(fmt.Sprintf("%s: no fault\n", c.Mapping))
	}
	files, clean, err := inputs(ctx, []string{c.File}, s.in)
	if err != nil {
		return err
	}
	defer clean()
	found, err := read.look(ctx, files[0])
	if err != nil {
		return fileFault(ctx, files[0], err)
	}
	_, decisions, err := mapping.Resolve(found.layout.Header, nil, read.spec, read.options)
	if err != nil {
		return fileFault(ctx, files[0], err)
	}
	return s.data(fmt.Sprintf("%s: no fault, and %s fits it\n\n", c.Mapping, files[0].name) +
		indent(decisionsTable(append(found.decisions, decisions...))))
}
