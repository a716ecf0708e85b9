package wiring

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"sluice/internal/crm"
	"sluice/internal/egress"
	"sluice/internal/secret"
)

// keyFile is where the data directory keeps the key that was made for it.
const keyFile = "key"

// Keys returns what seals the credentials of sources: SLUICE_KEY, or, where the
// database lies in the data directory too, a key that is made there, readable by
// its owner alone. It is nil where there is none. A key that is none wraps
// [crm.ErrInvalid].
func Keys(c Config) (*secret.Keys, error) {
	if c.Key != "" {
		return secret.Parse(c.Key)
	}
	if c.DatabaseURL != "" {
		return nil, nil
	}
	path := filepath.Join(c.DataDir, keyFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		text, err = makeKey(path)
	}
	if err != nil {
		return nil, fmt.Errorf("key: %w: %w", crm.ErrInvalid, err)
	}
	return secret.Parse(string(text))
}

// makeKey writes a new key whole or not at all: half a key would lose what it
// has sealed. Of two who make one at the same time one wins, and both have that.
func makeKey(path string) ([]byte, error) {
	text, err := secret.New()
	if err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".key-*") // mode 0600
	if err != nil {
		return nil, err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(text + "\n")
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return os.ReadFile(path)
}

// egress reads where to this installation may reach out.
func (c Config) egress() (egress.Policy, error) {
	return egress.ParsePolicy(strings.Join(c.Networks, ","), strings.Join(c.Ports, ","), strings.Join(c.Hosts, ","))
}

// personal returns the settings of a worker that a person runs for their own
// imports: what the person may read, it may read.
func (c Config) personal() Config {
	c.OwnCredentials = true
	home, err := os.UserHomeDir()
	if path := filepath.Join(home, ".ssh", "known_hosts"); err == nil && c.KnownHosts == "" && exists(path) {
		c.KnownHosts = path
	}
	return c
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// knownHosts reads the keys of SFTP servers that this installation knows; "" if
// there is no file of them.
func (c Config) knownHosts() (string, error) {
	if c.KnownHosts == "" {
		return "", nil
	}
	b, err := os.ReadFile(c.KnownHosts)
	if err != nil {
		return "", fmt.Errorf("SLUICE_KNOWN_HOSTS: %w: %w", crm.ErrInvalid, err)
	}
	return string(b), nil
}
