//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

// A fault is one row of the matrix.
type fault struct {
	id, name string
	how      string // how it is injected
	holds    string // what must hold
	seen     string // what an operator sees
	short    bool   // one of the short set
	rows     int    // of the file; 3,000 if 0

	limit    time.Duration // of the time it may take; 0 is four minutes
	compared bool          // play itself compares what the import came to

	setup func(ctx context.Context, s *scene) error // before anything is connected; may be nil
	play  func(ctx context.Context, s *scene) error // from before the import until it has ended
}

// matrix returns all faults but the long ones, in order.
func matrix() []*fault {
	all := slices.Concat(workerFaults, temporalFaults, redisFaults, postgresFaults, stageFaults, networkFaults, fileFaults, commandFaults, sqliteFaults)
	slices.SortStableFunc(all, func(a, b *fault) int { return number(a.id) - number(b.id) })
	return all
}

// number is that of a fault: 19 of "F19", and of "F19b".
func number(id string) (n int) {
	_, _ = fmt.Sscanf(id, "F%d", &n)
	return n
}

// A result is how one fault went with one seed.
type result struct {
	fault  *fault
	seed   uint64
	took   time.Duration
	wrong  []string // what does not hold; empty is good
	played []string

	skipped string // why it could not be played; "" if it was
}

// skipped is the error of a fault that this machine does not allow.
type skipped struct{ why string }

func (s skipped) Error() string { return s.why }

// run plays one fault.
func (f *fault) run(ctx context.Context, k *stack, seed uint64, light bool) (r result) {
	r = result{fault: f, seed: seed}
	began := time.Now()
	limit := f.limit
	if limit == 0 {
		limit = 4 * time.Minute
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	s, err := newScene(ctx, k, f, seed, light)
	if err == nil {
		defer s.close()
		err = f.play(ctx, s)
	}
	if err == nil && !f.compared {
		r.wrong, err = s.verdict(ctx)
	}
	var skip skipped
	switch {
	case errors.As(err, &skip):
		r.skipped = skip.why
	case err != nil:
		r.wrong = append(r.wrong, err.Error())
	}
	if len(r.wrong) > 0 && s != nil {
		r.wrong = append(r.wrong, "a worker said last:\n"+s.log.String())
	}
	r.took, r.played = time.Since(began), s.played
	return r
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "fault:", err)
		os.Exit(1)
	}
}

// run plays faults and writes the table.
func run(ctx context.Context, args []string, say io.Writer) error {
	f := flag.NewFlagSet("fault", flag.ExitOnError)
	seeds := f.Int("seeds", 1, "how many seeds each fault is played with")
	first := f.Uint64("seed", uint64(time.Now().Unix()), "the first seed; the others follow it")
	only := f.String("only", "", "faults to play, such as F1,F13, or L1; all but the long ones if not given")
	old := f.String("old", "", "a commit whose worker runs beside this one in F5")
	table := f.String("table", "", "write what was seen into the table of this file, such as docs/faults.md")
	if err := f.Parse(args); err != nil {
		return err
	}
	faults := matrix()
	if *only != "" {
		named := strings.Split(*only, ",")
		faults = slices.DeleteFunc(slices.Concat(faults, longFaults), func(f *fault) bool { return !slices.Contains(named, f.id) })
	}
	if len(faults) == 0 || f.NArg() > 0 {
		return fmt.Errorf("nothing is called %s %v", *only, f.Args())
	}
	k, err := startStack(ctx)
	if err != nil {
		return err
	}
	defer k.close()
	if *old != "" {
		if err := k.buildOld(ctx, *old); err != nil {
			return err
		}
	}
	var results []result
	bad := 0
	for _, fault := range faults {
		for n := range *seeds {
			r := fault.run(ctx, k, *first+uint64(n), false)
			fmt.Fprintln(say, r)
			results = append(results, r)
			if len(r.wrong) > 0 {
				bad++
			}
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
		}
		if *table != "" { // at once: the whole takes long
			err = errors.Join(err, writeTable(*table, results))
		}
	}
	if bad > 0 {
		err = errors.Join(err, fmt.Errorf("%d of %d runs went wrong", bad, len(results)))
	}
	return err
}

// String says how a run went, what was played if it went wrong, and how to do
// it again.
func (r result) String() string {
	text := fmt.Sprintf("%-4s %-50s seed %d %6.1f s  ", r.fault.id, r.fault.name, r.seed, r.took.Seconds())
	if r.skipped != "" {
		return text + "not played: " + r.skipped
	}
	if len(r.wrong) == 0 && r.fault.compared {
		return text + "held\n  played: " + strings.Join(r.played, "; ")
	}
	if len(r.wrong) == 0 {
		return text + "held"
	}
	return text + "WRONG\n  played: " + strings.Join(r.played, "; ") + "\n  " + strings.Join(r.wrong, "\n  ") +
		fmt.Sprintf("\n  again: go run ./internal/fault -only %s -seed %d", r.fault.id, r.seed)
}
