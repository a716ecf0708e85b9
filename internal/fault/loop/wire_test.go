package loop

import (
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
)

// A wire stands between a client and a server, and counts what the client
// sends, as it comes: a command, a pipeline of some, or a part of one. What
// fails before its effect does not reach the server; after it, its answer does
// not reach the client. Either way the connection is gone, and the client can
// connect again.
type wire struct {
	calls  *calls
	place  string
	server string
	count  atomic.Bool // else what passes is not counted

	mu    sync.Mutex
	conns map[net.Conn]bool // those that are open
	ended sync.WaitGroup
}

// wireTo puts a wire before the server of a URL, and returns the URL of the
// wire's other end. end takes the wire away.
func wireTo(t *testing.T, serverURL, place string, c *calls) (w *wire, clientURL string, end func()) {
	t.Helper()
	u, err := url.Parse(serverURL)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w = &wire{calls: c, place: place, server: u.Host, conns: map[net.Conn]bool{}}
	w.ended.Go(func() { w.accept(l) })
	u.Host = l.Addr().String()
	return w, u.String(), func() {
		l.Close()
		w.cut()
		w.ended.Wait()
	}
}

func (w *wire) accept(l net.Listener) {
	for {
		client, err := l.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", w.server)
		if err != nil {
			client.Close()
			continue
		}
		w.hold(client, true)
		w.hold(server, true)
		var cutting atomic.Bool // the next answer is not passed on
		w.ended.Go(func() { w.ask(client, server, &cutting) })
		w.ended.Go(func() { w.answer(client, server, &cutting) })
	}
}

// hold remembers a connection, or closes and forgets it.
func (w *wire) hold(c net.Conn, on bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if on {
		w.conns[c] = true
		return
	}
	c.Close()
	delete(w.conns, c)
}

func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.conns {
		c.Close()
	}
}

// ask passes on what the client sends.
func (w *wire) ask(client, server net.Conn, cutting *atomic.Bool) {
	defer w.hold(client, false)
	defer w.hold(server, false)
	buf := make([]byte, 64<<10)
	for {
		n, err := client.Read(buf)
		if err != nil {
			return
		}
		if w.count.Load() {
			before, after := w.calls.next(w.place)
			if before {
				return
			}
			if after {
				cutting.Store(true)
			}
		}
		if _, err := server.Write(buf[:n]); err != nil {
			return
		}
	}
}

// answer passes on what the server sends.
func (w *wire) answer(client, server net.Conn, cutting *atomic.Bool) {
	defer w.hold(client, false)
	defer w.hold(server, false)
	buf := make([]byte, 64<<10)
	for {
		n, err := server.Read(buf)
		if err != nil || cutting.Load() {
			return
		}
		if _, err := client.Write(buf[:n]); err != nil {
			return
		}
	}
}
