package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"io"
	"strings"
	"testing"

	"sluice/internal/crm"
	"sluice/internal/embedded"
	"sluice/internal/launch"
	"sluice/internal/wiring"
)

func TestRowsAreAsDirtyAsSaid(t *testing.T) {
	t.Parallel()
	d := dataset{seed: 1, rows: 50_000}
	var text bytes.Buffer
	if err := d.writeCSV(&text); err != nil {
		t.Fatal(err)
	}
	size := text.Len()
	var breaks, notes int
	in := csv.NewReader(&text)
	for {
		cells, err := in.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		note := cells[len(cells)-1]
		if note != "" {
			notes++
		}
		if strings.Contains(note, "\n") {
			breaks++
		}
	}
	c := d.expected(nothing, false)
	for _, share := range []struct {
		what      string
		got, want float64
		within    float64
	}{
		{"bytes a row", float64(size) / float64(d.rows), 225, 12},
		{"rows with a line break", float64(breaks) / float64(d.rows), 0.18, 0.01},
		{"rows with a note", float64(notes) / float64(d.rows), 0.5, 0.01},
		{"rejected rows", float64(c.Rejected) / float64(d.rows), 0.01, 0.002},
		{"duplicate customers", float64(c.Customers.Duplicate) / float64(d.rows), 0.05, 0.005},
	} {
		if share.got < share.want-share.within || share.got > share.want+share.within {
			t.Errorf("%s: %.3f, want %.3f", share.what, share.got, share.want)
		}
	}
}

// TestStatedCountsComeTrue imports all variants of the data, one after the
// other, and compares what is reported with what is expected.
func TestStatedCountsComeTrue(t *testing.T) {
	t.Parallel()
	if _, err := embedded.FindTemporal(); err != nil {
		t.Skipf("SKIPPED: no Temporal server: %v", err)
	}
	stack, err := wiring.Start(t.Context(), wiring.Config{DataDir: t.TempDir()}, t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	defer stack.Close()
	d := dataset{seed: 2, rows: 2_000}
	other := d
	other.changed = true
	shared, inline := writeTo(t, func(w io.Writer) error { return d.writeXLSX(w, true) }), writeTo(t, func(w io.Writer) error { return d.writeXLSX(w, false) })
	for _, tt := range []struct {
		name, source, mapping string
		file                  string
		was                   before
	}{
		{"into an empty database", "all", "", writeTo(t, d.writeCSV), nothing},
		{"the same rows again", "all", "", writeTo(t, d.writeCSV), sameRows},
		{"every customer and contact changed", "all", "", writeTo(t, other.writeCSV), otherRows},
		{"customers only", "customers", customersOnly, writeTo(t, d.writeCSV), nothing},
		{"a workbook with shared strings", "shared", "", shared, nothing},
		{"a workbook with inline strings", "inline", "", inline, nothing},
	} {
		// One after the other: what is there before is part of the case.
		ref, err := stack.Launcher.StageFile(t.Context(), tt.name, strings.NewReader(tt.file))
		if err != nil {
			t.Fatal(err)
		}
		o := launch.Options{Source: tt.source, Files: []crm.FileRef{ref}, Again: true}
		if tt.mapping != "" {
			o.Mapping = []byte(tt.mapping)
		}
		report := imported(t, stack.Launcher, o)
		t.Logf("%s: %d warnings", tt.name, report.Warnings)
		report.Warnings = 0
		if want := d.expected(tt.was, tt.mapping != ""); report.Counts != want {
			t.Errorf("%s: counts %+v, want %+v", tt.name, report.Counts, want)
		}
	}
}

func imported(t *testing.T, l *launch.Launcher, o launch.Options) crm.Report {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	started, err := l.Start(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	report, err := l.Wait(ctx, started)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func writeTo(t *testing.T, write func(io.Writer) error) string {
	t.Helper()
	var b strings.Builder
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
