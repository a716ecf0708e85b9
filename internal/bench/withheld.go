package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"
)

// The host of a virtual machine may give its processors to others for a while.
// What is measured meanwhile says nothing of this machine: an import that keeps
// two processors busy loses more than a yardstick that asks for one. Linux
// counts that time as stolen.

// ticks are what all processors did since the machine was started, in hundredths
// of a second.
type ticks struct {
	used     int64
	withheld int64 // somebody wanted to run, and the host did not let them
}

func readTicks() (ticks, error) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return ticks{}, err
	}
	t, ok := parseTicks(string(b))
	if !ok {
		return t, fmt.Errorf("/proc/stat: its first line is not that of all processors")
	}
	return t, nil
}

// parseTicks reads the line of all processors: user, nice, system, idle, iowait,
// irq, softirq, steal (proc(5)).
func parseTicks(stat string) (t ticks, ok bool) {
	var user, nice, system, idle, iowait, irq, softirq int64
	n, _ := fmt.Sscanf(stat, "cpu %d %d %d %d %d %d %d %d", &user, &nice, &system, &idle, &iowait, &irq, &softirq, &t.withheld)
	t.used = user + nice + system + irq + softirq
	return t, n == 8 && strings.HasPrefix(stat, "cpu ")
}

// share is how much of what was asked for since was withheld.
func (t ticks) share(since ticks) float64 {
	withheld := t.withheld - since.withheld
	return float64(withheld) / float64(max(1, withheld+t.used-since.used))
}

// How long awaitQuiet waits at the most, and how long in between. It is the machine
// that is waited for, and nothing that could tell.
const (
	quietLimit = 30 * time.Minute
	quietPause = 10 * time.Second
)

// awaitQuiet waits until the host withholds no more than the limit of a second in
// which all processors are wanted, but not for ever.
func awaitQuiet(ctx context.Context, limit float64) error {
	for begun := time.Now(); limit > 0 && time.Since(begun) < quietLimit; {
		before, err := readTicks()
		if err != nil {
			return err
		}
		keepBusy(time.Second)
		after, err := readTicks()
		if err != nil || after.share(before) <= limit {
			return err
		}
		select {
		case <-time.After(quietPause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// keepBusy wants all processors for a while.
func keepBusy(d time.Duration) {
	var all sync.WaitGroup
	for range runtime.NumCPU() {
		all.Go(func() {
			for begun := time.Now(); time.Since(begun) < d; {
				continue // looking at the clock is work enough
			}
		})
	}
	all.Wait()
}
