package notify

import (
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"

	"sluice/internal/crm"
)

// outcomes says how an import ended, for subjects.
var outcomes = map[crm.State]string{
	crm.Done:            "import done",
	crm.AlreadyImported: "already imported",
	crm.Failed:          "import failed",
	crm.Cancelled:       "import cancelled",
	crm.Interrupted:     "import interrupted",
	crm.Undone:          "import undone",
}

// Compose says in plain text how an import ended: the outcome and the counts
// in the subject; in the body the counts of rows and records, the rejections
// by reason, and where the rejected rows lie, unless where is "". It names
// columns and no cell's value (invariant 4).
func Compose(r crm.Report, where string) (subject, body string) {
	outcome := outcomes[r.State]
	if outcome == "" {
		outcome = "import " + string(r.State)
	}
	subject = fmt.Sprintf("%s: %s, %s of %s rows accepted", r.Source, outcome, digits(r.Accepted), digits(r.Read))
	if r.Rejected > 0 {
		subject += ", " + digits(r.Rejected) + " rejected"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s.\n", r.Source, outcome)
	if r.Failure != nil {
		word := "failed"
		if r.State != crm.Failed {
			word = "stopped"
		}
		fmt.Fprintf(&b, "\nIt %s in step %s: %s\n", word, r.Failure.Step, r.Failure.Message)
	}
	if r.Earlier != "" {
		fmt.Fprintf(&b, "\nThe same file is in already, by import %s.\n", r.Earlier)
	}
	writeRows(&b, r.Counts)
	writeRecords(&b, r.Counts)
	writeRejects(&b, r.Rejects)
	if where != "" && r.Rejected > 0 {
		fmt.Fprintf(&b, "\nThe rejected rows are in\n  %s\nCorrect them there and import them again.\n", where)
	}
	fmt.Fprintf(&b, "\nImport %s took %.1f seconds.\n", r.ImportID, r.Seconds)
	return subject, b.String()
}

// Compose is the function of the same name, with the report's own word for
// where the rejected rows lie.
func (m *Mailer) Compose(r crm.Report) (subject, body string) { return Compose(r, r.RejectFile) }

func table(b *strings.Builder) *tabwriter.Writer {
	b.WriteByte('\n')
	return tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
}

func writeRows(b *strings.Builder, c crm.Counts) {
	t := table(b)
	defer t.Flush()
	for _, line := range []struct {
		what string
		n    int64
		show bool
	}{
		{"rows read", c.Read, true},
		{"accepted", c.Accepted, true},
		{"duplicate", c.Duplicate, true},
		{"rejected", c.Rejected, true},
		{"not processed", c.Unprocessed, c.Unprocessed > 0},
		{"with warnings", c.Warnings, c.Warnings > 0},
		{"blank", c.Blank, c.Blank > 0},
	} {
		if line.show {
			fmt.Fprintf(t, "%s\t%s\t\n", line.what, digits(line.n))
		}
	}
}

func writeRecords(b *strings.Builder, c crm.Counts) {
	t := table(b)
	defer t.Flush()
	fmt.Fprint(t, "\trecords\tcreated\tupdated\tunchanged\tduplicate\t\n")
	for _, e := range crm.Entities {
		n := c.Of(e)
		if n.Records > 0 {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t\n", e.Plural(), digits(n.Records),
				digits(n.Created), digits(n.Updated), digits(n.Unchanged), digits(n.Duplicate))
		}
	}
}

// groupsShown keeps a message short: the reject file has them all.
const groupsShown = 10

func writeRejects(b *strings.Builder, groups []crm.RejectGroup) {
	if len(groups) == 0 {
		return
	}
	b.WriteString("\nRejected:\n")
	for i, g := range groups {
		if i == groupsShown {
			fmt.Fprintf(b, "  and %d other reasons\n", len(groups)-i)
			break
		}
		rows := "rows"
		if g.Count == 1 {
			rows = "row"
		}
		fmt.Fprintf(b, "  %s %s: %s", digits(g.Count), rows, g.Reason)
		if g.Column != "" {
			fmt.Fprintf(b, " in column %q", g.Column)
		}
		fmt.Fprintf(b, ", first in line %s\n", digits(g.FirstLine))
	}
}

// digits writes a number with a comma between thousands.
func digits(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
