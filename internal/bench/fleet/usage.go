package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// usage is the time that passed, and the processor time that it took.
type usage struct {
	wall, server, workers time.Duration
}

var epoch = time.Now()

// used returns what has been used so far. Without /proc processor times are 0.
func used() usage {
	u := usage{wall: time.Since(epoch), workers: process(os.Getpid()).cpu()}
	for _, p := range children() {
		u.server += p.cpu()
	}
	return u
}

func (u usage) since(before usage) usage {
	return usage{u.wall - before.wall, u.server - before.server, u.workers - before.workers}
}

// process is the id of a process of this machine.
type process int

// fields returns what stands in the process's stat file from its state on,
// which is field 3 of proc_pid_stat(5); nil if it is not there.
func (p process) fields() []string {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", int(p)))
	_, rest, found := strings.Cut(string(text), ") ") // the name before may hold anything
	if !found {
		return nil
	}
	return strings.Fields(rest)
}

// tick is the unit of processor times in /proc, the same on every Linux that
// Go runs on.
const tick = 10 * time.Millisecond

func (p process) cpu() time.Duration {
	f := p.fields()
	if len(f) < 13 {
		return 0
	}
	user, _ := strconv.ParseInt(f[11], 10, 64)
	system, _ := strconv.ParseInt(f[12], 10, 64)
	return time.Duration(user+system) * tick
}

// peak returns the most memory that the process has had, in bytes.
func (p process) peak() int64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", int(p)))
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	line, _, _ := strings.Cut(rest, "kB")
	kib, _ := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
	return kib << 10
}

// children returns the processes that this one started.
func children() (found []process) {
	names, _ := filepath.Glob("/proc/[0-9]*")
	parent := strconv.Itoa(os.Getpid())
	for _, name := range names {
		pid, _ := strconv.Atoi(filepath.Base(name))
		if f := process(pid).fields(); len(f) > 1 && f[1] == parent {
			found = append(found, process(pid))
		}
	}
	return found
}
