package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// A bench is one run of the benchmark: the stack, and the files to import.
type bench struct {
	options
	stack *stack
	data  dataset
	out   results

	csv, other, book, mapping string  // files: the rows, with other values, as a workbook; and customersOnly
	firstSeconds              float64 // what the unmeasured import took
}

// measureAll takes all measures and returns what was seen. Nothing is left
// running and nothing lying about.
func measureAll(ctx context.Context, o options) (results, error) {
	s, err := startStack(ctx, o.dir, say)
	if err != nil {
		return results{}, err
	}
	defer s.close()
	b := &bench{options: o, stack: s, data: dataset{seed: o.seed, rows: o.rows}}
	b.out = results{At: time.Now().UTC(), Rows: o.rows, Seed: o.seed, Withheld: o.withheld}
	if b.out.Machine, err = s.describe(ctx); err != nil {
		return b.out, err
	}
	if err := b.prepare(ctx); err != nil {
		return b.out, fmt.Errorf("prepare: %w", err)
	}
	for n := 1; n <= o.rounds || n <= moreRounds*o.rounds && b.out.pairs(o.measures) < o.rounds; n++ {
		if err := b.round(ctx, n); err != nil {
			return b.out, fmt.Errorf("round %d: %w", n, err)
		}
	}
	return b.out, nil
}

// moreRounds is how many times the rounds asked for are taken at the most, when
// the host withholds too much in some.
const moreRounds = 3

// prepare writes the files, and imports once without measuring: the yardstick
// copies what that import wrote, and the first import that is measured has
// everything as warm as the others.
func (b *bench) prepare(ctx context.Context) error {
	say("writing %d rows", b.rows)
	if err := b.files(); err != nil {
		return err
	}
	say("importing once, unmeasured")
	const name = "warm"
	return b.importInto(ctx, name, func(ctx context.Context, c *cluster) error {
		f, err := c.take(ctx, order{source: name, file: b.csv})
		b.firstSeconds = f.Seconds
		if err != nil || !b.takes(yardstick) {
			return err
		}
		return b.unload(ctx, name)
	})
}

func (b *bench) files() error {
	other := b.data
	other.changed = true
	for _, file := range []struct {
		path  *string
		name  string
		want  bool
		write func(io.Writer) error
	}{
		{&b.csv, "rows.csv", true, b.data.writeCSV},
		{&b.other, "changed.csv", b.takes(changed), other.writeCSV},
		{&b.book, "rows.xlsx", b.takes(xlsx), func(w io.Writer) error { return b.data.writeXLSX(w, !b.inline) }},
		{&b.mapping, "customers.yaml", b.takes(customers), func(w io.Writer) error { _, err := io.WriteString(w, customersOnly); return err }},
	} {
		if !file.want {
			continue
		}
		*file.path = filepath.Join(b.stack.dir, file.name)
		if err := writeFile(*file.path, file.write); err != nil {
			return err
		}
	}
	info, err := os.Stat(b.csv)
	if err == nil {
		b.out.FileSize = info.Size()
	}
	return err
}

func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := write(f); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}

// round takes each measure once.
func (b *bench) round(ctx context.Context, n int) error {
	add := func(measure func() (figure, error)) error {
		if err := awaitQuiet(ctx, b.withheld); err != nil {
			return err
		}
		before, err := readTicks()
		if err != nil {
			return err
		}
		f, err := measure()
		if err != nil {
			return fmt.Errorf("%s: %w", f.Measure, err)
		}
		after, err := readTicks()
		if err != nil {
			return err
		}
		f.Round, f.Withheld = n, after.share(before)
		say("round %d of %d: %-9s %7.2f s, %s of CPU, %.0f %% withheld", n, b.rounds, f.Measure, f.Seconds, seconds(f.cpu()), 100*f.Withheld)
		b.out.Figures = append(b.out.Figures, f)
		return nil
	}
	if b.takes(yardstick) {
		if err := add(func() (figure, error) { return b.yardstick(ctx, fmt.Sprintf("y%d", n)) }); err != nil {
			return err
		}
	}
	for _, list := range b.orders(n) {
		if len(list) == 0 {
			continue
		}
		err := b.importInto(ctx, list[0].source, func(ctx context.Context, c *cluster) error {
			for _, o := range list {
				if err := add(func() (figure, error) { return c.profiled(ctx, o, n >= b.rounds) }); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if b.takes(serverless) {
		return add(func() (figure, error) { return b.embedded(ctx) })
	}
	return nil
}

// orders returns the imports of a round, those into one database together.
func (b *bench) orders(round int) [][]order {
	var lists [][]order
	in := func(name string, all ...order) {
		var list []order
		for _, o := range all {
			if b.takes(o.measure) {
				o.source = fmt.Sprintf("%s%d", name, round)
				list = append(list, o)
			}
		}
		lists = append(lists, list)
	}
	in("all", order{measure: first, file: b.csv}, order{measure: unchanged, file: b.csv, was: sameRows},
		order{measure: changed, file: b.other, was: otherRows})
	in("customers", order{measure: customers, file: b.csv, mapping: b.mapping, customers: true})
	in("xlsx", order{measure: xlsx, file: b.book})
	return lists
}
