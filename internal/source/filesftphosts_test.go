package source

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"sluice/internal/crm"
)

func TestUnknownHostsAreNotTrusted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeAt(t, filepath.Join(dir, "leads.csv"), []byte("x"), time.Now())
	_, server := sftpTrial(t, sshOptions{dir: dir})
	other := knownhosts.Line([]string{server.address}, newHostKey(t).PublicKey())
	elsewhere := strings.Replace(server.known, "127.0.0.1", "127.0.0.2", 1)
	for _, tt := range []struct {
		name, settings, installation string
		want                         string // "": it is trusted
	}{
		{"one whose key is known", server.known, "", ""},
		{"one whose key the installation knows", "", server.known, ""},
		{"one whose key is hashed", hashed(t, server), "", ""},
		{"one that has an old key too", other + "\n" + server.known, "", ""},
		{"one of another address", elsewhere, "", "has no key of [127.0.0.1]:"},
		{"one whose key has changed", other, "", "has changed"},
		{"one whose key is revoked", server.known + "\n@revoked * " + strings.SplitN(server.known, " ", 2)[1], "", "is revoked"},
	} {
		s := &fileServer{at: "sftp://importer@" + server.address + "/~/"}
		s.way = wayTo(t, "127.0.0.1", &s.read)
		s.way.Settings = map[string]string{"password": sshPassword, "known_hosts": tt.settings}
		s.way.KnownHosts = tt.installation
		_, err := s.open(t, "leads.csv").Stat(t.Context())
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v", tt.name, err)
		case tt.want != "" && (!errors.Is(err, crm.ErrDenied) || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "SHA256:")):
			t.Errorf("%s: %v; want ErrDenied, %q and the fingerprint", tt.name, err, tt.want)
		}
	}
}

// A server with keys of several kinds shows the kind that is asked for. One that
// is not known would look like a change.
func TestAServerIsAskedForTheKindOfKeyThatIsKnown(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeAt(t, filepath.Join(dir, "leads.csv"), []byte("x"), time.Now())
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keys := []ssh.Signer{newHostKey(t), signer(t, curve)}
	for i := range keys {
		s, server := sftpTrial(t, sshOptions{dir: dir, keys: keys})
		s.way.Settings["known_hosts"] = knownhosts.Line([]string{server.address}, keys[i].PublicKey())
		if _, err := s.open(t, "leads.csv").Stat(t.Context()); err != nil {
			t.Errorf("known by %s: %v", keys[i].PublicKey().Type(), err)
		}
	}
	s, server := sftpTrial(t, sshOptions{dir: dir, keys: keys[1:]})
	s.way.Settings["known_hosts"] = knownhosts.Line([]string{server.address}, keys[0].PublicKey())
	if _, err := s.open(t, "leads.csv").Stat(t.Context()); !errors.Is(err, crm.ErrDenied) || !strings.Contains(err.Error(), "has changed") {
		t.Errorf("known by a kind that it no longer has: %v; want that it has changed", err)
	}
}

func TestHostsThatAnAuthorityVouchesForAreTrusted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeAt(t, filepath.Join(dir, "leads.csv"), []byte("x"), time.Now())
	authority, host := newHostKey(t), newHostKey(t)
	for name, known := range map[string]bool{"127.0.0.1": true, "example.com": false} {
		cert := &ssh.Certificate{Key: host.PublicKey(), CertType: ssh.HostCert, ValidPrincipals: []string{name}, ValidBefore: ssh.CertTimeInfinity}
		if err := cert.SignCert(rand.Reader, authority); err != nil {
			t.Fatal(err)
		}
		key, err := ssh.NewCertSigner(cert, host)
		if err != nil {
			t.Fatal(err)
		}
		s, server := sftpTrial(t, sshOptions{dir: dir, keys: []ssh.Signer{key}})
		s.way.Settings["known_hosts"] = "@cert-authority " + knownhosts.Line([]string{server.address}, authority.PublicKey())
		_, err = s.open(t, "leads.csv").Stat(t.Context())
		if known && err != nil || !known && !errors.Is(err, crm.ErrDenied) {
			t.Errorf("a certificate for %s: %v", name, err)
		}
	}
}

func TestUsersAreToldFromOthers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeAt(t, filepath.Join(dir, "leads.csv"), []byte("x"), time.Now())
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	plain := keyText(t, key)
	sealed, _, _, _, err := ssh.ParseAuthorizedKey([]byte(sealedPublic))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name     string
		o        sshOptions
		settings map[string]string
		kind     error // nil: let in
		want     string
	}{
		{"by a password", sshOptions{}, map[string]string{"password": sshPassword}, nil, ""},
		{"by a password that is asked for otherwise", sshOptions{interactive: true}, map[string]string{"password": sshPassword}, nil, ""},
		{"by a key", sshOptions{authorized: signer(t, key).PublicKey()}, map[string]string{"private_key": plain}, nil, ""},
		{"by a key under a passphrase", sshOptions{authorized: sealed}, map[string]string{"private_key": sealedKey, "passphrase": "open sesame"}, nil, ""},
		{"a wrong password", sshOptions{}, map[string]string{"password": "hush"}, crm.ErrDenied, "does not take"},
		{"another key", sshOptions{authorized: newHostKey(t).PublicKey()}, map[string]string{"private_key": plain}, crm.ErrDenied, "does not take"},
		{"a key without its passphrase", sshOptions{}, map[string]string{"private_key": sealedKey}, crm.ErrInvalid, "needs a passphrase"},
		{"a key with another passphrase", sshOptions{}, map[string]string{"private_key": sealedKey, "passphrase": "hush"}, crm.ErrInvalid, "does not open"},
		{"no SFTP", sshOptions{noSFTP: true}, map[string]string{"password": sshPassword}, crm.ErrDenied, "offers no SFTP"},
	} {
		tt.o.dir = dir
		server := startSSH(t, tt.o)
		way := wayTo(t, "127.0.0.1", new(atomic.Int64))
		way.Settings = tt.settings
		way.Settings["known_hosts"] = server.known
		p, err := ParsePlace("sftp://importer@" + server.address + "/~/leads.csv")
		if err != nil {
			t.Fatal(err)
		}
		err = statOnce(t, p, way)
		if tt.kind == nil && err != nil || tt.kind != nil && (!errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hush")) {
			t.Errorf("%s: %v; want %v and %q", tt.name, err, tt.kind, tt.want)
		}
	}
}
