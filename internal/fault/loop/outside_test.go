package loop

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	"sluice/internal/fakesaas"
	"sluice/internal/source"
	"sluice/internal/store"
)

// outside is what a world has to do with beyond its rooms: what its sources
// hold, with no limit to how often they may be asked, and what the Temporal
// server would say and do. Its calls may fail, and so may requests and reads of
// what they are answered with. It is safe for concurrent use.
type outside struct {
	calls   *calls
	counted bool // the calls may fail
	store   *store.Store

	api      string            // address of the provider; "" if there is none
	now      func() time.Time  // the provider's clock; nil: the machine's
	settings map[string]string // of the sources of files
	hosts    map[string]string // where a host is to be found, by its name
	ends     []func()

	mu      sync.Mutex
	syncs   int            // how often somebody will be told that a sync is running
	paused  map[string]int // schedules, by source: how often
	removed map[string]int
}

// end closes what was opened.
func (o *outside) end() {
	for _, end := range o.ends {
		end()
	}
}

func (o *outside) do(place string, call func() error) error {
	if !o.counted {
		return call()
	}
	return o.calls.do(place, call)
}

// Access returns the connector of a source, which asks the world's provider.
func (o *outside) Access(ctx context.Context, slug string) (c source.Connector, a *source.Access, err error) {
	err = o.do(step(ctx, "Sources.Access"), func() error {
		src, err := o.store.Source(ctx, slug)
		if err != nil {
			return err
		}
		if c, err = source.Of(src.Kind); err != nil {
			return err
		}
		a = &source.Access{Source: slug, Settings: maps.Clone(src.Settings), HTTP: o, Now: o.now}
		a.Settings["api"] = o.api
		return nil
	})
	return c, a, err
}

// Way returns how files are reached.
func (o *outside) Way(ctx context.Context, _ string) (w source.Way, err error) {
	err = o.do(step(ctx, "Sources.Way"), func() error {
		w = source.Way{HTTP: o.request, Settings: o.settings}
		return nil
	})
	return w, err
}

// Do makes a request of a connector.
func (o *outside) Do(r *http.Request, _ string) (*http.Response, error) { return o.request(r) }

func (o *outside) request(r *http.Request) (res *http.Response, err error) {
	place := step(r.Context(), "a request")
	if at := o.hosts[r.URL.Host]; at != "" {
		r.URL.Host = at
	}
	err = o.do(place, func() error {
		res, err = http.DefaultClient.Do(r)
		return err
	})
	if err != nil {
		if res != nil {
			res.Body.Close()
		}
		return nil, err
	}
	if o.counted {
		o.calls.opened(place, 1)
		res.Body = &closing{reader: reader{res.Body, o.calls, place + ", a read"}, Closer: res.Body, place: place}
	}
	return res, nil
}

// Import says that no import is running: the test environment has none but ours.
func (o *outside) Import(ctx context.Context, _ string) (bool, error) {
	return false, o.do(step(ctx, "Running.Import"), func() error { return nil })
}

// Sync says that a sync is running as often as the world wants it.
func (o *outside) Sync(ctx context.Context, _ string) (running bool, err error) {
	err = o.do(step(ctx, "Running.Sync"), func() error {
		o.mu.Lock()
		defer o.mu.Unlock()
		if running = o.syncs > 0; running {
			o.syncs--
		}
		return nil
	})
	return running, err
}

// Pause notes that a schedule is paused.
func (o *outside) Pause(ctx context.Context, source, _ string) error {
	return o.note(ctx, "Schedules.Pause", &o.paused, source)
}

// Remove notes that a schedule is removed.
func (o *outside) Remove(ctx context.Context, source string) error {
	return o.note(ctx, "Schedules.Remove", &o.removed, source)
}

func (o *outside) note(ctx context.Context, what string, in *map[string]int, source string) error {
	return o.do(step(ctx, what), func() error {
		o.mu.Lock()
		defer o.mu.Unlock()
		if *in == nil {
			*in = map[string]int{}
		}
		(*in)[source]++
		return nil
	})
}

// saasNow is the time of every provider when a run begins.
var saasNow = time.Date(2026, time.November, 2, 12, 0, 0, 0, time.UTC)

// A provider shows customers as Stripe does, eight to a page. Its clock stands
// still, so that all runs read the same.
type provider struct {
	*fakesaas.World
	server *fakesaas.Server

	mu   sync.Mutex
	turn func(r *http.Request) // before each answer; nil: nothing
}

// provide begins with so many customers of years, and as many of one second.
func (w *world) provide(ofYears, ofOneSecond int) *provider {
	w.t.Helper()
	p := &provider{World: fakesaas.NewWorld(3, ofYears, fakesaas.FixedClock(saasNow))}
	for range ofOneSecond {
		p.Add()
	}
	p.Clock().Move(time.Hour)
	p.server = fakesaas.New(p.World)
	web := httptest.NewServer(p)
	w.other.api, w.other.now = web.URL, p.Clock().Now
	w.other.ends = append(w.other.ends, p.server.Close, web.Close)
	return p
}

func (p *provider) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	if p.turn != nil {
		p.turn(r)
	}
	p.mu.Unlock()
	if q := r.URL.Query(); q.Has("limit") {
		q.Set("limit", "8")
		r.URL.RawQuery = q.Encode()
	}
	p.server.ServeHTTP(out, r)
}
