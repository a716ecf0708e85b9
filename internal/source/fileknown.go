package source

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"sluice/internal/crm"
)

// knownKeys are the keys of hosts that are known, as sshd(8) describes them
// under SSH_KNOWN_HOSTS FILE FORMAT.
type knownKeys struct {
	callback    ssh.HostKeyCallback
	authorities bool // some are those of who signs the keys of hosts
}

// readKnownHosts reads the text of a known_hosts file. There must be a key: a
// host that nobody knows is never trusted.
func readKnownHosts(text string) (*knownKeys, error) {
	k := &knownKeys{}
	lines := 0
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			lines++
			k.authorities = k.authorities || strings.HasPrefix(line, "@cert-authority")
		}
	}
	if lines == 0 {
		return nil, fmt.Errorf("%w: known_hosts is not set: it says by which key the server is known; ssh-keyscan prints it, and whoever runs the server can say whether it is theirs", crm.ErrInvalid)
	}
	// The library reads files only.
	file, err := os.CreateTemp("", "sluice-known-*")
	if err != nil {
		return nil, err
	}
	defer os.Remove(file.Name())
	_, err = file.WriteString(text)
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, err
	}
	if k.callback, err = knownhosts.New(file.Name()); err != nil {
		return nil, fmt.Errorf("%w: known_hosts has a line that is none", crm.ErrInvalid)
	}
	return k, nil
}

func checkKnownHosts(value string) error {
	_, err := readKnownHosts(value)
	return err
}

// check says what is wrong with the key that a server shows.
func (k *knownKeys) check(address string, remote net.Addr, key ssh.PublicKey) error {
	err := k.callback(address, remote, key)
	shown := key.Type() + " " + ssh.FingerprintSHA256(key)
	var unknown *knownhosts.KeyError
	var revoked *knownhosts.RevokedError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &revoked):
		return fmt.Errorf("%w: the key of %s is revoked in known_hosts (%s)", crm.ErrDenied, address, shown)
	case errors.As(err, &unknown) && len(unknown.Want) == 0:
		return fmt.Errorf("%w: known_hosts has no key of %s; it shows %s: ask whoever runs it whether that is theirs, and add it", crm.ErrDenied, knownhosts.Normalize(address), shown)
	case errors.As(err, &unknown):
		return otherKey(address, shown)
	}
	return fmt.Errorf("%w: %s shows a certificate that known_hosts does not vouch for (%s)", crm.ErrDenied, address, shown)
}

// otherKey is the error of a host whose key is not the one that is known.
func otherKey(address, shown string) error {
	return fmt.Errorf("%w: the key of %s has changed (%s): either it was set up anew, or somebody else answers in its place; "+
		"ask whoever runs it before you correct known_hosts", crm.ErrDenied, knownhosts.Normalize(address), shown)
}

// certificates are the algorithms of keys that an authority signs.
var certificates = []string{ssh.CertAlgoED25519v01, ssh.CertAlgoECDSA256v01, ssh.CertAlgoECDSA384v01, ssh.CertAlgoECDSA521v01,
	ssh.CertAlgoRSASHA512v01, ssh.CertAlgoRSASHA256v01}

// algorithms are those of the keys that are known of a host. A server has keys
// of several kinds, and shows one that it is asked for: another one than is
// known would look like a change. Nil asks for any.
func (k *knownKeys) algorithms(address string) (all []string) {
	if k.authorities {
		all = append(all, certificates...)
	}
	var unknown *knownhosts.KeyError
	if !errors.As(k.callback(address, &net.TCPAddr{IP: net.IPv4zero}, noKey{}), &unknown) || len(unknown.Want) == 0 {
		return nil
	}
	for _, want := range unknown.Want {
		switch kind := want.Key.Type(); kind {
		case ssh.KeyAlgoRSA: // names its old signatures too, which are not safe
			all = append(all, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256)
		default:
			all = append(all, kind)
		}
	}
	return all
}

// noKey is the key of no host.
type noKey struct{}

func (noKey) Type() string                        { return "none" }
func (noKey) Marshal() []byte                     { return []byte("none") }
func (noKey) Verify([]byte, *ssh.Signature) error { return errors.New("no key") }
