package main

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"
)

// A request is one that a connector, or a library, has made.
type request struct {
	Method string            `json:"method"`
	Path   string            `json:"path"`
	Query  map[string]string `json:"query"` // a list with commas between
	Body   any               `json:"body"`  // of JSON; nil if there is none

	header http.Header
	raw    string // the query as it was
	body   string
}

// requestOf reads a request, body and all, which can then be read again.
func requestOf(r *http.Request) (request, error) {
	out := request{Method: r.Method, Path: r.URL.Path, Query: map[string]string{}, header: r.Header.Clone(), raw: r.URL.RawQuery}
	for name, values := range r.URL.Query() {
		out.Query[name] = strings.Join(values, ",")
	}
	if r.Body == nil {
		return out, nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return out, err
	}
	out.body = string(body)
	r.Body = io.NopCloser(strings.NewReader(out.body))
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") && out.body != "" {
		err = json.Unmarshal(body, &out.Body)
	}
	return out, err
}

// text is the request but for its head, the same for the same request.
func (r request) text() string {
	b, err := json.Marshal(r)
	if err != nil {
		panic(err) // it was read from JSON
	}
	return string(b)
}

var ids = regexp.MustCompile(`/(cus|sub)_[0-9]+`)

// endpoint is the request without what differs from one page to the next.
func (r request) endpoint() string { return r.Method + " " + ids.ReplaceAllString(r.Path, "/{id}") }

// A recorder is a [source.Doer] that keeps what it is asked for, each request
// once. It is safe for concurrent use.
type recorder struct {
	change func(*http.Request) // nil: as it is

	mu       sync.Mutex
	seen     map[string]bool
	requests []request
}

var client = &http.Client{Timeout: time.Minute}

func (d *recorder) Do(r *http.Request, _ string) (*http.Response, error) {
	asked, err := requestOf(r)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	if key := asked.text(); !d.seen[key] {
		d.seen[key] = true
		d.requests = append(d.requests, asked)
	}
	d.mu.Unlock()
	if d.change != nil {
		d.change(r)
	}
	return client.Do(r)
}
