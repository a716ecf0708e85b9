// Command bench measures the whole product beside what PostgreSQL can do at
// the most, on the machine it is run on:
//
//	go run ./internal/bench -rows 1000000 -rounds 5
//
// It makes dirty rows, starts PostgreSQL with its own defaults, Redis, a
// Temporal server and a worker, each a process of its own on the loopback
// interface, and imports with `starter import`. The yardstick is psql's \copy
// of the very rows that the import writes, into the same tables. Measures are
// taken in turn, round by round, so that a machine that others use too slows
// all of them alike; ratios are those of one round.
//
// Every import's counts must be those that the data are known to come to: a
// benchmark of wrong results is an error. The report is Markdown on standard
// output; -json writes all figures too. It needs Linux, and everything it
// starts and writes is gone when it ends.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

// options are the command's flags.
type options struct {
	rows, rounds int
	seed         uint64
	dir          string
	measures     []string
	inline       bool
	profile      bool
	keep         string // file for the profile; "" to throw it away
	json         string
	withheld     float64 // the most that the host may withhold; 0: whatever it does
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	r, err := measureAll(ctx, o)
	if ctx.Err() != nil {
		err = context.Cause(ctx) // and not what broke because of it
	}
	if len(r.Figures) == 0 {
		return err
	}
	// What was seen before an error took long enough, and was right.
	fmt.Print(r.markdown())
	return errors.Join(err, r.write(o.json))
}

// write writes all figures to a file, if one is named.
func (r results) write(path string) error {
	if path == "" {
		return nil
	}
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(raw, '\n'), 0o644)
}

// parse reads the flags and checks that they go together.
func parse(args []string) (o options, err error) {
	f := flag.NewFlagSet("bench", flag.ExitOnError)
	f.IntVar(&o.rows, "rows", 1_000_000, "rows of the file")
	f.IntVar(&o.rounds, "rounds", 5, "how often each measure is taken")
	f.Uint64Var(&o.seed, "seed", 1, "of the rows: the same seed makes the same file")
	f.StringVar(&o.dir, "dir", os.TempDir(), "where servers and files lie meanwhile; every user must be able to enter it")
	list := f.String("measure", strings.Join([]string{yardstick, first, unchanged, changed}, ","),
		"what to measure, of "+strings.Join(measures, ",")+"; or all")
	f.BoolVar(&o.inline, "inline", false, "write the workbook's texts in its cells, not in a table of shared strings")
	f.BoolVar(&o.profile, "profile", false, "profile the worker during the first import of the last round")
	f.StringVar(&o.keep, "pprof", "", "keep that profile in this file; implies -profile")
	withheld := f.Float64("withheld", 10, "percent of the processor time asked for that the host of the machine may withhold; what is taken while it "+
		"withholds more does not count, and rounds are added; 0 counts all")
	f.StringVar(&o.json, "json", "", "write all figures to this file too")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	o.withheld = *withheld / 100
	o.profile = o.profile || o.keep != ""
	if *list == "all" {
		*list = strings.Join(measures, ",")
	}
	o.measures = strings.Split(*list, ",")
	if (o.takes(unchanged) || o.takes(changed)) && !o.takes(first) {
		o.measures = append(o.measures, first) // which brings in what is there then
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("unknown argument %q", f.Arg(0))
	}
	return o, o.check()
}

func (o options) check() error {
	for _, m := range o.measures {
		if !slices.Contains(measures, m) {
			return fmt.Errorf("-measure: %q is none of %s", m, strings.Join(measures, ", "))
		}
	}
	switch {
	case o.rows < 1 || o.rounds < 1:
		return errors.New("-rows and -rounds are at least 1")
	case o.takes(xlsx) && o.rows > maxSheetRows:
		return fmt.Errorf("a workbook's sheet takes %d rows at the most", maxSheetRows)
	case o.profile && !o.takes(first):
		return errors.New("-profile is of the measure first, which is not taken")
	}
	return nil
}

func (o options) takes(measure string) bool { return slices.Contains(o.measures, measure) }

// say tells a person how far the benchmark is.
func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, time.Now().Format("15:04:05 ")+format+"\n", args...)
}
