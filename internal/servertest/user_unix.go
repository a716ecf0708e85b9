//go:build unix

package servertest

import (
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// unprivileged returns how to start a server: in a process group of its own,
// so that an interrupt at the terminal reaches the watcher only through its
// pipe, and never as root, which PostgreSQL refuses to run as.
func unprivileged() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if uid, gid, ok := lesserUser(); ok {
		attr.Credential = &syscall.Credential{Uid: uid, Gid: gid}
	}
	return attr
}

// own gives dir to the user that the servers run as.
func own(dir string) error {
	if uid, gid, ok := lesserUser(); ok {
		return os.Chown(dir, int(uid), int(gid))
	}
	return nil
}

// lesserUser names a user for the servers if this process is root's.
func lesserUser() (uid, gid uint32, ok bool) {
	if os.Getuid() != 0 {
		return 0, 0, false
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, _ := strconv.ParseUint(u.Uid, 10, 32)
		gid, _ := strconv.ParseUint(u.Gid, 10, 32)
		return uint32(uid), uint32(gid), true
	}
	return 0, 0, false
}
