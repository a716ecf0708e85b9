package main

import (
	"fmt"
	"strings"
	"time"

	"charm.land/lipgloss/v2"
	"charm.land/lipgloss/v2/table"
	"github.com/dustin/go-humanize"
)

// number writes n with separators of thousands.
func number(n int64) string { return humanize.Comma(n) }

// count writes n and what it counts: "1 row", "8,812 rows".
func count(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return number(n) + " " + what + "s"
}

// bytesOf writes a number of bytes.
func bytesOf(n int64) string { return humanize.Bytes(uint64(max(n, 0))) }

// spell writes a duration as exactly as a person wants it.
func spell(d time.Duration) string {
	switch {
	case d < 0:
		return "0 s"
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Hour:
		d = d.Round(time.Second)
		return fmt.Sprintf("%d min %02d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	d = d.Round(time.Minute)
	return fmt.Sprintf("%d h %02d min", int(d.Hours()), int(d.Minutes())%60)
}

// roughly writes a duration that is guessed, or about to change.
func roughly(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%d s", int(max(d, 0).Round(time.Second).Seconds()))
	}
	return spell(d)
}

// clock writes a duration that is counted up, as 0:42 or 1:02:42.
func clock(d time.Duration) string {
	s := int(max(d, 0).Seconds())
	if s < 3600 {
		return fmt.Sprintf("%d:%02d", s/60, s%60)
	}
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}

// when writes an instant; "" if there is none.
func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

// perSecond writes a rate of rows; "" while it is unknown.
func perSecond(rate float64) string {
	switch {
	case rate <= 0:
		return ""
	case rate < 10:
		return fmt.Sprintf("%.1f rows/s", rate)
	}
	return number(int64(rate)) + " rows/s"
}

// grid lays rows out in columns, without rules. The columns named in right,
// counted from 0, are set to the right, as numbers are. A nil header has none.
func grid(header []string, rows [][]string, right ...int) string {
	aligned := map[int]bool{}
	for _, c := range right {
		aligned[c] = true
	}
	t := table.New().Border(lipgloss.Border{}).
		BorderTop(false).BorderBottom(false).BorderLeft(false).BorderRight(false).
		BorderColumn(false).BorderHeader(false).Wrap(false).
		StyleFunc(func(_, col int) lipgloss.Style {
			style := lipgloss.NewStyle().PaddingRight(2)
			if aligned[col] {
				return style.Align(lipgloss.Right)
			}
			return style
		})
	if header != nil {
		t.Headers(header...)
	}
	t.Rows(rows...)
	return trimRight(t.Render())
}

// trimRight takes the spaces off the ends of lines and ends the last.
func trimRight(text string) string {
	lines := strings.Split(strings.TrimRight(text, "\n "), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n") + "\n"
}

// indent puts two spaces before every line that is not blank.
func indent(text string) string {
	lines := strings.SplitAfter(text, "\n")
	for i, line := range lines {
		if strings.TrimSpace(line) != "" {
			lines[i] = "  " + line
		}
	}
	return strings.Join(lines, "")
}
