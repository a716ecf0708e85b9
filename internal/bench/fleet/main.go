// Command fleet measures what Temporal carries when many workers run many
// imports: how much history an import leaves, what a batch costs the server,
// and how many batches a second it takes before steps begin to wait for it.
//
//	go run ./internal/bench/fleet
//	go run ./internal/bench/fleet -workers 200 -rows 100000000 -imports 1,4,16,64
//
// The workflow is the real one, on a Temporal server like the embedded one, and
// 200 workers ask it for work, each over a connection of its own. Only the
// steps are stand-ins: they take the time that real ones take and answer with
// references like theirs, and no row exists. So the result is a bound for
// Temporal alone; what a database can take is another matter.
//
// It prints Markdown. Every import must end as done, with the rows it was
// started with and each batch written once, or the command fails.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"sluice/internal/crm"
)

// settings are the command's flags.
type settings struct {
	workers int
	slots   int           // steps that a worker carries out at a time
	rows    int64         // of the large import; 0 leaves it out
	steps   counts        // numbers of imports to run at a time, one after the other
	each    int64         // rows of each of these
	speed   float64       // how many times as fast as real steps the stand-ins are
	idle    time.Duration // how long the workers are watched while they have no work
	memory  bool          // whether the server keeps its database in memory
	tuning  crm.Tuning
	model   model
}

func main() {
	s := settings{steps: counts{1, 4, 16, 64}, model: model{Parse: 2500 * time.Nanosecond, Dedupe: 2 * time.Microsecond,
		Write: 12 * time.Microsecond, Records: 2.5, RowBytes: 225}}
	flag.IntVar(&s.workers, "workers", 200, "workers")
	flag.IntVar(&s.slots, "slots", 4, "steps that a worker carries out at a time")
	flag.Int64Var(&s.rows, "rows", 100_000_000, "rows of the one large import; 0 leaves it out")
	flag.Var(&s.steps, "imports", "how many imports to run at a time, one `number` after the other; \"\" leaves them out")
	flag.Int64Var(&s.each, "each", 1_000_000, "rows of each of these imports")
	flag.Float64Var(&s.speed, "speed", 20, "how many times as fast as real steps the stand-ins are")
	flag.DurationVar(&s.idle, "idle", 10*time.Second, "how long to watch the workers before; a poll without an answer takes a minute")
	flag.BoolVar(&s.memory, "memory", false, "keep the server's database in memory, not in a file")
	flag.IntVar(&s.tuning.Writers, "writers", 0, "batches of an import written at a time; 0 is the default")
	flag.IntVar(&s.tuning.Group, "group", 0, "batches a group; 0 is the default")
	flag.IntVar(&s.tuning.Groups, "groups", 0, "groups a run of the workflow; 0 is the default")
	flag.DurationVar(&s.model.Parse, "parse", s.model.Parse, "time to parse a row, on one core")
	flag.DurationVar(&s.model.Dedupe, "dedupe", s.model.Dedupe, "time to judge a key")
	flag.DurationVar(&s.model.Write, "write", s.model.Write, "time to write a record")
	flag.Float64Var(&s.model.Records, "records", s.model.Records, "records a row")
	flag.Int64Var(&s.model.RowBytes, "row-bytes", s.model.RowBytes, "bytes a row of the file")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, s); err != nil {
		fmt.Fprintln(os.Stderr, "fleet:", err)
		os.Exit(1)
	}
}

// run measures and prints. What it starts has ended when it returns.
func run(ctx context.Context, s settings) (err error) {
	if s.workers < 1 || s.slots < 1 || s.speed <= 0 || s.each < 1 || s.idle <= 0 || s.model.RowBytes < 1 {
		return fmt.Errorf("%w: -workers, -slots, -speed, -each, -idle and -row-bytes must be above 0", crm.ErrInvalid)
	}
	s.model.Speed = s.speed
	f, err := launch(ctx, s)
	if err != nil {
		return err
	}
	defer f.close()
	r := report{settings: s}
	if r.idle, err = f.idle(ctx); err != nil {
		return err
	}
	if s.rows > 0 {
		if r.large, err = f.measure(ctx, 1, s.rows); err != nil {
			return err
		}
	}
	for _, n := range s.steps {
		m, err := f.measure(ctx, n, s.each)
		if err != nil {
			return err
		}
		r.steps = append(r.steps, m)
	}
	r.server = f.server()
	r.print(os.Stdout)
	return nil
}

// counts is a flag that holds whole numbers between commas.
type counts []int

func (c *counts) String() string {
	text := make([]string, len(*c))
	for i, n := range *c {
		text[i] = strconv.Itoa(n)
	}
	return strings.Join(text, ",")
}

// Set reads the flag.
func (c *counts) Set(text string) error {
	*c = nil
	for word := range strings.SplitSeq(text, ",") {
		if text == "" {
			return nil
		}
		n, err := strconv.Atoi(strings.TrimSpace(word))
		if err != nil || n < 1 {
			return fmt.Errorf("%q is no number of imports", word)
		}
		*c = append(*c, n)
	}
	return nil
}
