package egress

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"syscall"
	"time"

	"sluice/internal/crm"
)

// ErrRefused says that an address may not be reached. It wraps
// [crm.ErrInvalid]: trying again does not help.
var ErrRefused = fmt.Errorf("%w address", crm.ErrInvalid)

func refuse(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrRefused, fmt.Sprintf(format, args...))
}

// Client reaches out under a [Policy]. It is safe for concurrent use, and keeps
// connections for the next request.
type Client struct {
	policy   Policy
	resolver *net.Resolver
	plain    *http.Transport // for http
	secure   *http.Transport // for https
}

// New returns a Client that reaches what the policy allows.
func New(p Policy) *Client {
	c := &Client{policy: p, resolver: net.DefaultResolver}
	c.plain, c.secure = c.transport(true), c.transport(false)
	return c
}

// How long it may take until a connection stands, and how many are kept.
const (
	connectTimeout = 15 * time.Second
	idleTimeout    = 90 * time.Second
	idlePerHost    = 8
)

func (c *Client) transport(plain bool) *http.Transport {
	return &http.Transport{
		Proxy: nil, // see the package comment
		DialContext: func(ctx context.Context, network, at string) (net.Conn, error) {
			return c.dialer(plain, webPorts...).DialContext(ctx, network, at)
		},
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:   connectTimeout,
		ResponseHeaderTimeout: 2 * time.Minute,
		IdleConnTimeout:       idleTimeout,
		MaxIdleConnsPerHost:   idlePerHost,
		ForceAttemptHTTP2:     true,
	}
}

// webPorts are reached without being allowed.
var webPorts = []uint16{443}

// dialer makes connections to addresses that the policy allows. Control sees
// each address that is tried, when the name has been resolved.
func (c *Client) dialer(plain bool, ports ...uint16) *net.Dialer {
	return &net.Dialer{Timeout: connectTimeout, KeepAlive: 30 * time.Second, Resolver: c.resolver,
		Control: func(_, address string, _ syscall.RawConn) error {
			to, err := netip.ParseAddrPort(address)
			if err != nil {
				return refuse("it is none of the Internet")
			}
			return c.policy.check(to, plain, ports...)
		}}
}

// Dial connects to a server that speaks something else than HTTP, such as mail
// or SFTP, on the port given, which is allowed for that. What is refused wraps
// [ErrRefused].
func (c *Client) Dial(ctx context.Context, host string, port uint16) (net.Conn, error) {
	if !c.policy.allowed(host) {
		return nil, fmt.Errorf("connect: %w", refuse("the host is none of those in SLUICE_EGRESS_HOSTS"))
	}
	conn, err := c.dialer(false, port).DialContext(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(int(port))))
	if err != nil {
		return nil, fmt.Errorf("connect: %w", refused(err))
	}
	return conn, nil
}

// maxRedirects is how many redirects are followed.
const maxRedirects = 3

// Do sends a request and returns the answer's head, with a body that l bounds;
// the caller closes it. Redirects of GET and HEAD are followed, three at the
// most, each checked like the first address; what authorizes does not go along
// to another host. Any other redirect is returned as the answer.
//
// An address that may not be reached wraps [ErrRefused]. No error repeats an
// address's path, query or credentials, nor anything of an answer.
func (c *Client) Do(req *http.Request, l Limits) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(req.Context())
	guard := newGuard(cancel, l)
	client := http.Client{Transport: transport{c}, CheckRedirect: redirect}
	res, err := client.Do(req.WithContext(ctx))
	if err != nil {
		if cause := context.Cause(ctx); cause != nil && req.Context().Err() == nil {
			err = cause // what the guard says, and not that it cancelled
		}
		guard.stop()
		return nil, fmt.Errorf("%s %s: %w", req.Method, req.URL.Hostname(), refused(err))
	}
	if err := guard.watch(res); err != nil {
		return nil, fmt.Errorf("%s %s: %w", req.Method, req.URL.Hostname(), err)
	}
	return res, nil
}

// transport sends each request, redirected ones too, when its address is one
// that may be asked for.
type transport struct{ c *Client }

func (t transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := t.c.policy.checkURL(req.URL); err != nil {
		return nil, err
	}
	if req.URL.Scheme == "http" {
		return t.c.plain.RoundTrip(req)
	}
	return t.c.secure.RoundTrip(req)
}

// checkURL refuses what can be told from the address alone.
func (p Policy) checkURL(u *url.URL) error {
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		return refuse("only https:// is fetched, and http:// from networks that an administrator has allowed")
	case u.Host == "" || u.Hostname() == "":
		return refuse("it names no host")
	case u.User != nil:
		return refuse("it holds a name or a password; set them apart")
	case !p.allowed(u.Hostname()):
		return refuse("the host is none of those in SLUICE_EGRESS_HOSTS")
	}
	return nil
}

// redirect follows a few redirects. The client drops what authorizes where the
// domain changes; we do where anything of the place does.
func redirect(req *http.Request, via []*http.Request) error {
	last := via[len(via)-1]
	if last.Method != http.MethodGet && last.Method != http.MethodHead {
		return http.ErrUseLastResponse
	}
	if len(via) > maxRedirects {
		return refuse("more than %d redirects", maxRedirects)
	}
	if last.URL.Scheme == "https" && req.URL.Scheme == "http" {
		return refuse("a redirect from https to http")
	}
	if req.URL.Scheme != last.URL.Scheme || req.URL.Host != last.URL.Host {
		for _, name := range []string{"Authorization", "Cookie", "Proxy-Authorization"} {
			req.Header.Del(name)
		}
	}
	req.Header.Del("Referer") // it may hold what the query authorizes with
	return nil
}

// refused takes from an error what repeats an address.
func refused(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	if errors.Is(err, ErrRefused) {
		var op *net.OpError
		if errors.As(err, &op) {
			err = op.Err
		}
	}
	return err
}

// SameHost reports whether two addresses are of the same scheme, host and port.
// What a server says to fetch next must be of its own.
func SameHost(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && slices.Equal([]string{a.Hostname(), port(a)}, []string{b.Hostname(), port(b)})
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	return map[string]string{"http": "80", "https": "443"}[u.Scheme]
}
