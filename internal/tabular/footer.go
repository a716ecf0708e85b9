package tabular

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"sluice/internal/crm"
)

const (
	tailSize   = 64 << 10 // bytes at the end that a footer is looked for in
	maxUnasked = 10       // rows of a footer that is not set
)

// totals are the words that begin a row of totals, in the languages most
// spreadsheets are in.
var totals = []string{
	"total", "totals", "grand total", "grand totals", "subtotal", "sum", "count", // en
	"summe", "gesamt", "gesamtsumme", "insgesamt", "zwischensumme", "gesamtergebnis", "anzahl", // de
	"totaux", "total général", "total general", "somme", "sous-total", // fr
	"suma", "suma total", "totales", // es
	"totale", "totali", "totale complessivo", "somma", "totale generale", // it
	"totaal", "eindtotaal", "som", "subtotaal", // nl
	"totais", "total geral", "soma", // pt
}

// findFooter sets where the rows end, if the owner says that there is a footer.
// If not, it says so when the last rows look like one; they stay rows.
func findFooter(ctx context.Context, src Source, l *Layout, rows int) ([]crm.Decision, error) {
	if rows > 0 {
		return l.cutFooter(ctx, src, rows)
	}
	n, err := l.footerSeen(ctx, src)
	if n == 0 || err != nil {
		return nil, err
	}
	last, err := lastRows(ctx, src, *l, n)
	if err != nil {
		return nil, err
	}
	where := fmt.Sprintf("line %d looks", last[0].line)
	if len(last) > 1 {
		where = fmt.Sprintf("lines %d to %d look", last[0].line, last[len(last)-1].line)
	}
	return []crm.Decision{{
		About: "footer", Choice: crm.NoneAtAll, Score: 0.5,
		Evidence: fmt.Sprintf("%s like totals or a report's last lines; set footer to %d if they are no rows", where, len(last)),
	}}, nil
}

// cutFooter ends the rows before the last ones.
func (l *Layout) cutFooter(ctx context.Context, src Source, rows int) ([]crm.Decision, error) {
	last, err := lastRows(ctx, src, *l, rows+1)
	if err != nil {
		return nil, err
	}
	if len(last) <= rows {
		return nil, invalid("the footer setting leaves no row: there are %d", len(last))
	}
	first := last[1]
	l.End = first.at.Offset
	return []crm.Decision{{
		About: "footer", Choice: countOf(rows, "row"), Score: 1,
		Evidence: fmt.Sprintf("as set; from line %d on", first.line),
	}}, nil
}

func countOf(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// placed is where a row is.
type placed struct {
	at   crm.Position // where it, or a blank row before it, begins
	line int64
}

// lastRows reads all the rows and returns where the last n of them are, faulty
// ones too, in file order; fewer if there are no more.
func lastRows(ctx context.Context, src Source, l Layout, n int) ([]placed, error) {
	r, closer, err := open(ctx, src, l, l.Start)
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	ring := make([]placed, n)
	var row crm.Row
	for i := 0; ; i++ {
		at := r.Position()
		err := r.Read(&row)
		if isEnd(err) {
			if i < n {
				return ring[:i], nil
			}
			return slices.Concat(ring[i%n:], ring[:i%n]), nil
		}
		if err != nil {
			return nil, err
		}
		ring[i%n] = placed{at, row.Line}
	}
}

// footerSeen returns how many rows at the end of the file look like a footer:
// totals, or a line of text in the first of three or more columns. It looks at
// the end of the file alone; where a quoted cell of many lines is cut there,
// what it takes for rows may be lines of text, and then they hardly look so.
func (l *Layout) footerSeen(ctx context.Context, src Source) (int, error) {
	if len(l.Header) < 2 {
		return 0, nil
	}
	from := max(src.Size-tailSize, l.Start.Offset)
	text, err := src.bytes(ctx, from, tailSize)
	if err != nil {
		return 0, err
	}
	if from > l.Start.Offset {
		end := bytes.IndexByte(text, '\n')
		if l.CR {
			end = bytes.IndexAny(text, "\r\n")
		}
		text = text[end+1:]
	}
	at := l.Start
	at.Offset = max(from, l.Start.Offset)
	r := NewReader(bytes.NewReader(text), *l, at)
	var run, all int
	var row crm.Row
	for r.Read(&row) == nil {
		all++
		run++
		if !l.likeFooter(row.Cells) {
			run = 0
		}
	}
	// A file of nothing else is not one that ends in a footer.
	if run > maxUnasked || run == all {
		return 0, nil
	}
	return run, nil
}

// likeFooter reports whether the first cell that is not blank is a word for
// totals and half of the others are blank, or it is the only one, and a text.
func (l *Layout) likeFooter(cells []string) bool {
	filled, first := 0, -1
	for i, c := range cells {
		if isBlank(c) {
			continue
		}
		if filled++; first < 0 {
			first = i
		}
	}
	if first < 0 {
		return false
	}
	if filled == 1 && first == 0 && len(l.Header) >= 3 && kindOf(cells[0]) == textCell {
		return true
	}
	word := strings.ToLower(strings.Trim(strings.TrimSpace(cells[first]), ": \u00A0"))
	others := len(l.Header) - 1
	return 2*(filled-1) <= others && slices.Contains(totals, word)
}
