package source

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"sluice/internal/crm"
	"sluice/internal/fakesaas"
)

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
