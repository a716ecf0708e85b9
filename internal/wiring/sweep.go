package wiring

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"sluice/internal/crm"
	"sluice/internal/launch"
	"sluice/internal/stage"
	"sluice/internal/store"
)

// defaultKeep is how long the stage keeps what an import left there, and
// leastKeep the shortest that may be set: a file is staged before its import is
// opened, which may wait for a worker.
const (
	defaultKeep = 30 * 24 * time.Hour
	leastKeep   = 24 * time.Hour
)

// Kept is for how long the stage keeps what an import left there, counted from
// the import's end; 0 is for ever. A setting that is no such time wraps
// [crm.ErrInvalid].
func (c Config) Kept() (time.Duration, error) {
	switch c.Keep {
	case "":
		return defaultKeep, nil
	case "forever":
		return 0, nil
	}
	d, err := time.ParseDuration(c.Keep)
	if days, ok := strings.CutSuffix(c.Keep, "d"); ok {
		var n int
		n, err = strconv.Atoi(days)
		d = time.Duration(n) * 24 * time.Hour
		if n > 36500 { // a century, far below what a Duration holds
			err = strconv.ErrRange
		}
	}
	if err != nil || d < leastKeep {
		return 0, fmt.Errorf("SLUICE_KEEP: %w: %q is not forever, nor a time of a day or more, such as 30d or 720h", crm.ErrInvalid, c.Keep)
	}
	return d, nil
}

const (
	sweepChore = "sweep"

	// sweepLease is how long a sweep counts as running that was killed. Two at
	// once do no harm.
	sweepLease = time.Hour

	// sweepEvery is how often a sweep is done, by whichever worker asks first,
	// and askEvery how often each asks.
	sweepEvery = 24 * time.Hour
	askEvery   = time.Hour
)

// ErrSweeping says that somebody else is sweeping.
var ErrSweeping = errors.New("another sweep is running, or was killed within the last hour")

// Sweep removes from the stage what nobody needs any more, or says what it
// would remove. One at a time does: see [ErrSweeping]. A dry run changes
// nothing and so may run beside one.
func Sweep(ctx context.Context, c Config, s *store.Store, g *stage.Stage, dry bool) (launch.Sweepings, error) {
	keep, err := c.Kept()
	if err != nil {
		return launch.Sweepings{}, err
	}
	o := launch.Sweeping{Keep: keep, DryRun: dry}
	if dry {
		return launch.Sweep(ctx, s, g, o)
	}
	out, mine, err := sweepOnce(ctx, s, g, o, 0)
	if err == nil && !mine {
		err = ErrSweeping
	}
	return out, err
}

// sweepOnce sweeps unless another is at it, or has done it within every.
func sweepOnce(ctx context.Context, s *store.Store, g *stage.Stage, o launch.Sweeping, every time.Duration) (out launch.Sweepings, mine bool, err error) {
	if mine, err = s.Claim(ctx, sweepChore, sweepLease, every); err != nil || !mine {
		return out, mine, err
	}
	out, err = launch.Sweep(ctx, s, g, o)
	return out, true, errors.Join(err, s.Release(context.WithoutCancel(ctx), sweepChore, err == nil))
}

// sweeping sweeps beside a worker until stop is called, which waits for it: at
// once, if nobody has today, and then once a day.
func sweeping(c Config, s *store.Store, g *stage.Stage, log *slog.Logger) (stop func() error, err error) {
	keep, err := c.Kept()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(askEvery)
		defer tick.Stop()
		for {
			out, mine, err := sweepOnce(ctx, s, g, launch.Sweeping{Keep: keep}, sweepEvery)
			switch all := out.All(); {
			case ctx.Err() != nil:
				return
			case err != nil:
				log.Warn("stage not swept", "error", err, "again_in", askEvery)
			case mine && all.Objects > 0:
				log.Info("stage swept", "imports", out.Imports, "objects", all.Objects, "bytes", all.Bytes)
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}()
	return func() error {
		cancel()
		<-done
		return nil
	}, nil
}

// WhySwept returns why an import's batches or lists are not in the stage, if
// they were swept: then it is a [launch.SweptError]. Any other error comes back
// as it is, and so does nil.
func WhySwept(ctx context.Context, c Config, s *store.Store, row crm.ImportRow, missing error) error {
	if !errors.Is(missing, crm.ErrNotFound) {
		return missing
	}
	swept, err := s.Swept(ctx, row.Number)
	if err != nil {
		return missing
	}
	keep, _ := c.Kept()
	e := &launch.SweptError{Number: row.Number, Source: row.Source, What: "lists", At: swept.Lists, Kept: keep}
	if e.At.IsZero() {
		e.What, e.At = "batches", swept.Batches
	}
	if e.At.IsZero() {
		return missing
	}
	return e
}
