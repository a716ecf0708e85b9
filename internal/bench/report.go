package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"sluice/internal/crm"
)

// markdown is the report for people.
func (r results) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s. %s rows, %s bytes a row, seed %d; %s UTC.\n", r.Machine, thousands(float64(r.Rows)),
		thousands(float64(r.FileSize)/float64(r.Rows)), r.Seed, r.At.Format("2006-01-02 15:04"))
	b.WriteString("Medians of the rounds; in brackets the least and the most.\n")
	if n := r.setAside(); n > 0 {
		fmt.Fprintf(&b, "Of %d figures %d do not count: the host withheld more than %.0f %% of the processor time that was asked for.\n",
			len(r.Figures), n, 100*r.Withheld)
	}
	for _, part := range []func() string{r.times, r.ratios, r.processor, r.memory, r.beside, r.steps, r.packages} {
		if text := part(); text != "" {
			b.WriteString("\n" + text)
		}
	}
	return b.String()
}

// setAside is how many figures do not count.
func (r results) setAside() (n int) {
	for _, f := range r.Figures {
		if !r.counts(f) {
			n++
		}
	}
	return n
}

// times has a line a measure.
func (r results) times() string {
	var rows [][]string
	for _, m := range measures {
		list := r.of(m)
		if len(list) == 0 {
			continue
		}
		took := spreadBy(list, func(f figure) float64 { return f.Seconds })
		command := spreadBy(list, func(f figure) float64 { return f.CommandSeconds })
		cpu := spreadBy(list, figure.cpu)
		rows = append(rows, []string{m, fmt.Sprint(took.N), took.format("%.2f"), thousands(float64(r.Rows) / took.Median),
			dash(command.Median, "%.2f"), cpu.format("%.1f"), thousands(float64(r.Rows) / cpu.Median),
			fmt.Sprintf("%.0f %%", 100*spreadBy(list, func(f figure) float64 { return f.Withheld }).Median)})
	}
	return markdownTable([]string{"measure", "rounds", "time, s", "rows/s", "command, s", "CPU, s", "rows/CPU-s", "withheld"}, rows)
}

// A goal is what a ratio should not exceed.
type goal struct {
	name     string
	over, by string // measures
	part     string // the table of the yardstick; "" for all
	most     float64
}

// customersMost stands for 0.6 times the time of Sling, of the tools measured
// that upsert the fastest: a million rows took it 16.96 s, and \copy, into one
// such table on the same machine, 7.8 s.
const customersMost = 0.6 * 16.96 / 7.8

func (r results) goals() []goal {
	most := 1.2
	if r.Rows >= 10_000_000 {
		most = 1.25
	}
	return []goal{
		{"first / y", first, yardstick, "", most},
		{"customers / y's customers", customers, yardstick, tables[crm.Customer], customersMost},
		{"unchanged / first", unchanged, first, "", 0.8},
		{"changed / first", changed, first, "", 2},
		{"xlsx / first", xlsx, first, "", 1.5},
		{"embedded / first", serverless, first, "", 2},
	}
}

// ratio compares the two measures of a goal.
func (r results) ratio(g goal) ratio {
	by := func(f figure) float64 { return f.Seconds }
	if g.part != "" {
		by = func(f figure) float64 { return f.Parts[g.part] }
	}
	return ratioOf(r.of(g.over), r.of(g.by), func(f figure) float64 { return f.Seconds }, by)
}

// pairs is how many figures, or pairs of them, every measure and ratio has at
// the least, of the measures that are taken.
func (r results) pairs(taken []string) int {
	var least []int
	for _, m := range taken {
		least = append(least, len(r.of(m)))
	}
	for _, g := range r.goals() {
		if slices.Contains(taken, g.over) && slices.Contains(taken, g.by) {
			least = append(least, r.ratio(g).N)
		}
	}
	return slices.Min(least)
}

func (r results) ratios() string {
	var rows [][]string
	for _, g := range r.goals() {
		x := r.ratio(g)
		if x.N == 0 {
			continue
		}
		rows = append(rows, []string{g.name, fmt.Sprint(x.N), x.format("%.2f"), fmt.Sprintf("%.2f", x.OfMedians), fmt.Sprintf("%.2f", g.most)})
	}
	return markdownTable([]string{"ratio of times", "pairs", "of each pair", "of the medians", "at most"}, rows)
}

// processor has the seconds of each process.
func (r results) processor() string {
	return r.byProcess("CPU, s", func(f figure, process string) float64 { return f.CPUSeconds[process] }, "%.2f")
}

// memory has the peaks of each process.
func (r results) memory() string {
	return r.byProcess("peak memory, MB", func(f figure, process string) float64 { return float64(f.PeakBytes[process]) / 1e6 }, "%.0f")
}

func (r results) byProcess(what string, of func(figure, string) float64, format string) string {
	var rows [][]string
	for _, m := range measures {
		list := r.of(m)
		if len(list) == 0 {
			continue
		}
		row := []string{m}
		for _, process := range processNames {
			s := spreadBy(list, func(f figure) float64 { return of(f, process) })
			row = append(row, dash(s.Median, format))
		}
		rows = append(rows, row)
	}
	return markdownTable(append([]string{what}, processNames...), rows)
}

// beside has what imports leave in Temporal, Redis and the stage.
func (r results) beside() string {
	var rows [][]string
	for _, m := range measures {
		list := r.of(m)
		if len(list) == 0 || list[0].HistoryEvents == 0 {
			continue
		}
		row := []string{m}
		for _, column := range []struct {
			of     func(figure) float64
			format string
		}{
			{func(f figure) float64 { return float64(f.HistoryEvents) }, "%.0f"},
			{func(f figure) float64 { return float64(f.HistoryEvents) * 1e6 / float64(f.Rows) }, "%.0f"},
			{func(f figure) float64 { return float64(f.HistoryBytes) }, "%.0f"},
			{func(f figure) float64 { return float64(f.Keys) }, "%.0f"},
			{func(f figure) float64 { return float64(f.RedisBytes) / float64(max(1, f.Keys)) }, "%.1f"},
			{func(f figure) float64 { return float64(f.StageBytes) / float64(f.Rows) }, "%.0f"},
			{func(f figure) float64 { return float64(f.StagedBytes) / float64(f.Rows) }, "%.0f"},
		} {
			row = append(row, spreadBy(list, column.of).format(column.format))
		}
		rows = append(rows, row)
	}
	return markdownTable([]string{"measure", "history events", "events/million rows", "history, bytes", "claimed keys",
		"Redis, bytes/key", "stage, bytes/row", "without the file, bytes/row"}, rows)
}

// steps has what the steps of each measure's last import took, and when they
// were at work.
func (r results) steps() string {
	var rows [][]string
	for _, m := range measures {
		list := r.of(m)
		if len(list) == 0 {
			continue
		}
		for _, s := range list[len(list)-1].Steps {
			rows = append(rows, []string{m, s.Name, strconv.Itoa(s.Calls), fmt.Sprintf("%.2f", s.Seconds),
				fmt.Sprintf("%.2f", s.From), fmt.Sprintf("%.2f", s.Until)})
		}
	}
	return markdownTable([]string{"measure, last round", "step", "calls", "all calls, s", "from, s", "until, s"}, rows)
}

// packages has what the worker's time went to, and what Temporal and the stage
// are of the import's.
func (r results) packages() string {
	if r.Profile == nil {
		return ""
	}
	var rows [][]string
	names := slices.SortedFunc(maps.Keys(r.Profile.Seconds), func(a, b string) int {
		return int(1e3 * (r.Profile.Seconds[b] - r.Profile.Seconds[a]))
	})
	for _, name := range names {
		rows = append(rows, []string{name, fmt.Sprintf("%.2f", r.Profile.Seconds[name]), percent(r.Profile.share(name))})
	}
	text := markdownTable([]string{"worker's CPU during first", "s", "share"}, rows)
	temporal, stage := r.overhead()
	return text + fmt.Sprintf("\nOf all CPU seconds of first, Temporal (server and client) took %s and the stage %s: together %s.\n",
		percent(temporal), percent(stage), percent(temporal+stage))
}

// overhead returns the shares of Temporal and of the stage in the processor
// time of the import that was profiled, which is the last first one.
func (r results) overhead() (temporal, stage float64) {
	list := r.of(first)
	if len(list) == 0 || r.Profile == nil {
		return 0, 0
	}
	f := list[len(list)-1]
	worker := f.CPUSeconds[workerProcess]
	temporal = (f.CPUSeconds[temporalProcess] + worker*r.Profile.share(temporalShare)) / f.cpu()
	return temporal, worker * r.Profile.share(stageShare) / f.cpu()
}

func percent(share float64) string { return fmt.Sprintf("%.1f %%", 100*share) }

// format writes the median, and the spread where there is one.
func (s spread) format(verb string) string {
	if s.Least == s.Most {
		return fmt.Sprintf(verb, s.Median)
	}
	return fmt.Sprintf(verb+" ["+verb+"–"+verb+"]", s.Median, s.Least, s.Most)
}

// dash writes a value, or a dash for none.
func dash(value float64, verb string) string {
	if value == 0 {
		return "–"
	}
	return fmt.Sprintf(verb, value)
}

// markdownTable writes a table of which all columns but the first are numbers;
// "" without rows.
func markdownTable(head []string, rows [][]string) string {
	if len(rows) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("| " + strings.Join(head, " | ") + " |\n| --- |" + strings.Repeat(" ---: |", len(head)-1) + "\n")
	for _, row := range rows {
		b.WriteString("| " + strings.Join(row, " | ") + " |\n")
	}
	return b.String()
}
