package source

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/internal/crm"
	"sluice/internal/fakesaas"
)

// hubspotRows are the ids of the rows of customers.
func hubspotRows(all ...fakesaas.Customer) (ids []string) {
	for _, c := range all {
		if c.Company != "" {
			ids = append(ids, "company:"+fakesaas.HubSpotCompany(c.N))
		}
		for _, p := range c.Contacts {
			ids = append(ids, "contact:"+fakesaas.HubSpotContact(p.N))
		}
	}
	return ids
}

func hubspotRowsOf(w *fakesaas.World, customers ...int) (ids []string) {
	for _, n := range customers {
		c, _ := w.Customer(n)
		ids = append(ids, hubspotRows(c)...)
	}
	return ids
}

var hubspotSubject = subject{connector: HubSpot, provider: "hubspot", settings: map[string]string{"access_token": fakesaas.Key},
	ids:     func(w *fakesaas.World) []string { return hubspotRows(w.Customers(nil)...) },
	changes: func(w *fakesaas.World, changed []int) []string { return hubspotRowsOf(w, changed...) }}

// hubspotOAuth is the same through an app with OAuth.
var hubspotOAuth = func() subject {
	s := hubspotSubject
	s.settings = map[string]string{"client_id": "an-app", "client_secret": fakesaas.Key, "refresh_token": fakesaas.Key}
	return s
}()

func init() { subjects = append(subjects, hubspotSubject, hubspotOAuth) }

// A hubspotWatch is a Doer that remembers what passed.
type hubspotWatch struct {
	Doer
	mu   sync.Mutex
	seen []hubspotSeen
}

type hubspotSeen struct {
	method, url, body string
	status            int
}

func (w *hubspotWatch) Do(req *http.Request, class string) (*http.Response, error) {
	body, err := req.GetBody()
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	res, err := w.Doer.Do(req, class)
	if err == nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.seen = append(w.seen, hubspotSeen{req.Method, req.URL.String(), string(b), res.StatusCode})
	}
	return res, err
}

// count is how many requests meet a condition.
func (w *hubspotWatch) count(meets func(hubspotSeen) bool) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.seen {
		if meets(s) {
			n++
		}
	}
	return n
}

func watchHubspot(x *trial) *hubspotWatch {
	w := &hubspotWatch{Doer: x.access.HTTP}
	x.access.HTTP = w
	return w
}

// wantHubspotRows compares the ids of all rows.
func wantHubspotRows(x *trial, h haul, want []string) {
	x.t.Helper()
	got := slices.Sorted(maps.Keys(h.rows))
	if slices.Sort(want); !slices.Equal(got, want) {
		x.t.Errorf("got rows %v, want %v", got, want)
	}
}

func TestHubSpotFindsMoreThanTenThousandChangesOfOneMillisecond(t *testing.T) {
	t.Parallel()
	s := hubspotSubject
	s.customers = 10_050
	x := s.begin(t)
	x.server.Set(func(t *fakesaas.Traps) { t.Limits = true })
	w := watchHubspot(x)
	x.world.Clock().Move(time.Hour)
	at := x.world.Crowd(0, x.world.Len())
	x.world.Clock().Move(time.Hour)
	h := x.read(Want{Span: crm.Span{From: at, To: at.Add(time.Millisecond)}, Changes: true})
	x.checkHaul(h, x.ids(x.world))
	rows := 0
	for _, r := range h.reads {
		rows += len(r.page.Rows)
	}
	if rows != len(h.rows) {
		t.Errorf("%d rows came, of which %d are different", rows, len(h.rows))
	}
	if len(h.rows) < 15_000 {
		t.Errorf("%d rows are no test of the 10,000 that a search gives", len(h.rows))
	}
	if n := w.count(func(s hubspotSeen) bool { return strings.Contains(s.body, `"after"`) }); n > 0 {
		t.Errorf("%d searches went on by HubSpot's cursor, which ends at 10,000", n)
	}
	if n := w.count(func(s hubspotSeen) bool { return s.status == http.StatusTooManyRequests }); n == 0 {
		t.Error("no search was one too many; the limits were not tried")
	}
}

func TestHubSpotSearchEndsAtTenThousand(t *testing.T) { // the trap itself
	t.Parallel()
	x := hubspotSubject.begin(t)
	r := hubspotReading{h: HubSpot.(*hubspot), a: x.access, object: hubspotContacts}
	var l hubspotList
	in := map[string]any{"limit": 200, "after": 9900, "properties": []string{}}
	if err := r.post(t.Context(), hubspotSearches, r.path("/search"), in, &l); !errors.Is(err, crm.ErrInvalid) {
		t.Errorf("results 9,900 to 10,100: %v, want a refusal", err)
	}
	in["after"] = 9800
	if err := r.post(t.Context(), hubspotSearches, r.path("/search"), in, &l); err != nil {
		t.Errorf("results 9,800 to 10,000: %v", err)
	}
}

func TestHubSpotLeavesOutWhatASearchFindsTooEarly(t *testing.T) {
	t.Parallel()
	x := hubspotSubject.begin(t)
	clock := x.world.Clock()
	clock.Move(time.Hour - time.Millisecond)
	x.world.Change(0)
	clock.Move(time.Millisecond)
	from := clock.Now()
	x.world.Change(1)
	clock.Move(9 * time.Millisecond)
	x.world.Change(2)
	clock.Move(time.Millisecond)
	to := clock.Now()
	x.world.Change(3)
	clock.Move(time.Hour)
	wantHubspotRows(x, x.read(Want{Span: crm.Span{From: from, To: to}, Changes: true}), hubspotRowsOf(x.world, 1, 2))
}

func TestHubSpotWindowsMeetWithinAMillisecond(t *testing.T) {
	t.Parallel()
	x := hubspotSubject.begin(t)
	clock := x.world.Clock()
	begin := clock.Now()
	clock.Move(time.Hour)
	x.world.Change(0)
	middle := clock.Now().Add(400 * time.Microsecond)
	clock.Move(time.Millisecond)
	x.world.Change(1)
	clock.Move(time.Hour)
	wantHubspotRows(x, x.read(Want{Span: crm.Span{From: begin, To: middle}, Changes: true}), hubspotRowsOf(x.world, 0))
	wantHubspotRows(x, x.read(Want{Span: crm.Span{From: middle, To: clock.Now()}, Changes: true}), hubspotRowsOf(x.world, 1))
}

func TestHubSpotSearchThatLagsLosesNothing(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, lag string
		found     bool
	}{{"within the lag", "15", true}, {"with too short a lag", "5", false}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			x := hubspotSubject.begin(t)
			x.access.Settings["lag_minutes"] = tt.lag
			x.server.Set(func(t *fakesaas.Traps) { t.Lag = 12 * time.Minute })
			lag := AboutFor(HubSpot, x.access.Settings).Lag
			clock := x.world.Clock()
			watermark := clock.Now().Add(-lag)
			found := map[string]bool{}
			var changed []int
			for i := range 24 { // a sync every five minutes, and a change between two
				clock.Move(2 * time.Minute)
				if i < 18 {
					x.world.Change(i)
					changed = append(changed, i)
				}
				clock.Move(3 * time.Minute)
				until := clock.Now().Add(-lag)
				h := x.read(Want{Span: crm.Span{From: watermark, To: until}, Changes: true})
				for id := range h.rows {
					found[id] = true
				}
				watermark = until
			}
			missing := slices.DeleteFunc(hubspotRowsOf(x.world, changed...), func(id string) bool { return found[id] })
			if (len(missing) == 0) != tt.found {
				t.Errorf("%d rows were never found: %v", len(missing), missing)
			}
		})
	}
}

// hubspotAnswers is a Doer that knows all answers already.
type hubspotAnswers []struct {
	path   string // how the address ends or what it holds
	status int
	body   string
}

func (h hubspotAnswers) Do(req *http.Request, _ string) (*http.Response, error) {
	for _, a := range h {
		if strings.Contains(req.URL.String(), a.path) {
			return &http.Response{StatusCode: a.status, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader([]byte(a.body)))}, nil
		}
	}
	return nil, errors.New("no answer to " + req.URL.Path)
}

func TestHubSpotSettingsAreChecked(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, value string
		ok          bool
	}{
		{"tier", "pro", true}, {"tier", "Pro", false}, {"tier", "", false},
		{"time_zone", "Europe/Berlin", true}, {"time_zone", "UTC", true}, {"time_zone", "Berlin", false}, {"time_zone", "Local", false},
		{"lag_minutes", "0", true}, {"lag_minutes", "60", true}, {"lag_minutes", "-1", false}, {"lag_minutes", "1h", false}, {"lag_minutes", "1441", false},
		{"properties", "plan, hs_lead_status", true}, {"properties", "Lead status", false}, {"properties", "plan&limit=1", false},
		{"lifecycle", "lead=Working Lead", true}, {"lifecycle", "lead", false}, {"lifecycle", "=New Lead", false},
		{"lifecycle", "customer=Active", false}, // subscribers' statuses come from billing
		{"api", "https://api-eu1.hubapi.com", true}, {"api", "hubapi.com", false},
	} {
		at := slices.IndexFunc(HubSpot.About().Settings, func(s Setting) bool { return s.Name == tt.name })
		if err := HubSpot.About().Settings[at].Check(tt.value); (err == nil) != tt.ok || err != nil && !errors.Is(err, crm.ErrInvalid) {
			t.Errorf("%s %q: %v", tt.name, tt.value, err)
		}
	}
}

func TestHubSpotCheckCountsAndTellsTheZone(t *testing.T) {
	t.Parallel()
	x := hubspotSubject.begin(t)
	var companies, contacts int64
	for _, c := range x.world.Customers(nil) {
		if c.Company != "" {
			companies++
		}
		contacts += int64(len(c.Contacts))
	}
	x.access.Settings["time_zone"] = "Europe/Berlin"
	got, err := HubSpot.Check(t.Context(), x.access)
	if err != nil || got.Records[hubspotCompanies] != companies || got.Records[hubspotContacts] != contacts || got.Name == "" {
		t.Errorf("got %+v, %v; want %d companies and %d contacts", got, err, companies, contacts)
	}
	if len(got.Notes) != 1 || !strings.Contains(got.Notes[0], "UTC") {
		t.Errorf("got notes %q, want one on the time zone", got.Notes)
	}
}

// hubspotHeld is a limiter that remembers how long it was told to wait.
type hubspotHeld struct {
	name string
	wait time.Duration
}

func (h *hubspotHeld) Take(context.Context, string, map[string]Quota) (time.Duration, error) {
	return 0, nil
}

func (h *hubspotHeld) Refused(_ context.Context, _, class string, wait time.Duration) error {
	h.name, h.wait = class, wait
	return nil
}

func (h *hubspotHeld) Hold(_ context.Context, _, class string, wait time.Duration) error {
	h.name, h.wait = class, wait
	return nil
}
