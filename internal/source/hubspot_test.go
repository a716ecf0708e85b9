package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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

func TestHubSpotTokenIsRenewedBeforeItEnds(t *testing.T) {
	t.Parallel()
	x := hubspotOAuth.begin(t)
	x.server.Set(func(t *fakesaas.Traps) { t.Expires = 10 * time.Minute })
	w := watchHubspot(x)
	for range 8 {
		x.world.Clock().Move(3 * time.Minute)
		if _, err := HubSpot.Check(t.Context(), x.access); err != nil {
			t.Fatal(err)
		}
	}
	if n := w.count(hubspotAsksForToken); n != 3 { // at 3, 12 and 21 minutes
		t.Errorf("%d tokens were asked for, want 3", n)
	}
	if n := w.count(func(s hubspotSeen) bool { return s.status == http.StatusUnauthorized }); n != 0 {
		t.Errorf("%d requests were made with a token that had ended", n)
	}
}

func hubspotAsksForToken(s hubspotSeen) bool { return strings.Contains(s.url, "/oauth/") }

func TestHubSpotTokenThatDoesNotHoldIsRenewedOnce(t *testing.T) {
	t.Parallel()
	x := hubspotOAuth.begin(t)
	x.read(x.everything())
	x.server.Set(func(t *fakesaas.Traps) { t.Expires = time.Second })
	x.world.Clock().Move(2 * time.Second) // the token was for half an hour
	w := watchHubspot(x)
	h := x.read(x.everything())
	x.checkHaul(h, x.ids(x.world))
	if n := w.count(hubspotAsksForToken); n != 1 {
		t.Errorf("%d tokens were asked for, want 1", n)
	}

	x.server.Set(func(t *fakesaas.Traps) { t.Revoked = true })
	before := w.count(func(hubspotSeen) bool { return true })
	_, err := HubSpot.Read(t.Context(), x.access, crm.Partition{ID: hubspotCompanies, Stream: hubspotCompanies}, nil)
	if !errors.Is(err, crm.ErrDenied) {
		t.Errorf("an app that was removed: %v, want ErrDenied", err)
	}
	x.checkError(err)
	if n := w.count(func(hubspotSeen) bool { return true }) - before; n != 2 {
		t.Errorf("%d requests were made to be told so, want 2", n)
	}
}

func TestHubSpotTokensOfTwoAppsAreNotMixedUp(t *testing.T) {
	t.Parallel()
	x := hubspotOAuth.begin(t)
	x.read(x.everything())
	x.access.Settings["client_secret"] = "another"
	_, err := HubSpot.Check(t.Context(), x.access)
	if !errors.Is(err, crm.ErrDenied) {
		t.Errorf("got %v, want ErrDenied", err)
	}
	delete(x.access.Settings, "client_secret")
	_, err = HubSpot.Check(t.Context(), x.access)
	if !errors.Is(err, crm.ErrInvalid) || !strings.Contains(err.Error(), "client_secret") {
		t.Errorf("got %v, want ErrInvalid and what is missing", err)
	}
}

func TestHubSpotLongListsOfPropertiesAreReadWhole(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		names int
		byID  bool
	}{{"few go along", 5, false}, {"many are read by ids", 75, true}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := hubspotSubject
			s.customers = 90
			x := s.begin(t)
			w := watchHubspot(x)
			var names []string
			for i := range tt.names {
				names = append(names, fmt.Sprintf("custom_property_with_a_name_of_about_as_many_letters_as_hubspot_allows_%03d", i))
			}
			x.access.Settings["properties"] = strings.Join(names, ", ")
			begin := x.world.Clock().Now()
			x.world.Clock().Move(time.Hour)
			x.world.Crowd(0, x.world.Len())
			x.world.Clock().Move(time.Hour)
			for _, want := range []Want{x.everything(), {Span: crm.Span{From: begin, To: x.world.Clock().Now()}, Changes: true}} {
				h := x.read(want)
				x.checkHaul(h, x.ids(x.world))
				for id, row := range h.rows {
					_, number, _ := strings.Cut(id, ":")
					for _, name := range names {
						if got, want := row.Extra["properties."+name], fakesaas.HubSpotProperty(name, number); got != want {
							t.Fatalf("%s has %s %q, want %q", id, name, got, want)
						}
					}
				}
			}
			if n := w.count(func(s hubspotSeen) bool { return len(s.url) > hubspotMaxURL }); n > 0 {
				t.Errorf("%d addresses are longer than 5 KB", n)
			}
			if n := w.count(func(s hubspotSeen) bool { return strings.HasSuffix(s.url, "/search") && len(s.body) > hubspotMaxSearch }); n > 0 {
				t.Errorf("%d searches are longer than 3,000 characters", n)
			}
			if n := w.count(func(s hubspotSeen) bool {
				return strings.HasSuffix(s.url, "s/batch/read") && !strings.Contains(s.url, "associations")
			}); n > 0 != tt.byID {
				t.Errorf("%d requests by ids", n)
			}
		})
	}
}

func TestHubSpotRowsSayWhatThereIs(t *testing.T) {
	t.Parallel()
	x := hubspotSubject.begin(t)
	begin := x.world.Clock().Now()
	x.world.Clock().Move(time.Hour)
	x.world.Crowd(0, x.world.Len())
	x.world.Clock().Move(time.Hour)
	listed := x.read(x.everything())
	changed := x.read(Want{Span: crm.Span{From: begin, To: x.world.Clock().Now()}, Changes: true})
	for _, c := range x.world.Customers(nil) {
		id, stage := fakesaas.HubSpotCompany(c.N), fakesaas.HubSpotStage(c.N)
		at, created := c.Updated.Format(time.RFC3339Nano), c.Created.Format(time.RFC3339Nano)
		extra := Fields{"lifecyclestage": stage}
		want := map[string]Row{}
		place := func(f Fields) Fields {
			for name, value := range map[string]string{"country": c.Country, "state": c.State, "city": c.City, "zip": c.Zip,
				"lead_created_at": created, "source_updated_at": at, "status": hubspotUsual[stage]} {
				f.Set(name, value)
			}
			return f
		}
		if c.Company != "" {
			want["company:"+id] = Row{Extra: extra, Customer: place(Fields{"external_id": id, "name": c.Company, "company": c.Company,
				"website_url": fmt.Sprintf("c%d.example.com", c.N)})}
		}
		for _, p := range c.Contacts {
			number := fakesaas.HubSpotContact(p.N)
			row := Row{Extra: extra, Customer: Fields{"external_id": id}}
			if c.Company == "" {
				row.Customer = place(Fields{"external_id": "contact:" + number, "name": p.First + " " + p.Last, "email": p.Email})
			}
			for name, value := range map[string]string{"external_id": number, "first_name": p.First, "last_name": p.Last, "title": p.Title,
				"email": p.Email, "phone": p.Phone, "source_updated_at": at} {
				row.Contact.Set(name, value)
			}
			want["contact:"+number] = row
		}
		for id, row := range want {
			for how, got := range map[string]Row{"listed": listed.rows[id], "changed": changed.rows[id]} {
				if !sameRows([]Row{{Customer: got.Customer, Contact: got.Contact, Extra: got.Extra}}, []Row{row}) {
					t.Fatalf("%s, %s: got %v, want %v", id, how, got, row)
				}
			}
		}
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

func TestHubSpotAnswersThatLackSomethingAreNotTakenForWhole(t *testing.T) {
	t.Parallel()
	const found = `{"total":2,"results":[{"id":"7","properties":{"email":"a@example.com"}}]}`
	const passing, none = "passing", ""
	for _, tt := range []struct {
		name    string
		stream  string
		after   Cursor
		answers hubspotAnswers
		want    string
	}{
		{"a contact without a company", hubspotChangedContacts, nil, hubspotAnswers{{"/search", 200, found},
			{"/associations/", 207, `{"results":[],"errors":[{"category":"OBJECT_NOT_FOUND","subCategory":"crm.associations.NO_ASSOCIATIONS_FOUND"}]}`}}, none},
		{"companies that cannot be read", hubspotChangedContacts, nil, hubspotAnswers{{"/search", 200, found},
			{"/associations/", 207, `{"results":[],"errors":[{"category":"INTERNAL_ERROR"}]}`}}, passing},
		{"companies of somebody else", hubspotChangedContacts, nil, hubspotAnswers{{"/search", 200, found},
			{"/associations/", 200, `{"results":[{"from":{"id":"8"},"to":[]}]}`}}, passing},
		{"a page that is empty and not the last", hubspotChangedCompanies, nil,
			hubspotAnswers{{"/search", 200, `{"total":2,"results":[],"paging":{"next":{"after":"200"}}}`}}, passing},
		{"a page that repeats the one before", hubspotChangedCompanies, Cursor(`{"id":7}`),
			hubspotAnswers{{"/search", 200, `{"total":2,"results":[{"id":"7","properties":{}}],"paging":{"next":{"after":1}}}`}}, passing},
		{"an object without properties", hubspotCompanies, nil, hubspotAnswers{{"/companies", 200, `{"results":[{"id":"7"}]}`}}, passing},
		{"no object", hubspotCompanies, nil, hubspotAnswers{{"/companies", 200, `{"results":[null]}`}}, passing},
		{"an id that is none", hubspotChangedCompanies, nil, hubspotAnswers{{"/search", 200, `{"results":[{"id":"a@example.com","properties":{}}],"paging":{"next":{"after":"1"}}}`}}, passing},
		{"a cursor that is refused", hubspotCompanies, Cursor(`{"after":"7"}`), hubspotAnswers{{"/companies", 400, `{"message":"a@example.com"}`}}, string(crm.FailCursorLost)},
		{"a request that is refused", hubspotCompanies, nil, hubspotAnswers{{"/companies", 400, `{"message":"a@example.com"}`}}, string(crm.FailInvalid)},
		{"a cursor of another version", hubspotCompanies, Cursor(`"7"`), nil, string(crm.FailCursorLost)},
		{"a stream that there is not", "deals", nil, nil, string(crm.FailInvalid)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := &Access{Settings: map[string]string{"access_token": "x", "api": "https://api.example.com"}, HTTP: tt.answers, Now: func() time.Time { return start }}
			_, err := HubSpot.Read(t.Context(), a, crm.Partition{ID: "x", Stream: tt.stream}, tt.after)
			got := string(crm.TypeOf(err))
			if err != nil && got == "" {
				got = passing
			}
			if got != tt.want || err != nil && strings.Contains(err.Error(), "@") {
				t.Errorf("got %q: %v, want %q", got, err, tt.want)
			}
		})
	}
}

func TestHubSpotPrimaryCompanyIsTheCustomer(t *testing.T) {
	t.Parallel()
	type to struct {
		id      hubspotID
		primary bool
	}
	for _, tt := range []struct {
		name string
		in   []to
		want hubspotID
	}{
		{"none", nil, ""},
		{"the only one", []to{{"7", false}}, "7"},
		{"the primary one, last", []to{{"7", false}, {"99", true}}, "99"},
		{"the primary one, first", []to{{"99", true}, {"7", false}}, "99"},
		{"without a primary one the lowest", []to{{"1000", false}, {"999", false}, {"2000", false}}, "999"},
	} {
		var o hubspotObject
		for _, c := range tt.in {
			o.belongs(c.id, c.primary)
		}
		if o.company != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, o.company, tt.want)
		}
	}
}

func TestHubSpotStagesAreLeadStatuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ setting, stage, want string }{
		{"", "subscriber", "New Lead"},
		{"", "lead", "New Lead"},
		{"", "other", "New Lead"},
		{"", "marketingqualifiedlead", "Working Lead"},
		{"", "salesqualifiedlead", "Qualified Lead"},
		{"", "opportunity", "Qualified Lead"},
		{"", "customer", ""}, // billing says so
		{"", "evangelist", ""},
		{"", "48291001", ""}, // of the owner's own making
		{"48291001=Working Lead", "48291001", "Working Lead"},
		{" 48291001 = working lead , other=", "48291001", "Working Lead"},
		{"48291001=Working Lead,other=", "other", ""},
		{"48291001=Working Lead,other=", "lead", "New Lead"},
		{"customer=Unqualified Lead,", "customer", "Unqualified Lead"},
	} {
		stages, err := hubspotStages(tt.setting)
		if err != nil || stages[tt.stage] != tt.want {
			t.Errorf("%q, %s: got %q, %v, want %q", tt.setting, tt.stage, stages[tt.stage], err, tt.want)
		}
	}
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

func TestHubSpotTierDecidesTheLimits(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		settings map[string]string
		burst    float64
		ceiling  int
		lag      time.Duration
	}{
		{nil, 100, 1000, 15 * time.Minute},
		{map[string]string{"access_token": "x", "tier": "free"}, 100, 1000, 15 * time.Minute},
		{map[string]string{"access_token": "x", "tier": "pro"}, 190, 1900, 15 * time.Minute},
		{map[string]string{"access_token": "x", "tier": "enterprise", "lag_minutes": "60"}, 190, 1900, time.Hour},
		{map[string]string{"refresh_token": "x", "tier": "enterprise", "lag_minutes": "0"}, 100, 1000, 0}, // an app's limit knows no tiers
	} {
		about := AboutFor(HubSpot, tt.settings)
		if q := about.Quotas[""]; q.Requests != tt.burst || q.Per != 10*time.Second || about.Quotas[hubspotSearches] != (Quota{5, time.Second}) ||
			about.Ceiling != tt.ceiling || about.Lag != tt.lag {
			t.Errorf("%v: %+v, %d rows a second, lag %v", tt.settings, about.Quotas, about.Ceiling, about.Lag)
		}
	}
}

// hubspotNoon is noon UTC of a day on which Berlin's clocks go back, at 1 UTC.
var hubspotNoon = time.Date(2026, time.October, 24, 12, 0, 0, 0, time.UTC)

func TestHubSpotWaitsAsLongAsItIsAskedTo(t *testing.T) {
	t.Parallel()
	const daily = `{"status":"error","message":"c0@example.com","errorType":"RATE_LIMIT","policyName":"DAILY"}`
	interval := http.Header{"X-Hubspot-Ratelimit-Interval-Milliseconds": {"7000"}}
	for _, tt := range []struct {
		name, zone, body string
		head             http.Header
		want             time.Duration
	}{
		{"until midnight UTC", "UTC", daily, nil, 12 * time.Hour},
		{"until midnight in Berlin", "Europe/Berlin", daily, nil, 10 * time.Hour},
		{"until midnight in New York", "America/New_York", daily, nil, 16 * time.Hour},
		{"until midnight in Kolkata", "Asia/Kolkata", daily, nil, 6*time.Hour + 30*time.Minute},
		{"until midnight UTC, of no zone", "", daily, nil, 12 * time.Hour},
		{"until the interval is over", "UTC", `{"policyName":"TEN_SECONDLY_ROLLING"}`, interval, 7 * time.Second},
		{"until the usual interval is over", "UTC", `{"policyName":"TEN_SECONDLY_ROLLING"}`, nil, 10 * time.Second},
		{"for a second", "UTC", `{"policyName":"SECONDLY"}`, interval, time.Second},
		{"as Cloudflare says", "UTC", `{"title":"Error 1015","status":429,"retry_after":37}`, nil, 37 * time.Second},
		{"as the head says", "UTC", `{"policyName":"SECONDLY"}`, http.Header{"Retry-After": {"90"}}, 90 * time.Second},
		{"an interval where nothing is said", "UTC", `<html>`, nil, 10 * time.Second},
		{"an interval where nonsense is said", "UTC", `{"retry_after":-5}`, nil, 10 * time.Second},
	} {
		err := hubspotThrottled(&answer{status: http.StatusTooManyRequests, header: tt.head, body: []byte(tt.body), now: hubspotNoon}, tt.zone)
		var wait *crm.Throttled
		if !errors.As(err, &wait) || wait.Until.Sub(hubspotNoon) != tt.want || strings.Contains(err.Error(), "@") {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	if err := hubspotThrottled(&answer{status: http.StatusBadRequest}, "UTC"); err != nil {
		t.Errorf("an answer that asks for nothing: %v", err)
	}
}

func TestHubSpotSaysWhatIsLeft(t *testing.T) {
	t.Parallel()
	head := func(pairs ...string) http.Header {
		h := http.Header{}
		for i := 0; i < len(pairs); i += 2 {
			h.Set("X-HubSpot-RateLimit-"+pairs[i], pairs[i+1])
		}
		return h
	}
	for _, tt := range []struct {
		name string
		head http.Header
		left int
		wait time.Duration
		ok   bool
	}{
		{"some", head("Remaining", "42", "Interval-Milliseconds", "10000", "Daily-Remaining", "1000"), 42, 10 * time.Second, true},
		{"none in this interval", head("Remaining", "0", "Interval-Milliseconds", "10000", "Daily-Remaining", "1000"), 0, 10 * time.Second, true},
		{"none of this day", head("Remaining", "99", "Interval-Milliseconds", "10000", "Daily-Remaining", "0"), 0, 10 * time.Hour, true},
		{"an app with OAuth", head("Remaining", "7", "Interval-Milliseconds", "10000"), 7, 10 * time.Second, true},
		{"a search", http.Header{}, 0, 0, false},
	} {
		left, until, ok := AboutFor(HubSpot, map[string]string{"time_zone": "Europe/Berlin"}).Left(tt.head, hubspotNoon)
		if ok != tt.ok || ok && (left != tt.left || until.Sub(hubspotNoon) != tt.wait) {
			t.Errorf("%s: %d until %v, %v", tt.name, left, until, ok)
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

func TestHubSpotLimitsThatAreUsedUpHoldBackAllWorkers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		status int
		left   string // of the day
		class  string
		held   string
		day    bool // else an interval
	}{
		{"an interval", http.StatusTooManyRequests, "5", "", "", false},
		{"an interval of searches", http.StatusTooManyRequests, "5", hubspotSearches, hubspotSearches, false},
		{"a day", http.StatusTooManyRequests, "0", "", "", true},
		{"a day, with the last request of it", http.StatusOK, "0", "", "", true},
	} {
		head := http.Header{}
		head.Set("X-HubSpot-RateLimit-Remaining", "0")
		head.Set("X-HubSpot-RateLimit-Interval-Milliseconds", "7000")
		head.Set("X-HubSpot-RateLimit-Daily-Remaining", tt.left)
		held := &hubspotHeld{}
		p := Polite{Limits: held, About: AboutFor(HubSpot, nil), Out: func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: tt.status, Header: head, Body: http.NoBody}, nil
		}}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://api.example.com", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		before := time.Now()
		res, err := p.Do(req, tt.class)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		least, most := 7*time.Second, 7*time.Second
		if tt.day { // it may be midnight in between
			now := time.Now()
			one, two := hubspotMidnight(now, "UTC").Sub(now), hubspotMidnight(before, "UTC").Sub(before)
			least, most = min(one, two), max(one, two)
		}
		if held.name != tt.held || held.wait < least || held.wait > most {
			t.Errorf("%s: class %q is held for %v, want %q and %v to %v", tt.name, held.name, held.wait, tt.held, least, most)
		}
	}
}
