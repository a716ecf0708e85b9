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

const (
	// sampleEvery is how often a sampler looks.
	sampleEvery = 200 * time.Millisecond

	// A stage has thousands of files and is looked through every so many
	// times: looking must not slow down what it looks at.
	stageEvery = 10
)

// A sampler keeps the greatest values of what can only be seen in between. A
// nil claims, an empty stage and a pid of 0 are not looked at.
type sampler struct {
	claims *redis.Client
	stage  string // the folder
	pid    int

	before, most held
	peakBytes    int64 // of the process
}

// held is what Redis and the stage hold at a moment, in bytes.
type held struct {
	redis  int64
	stage  int64 // with the imported files
	staged int64 // without
}

// start notes what is held before.
func (s *sampler) start(ctx context.Context) (err error) {
	s.before.stage, s.before.staged = folderBytes(s.stage)
	s.before.redis, err = usedMemory(ctx, s.claims)
	s.most = s.before
	return err
}

// during looks now and then while do runs, and at its end.
func (s *sampler) during(ctx context.Context, do func() error) error {
	ctx, cancel := context.WithCancel(ctx)
	var looking sync.WaitGroup
	looking.Go(func() {
		tick := time.NewTicker(sampleEvery)
		defer tick.Stop()
		for n := 1; ; n++ {
			select {
			case <-tick.C:
				s.look(ctx, n%stageEvery == 0)
			case <-ctx.Done():
				return
			}
		}
	})
	err := do()
	cancel()
	looking.Wait()
	s.look(ctx, true)
	return err
}

func (s *sampler) look(ctx context.Context, stage bool) {
	if s.claims != nil {
		if used, err := usedMemory(ctx, s.claims); err == nil {
			s.most.redis = max(s.most.redis, used)
		}
	}
	if s.stage != "" && stage {
		all, staged := folderBytes(s.stage)
		s.most.stage, s.most.staged = max(s.most.stage, all), max(s.most.staged, staged)
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
