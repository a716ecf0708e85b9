//go:build unix

package store

import (
	"syscall"
	"time"
)

// cpuTime is what this process has used of its processors: on a busy machine
// it says more than the clock.
func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
