package source

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"sluice/internal/crm"
)

// address is the server's, with its port.
func (f *sftpFile) address() (host string, port uint16, err error) {
	u := url.URL{Host: f.place.Host}
	if u.Port() == "" {
		return u.Hostname(), sftpPort, nil
	}
	n, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil || n == 0 {
		return "", 0, fmt.Errorf("%w: %q is no port", crm.ErrInvalid, u.Port())
	}
	return u.Hostname(), uint16(n), nil
}

// connect makes the connection, and has it kept alive.
func (f *sftpFile) connect(ctx context.Context) error {
	host, port, err := f.address()
	if err != nil {
		return err
	}
	raw, err := f.way.Dial(ctx, host, port)
	if err != nil {
		return err
	}
	f.conn = &quiet{Conn: raw, idle: f.way.Idle}
	stop := context.AfterFunc(ctx, func() { raw.Close() })
	defer stop()
	if err := f.greet(net.JoinHostPort(host, strconv.Itoa(int(port)))); err != nil {
		raw.Close()
		f.conn = nil
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return err
	}
	f.ended = make(chan struct{})
	f.alive.Add(1)
	go func() {
		defer f.alive.Done()
		f.keepAlive()
	}()
	return nil
}

// greet makes sure who is who, and begins a session of SFTP.
func (f *sftpFile) greet(address string) error {
	if err := f.conn.SetDeadline(time.Now().Add(sftpHandshake)); err != nil {
		return err
	}
	var stranger error // what is wrong with the server's key
	config := *f.config
	config.HostKeyAlgorithms = f.hosts.algorithms(address)
	config.HostKeyCallback = func(_ string, remote net.Addr, key ssh.PublicKey) error {
		stranger = f.hosts.check(address, remote, key)
		return stranger
	}
	c, channels, requests, err := ssh.NewClientConn(f.conn, address, &config)
	if err != nil {
		return handshakeError(address, err, stranger)
	}
	f.ssh = ssh.NewClient(c, channels, requests)
	if f.client, err = sftp.NewClient(f.ssh, sftp.UseFstat(true)); err != nil {
		f.ssh.Close()
		return fmt.Errorf("%w: the server lets this user in and offers no SFTP", crm.ErrDenied)
	}
	return f.conn.SetDeadline(time.Time{})
}

// handshakeError gives a failure to connect its kind.
func handshakeError(address string, err, stranger error) error {
	var none *ssh.AlgorithmNegotiationError
	var late net.Error
	switch {
	case stranger != nil:
		return stranger
	case errors.As(err, &none) && none.What == "host key":
		return otherKey(address, "of another kind than those in known_hosts")
	case errors.As(err, &none):
		return fmt.Errorf("%w: the server knows no %s that is safe enough", crm.ErrInvalid, none.What)
	case strings.Contains(err.Error(), "unable to authenticate"): // The library has no type for it.
		return fmt.Errorf("%w: the server does not take the user's name, password or key", crm.ErrDenied)
	case errors.As(err, &late) && late.Timeout():
		return fmt.Errorf("the server did not finish its greeting within %v", sftpHandshake)
	}
	return errors.New("the server ended its greeting, or does not speak SSH")
}

// keepAlive tells the server from time to time that we are there, while nothing
// is read because what was read is being put away. While something is read it
// must not: the answers would pass for progress.
func (f *sftpFile) keepAlive() {
	tick := time.NewTicker(f.way.keepalive)
	defer tick.Stop()
	for {
		select {
		case <-f.ended:
			return
		case <-tick.C:
		}
		if f.conn.busy() {
			continue
		}
		// Any answer will do; servers that do not know it refuse it.
		if _, _, err := f.ssh.SendRequest("keepalive@openssh.com", true, nil); err != nil {
			return
		}
	}
}

func (f *sftpFile) close() error {
	if f.conn == nil {
		return nil
	}
	close(f.ended)
	f.conn.Close() // first: a server that is silent would be waited for
	f.client.Close()
	f.ssh.Close()
	f.alive.Wait()
	f.conn = nil
	return nil
}

// quiet is a connection that notices when the other side is silent while
// something is awaited from it. The library of SFTP has no deadlines of its own.
type quiet struct {
	net.Conn
	idle time.Duration

	mu      sync.Mutex
	awaited int  // how much is awaited
	late    bool // nothing came for too long
}

func (q *quiet) begin() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.awaited++
	q.renew()
}

func (q *quiet) end() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.awaited--; q.awaited == 0 {
		_ = q.Conn.SetDeadline(time.Time{}) // A connection that ended says so when it is used.
	}
}

func (q *quiet) renew() { _ = q.Conn.SetDeadline(time.Now().Add(q.idle)) }

func (q *quiet) busy() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.awaited > 0
}

func (q *quiet) silent() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.late
}

// Read renews the deadline when something has come.
func (q *quiet) Read(p []byte) (int, error) {
	n, err := q.Conn.Read(p)
	q.mu.Lock()
	defer q.mu.Unlock()
	if n > 0 && q.awaited > 0 {
		q.renew()
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		q.late = true
	}
	return n, err
}
