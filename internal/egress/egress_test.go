package egress

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"sluice/internal/crm"
)

// The addresses are those of IANA's registries of special-purpose addresses,
// of RFC 6890 and what translates between the versions of IP, and the ways in
// which an address can be written.
func TestAddresses(t *testing.T) {
	t.Parallel()
	p, err := ParsePolicy("10.1.0.0/16, 192.168.7.9 fd00:1::/64", "8443", "")
	if err != nil {
		t.Fatal(err)
	}
	const (
		reached = ""
		private = "not a public address"
		plain   = "use https"
		port    = "port"
		scheme  = "only https://"
		host    = "names no host"
		user    = "a name or a password"
	)
	for _, tt := range []struct{ url, want string }{
		{"https://8.8.8.8/", reached},
		{"https://8.8.8.8:443/", reached},
		{"https://8.8.8.8:8443/x?y", reached},
		{"https://[2606:4700:4700::1111]/", reached},
		{"https://[::ffff:10.1.2.3]/", reached}, // IPv4 in IPv6, of a network that is allowed
		{"http://10.1.2.3/", reached},
		{"http://10.1.2.3:9000/", reached},
		{"https://192.168.7.9:1/", reached},
		{"http://[fd00:1::5]:81/", reached},
		{"http://8.8.8.8/", plain},
		{"http://8.8.8.8:443/", plain},
		{"http://8.8.8.8:8443/", plain},
		{"https://8.8.8.8:80/", port},
		{"https://8.8.8.8:22/", port},
		{"https://8.8.8.8:6379/", port},
		{"https://[2606:4700:4700::1111]:5432/", port},
		{"https://127.0.0.1/", private},
		{"http://127.0.0.1:8080/", private},
		{"https://127.1.2.3/", private},
		{"https://0.0.0.0/", private},
		{"https://0.1.2.3/", private},
		{"https://10.0.0.1/", private},
		{"https://10.2.0.1/", private},
		{"https://100.64.0.1/", private},
		{"https://169.254.169.254/latest/meta-data/", private},
		{"https://172.16.0.1/", private},
		{"https://172.31.255.255/", private},
		{"https://192.0.0.8/", private},
		{"https://192.0.2.1/", private},
		{"https://192.88.99.1/", private},
		{"https://192.168.0.1/", private},
		{"https://192.168.7.10/", private},
		{"https://198.18.0.1/", private},
		{"https://198.51.100.7/", private},
		{"https://203.0.113.9/", private},
		{"https://224.0.0.1/", private},
		{"https://239.255.255.250/", private},
		{"https://240.0.0.1/", private},
		{"https://255.255.255.255/", private},
		{"https://[::]/", private},
		{"https://[::1]/", private},
		{"https://[::ffff:127.0.0.1]/", private},
		{"https://[::ffff:169.254.169.254]/", private},
		{"https://[::7f00:1]/", private},
		{"https://[64:ff9b::7f00:1]/", private},
		{"https://[64:ff9b::808:808]/", private},
		{"https://[64:ff9b:1::7f00:1]/", private},
		{"https://[100::1]/", private},
		{"https://[2001::1]/", private},        // Teredo
		{"https://[2001:db8::1]/", private},    // documentation
		{"https://[2002:7f00:1::]/", private},  // 6to4 of 127.0.0.1
		{"https://[fc00::1]/", private},        // of their own
		{"https://[fd00:ec2::254]/", private},  // a cloud's metadata
		{"https://[fd00:1:0:1::5]/", private},  // beside what is allowed
		{"https://[fe80::1]/", private},        // of the link
		{"https://[fe80::1%25lo]/", private},   // with a zone
		{"https://[fd00:1::5%25lo]/", private}, // allowed, but for its zone
		{"https://[ff02::1]/", private},        // to many
		{"https://[5f00::1]/", private},        // segment routing
		{"file:///etc/passwd", scheme},
		{"ftp://8.8.8.8/", scheme},
		{"gopher://8.8.8.8/", scheme},
		{"data:text/plain,x", scheme},
		{"//8.8.8.8/", scheme},
		{"https:///x", host},
		{"https://:443/", host},
		{"https://user@8.8.8.8/", user},
		{"https://user:secret@8.8.8.8/", user},
	} {
		t.Run(tt.url, func(t *testing.T) {
			t.Parallel()
			err := wouldReach(p, tt.url)
			switch {
			case tt.want == reached && err != nil:
				t.Errorf("refused: %v", err)
			case tt.want != reached && (!errors.Is(err, ErrRefused) || !errors.Is(err, crm.ErrInvalid) || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %v, want ErrRefused and %q", err, tt.want)
			case err != nil && strings.Contains(err.Error(), "secret"):
				t.Errorf("the error repeats a password: %v", err)
			}
		})
	}
}

// wouldReach asks for an address and says what stopped it before anything was
// sent; nil if a connection would have been made.
func wouldReach(p Policy, address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	if err := p.checkURL(u); err != nil {
		return err
	}
	c := New(p)
	dialled := errors.New("dialled")
	for plain, tr := range map[bool]*http.Transport{true: c.plain, false: c.secure} {
		d := c.dialer(plain, webPorts...)
		control := d.Control
		d.Control = nil
		tr.DialContext = func(_ context.Context, network, at string) (net.Conn, error) {
			if err := control(network, at, nil); err != nil {
				return nil, err
			}
			return nil, dialled
		}
	}
	req := &http.Request{Method: http.MethodGet, URL: u, Header: http.Header{}}
	_, err = c.Do(req, Limits{})
	if errors.Is(err, dialled) {
		return nil
	}
	return err
}

func TestPoliciesAreRead(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ networks, ports, want string }{
		{"10.0.0.1/8", "", `"10.0.0.1/8" is no network`}, // bits beyond the prefix
		{"internal", "", `"internal" is no network`},
		{"fe80::1%lo", "", "is no network"},
		{"10.0.0.0/33", "", "is no network"},
		{"", "https", `"https" is no port`},
		{"", "0", `"0" is no port`},
		{"", "70000", `"70000" is no port`},
	} {
		if _, err := ParsePolicy(tt.networks, tt.ports, ""); !errors.Is(err, crm.ErrInvalid) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q and %q: %v, want ErrInvalid and %q", tt.networks, tt.ports, err, tt.want)
		}
	}
	p, err := ParsePolicy("", "", "api.example.com, .Example.org")
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]bool{"api.example.com": true, "API.EXAMPLE.COM.": true, "x.api.example.com": false,
		"example.com": false, "a.b.example.org": true, "example.org": false, "badexample.org": false} {
		if p.allowed(host) != want {
			t.Errorf("%s is allowed: %v, want %v", host, !want, want)
		}
	}
}

// loopback lets tests reach servers of their own.
func loopback(t *testing.T) Policy {
	t.Helper()
	p, err := ParsePolicy("127.0.0.1", "", "")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func get(t *testing.T, c *Client, address string, l Limits) (string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer secret")
	res, err := c.Do(req, l)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return string(b), err
}

func TestRedirectsAreCheckedEachByItself(t *testing.T) {
	t.Parallel()
	var reached atomic.Int32
	inner := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reached.Add(1)
		fmt.Fprintf(w, "authorized %q", r.Header.Get("Authorization"))
	}))
	t.Cleanup(inner.Close)
	// The same server under a name that is no loopback address of the policy.
	private := strings.Replace(inner.URL, "127.0.0.1", "127.0.0.2", 1)
	var outer *httptest.Server
	outer = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		to := map[string]string{"/private": private, "/file": "file:///etc/passwd", "/other": inner.URL, "/same": outer.URL + "/end",
			"/1": "/2", "/2": "/3", "/3": "/4", "/4": "/5", "/user": strings.Replace(inner.URL, "://", "://x:y@", 1)}[r.URL.Path]
		if to == "" {
			fmt.Fprintf(w, "authorized %q", r.Header.Get("Authorization"))
			return
		}
		http.Redirect(w, r, to, http.StatusFound)
	}))
	t.Cleanup(outer.Close)
	c := New(loopback(t))
	for path, want := range map[string]string{"/private": "not a public address", "/file": "only https", "/1": "more than 3 redirects", "/user": "a name or a password"} {
		if _, err := get(t, c, outer.URL+path+"?token=secret", Limits{}); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want ErrRefused and %q", path, err, want)
		} else if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), path) {
			t.Errorf("%s: the error repeats the address: %v", path, err)
		}
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("the server behind the redirects was asked %d times", n)
	}
	for path, want := range map[string]string{"/other": `authorized ""`, "/same": `authorized "Bearer secret"`, "/2": `authorized "Bearer secret"`} {
		if got, err := get(t, c, outer.URL+path, Limits{}); err != nil || got != want {
			t.Errorf("%s = %q, %v; want %q", path, got, err, want)
		}
	}
}

func TestAnswersToWhatIsSentAreNotFollowed(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	}))
	t.Cleanup(s.Close)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL, strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	res, err := New(loopback(t)).Do(req, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusTemporaryRedirect {
		t.Errorf("status %d, want the redirect itself", res.StatusCode)
	}
}

func TestProxiesOfTheEnvironmentAreNotUsed(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "direct") }))
	t.Cleanup(s.Close)
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("http_proxy", "http://127.0.0.1:1")
	if got, err := get(t, New(loopback(t)), s.URL, Limits{}); err != nil || got != "direct" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestAnswersAreBounded(t *testing.T) {
	t.Parallel()
	gone := make(chan struct{}) // closed when the test is over
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/long":
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write(make([]byte, 1000))
		case "/longer": // without saying so
			for range 100 {
				_, _ = w.Write(make([]byte, 100))
				w.(http.Flusher).Flush()
			}
		case "/silent":
			<-gone
		case "/stops":
			_, _ = w.Write([]byte("some"))
			w.(http.Flusher).Flush()
			<-gone
		case "/endless":
			for {
				if _, err := w.Write([]byte("x")); err != nil {
					return
				}
				w.(http.Flusher).Flush()
			}
		}
	}))
	t.Cleanup(s.Close)
	t.Cleanup(func() { close(gone) })
	c := New(loopback(t))
	for _, tt := range []struct {
		path string
		l    Limits
		want error
	}{
		{"/long", Limits{Bytes: 1000}, nil},
		{"/long", Limits{Bytes: 999}, ErrTooLarge},
		{"/longer", Limits{Bytes: 500}, ErrTooLarge},
		{"/silent", Limits{Idle: 50 * time.Millisecond}, errIdle},
		{"/silent", Limits{Total: 50 * time.Millisecond}, errSlow},
		{"/stops", Limits{Idle: 50 * time.Millisecond}, errIdle},
		{"/endless", Limits{Idle: time.Minute, Total: 100 * time.Millisecond}, errSlow},
	} {
		if _, err := get(t, c, s.URL+tt.path, tt.l); !errors.Is(err, tt.want) {
			t.Errorf("%s within %+v: %v, want %v", tt.path, tt.l, err, tt.want)
		}
	}
}

// A name may resolve to a public address when it is looked at and to a private
// one when it is connected to. What counts is the address of the connection.
func TestANameThatResolvesToAnotherAddressGainsNothing(t *testing.T) {
	t.Parallel()
	var reached atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	t.Cleanup(s.Close)
	asked := new(atomic.Int32)
	resolver := rebinding(t, asked)
	c := New(Policy{})
	c.resolver = resolver
	port := s.URL[strings.LastIndexByte(s.URL, ':'):]
	if got, err := resolver.LookupHost(t.Context(), "rebind.example"); err != nil || len(got) == 0 || got[0] != "8.8.8.8" {
		t.Fatalf("the first look resolves to %v, %v; want a public address", got, err)
	}
	for range 3 {
		_, err := get(t, c, "http://rebind.example"+port, Limits{})
		if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "127.0.0.1 is not a public address") {
			t.Errorf("got %v, want ErrRefused", err)
		}
		if _, err := c.Dial(t.Context(), "rebind.example", 25); !errors.Is(err, ErrRefused) {
			t.Errorf("dial: %v, want ErrRefused", err)
		}
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("the private server was asked %d times", n)
	}
}

// rebinding is a resolver whose server answers with a public address the first
// time it is asked for one, and with the loopback address from then on.
func rebinding(t *testing.T, asked *atomic.Int32) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			if answer := answerOf(buf[:n], asked); answer != nil {
				_, _ = conn.WriteTo(answer, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

func answerOf(query []byte, asked *atomic.Int32) []byte {
	var m dnsmessage.Message
	if m.Unpack(query) != nil || len(m.Questions) != 1 {
		return nil
	}
	q := m.Questions[0]
	out := dnsmessage.Message{Header: dnsmessage.Header{ID: m.ID, Response: true, Authoritative: true}, Questions: m.Questions}
	if q.Type == dnsmessage.TypeA {
		address := netip.MustParseAddr("127.0.0.1")
		if asked.Add(1) == 1 {
			address = netip.MustParseAddr("8.8.8.8")
		}
		out.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class},
			Body:   &dnsmessage.AResource{A: address.As4()},
		}}
	}
	packed, err := out.Pack()
	if err != nil {
		return nil
	}
	return packed
}
