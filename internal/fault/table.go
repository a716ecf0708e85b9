//go:build linux

package main

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// The table of a document stands between its head and the next blank line.
const tableHead = "| | fault | injected by | what must hold | what an operator sees | last result |\n|---|---|---|---|---|---|\n"

// writeTable puts what was seen into the table of a document. Faults that were
// not played keep what stands there.
func writeTable(path string, results []result) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, found := strings.Cut(string(text), tableHead)
	if !found {
		return fmt.Errorf("%s has no table of faults", path)
	}
	table, after, _ := strings.Cut(rest, "\n\n")
	last := map[string]string{}
	for line := range strings.Lines(table + "\n") {
		if cells := strings.Split(strings.TrimSpace(line), " | "); len(cells) == 6 {
			last[strings.TrimPrefix(cells[0], "| ")] = strings.TrimSuffix(cells[5], " |")
		}
	}
	for id, r := range byFault(results) {
		last[id] = summary(r)
	}
	var b strings.Builder
	for _, f := range matrix() {
		said := last[f.id]
		if said == "" {
			said = "not played yet"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", f.id, f.name, f.how, f.holds, f.seen, said)
	}
	return os.WriteFile(path, []byte(before+tableHead+b.String()+"\n"+after), 0o644)
}

func byFault(results []result) map[string][]result {
	out := map[string][]result{}
	for _, r := range results {
		out[r.fault.id] = append(out[r.fault.id], r)
	}
	return out
}

// summary says how the runs of one fault went.
func summary(runs []result) string {
	held, took := 0, time.Duration(0)
	var broke []string
	for _, r := range runs {
		took = max(took, r.took)
		switch {
		case r.skipped != "":
			return "not played: " + r.skipped
		case len(r.wrong) == 0:
			held++
		default:
			broke = append(broke, fmt.Sprint(r.seed))
		}
	}
	text := fmt.Sprintf("held with %d of %d seeds, %s, at most %.0f s", held, len(runs), time.Now().UTC().Format(time.DateOnly), took.Seconds())
	if broke != nil {
		text += "; broke with " + strings.Join(broke, ", ")
	}
	return text
}
