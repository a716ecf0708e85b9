package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"sluice/internal/crm"
	"sluice/internal/mapping"
	"sluice/internal/tabular"
)

type mappingSuggestCmd struct {
	File         string `arg:"" help:"The file, or - for standard input."`
	readingFlags `embed:""`
}

// Run prints a mapping file to edit. It reads the file alone, all of it.
func (c *mappingSuggestCmd) Run(ctx context.Context, s *session) error {
	files, clean, err := inputs(ctx, []string{c.File}, s.in, false)
	if err != nil {
		return err
	}
	defer clean()
	read, err := readMapping("", crm.Source{}, c.readingFlags, meaningFlags{})
	if err != nil {
		return err
	}
	found, err := read.look(ctx, files[0], true)
	if err != nil {
		return fileFault(ctx, files[0], err)
	}
	defer found.close()
	text, err := read.suggest(ctx, files[0].name, found)
	if err != nil {
		return err
	}
	return s.data(text)
}

// suggest writes a mapping for a file: first what was found out, as comments,
// then the mapping, with settings that only its owner can decide on left out
// as comments.
func (r reading) suggest(ctx context.Context, name string, found *looked) (string, error) {
	spec, columns := mapping.Suggest(found.layout.Header, found.samples, r.options)
	spec.Reading = r.settings
	decisions := append(found.decisions, columns...)
	proposals := proposed(found.decisions)
	m, _, err := mapping.Resolve(found.layout.Header, found.samples, spec, r.options)
	if err == nil { // else no row says which customer it is, which is among the decisions
		dates, err := found.survey(ctx, m)
		if err != nil {
			return "", err
		}
		decisions = append(decisions, dates.decisions...)
		proposals = append(proposals, dates.settle(spec)...)
	}
	text, err := spec.YAML()
	if err != nil {
		return "", err
	}
	return evidence(name, decisions) + withProposals(string(text), proposals), nil
}

// A proposal is a setting that the file alone cannot decide on.
type proposal struct{ setting, why string }

// advice is how a decision about a file says what may be set.
var advice = regexp.MustCompile(`^(.*); set (\w+) to (\S+) if (.*)$`)

func proposed(decisions []crm.Decision) []proposal {
	var list []proposal
	for _, d := range decisions {
		if d.About == "hidden rows" && d.Score < 1 { // nobody has set it
			list = append(list, proposal{"hidden: " + crm.SkipHidden, d.Evidence + "; take the # away if they are no rows"})
		}
		if m := advice.FindStringSubmatch(d.Evidence); m != nil {
			value := m[3]
			if strings.HasPrefix(value, "#") {
				value = `"` + value + `"` // else a comment
			}
			list = append(list, proposal{m[2] + ": " + value, m[1] + "; take the # away if " + m[4]})
		}
	}
	return list
}

// withProposals puts proposals below the mapping's first line, so that taking
// away the # is all there is to do.
func withProposals(text string, list []proposal) string {
	first, rest, _ := strings.Cut(text, "\n")
	var b strings.Builder
	b.WriteString(first + "\n")
	for _, p := range list {
		fmt.Fprintf(&b, "# %s  # %s\n", p.setting, p.why)
	}
	return b.String() + rest
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
	Mapping      string `arg:"" help:"The mapping file."`
	File         string `arg:"" optional:"" help:"A file it is to fit."`
	readingFlags `embed:""`
	meaningFlags `embed:""`
}

// Run checks a mapping, and whether a file fits it. The file is read whole, so
// that what an import would find in it is found here.
func (c *mappingCheckCmd) Run(ctx context.Context, s *session) error {
	read, err := readMapping(c.Mapping, crm.Source{}, c.readingFlags, c.meaningFlags)
	if err != nil {
		return err
	}
	if c.File == "" {
		return s.data(fmt.Sprintf("%s: no fault\n", c.Mapping))
	}
	files, clean, err := inputs(ctx, []string{c.File}, s.in, false)
	if err != nil {
		return err
	}
	defer clean()
	decisions, err := read.fits(ctx, files[0])
	if err != nil {
		return fileFault(ctx, files[0], err)
	}
	return s.data(fmt.Sprintf("%s: no fault, and %s fits it\n\n", c.Mapping, files[0].name) + indent(decisionsTable(decisions)))
}

// fits looks at a whole file under a mapping.
func (r reading) fits(ctx context.Context, in input) ([]crm.Decision, error) {
	found, err := r.look(ctx, in, true)
	if err != nil {
		return nil, err
	}
	defer found.close()
	m, columns, err := mapping.Resolve(found.layout.Header, found.samples, r.spec, r.options)
	if err != nil {
		return nil, err
	}
	dates, err := found.survey(ctx, m)
	if err == nil {
		err = dates.fault
	}
	return append(append(found.decisions, columns...), dates.decisions...), err
}

type mappingSchemaCmd struct{}

// Run prints what a mapping file may hold, as a JSON schema.
func (c *mappingSchemaCmd) Run(s *session) error { return s.data(string(mapping.Schema())) }

type mappingTemplateCmd struct {
	Kind   string `arg:"" enum:"customers,contacts,combined" help:"customers, contacts, or combined: both in one row."`
	Output string `short:"o" enum:"csv,xlsx," default:"" placeholder:"FORM" env:"SLUICE_LIST_OUTPUT" help:"csv, or xlsx: with a sheet of notes. Default: by the name of --to, else csv."`
	To     string `placeholder:"FILE" env:"SLUICE_TO" help:"Write to this file, which is not there yet. Default: standard output."`
}

// Run prints a file whose header maps by itself, with rows to replace.
func (c *mappingTemplateCmd) Run(s *session) error {
	to := listFlags{Output: c.Output, To: c.To}
	if err := to.check(s.out); err != nil {
		return err
	}
	if to.form() == asJSON {
		return usage("--to: a template is a .csv or an .xlsx file")
	}
	header, rows, notes, err := mapping.Template(c.Kind)
	if err != nil {
		return err
	}
	return s.list(to, func(w io.Writer) error {
		if to.form() == asXLSX {
			return templateBook(w, c.Kind, header, rows, notes)
		}
		out := newCells(w, asCSV, c.Kind, header)
		return errors.Join(eachOf(rows, out.row), out.close())
	})
}

// templateBook puts the notes on a sheet behind the rows: the first sheet is
// the one that is imported.
func templateBook(w io.Writer, name string, header []string, rows, notes [][]string) error {
	book := tabular.NewBook(w)
	err := book.Sheet(name, header)
	if err == nil {
		err = eachOf(rows, book.Row)
	}
	if err == nil && len(notes) > 0 {
		if err = book.Sheet("README", notes[0]); err == nil {
			err = eachOf(notes[1:], book.Row)
		}
	}
	return errors.Join(err, book.Close())
}

func eachOf(rows [][]string, write func([]string, ...int) error) error {
	for _, row := range rows {
		if err := write(row); err != nil {
			return err
		}
	}
	return nil
}
