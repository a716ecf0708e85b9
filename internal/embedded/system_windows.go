package embedded

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// sharingViolation is what Windows answers when a file is open elsewhere and
// may not be shared. (ERROR_SHARING_VIOLATION)
const sharingViolation = syscall.Errno(32)

// lockFile opens the file at path for this process alone, making it if need be.
// Closing the file, or the end of the process, gives it up.
func lockFile(path string) (*os.File, error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, &os.PathError{Op: "lock", Path: path, Err: err}
	}
	h, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, 0, nil,
		syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if errors.Is(err, sharingViolation) {
		return nil, errHeld
	}
	if err != nil {
		return nil, &os.PathError{Op: "lock", Path: path, Err: err}
	}
	return os.NewFile(uintptr(h), path), nil
}

// setApart gives the child a process group of its own, so that Ctrl-C reaches
// only us and we end the child in our order.
func setApart(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// terminate has nothing to send: Windows knows no request to end. Our own
// server has seen its standard input end by now.
func terminate(*os.Process) error { return nil }

// kill ends the child at once.
func kill(p *os.Process) error { return p.Kill() }

// tied returns the plain command: without a shell to watch its standard input,
// the program may outlive a process that is killed.
func tied(name string, args []string) *exec.Cmd { return exec.Command(name, args...) }
