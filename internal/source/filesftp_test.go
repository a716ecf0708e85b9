package source

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"sluice/internal/crm"
)

const (
	sshPassword = "correct horse"

	// testKeyText is the key of no host.
	testKeyText = "AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
)

// sealedKey is what ssh-keygen -t ed25519 -a 1 -N 'open sesame' wrote: with the
// usual number of rounds it takes seconds to open under the race detector. It
// opens nothing but the servers of these tests.
const (
	sealedKey = `-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABDFGy+w6A
FvuyzrAzqyOaBTAAAAAQAAAAEAAAAzAAAAC3NzaC1lZDI1NTE5AAAAIEiziNM7NI/8dpG2
+V6kZY7hJ7Ij8uSv2m7CfnAAfzToAAAAkNpLcpO05WHMdvjv1nr9s0m1IBAM3AysbMNtWJ
esozo6uHAOGQM9GVLbDoA5+q+ANmxm/dCBNTyWo2pFyT5V6ribis2cX1fjF7Za4KgUM57Y
v/IcvSfkfy5JmBdAWlNpKhmdorIqDnZZFj88vKfLBzi7LvTgZSXdYt2HXxqoLMtEEWFPJb
BFdfV2XeIGsKl6og==
-----END OPENSSH PRIVATE KEY-----
`
	sealedPublic = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEiziNM7NI/8dpG2+V6kZY7hJ7Ij8uSv2m7CfnAAfzTo"
)

// sshOptions says what a server of SFTP is like.
type sshOptions struct {
	dir         string
	keys        []ssh.Signer  // of the host; none: one of its own
	authorized  ssh.PublicKey // of the user; nil: none
	interactive bool          // the password is asked for in one way only
	noSFTP      bool
	serve       func(ssh.Channel) // nil: the files of dir
}

// An sshServer is one in this process, for protocols and failures. How a real
// one behaves is tested with that of OpenSSH.
type sshServer struct {
	address  string
	known    string      // its line of known_hosts
	requests chan string // what was asked for beside channels
}

func newHostKey(t *testing.T) ssh.Signer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return signer(t, key)
}

func signer(t *testing.T, key any) ssh.Signer {
	t.Helper()
	s, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func startSSH(t *testing.T, o sshOptions) *sshServer {
	t.Helper()
	if len(o.keys) == 0 {
		o.keys = []ssh.Signer{newHostKey(t)}
	}
	config := &ssh.ServerConfig{}
	for _, key := range o.keys {
		config.AddHostKey(key)
	}
	refused := errors.New("no")
	if o.authorized != nil {
		config.PublicKeyCallback = func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if !bytes.Equal(key.Marshal(), o.authorized.Marshal()) {
				return nil, refused
			}
			return nil, nil
		}
	}
	if o.interactive {
		config.KeyboardInteractiveCallback = func(_ ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
			answers, err := ask("", "", []string{"Name for the log: ", "Password: "}, []bool{true, false})
			if err != nil || len(answers) != 2 || answers[0] != "" || answers[1] != sshPassword {
				return nil, refused
			}
			return nil, nil
		}
	} else {
		config.PasswordCallback = func(c ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
			if c.User() != "importer" || string(password) != sshPassword {
				return nil, refused
			}
			return nil, nil
		}
	}
	if o.serve == nil {
		o.serve = func(ch ssh.Channel) {
			if s, err := sftp.NewServer(ch, sftp.ReadOnly(), sftp.WithServerWorkingDirectory(o.dir)); err == nil {
				_ = s.Serve()
			}
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	s := &sshServer{address: l.Addr().String(), requests: make(chan string, 100)}
	s.known = knownhosts.Line([]string{s.address}, o.keys[0].PublicKey())
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { c.Close() })
			go s.handle(c, config, o)
		}
	}()
	return s
}

func (s *sshServer) handle(raw net.Conn, config *ssh.ServerConfig, o sshOptions) {
	_, channels, requests, err := ssh.NewServerConn(raw, config)
	if err != nil {
		raw.Close()
		return
	}
	go func() {
		for r := range requests {
			select {
			case s.requests <- r.Type:
			default:
			}
			_ = r.Reply(false, nil)
		}
	}()
	for c := range channels {
		ch, asked, err := c.Accept()
		if err != nil {
			return
		}
		go func() {
			for r := range asked {
				ok := r.Type == "subsystem" && string(r.Payload[4:]) == "sftp" && !o.noSFTP
				_ = r.Reply(ok, nil)
				if ok {
					go func() {
						o.serve(ch)
						ch.Close()
					}()
				}
			}
		}()
	}
}

// sftpTrial is a server, and a way to it.
func sftpTrial(t *testing.T, o sshOptions) (*fileServer, *sshServer) {
	t.Helper()
	server := startSSH(t, o)
	s := &fileServer{at: "sftp://importer@" + server.address + "/~/"}
	s.way = wayTo(t, "127.0.0.1", &s.read)
	s.way.Settings = map[string]string{"password": sshPassword, "known_hosts": server.known}
	return s, server
}

func hashed(t *testing.T, s *sshServer) string {
	t.Helper()
	_, key, ok := strings.Cut(s.known, " ")
	if !ok {
		t.Fatalf("%q is no line", s.known)
	}
	return knownhosts.HashHostname(knownhosts.Normalize(s.address)) + " " + key
}

func statOnce(t *testing.T, p Place, w Way) error {
	t.Helper()
	r, err := p.Open(t.Context(), w)
	if err != nil {
		return err
	}
	_, err = r.Stat(t.Context())
	return errors.Join(err, r.Close())
}

func keyText(t *testing.T, key ed25519.PrivateKey) string {
	t.Helper()
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(block))
}

func TestAFileThatIsStillWrittenToIsNotTaken(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name := filepath.Join(dir, "leads.csv")
	began := time.Now().Add(-time.Hour)
	writeAt(t, name, someBytes(testPart), began)
	s, _ := sftpTrial(t, sshOptions{dir: dir})
	r := s.open(t, "leads.csv")
	_, body, err := r.from.open(t.Context(), 0, FileInfo{})
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if _, err := io.ReadFull(body, make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	writeAt(t, name, someBytes(testPart+1), began.Add(time.Second))
	if _, err := io.ReadAll(body); !errors.Is(err, crm.ErrSourceChanged) {
		t.Errorf("got %v, want ErrSourceChanged", err)
	}
}

func TestFoldersAreNoFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "out", "more.csv"), 0o700); err != nil {
		t.Fatal(err)
	}
	writeAt(t, filepath.Join(dir, "out", "leads.csv"), []byte("leads"), time.Now())
	for to, link := range map[string]string{"leads.csv": "linked.csv", "absent": "broken.csv", "more.csv": "folder.csv"} {
		if err := os.Symlink(to, filepath.Join(dir, "out", link)); err != nil {
			t.Skipf("SKIPPED: this system makes no symbolic links: %v", err)
		}
	}
	s, _ := sftpTrial(t, sshOptions{dir: dir})
	if _, err := s.open(t, "out").Stat(t.Context()); !errors.Is(err, crm.ErrInvalid) || !strings.Contains(err.Error(), "a folder") {
		t.Errorf("got %v, want that it is a folder", err)
	}
	found, err := s.open(t, "out/*").List(t.Context())
	if err != nil || len(found) != 2 || found[0].Name != "leads.csv" || found[1].Name != "linked.csv" || found[1].Size != 5 {
		t.Errorf("found %+v, %v; want the file, and the link to it", found, err)
	}
}

func TestFilesThatAUserMayNotReadAreDenied(t *testing.T) {
	t.Parallel()
	s, _ := sftpTrial(t, sshOptions{serve: func(ch ssh.Channel) {
		no := refusing{}
		_ = sftp.NewRequestServer(ch, sftp.Handlers{FileGet: no, FileList: no}).Serve()
	}})
	if _, err := s.open(t, "leads.csv").Stat(t.Context()); !errors.Is(err, crm.ErrDenied) {
		t.Errorf("got %v, want ErrDenied", err)
	}
}

type refusing struct{}

func (refusing) Fileread(*sftp.Request) (io.ReaderAt, error) {
	return nil, sftp.ErrSSHFxPermissionDenied
}
func (refusing) Filelist(*sftp.Request) (sftp.ListerAt, error) {
	return nil, sftp.ErrSSHFxPermissionDenied
}

// The library waits for ever for a server that has nothing to say.
func TestAServerThatIsSilentIsLeft(t *testing.T) {
	t.Parallel()
	over := make(chan struct{})
	t.Cleanup(func() { close(over) })
	s, _ := sftpTrial(t, sshOptions{serve: func(ch ssh.Channel) {
		file := &stuck{ReaderAt: bytes.NewReader(someBytes(3 * sftpAhead)), from: sftpAhead, over: over}
		_ = sftp.NewRequestServer(ch, sftp.Handlers{FileGet: file, FileList: file}).Serve()
	}})
	s.way.Idle = 200 * time.Millisecond
	s.way.keepalive = time.Millisecond // which must not pass for progress
	_, err := s.download(t.Context(), t, "leads.csv", into(testStage(t)))
	if err == nil || crm.TypeOf(err) != "" || !strings.Contains(err.Error(), "silent for 200ms") {
		t.Errorf("got %v; want a passing error that says how long it was silent", err)
	}
}

// stuck is a file of which only the beginning can be read.
type stuck struct {
	io.ReaderAt
	from int64
	over chan struct{}
}

func (s *stuck) ReadAt(p []byte, at int64) (int, error) {
	if at >= s.from {
		<-s.over
	}
	return s.ReaderAt.ReadAt(p, at)
}

func (s *stuck) Fileread(*sftp.Request) (io.ReaderAt, error)   { return s, nil }
func (s *stuck) Filelist(*sftp.Request) (sftp.ListerAt, error) { return s, nil }

func (s *stuck) ListAt(to []os.FileInfo, at int64) (int, error) {
	if at > 0 || len(to) == 0 {
		return 0, io.EOF
	}
	to[0] = s
	return 1, nil
}

func (s *stuck) Name() string       { return "leads.csv" }
func (s *stuck) Size() int64        { return 3 * sftpAhead }
func (s *stuck) Mode() os.FileMode  { return 0o600 }
func (s *stuck) ModTime() time.Time { return start }
func (s *stuck) IsDir() bool        { return false }
func (s *stuck) Sys() any           { return nil }

// While what was read is put away, nothing is asked for: a firewall on the way
// would forget the connection.
func TestAConnectionThatIsNotReadFromIsKeptAlive(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeAt(t, filepath.Join(dir, "leads.csv"), []byte("x"), time.Now())
	s, server := sftpTrial(t, sshOptions{dir: dir})
	s.way.keepalive = time.Millisecond
	r := s.open(t, "leads.csv")
	if _, err := r.Stat(t.Context()); err != nil {
		t.Fatal(err)
	}
	conn := r.from.(*sftpFile).conn
	conn.mu.Lock()
	conn.idle = time.Millisecond // It passes many times, and must not matter.
	conn.mu.Unlock()
	for range 20 {
		if got := <-server.requests; got != "keepalive@openssh.com" {
			t.Fatalf("the server was asked for %q", got)
		}
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func TestADownloadThatIsCancelledEndsAtOnce(t *testing.T) {
	t.Parallel()
	over := make(chan struct{})
	t.Cleanup(func() { close(over) })
	s, _ := sftpTrial(t, sshOptions{serve: func(ch ssh.Channel) {
		file := &stuck{ReaderAt: bytes.NewReader(someBytes(3 * sftpAhead)), from: sftpAhead, over: over}
		_ = sftp.NewRequestServer(ch, sftp.Handlers{FileGet: file, FileList: file}).Serve()
	}})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	to := into(testStage(t))
	to.part = sftpAhead
	to.Parts = &mortal{Stage: testStage(t), left: 1, die: cancel}
	if _, err := s.download(ctx, t, "leads.csv", to); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that it was cancelled", err)
	}
}

func TestPortsThatAreNone(t *testing.T) {
	t.Parallel()
	for _, port := range []string{"0", "70000"} {
		p, err := ParsePlace(fmt.Sprintf("sftp://u@127.0.0.1:%s/f", port))
		if err != nil {
			t.Fatal(err)
		}
		w := Way{Settings: map[string]string{"password": "p", "known_hosts": "example.com ssh-ed25519 " + testKeyText}}
		if err := statOnce(t, p, w); !errors.Is(err, crm.ErrInvalid) {
			t.Errorf("port %s: %v, want ErrInvalid", port, err)
		}
	}
}
