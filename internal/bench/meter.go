package main

import (
	"context"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// A meter reads what servers use while something is measured.
type meter struct {
	pids map[string]int // by process name
	cpu  map[string]float64
}

// startMeter notes what the processes have used so far.
func startMeter(pids map[string]int) (*meter, error) {
	m := &meter{pids: pids, cpu: map[string]float64{}}
	for name, pid := range pids {
		if err := resetPeak(pid); err != nil {
			return nil, err
		}
		used, err := cpuSeconds(pid)
		if err != nil {
			return nil, err
		}
		m.cpu[name] = used
	}
	return m, nil
}

// read adds to f what the processes have used since the start.
func (m *meter) read(f *figure) error {
	for name, pid := range m.pids {
		used, err := cpuSeconds(pid)
		if err != nil {
			return err
		}
		f.CPUSeconds[name] = used - m.cpu[name]
		f.PeakBytes[name] = peakBytes(pid)
	}
	return nil
}

// sampleEvery is how often a sampler looks.
const sampleEvery = 100 * time.Millisecond

// A sampler keeps the greatest values of what can only be seen in between. A
// nil claims, an empty stage and a pid of 0 are not looked at.
type sampler struct {
	claims *redis.Client
	stage  string // the folder
	pid    int

	baseline int64 // of Redis's memory, before

	redisBytes  int64
	stageBytes  int64 // with imported files
	stagedBytes int64 // without
	peakBytes   int64 // of the process
}

// during looks now and then while do runs.
func (s *sampler) during(ctx context.Context, do func() error) error {
	ctx, cancel := context.WithCancel(ctx)
	var looking sync.WaitGroup
	looking.Go(func() {
		tick := time.NewTicker(sampleEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				s.look(ctx)
			case <-ctx.Done():
				return
			}
		}
	})
	err := do()
	cancel()
	looking.Wait()
	return err
}

func (s *sampler) look(ctx context.Context) {
	if s.claims != nil {
		if used, err := usedMemory(ctx, s.claims); err == nil {
			s.redisBytes = max(s.redisBytes, used-s.baseline)
		}
	}
	if s.stage != "" {
		all, staged := folderBytes(s.stage)
		s.stageBytes, s.stagedBytes = max(s.stageBytes, all), max(s.stagedBytes, staged)
	}
	if s.pid != 0 {
		s.peakBytes = max(s.peakBytes, peakOf(s.pid))
	}
}

// usedMemory returns the bytes that Redis says it has allocated.
func usedMemory(ctx context.Context, c *redis.Client) (int64, error) {
	info, err := c.Info(ctx, "memory").Result()
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(infoField(info, "used_memory"), 10, 64)
}

// infoField returns one field of Redis's answer to INFO; "" if it is not there.
func infoField(info, name string) string {
	for line := range strings.Lines(info) {
		if v, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// folderBytes returns the size of all files of a stage, and of those that are
// no imported file: these lie in the folder files, under the hash of what is
// in them.
func folderBytes(dir string) (all, staged int64) {
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil // it went while we looked
		}
		if info, err := d.Info(); err == nil {
			all += info.Size()
			if rel, _ := filepath.Rel(dir, path); !strings.HasPrefix(rel, "files"+string(filepath.Separator)) {
				staged += info.Size()
			}
		}
		return nil
	})
	return all, staged
}
