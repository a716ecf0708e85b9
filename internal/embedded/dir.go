package embedded

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// TemporalVersion is the version of the Temporal server that the nested module
// builds.
const TemporalVersion = "1.32.1"

const (
	lockName    = "lock"
	addressName = "address.json"
	logFolder   = "log"
)

// errHeld is given by lockFile for a file that another process has locked.
var errHeld = errors.New("held by another process")

// An Address says where the parts started by one process are reached. A part
// that is not embedded is "".
type Address struct {
	PID        int       `json:"pid"`         // of the process that owns the directory
	StartedAt  time.Time `json:"started_at"`  // UTC
	Temporal   string    `json:"temporal"`    // host:port
	TemporalUI string    `json:"temporal_ui"` // URL
	Redis      string    `json:"redis"`       // host:port
}

// A LockedError says that another process owns the directory.
type LockedError struct {
	Path string

	// Address is what the owner has published, for attaching to it. It is zero
	// while the owner is still starting.
	Address Address
}

// Error names the directory and, if known, its owner.
func (e *LockedError) Error() string {
	if e.Address.PID == 0 {
		return fmt.Sprintf("open data directory %s: in use by a process that is still starting", e.Path)
	}
	return fmt.Sprintf("open data directory %s: in use by process %d", e.Path, e.Address.PID)
}

// A Dir is a data directory owned by this process.
type Dir struct {
	Path string // absolute

	lock *os.File
}

// Default returns the data directory used when none is named: sluice in the
// user's folder for application data.
func Default() (string, error) {
	if runtime.GOOS == "windows" {
		if data := os.Getenv("LocalAppData"); data != "" {
			return filepath.Join(data, "sluice"), nil
		}
		return "", errors.New("find data directory: %LocalAppData% is not set; name one with --data-dir")
	}
	if data := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(data) {
		return filepath.Join(data, "sluice"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find data directory: %w; name one with --data-dir", err)
	}
	if runtime.GOOS == "darwin" {
		return filepath.Join(home, "Library", "Application Support", "sluice"), nil
	}
	return filepath.Join(home, ".local", "share", "sluice"), nil
}

// Open makes the directory at path if it is not there, readable by its owner
// only, and takes it for this process. It does not wait: a directory that
// another process owns gives a [*LockedError]. The caller closes it.
//
// The lock is the operating system's and ends with the process, however that
// ends. What a killed owner left as its address is removed.
func Open(path string) (*Dir, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open data directory %s: %w", path, err)
	}
	for _, folder := range []string{path, filepath.Join(path, logFolder)} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return nil, fmt.Errorf("open data directory %s: %w", path, err)
		}
	}
	lock, err := lockFile(filepath.Join(path, lockName))
	if errors.Is(err, errHeld) {
		// An address that cannot be read is one that is not there yet.
		address, _ := ReadAddress(path)
		return nil, &LockedError{Path: path, Address: address}
	}
	if err != nil {
		return nil, fmt.Errorf("open data directory %s: %w", path, err)
	}
	d := &Dir{Path: path, lock: lock}
	if err := d.unpublish(); err != nil {
		_ = lock.Close()
		return nil, fmt.Errorf("open data directory %s: %w", path, err)
	}
	return d, nil
}

// Database is the path of the product's own SQLite database.
func (d *Dir) Database() string { return filepath.Join(d.Path, "sluice.db") }

// Stage is the path of the folder where files and batches wait. It is made by
// whoever stages.
func (d *Dir) Stage() string { return filepath.Join(d.Path, "stage") }

// Log is the path of the log of the part called name, in a folder that exists.
func (d *Dir) Log(name string) string { return filepath.Join(d.Path, logFolder, name+".log") }

// TemporalDB is the path of the Temporal server's database. It is named after
// the server's version, because the server makes its tables once and never
// upgrades them: a new version begins a new file, without the old histories.
func (d *Dir) TemporalDB() string {
	return filepath.Join(d.Path, "temporal-"+TemporalVersion+".db")
}

// Publish tells other processes where the parts are. The file appears whole or
// not at all, replaces what was published before, and goes with Close.
func (d *Dir) Publish(a Address) error {
	body, err := json.MarshalIndent(a, "", "  ")
	if err != nil {
		return fmt.Errorf("publish address: %w", err)
	}
	tmp, err := os.CreateTemp(d.Path, addressName+".*")
	if err != nil {
		return fmt.Errorf("publish address: %w", err)
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	_, err = tmp.Write(append(body, '\n'))
	if err := errors.Join(err, tmp.Close()); err != nil {
		return fmt.Errorf("publish address: %w", err)
	}
	if err := os.Rename(tmp.Name(), filepath.Join(d.Path, addressName)); err != nil {
		return fmt.Errorf("publish address: %w", err)
	}
	return nil
}

// Close withdraws the address and gives the directory up. Stop what was started
// in it first.
func (d *Dir) Close() error {
	err := errors.Join(d.unpublish(), d.lock.Close())
	if err != nil {
		return fmt.Errorf("close data directory %s: %w", d.Path, err)
	}
	return nil
}

func (d *Dir) unpublish() error {
	err := os.Remove(filepath.Join(d.Path, addressName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// ReadAddress returns what the owner of the directory at path has published, or
// an error that wraps [fs.ErrNotExist] if nothing is. It takes no lock, so what
// it returns may be of an owner that was killed since.
func ReadAddress(path string) (Address, error) {
	body, err := os.ReadFile(filepath.Join(path, addressName))
	if err != nil {
		return Address{}, fmt.Errorf("read address: %w", err)
	}
	var a Address
	if err := json.Unmarshal(body, &a); err != nil {
		return Address{}, fmt.Errorf("read address %s: %w", filepath.Join(path, addressName), err)
	}
	return a, nil
}
