//go:build linux

package main

import (
	"context"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// A link is the way to a server: a listener that passes bytes on, and can be
// made worse. Its methods are safe for concurrent use, and act on connections
// that are open as well as on those to come.
//
// It is written here and not taken from a proxy library because two faults must
// strike at a certain message, and not at a certain time: see on.
type link struct {
	Address  string // host:port where it listens
	target   string
	listener net.Listener

	mu     sync.Mutex
	random *rand.Rand
	conns  map[*conn]bool
	closed bool // refuses whoever comes
	delay  time.Duration
	jitter time.Duration
	rate   int           // bytes a second; 0: any
	flows  chan struct{} // closed while bytes flow
	watch  func(to direction, b []byte) verdict
}

// A direction is where bytes go.
type direction bool

const (
	toServer direction = true
	toClient direction = false
)

// A verdict is what becomes of bytes, and of the connection they are on.
type verdict int

const (
	pass      verdict = iota
	cutBefore         // the bytes are lost, with the connection
	cutAfter          // the bytes arrive; whatever answers them is lost
)

// A conn is a client's connection and the one to the server.
type conn struct{ client, server net.Conn }

// cut ends both with a reset.
func (c *conn) cut() {
	for _, end := range []net.Conn{c.client, c.server} {
		if tcp, ok := end.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		_ = end.Close()
	}
}

// newLink listens on loopback. The caller closes it.
func newLink(target string, random *rand.Rand) (*link, error) {
	var lc net.ListenConfig
	listener, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	l := &link{Address: listener.Addr().String(), target: target, listener: listener, random: random, conns: map[*conn]bool{},
		flows: make(chan struct{})}
	close(l.flows)
	go l.accept()
	return l, nil
}

func (l *link) accept() {
	for {
		client, err := l.listener.Accept()
		if err != nil {
			return
		}
		go l.serve(client)
	}
}

func (l *link) serve(client net.Conn) {
	c := &conn{client: client, server: client}
	l.mu.Lock()
	refused, target := l.closed, l.target
	l.mu.Unlock()
	if refused {
		c.cut()
		return
	}
	server, err := net.Dial("tcp", target)
	if err != nil {
		c.cut()
		return
	}
	c.server = server
	l.mu.Lock()
	l.conns[c] = true
	refused = l.closed
	l.mu.Unlock()
	if refused {
		c.cut()
	}
	var both sync.WaitGroup
	both.Go(func() { l.copy(c, server, client, toServer) })
	both.Go(func() { l.copy(c, client, server, toClient) })
	both.Wait()
	l.mu.Lock()
	delete(l.conns, c)
	l.mu.Unlock()
	c.cut()
}

// copy passes bytes on until one end is gone, and then ends the other.
func (l *link) copy(c *conn, to, from net.Conn, d direction) {
	defer func() { _ = to.Close(); _ = from.Close() }()
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		if n > 0 {
			then := l.before(d, b[:n])
			if then == cutBefore {
				c.cut()
				return
			}
			if _, err := to.Write(b[:n]); err != nil {
				return
			}
			if then == cutAfter {
				// An orderly end to the server, which so reads what it was sent;
				// a reset to the client, which so knows nothing.
				if tcp, ok := to.(*net.TCPConn); ok {
					_ = tcp.CloseWrite()
				}
				_ = from.(*net.TCPConn).SetLinger(0)
				_ = from.Close()
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// before holds bytes back as long as the link is said to, and says what becomes
// of them.
func (l *link) before(d direction, b []byte) verdict {
	l.mu.Lock()
	wait, watch, flows := l.delay, l.watch, l.flows
	if l.jitter > 0 {
		wait += time.Duration(l.random.Int64N(int64(l.jitter)))
	}
	if l.rate > 0 {
		wait += time.Duration(len(b)) * time.Second / time.Duration(l.rate)
	}
	l.mu.Unlock()
	if wait > 0 {
		time.Sleep(wait) // this is the fault, and no waiting for something
	}
	then := pass
	if watch != nil {
		then = watch(d, b)
		l.mu.Lock()
		flows = l.flows // the watcher may have stopped the link
		l.mu.Unlock()
	}
	<-flows
	return then
}

// slow delays every chunk of bytes by d and up to jitter more, and lets through
// so many bytes a second; 0: any number.
func (l *link) slow(d, jitter time.Duration, rate int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.delay, l.jitter, l.rate = d, jitter, rate
}

// stop holds all bytes back, as a network that is parted does: nobody is told
// anything.
func (l *link) stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.flows:
		l.flows = make(chan struct{})
	default:
	}
}

// flow ends stop, down and slow.
func (l *link) flow() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed, l.delay, l.jitter, l.rate = false, 0, 0, 0
	select {
	case <-l.flows:
	default:
		close(l.flows)
	}
}

// down resets all connections and every one that is tried.
func (l *link) down() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.cut()
}

// cut resets all connections.
func (l *link) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		c.cut()
	}
}

// on has f look at all bytes before they are passed on; nil: nobody looks. f is
// called by many at once and may block.
func (l *link) on(f func(d direction, b []byte) verdict) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.watch = f
}

// to has new connections go to another server, and ends the others.
func (l *link) to(target string) {
	l.mu.Lock()
	l.target = target
	l.mu.Unlock()
	l.cut()
}

func (l *link) close() {
	_ = l.listener.Close()
	l.flow()
	l.cut()
}
