package source

import (
	"bufio"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"sluice/internal/crm"
)

// startSSHD starts the server of OpenSSH for the user whom this process runs as,
// with the files of a folder. Debian has it in the package openssh-server.
func startSSHD(t *testing.T, hostKey, userKey ed25519.PrivateKey) (address string) {
	t.Helper()
	program, err := exec.LookPath("sshd")
	if err != nil {
		program = "/usr/sbin/sshd"
	}
	if _, err := os.Stat(program); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("sshd is not installed, and CI is set, so this test may not be skipped; it is in Debian's openssh-server")
		}
		t.Skip("SKIPPED: sshd is not installed; install Debian's openssh-server to run this test")
	}
	if os.Getuid() == 0 {
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	write := func(name, text string) string {
		full := filepath.Join(dir, name)
		if err := os.WriteFile(full, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return full
	}
	port := freePort(t)
	config := write("sshd_config", strings.Join([]string{
		"ListenAddress 127.0.0.1", fmt.Sprintf("Port %d", port), "PidFile none",
		"HostKey " + write("host_key", keyText(t, hostKey)),
		"AuthorizedKeysFile " + write("authorized", string(ssh.MarshalAuthorizedKey(signer(t, userKey).PublicKey()))),
		"StrictModes no", "UsePAM no", "PasswordAuthentication no", "PermitRootLogin prohibit-password",
		"Subsystem sftp internal-sftp", "ForceCommand internal-sftp", "",
	}, "\n"))
	cmd := exec.Command(program, "-D", "-e", "-f", config)
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ready, ended := make(chan struct{}), make(chan struct{})
	var last []string
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if strings.HasPrefix(lines.Text(), "Server listening on 127.0.0.1") {
				close(ready)
			}
			last = append(last[max(0, len(last)-9):], lines.Text())
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
		_ = cmd.Wait()
	})
	select {
	case <-ready:
	case <-ended:
		t.Fatalf("sshd ended: %s", strings.Join(last, "\n"))
	}
	return fmt.Sprintf("127.0.0.1:%d", port)
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// What the server in this process may get wrong, that of OpenSSH has right.
func TestOpenSSH(t *testing.T) {
	t.Parallel()
	_, hostKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, userKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	address := startSSHD(t, hostKey, userKey)
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	s := &fileServer{at: "sftp://" + me.Username + "@" + address + filepath.ToSlash(dir) + "/"}
	s.way = wayTo(t, "127.0.0.1", &s.read)
	s.way.Settings = map[string]string{"private_key": keyText(t, userKey),
		"known_hosts": knownhosts.Line([]string{address}, signer(t, hostKey).PublicKey())}
	want := someBytes(3*testPart + 5)
	name := filepath.Join(dir, "leads.csv")
	began := time.Now().Add(-time.Hour)
	writeAt(t, name, want, began)

	t.Run("a download that was cut short goes on", func(t *testing.T) {
		st := testStage(t)
		cutShort(t, s, st, 2)
		got, err := s.download(t.Context(), t, "leads.csv", into(st))
		checkWhole(t, st, got, err, want)
		if got.Kept != 2*testPart {
			t.Errorf("%d bytes were there, want two parts", got.Kept)
		}
	})
	t.Run("another version is noticed", func(t *testing.T) {
		r := s.open(t, "leads.csv")
		info, err := r.Stat(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		writeAt(t, name, want, began.Add(time.Minute))
		if _, _, err := r.from.open(t.Context(), 5, info); !errors.Is(err, crm.ErrSourceChanged) {
			t.Errorf("got %v, want ErrSourceChanged", err)
		}
	})
	t.Run("a pattern stands for files", func(t *testing.T) {
		found, err := s.open(t, "*.csv").List(t.Context())
		if err != nil || len(found) != 1 || found[0].Size != int64(len(want)) {
			t.Errorf("found %+v, %v", found, err)
		}
	})
	t.Run("what is absent is not found", func(t *testing.T) {
		if _, err := s.open(t, "absent.csv").Stat(t.Context()); !errors.Is(err, crm.ErrNotFound) {
			t.Errorf("got %v, want ErrNotFound", err)
		}
	})
	t.Run("a host key that has changed is denied", func(t *testing.T) {
		other := &fileServer{at: s.at, way: s.way}
		other.way.Settings = cloneWith(s.way.Settings, "known_hosts", knownhosts.Line([]string{address}, newHostKey(t).PublicKey()))
		_, err := other.open(t, "leads.csv").Stat(t.Context())
		if !errors.Is(err, crm.ErrDenied) || !strings.Contains(err.Error(), "has changed") {
			t.Errorf("got %v, want ErrDenied", err)
		}
	})
	t.Run("a key of somebody else is denied", func(t *testing.T) {
		_, stranger, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		settings := cloneWith(s.way.Settings, "private_key", keyText(t, stranger))
		p, err := ParsePlace(s.at + "leads.csv")
		if err != nil {
			t.Fatal(err)
		}
		way := wayTo(t, "127.0.0.1", new(atomic.Int64))
		way.Settings = settings
		if err := statOnce(t, p, way); !errors.Is(err, crm.ErrDenied) {
			t.Errorf("got %v, want ErrDenied", err)
		}
	})
}

func cloneWith(all map[string]string, name, value string) map[string]string {
	out := map[string]string{name: value}
	for n, v := range all {
		if !slices.Contains([]string{name}, n) {
			out[n] = v
		}
	}
	return out
}
