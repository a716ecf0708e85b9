package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ticksPerSecond is the unit of the times in /proc on every Linux that Go runs
// on.
const ticksPerSecond = 100

// cpuSeconds returns the processor time of a process and of all that descend
// from it, those that have ended and were waited for included.
func cpuSeconds(pid int) (float64, error) {
	parents, err := processes()
	if err != nil {
		return 0, err
	}
	own, ok := parents[pid]
	if !ok {
		return 0, fmt.Errorf("process %d has ended", pid)
	}
	ticks := own.ticks
	for _, child := range descendants(parents, pid) {
		ticks += parents[child].ticks
	}
	return float64(ticks) / ticksPerSecond, nil
}

// peakBytes returns the most memory that a process has held since it began or
// since resetPeak; of it and its descendants the one that held most, since
// they share memory.
func peakBytes(pid int) int64 {
	parents, err := processes()
	if err != nil {
		return 0
	}
	most := int64(0)
	for _, p := range append(descendants(parents, pid), pid) {
		most = max(most, peakOf(p))
	}
	return most
}

// peakOf returns the most memory that one process has held; 0 if it has ended.
func peakOf(pid int) int64 {
	b, _ := os.ReadFile(procFile(pid, "status"))
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kib << 10
		}
	}
	return 0
}

// resetPeak makes peakBytes count from now on.
func resetPeak(pid int) error {
	parents, err := processes()
	if err != nil {
		return err
	}
	for _, p := range append(descendants(parents, pid), pid) {
		err := os.WriteFile(procFile(p, "clear_refs"), []byte("5"), 0)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// childNamed returns the youngest child of this process whose command begins
// with name.
func childNamed(name string) (int, error) {
	parents, err := processes()
	if err != nil {
		return 0, err
	}
	found := 0
	for pid, p := range parents {
		if p.parent == os.Getpid() && strings.HasPrefix(p.name, name) && pid > found {
			found = pid
		}
	}
	if found == 0 {
		return 0, fmt.Errorf("no child process is called %s", name)
	}
	return found, nil
}

// stat is what /proc says of a process.
type stat struct {
	name   string // of its program, at most 15 bytes
	parent int
	ticks  int64 // of processor time, with that of ended children
}

// processes returns all processes by their ids.
func processes() (map[int]stat, error) {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || len(files) == 0 {
		return nil, errors.New("no /proc here: the benchmark needs Linux")
	}
	all := make(map[int]stat, len(files))
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			continue // it has ended
		}
		if pid, s, ok := parseStat(string(b)); ok {
			all[pid] = s
		}
	}
	return all, nil
}

// parseStat reads /proc/PID/stat: the id, the name in parentheses, which may
// hold anything, the state, the parent, and on.
func parseStat(text string) (pid int, s stat, ok bool) {
	head, rest, found := strings.Cut(text, " (")
	end := strings.LastIndexByte(rest, ')')
	if !found || end < 0 {
		return 0, s, false
	}
	f := strings.Fields(rest[end+1:])
	if len(f) < 15 {
		return 0, s, false
	}
	s.name = rest[:end]
	pid, err := strconv.Atoi(head)
	s.parent, _ = strconv.Atoi(f[1])
	for _, field := range f[11:15] { // utime, stime, cutime, cstime
		n, _ := strconv.ParseInt(field, 10, 64)
		s.ticks += n
	}
	return pid, s, err == nil
}

func descendants(all map[int]stat, pid int) []int {
	var list []int
	for p, s := range all {
		if s.parent == pid {
			list = append(append(list, p), descendants(all, p)...)
		}
	}
	return list
}

func procFile(pid int, name string) string { return filepath.Join("/proc", strconv.Itoa(pid), name) }
