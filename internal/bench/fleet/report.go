package main

import (
	"fmt"
	"io"
	"runtime"
	"time"
)

// report is what was measured.
type report struct {
	settings settings
	idle     usage    // of workers without work
	large    measured // zero when it was left out
	steps    []measured
	server   serverSize
}

// print writes the report as Markdown.
func (r *report) print(w io.Writer) {
	s := r.settings
	fmt.Fprintf(w, "# Fleet: %d workers\n\n", s.workers)
	fmt.Fprintf(w, "Temporal server %s, database %s, %d cores for it and all workers. Steps %.4g times as fast as real ones: "+
		"%s a row, %s a key, %s a record, %.3g records and %d bytes a row; %d slots a worker.\n\n",
		r.server.version, map[bool]string{true: "in memory", false: "in a file"}[s.memory], runtime.NumCPU(), s.speed,
		s.model.Parse, s.model.Dedupe, s.model.Write, s.model.Records, s.model.RowBytes, s.slots)
	fmt.Fprintf(w, "Without work, a second costs the server %s of processor time and the workers %s.\n\n",
		per(r.idle.server, r.idle.wall.Seconds()), per(r.idle.workers, r.idle.wall.Seconds()))
	if r.large.imports > 0 {
		r.printLarge(w)
	}
	if len(r.steps) > 0 {
		r.printSteps(w)
	}
	fmt.Fprintf(w, "The server's memory came to %.0f MiB, its database to %.0f MiB.\n", mib(r.server.memory), mib(r.server.disk))
}

func (r *report) printLarge(w io.Writer) {
	m, h := r.large, r.large.history
	millions := float64(m.rows) / 1e6
	fmt.Fprintf(w, "## One import of %d rows\n\n", m.rows)
	fmt.Fprint(w, "| | all | a million rows | a batch |\n|---|---:|---:|---:|\n")
	row := func(what string, n float64) {
		fmt.Fprintf(w, "| %s | %.0f | %.1f | %.2f |\n", what, n, n/millions, n/float64(m.batches))
	}
	row("batches", float64(m.batches))
	row("steps", float64(h.steps))
	row("events", float64(h.events))
	row("bytes of history", float64(h.bytes))
	row("of which inputs and results", float64(h.payloads))
	row("processor time of the server, ms", float64(m.usage.server.Milliseconds()))
	row("processor time of the workers, ms", float64(m.usage.workers.Milliseconds()))
	fmt.Fprintf(w, "\n%d runs; the longest has %d events; the largest event has %d bytes; %d workers took part. It took %s, %.0f rows and %.1f batches a second.\n\n",
		h.runs, h.longest, h.largest, len(h.workers), m.usage.wall.Round(time.Second), m.perSecond(float64(m.rows)), m.perSecond(float64(m.batches)))
}

func (r *report) printSteps(w io.Writer) {
	fmt.Fprintf(w, "## Imports of %d rows at a time\n\n", r.settings.each)
	fmt.Fprint(w, "Offered is what as many imports would do if Temporal took no time. Waiting is from scheduled to started; "+
		"a task is the workflow's turn to decide. A step does not wait at all where the worker that decided on it has room for it.\n\n")
	fmt.Fprint(w, "| imports | batches/s | offered | step waits: half | 95 % | most | task waits: half | 95 % | task takes: half | 95 % "+
		"| server a batch | workers a batch | cores busy |\n|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n")
	for _, m := range r.steps {
		h := m.history
		fmt.Fprintf(w, "| %d | %.1f | %.0f | %s | %s | %s | %s | %s | %s | %s | %s | %s | %.2f |\n", m.imports, m.perSecond(float64(m.batches)),
			float64(m.imports)*r.settings.offered(), ms(h.stepWaits.at(.5)), ms(h.stepWaits.at(.95)), ms(h.stepWaits.at(1)),
			ms(h.taskWaits.at(.5)), ms(h.taskWaits.at(.95)), ms(h.taskTimes.at(.5)), ms(h.taskTimes.at(.95)),
			per(m.usage.server, float64(m.batches)), per(m.usage.workers, float64(m.batches)),
			(m.usage.server+m.usage.workers).Seconds()/m.usage.wall.Seconds())
	}
	fmt.Fprintln(w)
}

// offered is how many batches a second one import would do in the long run if
// nothing but its slowest step took time.
func (s settings) offered() float64 {
	t := s.tuning.WithDefaults()
	rows := min(float64(t.BatchRows), float64(t.BatchBytes)/float64(s.model.RowBytes))
	slowest := max(s.model.Parse.Seconds(), s.model.Dedupe.Seconds()*s.model.Records,
		s.model.Write.Seconds()*s.model.Records/float64(t.Writers))
	return s.speed / (rows * slowest)
}

func (m measured) perSecond(n float64) float64 { return n / m.usage.wall.Seconds() }

// per returns the nth part of d, for people.
func per(d time.Duration, n float64) string { return fmt.Sprintf("%.1f ms", d.Seconds()*1000/n) }

func ms(d time.Duration) string { return fmt.Sprintf("%.0f ms", d.Seconds()*1000) }

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }
