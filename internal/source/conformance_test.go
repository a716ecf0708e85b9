package source

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/internal/crm"
	"sluice/internal/egress"
	"sluice/internal/fakesaas"
)

// A subject is a connector on trial, with what a world must come to when it is
// read through it.
type subject struct {
	connector Connector
	provider  string            // as fakesaas calls it
	settings  map[string]string // but for the address of the API

	// ids are those of the rows that one reading of everything must bring.
	ids func(w *fakesaas.World) []string

	// subscriptions are the customers whose subscriptions come as a stream of
	// their own; nil if none do.
	subscriptions func(w *fakesaas.World) []string

	// changes are the ids of the rows that a reading of the changes must bring
	// when these customers have changed; nil if changes cannot be asked for.
	changes func(w *fakesaas.World, changed []int) []string

	// cannotDelete says that a deleted object leaves no trace in a reading.
	customers int       // of the world; 0: 437
	clock     time.Time // of the world; zero: start
	setUp     func(s *fakesaas.Server)
}

// trial is one world, shown by one server to one connector.
type trial struct {
	subject
	t      *testing.T
	world  *fakesaas.World
	server *fakesaas.Server
	access *Access
}

// start is the time of the worlds' clocks, which stand still.
var start = time.Date(2026, time.November, 2, 12, 0, 0, 0, time.UTC)

func (s subject) begin(t *testing.T) *trial {
	t.Helper()
	n := s.customers
	if n == 0 {
		n = 437
	}
	at := s.clock
	if at.IsZero() {
		at = start
	}
	world := fakesaas.NewWorld(7, n, fakesaas.FixedClock(at))
	server := fakesaas.New(world)
	web := httptest.NewServer(server)
	t.Cleanup(web.Close)
	t.Cleanup(server.Close)
	policy, err := egress.ParsePolicy("127.0.0.1", "", "")
	if err != nil {
		t.Fatal(err)
	}
	settings := map[string]string{}
	for _, have := range s.connector.About().Settings {
		if have.Default != "" {
			settings[have.Name] = have.Default
		}
	}
	maps.Copy(settings, s.settings)
	settings["api"] = web.URL
	if s.setUp != nil {
		s.setUp(server)
	}
	return &trial{subject: s, t: t, world: world, server: server, access: &Access{Source: "on-trial", Settings: settings,
		HTTP: direct{c: egress.New(policy)}, Now: world.Clock().Now}}
}

// direct is a Doer without a limiter.
type direct struct {
	c    *egress.Client
	idle time.Duration // without a byte; 0: ten seconds, as a machine may be busy
}

func (d direct) Do(req *http.Request, _ string) (*http.Response, error) {
	return d.c.Do(req, egress.Limits{Bytes: 32 << 20, Idle: d.idle, Total: 10 * time.Second})
}

// everything is a span that ends where a connector may read to.
func (x *trial) everything() Want {
	return Want{Span: crm.Span{From: fakesaas.Begin, To: x.world.Clock().Now().Add(-x.connector.About().Lag)}}
}

// A haul is what a reading brought.
type haul struct {
	rows          map[string]Row // the last of each id
	subscriptions map[string][]crm.Subscription
	reads         []readAt // every page, in order
}

// readAt is one page and where it was read.
type readAt struct {
	partition crm.Partition
	cursor    Cursor
	page      Page
}

// read plans and reads to the end, as Fetch does: what passes is tried again,
// and who asks to wait is waited for.
func (x *trial) read(w Want) haul {
	x.t.Helper()
	parts, err := persist(x, func() ([]crm.Partition, error) { return x.connector.Plan(x.t.Context(), x.access, w) })
	if err != nil {
		x.t.Fatalf("plan: %v", err)
	}
	x.checkPlan(parts, w)
	out := haul{rows: map[string]Row{}, subscriptions: map[string][]crm.Subscription{}}
	for len(parts) > 0 {
		p := parts[0]
		parts = parts[1:]
		parts = append(x.readPartition(p, &out), parts...)
	}
	return out
}

func (x *trial) readPartition(p crm.Partition, out *haul) (instead []crm.Partition) {
	x.t.Helper()
	var at Cursor
	for pages := 0; ; pages++ {
		if pages > 5000 {
			x.t.Fatalf("partition %s has no end", p.ID)
		}
		page, err := persist(x, func() (Page, error) { return x.connector.Read(x.t.Context(), x.access, p, at) })
		if errors.Is(err, crm.ErrCursorLost) && at != nil {
			at = nil
			continue
		}
		if err != nil {
			x.t.Fatalf("read %s: %v", p.ID, err)
		}
		x.checkPage(p, at, page)
		out.reads = append(out.reads, readAt{p, at, page})
		for _, r := range page.Rows {
			out.rows[r.ID] = r
		}
		for _, s := range page.Subscriptions {
			out.subscriptions[s.Customer] = append(out.subscriptions[s.Customer], s)
		}
		if page.Instead != nil {
			return page.Instead
		}
		if page.Next == nil {
			return nil
		}
		at = page.Next
	}
}

// persist calls until it works or cannot work.
func persist[T any](x *trial, do func() (T, error)) (T, error) {
	x.t.Helper()
	for tries := 0; ; tries++ {
		v, err := do()
		var wait *crm.Throttled
		switch {
		case err == nil:
			return v, nil
		case errors.As(err, &wait):
			now := x.world.Clock().Now()
			if !wait.Until.After(now) {
				x.t.Fatalf("asked to wait until %v, and it is %v", wait.Until, now)
			}
			x.world.Clock().Move(wait.Until.Sub(now))
		case crm.TypeOf(err) != "" || tries > 50:
			return v, err
		}
		x.checkError(err)
	}
}

// checkError makes sure that an error gives nothing away.
func (x *trial) checkError(err error) {
	x.t.Helper()
	for _, secret := range []string{fakesaas.Key, "c0@example.com", "Bearer", "Basic"} {
		if strings.Contains(err.Error(), secret) {
			x.t.Errorf("an error says %q: %v", secret, err)
		}
	}
}

func (x *trial) checkPlan(parts []crm.Partition, w Want) {
	x.t.Helper()
	again, err := persist(x, func() ([]crm.Partition, error) { return x.connector.Plan(x.t.Context(), x.access, w) })
	if err != nil || len(again) != len(parts) {
		x.t.Errorf("planned again: %d partitions, %v; want %d", len(again), err, len(parts))
	}
	seen := map[string]bool{}
	ends := map[string]time.Time{}
	for i, p := range parts {
		if i < len(again) && (again[i].ID != p.ID || again[i].Stream != p.Stream || !again[i].From.Equal(p.From) || !again[i].To.Equal(p.To)) {
			x.t.Errorf("planned again, partition %d is %+v, and was %+v", i, again[i], p)
		}
		if seen[p.ID] || p.ID == "" || len(p.ID) > 100 || strings.Trim(p.ID, "abcdefghijklmnopqrstuvwxyz0123456789-.") != "" {
			x.t.Errorf("partition %d has the id %q, which another one has or none may have", i, p.ID)
		}
		seen[p.ID] = true
		if end, ok := ends[p.Stream]; ok && !p.From.Equal(end) {
			x.t.Errorf("partition %s begins at %v, and the one before it ends at %v", p.ID, p.From, end)
		}
		if !p.To.IsZero() && !p.From.Before(p.To) {
			x.t.Errorf("partition %s goes from %v to %v", p.ID, p.From, p.To)
		}
		ends[p.Stream] = p.To
	}
}

func (x *trial) checkPage(p crm.Partition, at Cursor, page Page) {
	x.t.Helper()
	switch {
	case page.Next != nil && bytes.Equal(page.Next, at):
		x.t.Fatalf("read %s: the next page begins where this one does: %s", p.ID, at)
	case len(page.Next) > MaxCursor:
		x.t.Fatalf("read %s: a cursor of %d bytes", p.ID, len(page.Next))
	case bytes.Contains(page.Next, []byte(fakesaas.Key)):
		x.t.Fatalf("read %s: the key is in a cursor", p.ID)
	case page.Instead != nil && (len(page.Rows) > 0 || page.Next != nil):
		x.t.Fatalf("read %s: a page that is to be read otherwise holds rows", p.ID)
	}
	for _, r := range page.Rows {
		if r.ID == "" || r.Customer["external_id"] == "" && !x.connector.About().Free {
			x.t.Errorf("read %s: a row without an id: %+v", p.ID, r)
		}
	}
}

// checkHaul compares what a reading brought with what there is to bring. Lost
// says whether what is gone meanwhile may be missing.
func (x *trial) checkHaul(h haul, want []string) {
	x.t.Helper()
	got := slices.Sorted(maps.Keys(h.rows))
	wanted := map[string]bool{}
	var missing, invented []string
	for _, id := range want {
		wanted[id] = true
		if _, ok := h.rows[id]; !ok {
			missing = append(missing, id)
		}
	}
	all := map[string]bool{}
	for _, id := range x.everID() {
		all[id] = true
	}
	for _, id := range got {
		if !all[id] {
			invented = append(invented, id)
		}
	}
	if len(missing) > 0 || len(invented) > 0 {
		x.t.Errorf("%d rows are missing, such as %v; %d are invented, such as %v", len(missing), missing[:min(3, len(missing))], len(invented), invented[:min(3, len(invented))])
	}
}

// everID lists the ids of all that there ever was.
func (x *trial) everID() []string { return x.ids(x.world) }

// subjects are all connectors of services; each file of tests adds its own.
var subjects []subject

func TestConnectorsConform(t *testing.T) {
	t.Parallel()
	for _, s := range subjects {
		t.Run(s.connector.About().Kind, func(t *testing.T) {
			t.Parallel()
			s.conform(t)
		})
	}
}

func (s subject) conform(t *testing.T) {
	run := func(name string, do func(x *trial)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			do(s.begin(t))
		})
	}
	run("says who it is", func(x *trial) {
		if _, err := x.connector.Check(t.Context(), x.access); err != nil {
			x.t.Error(err)
		}
		about := x.connector.About()
		if about.Title == "" || about.Reads == "" || about.Increments == "" || len(about.Settings) == 0 {
			x.t.Errorf("it says too little of itself: %+v", about)
		}
	})
	run("brings every row and no other", func(x *trial) {
		h := x.read(x.everything())
		x.checkHaul(h, x.ids(x.world))
		if x.subscriptions != nil {
			if got, want := slices.Sorted(maps.Keys(h.subscriptions)), x.subscriptions(x.world); !slices.Equal(got, want) {
				x.t.Errorf("%d customers have subscriptions, want %d", len(got), len(want))
			}
		}
	})
	run("goes on from every page", func(x *trial) {
		h := x.read(x.everything())
		for _, r := range h.reads {
			again, err := persist(x, func() (Page, error) { return x.connector.Read(t.Context(), x.access, r.partition, r.cursor) })
			if err != nil || !bytes.Equal(again.Next, r.page.Next) || !sameRows(again.Rows, r.page.Rows) {
				x.t.Fatalf("page %s of %s, once more: %d rows, next %s, %v; want %d and %s", r.cursor, r.partition.ID, len(again.Rows), again.Next, err, len(r.page.Rows), r.page.Next)
			}
		}
	})
	for name, set := range map[string]func(*fakesaas.Traps){
		"throttled":     func(t *fakesaas.Traps) { t.Throttle = 3 },
		"failing":       func(t *fakesaas.Traps) { t.Fail = 3 },
		"cut short":     func(t *fakesaas.Traps) { t.Truncate = 3 },
		"garbled":       func(t *fakesaas.Traps) { t.Garble = 3 },
		"hanging":       func(t *fakesaas.Traps) { t.Hang = 7 },
		"at its limits": func(t *fakesaas.Traps) { t.Limits = true },
	} {
		run("reads a source that is "+name, func(x *trial) {
			x.server.Set(set)
			if d, ok := x.access.HTTP.(direct); ok && name == "hanging" {
				x.access.HTTP = direct{c: d.c, idle: 250 * time.Millisecond}
			}
			x.checkHaul(x.read(x.everything()), x.ids(x.world))
		})
	}
	run("reads what changes meanwhile", func(x *trial) {
		x.server.Set(func(t *fakesaas.Traps) { t.ChangeEvery = 2 })
		x.checkHaul(x.read(x.everything()), x.ids(x.world))
	})
	run("reads on when its cursor is deleted", func(x *trial) {
		ever := x.ids(x.world)
		x.subject.ids = func(*fakesaas.World) []string { return ever }
		x.server.Set(func(t *fakesaas.Traps) { t.DeleteEvery = 2 })
		h := x.read(x.everything())
		x.checkHaul(h, s.ids(x.world))
	})
	run("says that its key does not hold", func(x *trial) {
		x.server.Set(func(t *fakesaas.Traps) { t.Revoked = true })
		_, err := x.connector.Check(t.Context(), x.access)
		if !errors.Is(err, crm.ErrDenied) {
			x.t.Errorf("check: %v, want ErrDenied", err)
		}
		x.checkError(err)
		h := func() error {
			parts, err := x.connector.Plan(t.Context(), x.access, x.everything())
			if err == nil {
				_, err = x.connector.Read(t.Context(), x.access, parts[0], nil)
			}
			return err
		}()
		if !errors.Is(h, crm.ErrDenied) {
			x.t.Errorf("read: %v, want ErrDenied", h)
		}
	})
	run("says until when a day's requests are used up", func(x *trial) {
		x.server.Set(func(t *fakesaas.Traps) { t.Daily = 1 })
		var err error
		for range 3 {
			if _, err = x.connector.Check(t.Context(), x.access); err != nil {
				break
			}
		}
		var wait *crm.Throttled
		if !errors.As(err, &wait) {
			x.t.Fatalf("got %v, want Throttled", err)
		}
		x.checkError(err)
	})
	run("ends with its context", func(x *trial) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		parts, err := x.connector.Plan(t.Context(), x.access, x.everything())
		if err != nil {
			x.t.Fatal(err)
		}
		if _, err := x.connector.Read(ctx, x.access, parts[0], nil); !errors.Is(err, context.Canceled) {
			x.t.Errorf("got %v, want context.Canceled", err)
		}
	})
	if s.changes != nil {
		run("finds what has changed", func(x *trial) {
			var changed []int
			x.world.Clock().Move(time.Hour)
			since := x.world.Clock().Now()
			for i := 0; i < x.world.Len(); i += 5 {
				x.world.Clock().Move(37 * time.Millisecond)
				x.world.Change(i)
				changed = append(changed, i)
			}
			changed = append(changed, x.world.Add())
			x.world.Clock().Move(2*time.Hour + x.connector.About().Lag)
			w := Want{Span: crm.Span{From: since, To: x.world.Clock().Now().Add(-x.connector.About().Lag)}, Changes: true}
			x.checkHaul(x.read(w), x.changes(x.world, changed))
		})
	}
}

func sameRows(a, b []Row) bool {
	return slices.EqualFunc(a, b, func(a, b Row) bool {
		return a.ID == b.ID && maps.Equal(a.Customer, b.Customer) && maps.Equal(a.Contact, b.Contact) && maps.Equal(a.Extra, b.Extra)
	})
}
