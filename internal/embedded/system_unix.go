//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package embedded

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// lockFile opens the file at path, making it if need be, and locks it without
// waiting. Closing the file, or the end of the process, unlocks it.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return f, nil
	}
	_ = f.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, errHeld
	}
	return nil, &os.PathError{Op: "lock", Path: path, Err: err}
}

// setApart gives the child a process group of its own, so that the terminal's
// Ctrl-C reaches only us and we end the child in our order.
func setApart(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// terminate asks the child's group to end.
func terminate(p *os.Process) error { return syscall.Kill(-p.Pid, syscall.SIGTERM) }

// kill ends the child's group at once.
func kill(p *os.Process) error { return syscall.Kill(-p.Pid, syscall.SIGKILL) }

// tied makes a command end when its standard input does, for a program that
// does not look at it: a shell waits for either and ends the other.
func tied(name string, args []string) *exec.Cmd {
	const script = `exec 3<&0
"$@" </dev/null 3<&- & child=$!
{ cat <&3; kill "$child"; } >/dev/null 2>&1 & watch=$!
wait "$child"; status=$?
kill "$watch" 2>/dev/null
exit "$status"`
	return exec.Command("/bin/sh", append([]string{"-c", script, "sh", name}, args...)...)
}
