package source

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"sluice/internal/crm"
)

// A call is one request to a source's API.
type call struct {
	class  string // see [About.Quotas]
	method string // "": GET
	url    string
	query  url.Values
	header http.Header
	body   []byte

	// accept is the media type that is asked for; "": JSON.
	accept string

	// fault says what an answer that is no success means, where the general
	// rules do not: nil leaves it to them.
	fault func(*answer) error
}

// An answer is what a source said, with the body whole.
type answer struct {
	status int
	header http.Header
	body   []byte
	now    time.Time
}

// json reads the body. What is no JSON is passing: an answer was cut short, or
// something between us and the source spoke.
func (a *answer) json(into any) error {
	if err := json.Unmarshal(a.body, into); err != nil {
		// The error would repeat what the body holds.
		return errors.New("the answer is not the JSON that was expected")
	}
	return nil
}

// do makes a call and returns the answer if it is a success.
func (a *Access) do(ctx context.Context, c call) (*answer, error) {
	address := c.url
	if len(c.query) > 0 {
		address += "?" + c.query.Encode()
	}
	method := c.method
	if method == "" {
		method = http.MethodGet
	}
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(c.body))
	if err != nil {
		return nil, fmt.Errorf("%w: the address of the API makes no sense", crm.ErrInvalid)
	}
	for name, values := range c.header {
		req.Header[name] = values
	}
	req.Header.Set("Accept", "application/json")
	if c.accept != "" {
		req.Header.Set("Accept", c.accept)
	}
	req.Header.Set("User-Agent", "sluice")
	res, err := a.HTTP.Do(req, c.class)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	out := &answer{status: res.StatusCode, header: res.Header, now: a.Now()}
	if out.body, err = io.ReadAll(res.Body); err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	if res.StatusCode/100 == 2 {
		return out, nil
	}
	if c.fault != nil {
		if err := c.fault(out); err != nil {
			return nil, err
		}
	}
	return nil, out.fault()
}

// fault says what a status means that no connector knows better.
func (a *answer) fault() error {
	switch s := a.status; {
	case s == http.StatusUnauthorized:
		return fmt.Errorf("%w: the source does not take the credentials (401)", crm.ErrDenied)
	case s == http.StatusForbidden:
		return fmt.Errorf("%w: the credentials lack a permission (403)", crm.ErrDenied)
	case s == http.StatusNotFound:
		return fmt.Errorf("%w at the source (404)", crm.ErrNotFound)
	case s == http.StatusTooManyRequests:
		return a.throttled("too many requests (429)")
	case s == http.StatusServiceUnavailable && a.header.Get("Retry-After") != "":
		return a.throttled("it is not available (503)")
	case s >= 500, s == http.StatusRequestTimeout, s == http.StatusTooEarly, s == http.StatusConflict, s == http.StatusLocked:
		return fmt.Errorf("the source answers %d", s)
	case s >= 300 && s < 400:
		return fmt.Errorf("%w: the source answers with a redirect (%d); correct its address", crm.ErrInvalid, s)
	}
	return fmt.Errorf("%w: the source refuses the request (%d)", crm.ErrInvalid, a.status)
}

// minThrottle is waited where a source does not say how long.
const minThrottle = 5 * time.Second

// throttled is the error of an answer that asks to wait, until when it says.
func (a *answer) throttled(why string) error {
	until := a.now.Add(minThrottle)
	if at, ok := retryAfter(a.header, a.now); ok && at.After(a.now) {
		until = at
	}
	return &crm.Throttled{Until: until, Why: why}
}

// retryAfter reads the header Retry-After: seconds, or a date (RFC 9110,
// section 10.2.3).
func retryAfter(h http.Header, now time.Time) (time.Time, bool) {
	v := h.Get("Retry-After")
	if n, err := strconv.ParseFloat(v, 64); err == nil && n >= 0 && n < 1e6 {
		return now.Add(time.Duration(n * float64(time.Second))), true
	}
	at, err := http.ParseTime(v)
	return at, err == nil
}

// basic is the header of HTTP's basic authentication.
func basic(user, password string) http.Header {
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth(user, password)
	return r.Header
}

// readCursor reads a cursor of a connector's own; nil leaves into as it is. One
// that cannot be read wraps [crm.ErrCursorLost]: another version wrote it.
func readCursor(c Cursor, into any) error {
	if c == nil {
		return nil
	}
	if err := json.Unmarshal(c, into); err != nil {
		return fmt.Errorf("%w: the cursor cannot be read", crm.ErrCursorLost)
	}
	return nil
}

// cursor writes a cursor.
func cursor(of any) (Cursor, error) {
	b, err := json.Marshal(of)
	if err == nil && len(b) > MaxCursor {
		err = fmt.Errorf("%w: a cursor of %d bytes", crm.ErrInvalid, len(b))
	}
	return b, err
}

// firstOf returns the first value that is not blank.
func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// noPartition is the error of a partition that this connector never planned.
func noPartition(p crm.Partition) error {
	return fmt.Errorf("%w: there is no stream %q", crm.ErrInvalid, p.Stream)
}

// each decodes the objects of a list one after the other.
func each[T any](list []json.RawMessage, do func(*T)) error {
	for _, raw := range list {
		var v T
		if err := json.Unmarshal(raw, &v); err != nil {
			return errors.New("the answer is not the JSON that was expected")
		}
		do(&v)
	}
	return nil
}

// ShareSetting names the setting of every connector that says how much of the
// source's own limits is made use of, in per cent.
const ShareSetting = "share"

func checkShare(value string) error {
	if n, err := strconv.Atoi(value); err != nil || n < 1 || n > 100 {
		return fmt.Errorf("%w: use a number of per cent, from 1 to 100", crm.ErrInvalid)
	}
	return nil
}

// apiSetting lets an owner name another address of an API: a proxy's, or that
// of a server to try things out with.
func apiSetting(usual string) Setting {
	return Setting{Name: "api", Help: "another address of the API", Default: usual, Check: checkAddress}
}

func checkAddress(value string) error {
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return fmt.Errorf("%w: it is no address such as https://api.example.com", crm.ErrInvalid)
	}
	return nil
}

// api is the address of the API, without a slash at its end.
func (a *Access) api() string { return strings.TrimSuffix(a.Settings["api"], "/") }
