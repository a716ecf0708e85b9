package source

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"sluice/internal/crm"
)

// sftpSettings are for files on servers of SFTP. One of password and private_key
// is needed, and so are known_hosts, unless the installation has them.
var sftpSettings = []Setting{
	{Name: "user", Help: "name of the user, if the address has none"},
	{Name: "password", Help: "password of the user", Secret: true},
	{Name: "private_key", Help: "private key of the user, as ssh-keygen writes it", Secret: true},
	{Name: "passphrase", Help: "passphrase of the private key", Secret: true},
	{Name: "known_hosts", Help: "the server's key, as a line of known_hosts or as ssh-keyscan prints it", Check: checkKnownHosts},
}

const (
	sftpPort      = 22
	sftpIdle      = time.Minute
	sftpKeepalive = 15 * time.Second
	sftpHandshake = 30 * time.Second

	// sftpAhead is how much is asked for at once: many requests of 32 KiB under
	// way, or every one of them would wait for the one before.
	sftpAhead = 1 << 20
)

// sftpFile reads files of a server of SFTP, over one connection that is made
// when it is needed first. What it knows a version by is the size and the time
// of the last change, which has whole seconds (draft-ietf-secsh-filexfer-02,
// section 5): two changes within one second that leave the size are one.
type sftpFile struct {
	place  Place
	way    Way
	config *ssh.ClientConfig
	hosts  *knownKeys

	conn   *quiet // nil until there is a connection
	ssh    *ssh.Client
	client *sftp.Client
	alive  sync.WaitGroup // of what keeps the connection alive
	ended  chan struct{}  // closed to end that
}

func newSFTP(p Place, w Way) (opener, error) {
	w.Idle = cmp.Or(w.Idle, sftpIdle)
	w.keepalive = cmp.Or(w.keepalive, sftpKeepalive)
	f := &sftpFile{place: p, way: w, config: &ssh.ClientConfig{User: cmp.Or(p.User, w.Settings["user"])}}
	if f.config.User == "" {
		return nil, fmt.Errorf("%w: it says no user: write sftp://user@%s/… or set user", crm.ErrInvalid, p.Host)
	}
	var err error
	if f.config.Auth, err = sftpAuth(w.Settings); err != nil {
		return nil, err
	}
	if f.hosts, err = readKnownHosts(w.Settings["known_hosts"] + "\n" + w.KnownHosts); err != nil {
		return nil, err
	}
	return f, nil
}

// sftpAuth is how the user is told from others.
func sftpAuth(set map[string]string) (all []ssh.AuthMethod, err error) {
	if text := set["private_key"]; text != "" {
		key, err := privateKey(text, set["passphrase"])
		if err != nil {
			return nil, err
		}
		all = append(all, ssh.PublicKeys(key))
	}
	if password := set["password"]; password != "" {
		all = append(all, ssh.Password(password), ssh.KeyboardInteractive(
			// Many servers ask for the password in this way only.
			func(_, _ string, questions []string, echos []bool) ([]string, error) {
				answers := make([]string, len(questions))
				for i := range questions {
					if !echos[i] {
						answers[i] = password
					}
				}
				return answers, nil
			}))
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%w: there are no credentials; set password or private_key", crm.ErrDenied)
	}
	return all, nil
}

// privateKey reads a key without saying what is in it.
func privateKey(text, passphrase string) (key ssh.Signer, err error) {
	if key, err = ssh.ParsePrivateKey([]byte(text)); err == nil {
		return key, nil
	}
	var sealed *ssh.PassphraseMissingError
	if !errors.As(err, &sealed) {
		return nil, fmt.Errorf("%w: private_key is no private key in a form that is known", crm.ErrInvalid)
	}
	if passphrase == "" {
		return nil, fmt.Errorf("%w: private_key needs a passphrase", crm.ErrInvalid)
	}
	if key, err = ssh.ParsePrivateKeyWithPassphrase([]byte(text), []byte(passphrase)); err != nil {
		return nil, fmt.Errorf("%w: passphrase does not open private_key", crm.ErrInvalid)
	}
	return key, nil
}

func (f *sftpFile) stat(ctx context.Context) (info FileInfo, err error) {
	err = f.during(ctx, func() error {
		at, err := f.client.Stat(f.path())
		if err == nil {
			info, err = f.describe(at)
		}
		return err
	})
	return info, err
}

// path is the path as the server takes it.
func (f *sftpFile) path() string {
	if rest, ok := strings.CutPrefix(f.place.Path, "/~/"); ok {
		return rest
	}
	return f.place.Path
}

func (f *sftpFile) describe(at os.FileInfo) (FileInfo, error) {
	if at.IsDir() {
		return FileInfo{}, fmt.Errorf("%w: it is a folder; all files in it are %s/*", crm.ErrInvalid, f.place)
	}
	info := FileInfo{Name: f.place.Base(), Size: at.Size()}
	if changed := at.ModTime(); changed.Unix() > 0 {
		info.Changed = changed.UTC()
		info.Validator = fmt.Sprintf("%d-%d", at.Size(), changed.Unix())
	}
	return info, nil
}

func (f *sftpFile) open(ctx context.Context, from int64, want FileInfo) (info FileInfo, _ io.ReadCloser, err error) {
	if from > 0 && want.Validator == "" {
		return FileInfo{}, nil, errNoResume
	}
	body := &sftpBody{f: f, ctx: ctx}
	err = f.during(ctx, func() (err error) {
		if body.file, err = f.client.Open(f.path()); err != nil {
			return err
		}
		if body.info, err = body.look(); err == nil && from > 0 && body.info.Validator != want.Validator {
			err = changedFile("it is another file than the one that was begun")
		}
		if err == nil {
			_, err = body.file.Seek(from, io.SeekStart)
		}
		if err != nil {
			body.file.Close()
		}
		return err
	})
	if err != nil {
		return FileInfo{}, nil, err
	}
	body.buf = bufio.NewReaderSize(body.file, sftpAhead)
	return body.info, body, nil
}

// sftpBody reads a file that is open.
type sftpBody struct {
	f    *sftpFile
	ctx  context.Context
	file *sftp.File
	buf  *bufio.Reader
	info FileInfo // as it was opened
}

func (b *sftpBody) look() (FileInfo, error) {
	at, err := b.file.Stat()
	if err != nil {
		return FileInfo{}, err
	}
	return b.f.describe(at)
}

func (b *sftpBody) Read(p []byte) (n int, err error) {
	err = b.f.during(b.ctx, func() error {
		var err error
		if n, err = b.buf.Read(p); errors.Is(err, io.EOF) {
			return b.end()
		}
		return err
	})
	return n, err
}

// end makes sure that the file is still the one that was opened: somebody may be
// writing it.
func (b *sftpBody) end() error {
	info, err := b.look()
	if err == nil && info.Validator != b.info.Validator {
		err = changedFile("somebody has written to it while it was read")
	}
	if err == nil {
		err = io.EOF
	}
	return err
}

func (b *sftpBody) Close() error {
	return b.f.during(context.WithoutCancel(b.ctx), b.file.Close)
}

func (f *sftpFile) list(ctx context.Context) ([]Found, error) {
	out := finds{pattern: f.place}
	err := f.during(ctx, func() error {
		folder := path.Dir(f.path())
		all, err := f.client.ReadDirContext(ctx, folder)
		if err != nil {
			return err
		}
		for _, one := range all {
			if !out.matches(one.Name()) {
				continue
			}
			if one.Mode()&os.ModeSymlink != 0 {
				if one, err = f.client.Stat(path.Join(folder, one.Name())); err != nil {
					continue // It leads nowhere.
				}
			}
			if !one.Mode().IsRegular() {
				continue
			}
			if err := out.add(Found{Name: one.Name(), Size: one.Size(), Changed: one.ModTime().UTC()}); err != nil {
				return err
			}
		}
		return nil
	})
	return out.found, err
}

// during does something with the connection, which is made if there is none. It
// ends with ctx, and when the server is silent for too long: either ends the
// connection too.
func (f *sftpFile) during(ctx context.Context, do func() error) error {
	if f.conn == nil {
		if err := f.connect(ctx); err != nil {
			return err
		}
	}
	conn := f.conn
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	conn.begin()
	defer conn.end()
	return f.mark(ctx, do())
}

// mark gives an error of the library its kind, and leaves out what the server
// said.
func (f *sftpFile) mark(ctx context.Context, err error) error {
	var status *sftp.StatusError
	switch {
	case err == nil, errors.Is(err, io.EOF), errors.Is(err, crm.ErrInvalid):
		return err
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("%w: the server has no such file or folder", crm.ErrNotFound)
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("%w: the server does not let this user read it", crm.ErrDenied)
	case errors.As(err, &status):
		return fmt.Errorf("the server refuses: %v", status.FxCode())
	case f.conn.silent():
		return fmt.Errorf("the server has been silent for %v", f.way.Idle)
	}
	return errors.New("the connection to the server is lost")
}
