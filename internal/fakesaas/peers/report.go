package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
)

// A row is what one peer has to say.
type row struct {
	title    string
	software string // with its version
	did      string
	counted  []string           // a phrase for each list
	verdicts map[string]verdict // by endpoint
	differs  []string           // what must be mended, a sentence each
}

// A verdict is how many requests were made, and how many of them were accepted.
type verdict struct{ accepted, made int }

// judge enters what was said of a request: why it is wrong, or "".
func (r *row) judge(asked request, why string) {
	if r.verdicts == nil {
		r.verdicts = map[string]verdict{}
	}
	v := r.verdicts[asked.endpoint()]
	v.made++
	if why == "" {
		v.accepted++
	} else {
		r.differs = append(r.differs, asked.endpoint()+"?"+asked.raw+": "+why)
	}
	r.verdicts[asked.endpoint()] = v
}

// accepted is a phrase for each endpoint, behind one for all of them.
func (r *row) accepted() (phrases []string) {
	all := verdict{}
	for _, name := range slices.Sorted(maps.Keys(r.verdicts)) {
		v := r.verdicts[name]
		all.accepted += v.accepted
		all.made += v.made
		phrases = append(phrases, fmt.Sprintf("`%s` %s / %s", name, dig(v.accepted), dig(v.made)))
	}
	if phrases == nil {
		return nil
	}
	return append([]string{fmt.Sprintf("%s / %s", dig(all.accepted), dig(all.made))}, phrases...)
}

// dig groups a number's digits: 1,234.
func dig(n int) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// howto stands above the table.
const howto = `What the made-up providers show, and what our connectors ask for, is held against
the vendors' own libraries and descriptions by

    go run ./internal/fakesaas/peers -o docs/sources.md

It needs Go, Node 20 or later and npm, a few minutes and 300 MB, and gets the rest
from npm and as a Go module. HubSpot's, Chargebee's and Braintree's descriptions
are in neither: there the vendor's library must send the same request as our
connector does. It ends with an error if anything differs.

`

// table is the rows in Markdown.
func table(rows []row, on time.Time) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%sThe last run, on %s:\n\n", howto, on.Format(time.DateOnly))
	b.WriteString("| provider | software | what it did | counted / in the world | accepted / asked |\n| --- | --- | --- | --- | --- |\n")
	for _, r := range rows {
		did := r.did
		if len(r.differs) > 0 {
			did += fmt.Sprintf("; **%s to mend**", dig(len(r.differs)))
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", r.title, r.software, did, strings.Join(r.counted, "<br>"), strings.Join(r.accepted(), "<br>"))
	}
	return b.String()
}

// The markers between which the table stands.
const begin, end = "<!-- peers -->", "<!-- /peers -->"

// insert writes the table to a file, between its markers. A file that is not
// there is made.
func insert(name, table string) error {
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		text, err = []byte("# Sources\n\n"+begin+"\n"+end+"\n"), nil
	}
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(text), begin)
	_, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		return fmt.Errorf("%s has no place for the table: %s and %s", name, begin, end)
	}
	return os.WriteFile(name, []byte(before+begin+"\n"+table+end+after), 0o644)
}
