package fakesaas

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Traps are what providers are known to do to those who read them. The zero
// Traps are a provider on a good day, without limits.
type Traps struct {
	Limits bool // the provider's documented limits hold, by the world's clock

	// Every so many requests, 0 for never: a 429 with the provider's headers, a
	// 500, an answer that is cut short, one that is no JSON, and one that takes
	// until the client has gone or the server ends.
	Throttle, Fail, Truncate, Garble, Hang int

	// ChangeEvery changes a customer after every so many answers, so that it
	// moves in what is being read; DeleteEvery deletes the one that the last
	// answer ended with.
	ChangeEvery, DeleteEvery int

	Revoked bool          // the credentials do not hold any more
	Daily   int           // requests a day, by the world's clock; 0: any number
	Lag     time.Duration // how long until a search finds what has changed
	Expires time.Duration // how long an access token holds; 0: for ever

	// NullUpdated leaves out when every third customer was changed.
	NullUpdated bool

	// EmptyEdge ends a list with an empty page, when the cursor's object lies in
	// the window's first second.
	EmptyEdge bool

	// SearchTimeout answers every so many requests that the search took too
	// long; MaxBatch answers 500 to who asks for more records than that at a
	// time. 0: never.
	SearchTimeout, MaxBatch int
}

// Server shows a world as providers do. It is an http.Handler; each provider has
// the paths of its own. It is safe for concurrent use.
type Server struct {
	World *World

	mux    *http.ServeMux
	ending chan struct{}

	mu       sync.Mutex
	traps    Traps
	requests map[string]int         // by provider
	windows  map[string][]time.Time // of the requests that count, by limit
	days     map[string]int
	tokens   map[string]time.Time // when they were given out
	refused  map[string]int       // 429s, by provider
	sheets   map[string]*Sheet    // that were put there, by spreadsheet
}

// Key is the API key, token or password that every provider takes.
const Key = "sk_test_fakesaas"

// New returns a server that shows a world.
func New(w *World) *Server {
	s := &Server{World: w, mux: http.NewServeMux(), ending: make(chan struct{}), requests: map[string]int{}, windows: map[string][]time.Time{},
		days: map[string]int{}, tokens: map[string]time.Time{}, refused: map[string]int{}}
	for _, p := range providers {
		p.routes(s)
	}
	return s
}

// A provider adds its paths to a server.
type provider struct {
	name   string
	routes func(*Server)
	limit  func(s *Server, w http.ResponseWriter, why throttling)
}

// throttling is why a request is answered with 429.
type throttling struct {
	daily bool
	until time.Time
}

// providers is filled by the provider's files.
var providers []provider

// Providers lists the providers by name.
func Providers() []string {
	names := make([]string, len(providers))
	for i, p := range providers {
		names[i] = p.name
	}
	slices.Sort(names)
	return names
}

func provide(p provider) { providers = append(providers, p) }

// Set changes the traps.
func (s *Server) Set(change func(*Traps)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.traps)
}

// Traps returns those that are set.
func (s *Server) Traps() Traps {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.traps
}

// Requests is how many requests a provider has had, and how many of them it
// answered with 429.
func (s *Server) Requests(provider string) (all, refused int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests[provider], s.refused[provider]
}

// Close lets requests go that hang.
func (s *Server) Close() { close(s.ending) }

// ServeHTTP answers as the provider does that the path belongs to.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// handle adds a path of a provider. The pattern is one of net/http's.
func (s *Server) handle(p *provider, pattern string, limits []limit, do func(w http.ResponseWriter, r *http.Request)) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.serve(p, limits, do, w, r) })
}

// A limit is how many requests may come in a time. Limits of one name count the
// same requests.
type limit struct {
	name string
	most int
	per  time.Duration
}

func (s *Server) serve(p *provider, limits []limit, do http.HandlerFunc, w http.ResponseWriter, r *http.Request) {
	n, traps, why := s.admit(p, limits)
	if why != nil {
		p.limit(s, w, *why)
		return
	}
	due := func(every int) bool { return every > 0 && n%every == 0 }
	switch {
	case due(traps.Hang):
		select {
		case <-r.Context().Done():
		case <-s.ending:
		}
		panic(http.ErrAbortHandler)
	case due(traps.Fail):
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprint(w, "something went wrong with c0@example.com") // nobody may repeat this
		return
	case due(traps.Garble):
		fmt.Fprint(w, "<html>c0@example.com</html>")
		return
	case due(traps.Truncate):
		do(&cutWriter{ResponseWriter: w}, r)
		panic(http.ErrAbortHandler)
	}
	do(w, r)
	if due(traps.ChangeEvery) && s.World.Len() > 0 {
		s.World.Change(n * 7 % s.World.Len())
	}
}

// admit counts a request and says whether it is one too many.
func (s *Server) admit(p *provider, limits []limit) (n int, traps Traps, why *throttling) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests[p.name]++
	n, traps = s.requests[p.name], s.traps
	now := s.World.clock.Now()
	refuse := func(t throttling) (int, Traps, *throttling) {
		s.refused[p.name]++
		return n, traps, &t
	}
	if traps.Throttle > 0 && n%traps.Throttle == 0 {
		return refuse(throttling{until: now.Add(time.Second)})
	}
	if traps.Daily > 0 {
		day := p.name + now.Format(time.DateOnly)
		if s.days[day] >= traps.Daily {
			return refuse(throttling{daily: true, until: now.Truncate(24 * time.Hour).Add(24 * time.Hour)})
		}
		s.days[day]++
	}
	if !traps.Limits {
		return n, traps, nil
	}
	for _, l := range limits {
		kept := s.windows[l.name][:0]
		for _, at := range s.windows[l.name] {
			if now.Sub(at) < l.per {
				kept = append(kept, at)
			}
		}
		s.windows[l.name] = kept
		if len(kept) >= l.most {
			return refuse(throttling{until: kept[0].Add(l.per)})
		}
	}
	for _, l := range limits {
		s.windows[l.name] = append(s.windows[l.name], now)
	}
	return n, traps, nil
}

// left is how many requests a limit leaves at the moment.
func (s *Server) left(l limit) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(0, l.most-len(s.windows[l.name]))
}

// cutWriter passes on the first half of what is written, a hundred bytes at the
// least, and nothing of the rest.
type cutWriter struct {
	http.ResponseWriter
	cut bool
}

func (c *cutWriter) Write(b []byte) (int, error) {
	if !c.cut {
		c.cut = true
		c.ResponseWriter.Header().Set("Content-Length", strconv.Itoa(len(b)))
		if _, err := c.ResponseWriter.Write(b[:len(b)/2]); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}

// bearer reports whether a request has the key as its bearer token.
func (s *Server) bearer(r *http.Request) bool {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return ok && s.holds(token)
}

// user reports whether a request has the key as the user of basic
// authentication, and the password given.
func (s *Server) user(r *http.Request, password string) bool {
	name, given, ok := r.BasicAuth()
	return ok && given == password && s.holds(name)
}

func (s *Server) holds(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if given, ok := s.tokens[key]; ok {
		return !s.traps.Revoked && (s.traps.Expires == 0 || s.World.clock.Now().Sub(given) < s.traps.Expires)
	}
	return key == Key && !s.traps.Revoked
}

// writeJSON writes an answer with a status.
func writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // only what this package made up is written
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n'))
}

// atoi reads a number of a query; the other value if there is none.
func atoi(v string, otherwise int) int {
	if n, err := strconv.Atoi(v); err == nil {
		return n
	}
	return otherwise
}
