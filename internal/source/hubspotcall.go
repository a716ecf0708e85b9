package source

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"sluice/internal/crm"
)

// post makes a request with a body of JSON.
func (r *hubspotReading) post(ctx context.Context, class, path string, in, into any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	res, err := r.h.do(ctx, r.a, call{class: class, method: http.MethodPost, url: r.a.api() + path, body: body,
		header: http.Header{"Content-Type": {"application/json"}}})
	if err != nil {
		return err
	}
	return res.json(into)
}

// do makes a call with the account's token. One that holds no longer, although
// its time is not over, is renewed once: HubSpot gives no other sign of a token
// that was revoked.
func (h *hubspot) do(ctx context.Context, a *Access, c call) (*answer, error) {
	token, err := h.tokens.of(ctx, a)
	if err != nil {
		return nil, err
	}
	own, over := c.fault, false
	c.fault = func(res *answer) error {
		over = res.status == http.StatusUnauthorized
		if own != nil {
			if err := own(res); err != nil {
				return err
			}
		}
		return hubspotThrottled(res, a.Settings["time_zone"])
	}
	header := c.header.Clone()
	if header == nil {
		header = http.Header{}
	}
	c.header = header
	header.Set("Authorization", "Bearer "+token)
	res, err := a.do(ctx, c)
	if !over || !h.tokens.drop(a, token) {
		return res, err
	}
	if token, err = h.tokens.of(ctx, a); err != nil {
		return nil, err
	}
	header.Set("Authorization", "Bearer "+token)
	return a.do(ctx, c)
}

// hubspotTokens keeps access tokens until they end, by what they are given for.
// They live in memory only: another process asks for its own, and both hold. It
// is safe for concurrent use.
type hubspotTokens struct {
	mu  sync.Mutex
	all map[[sha256.Size]byte]hubspotToken
}

type hubspotToken struct {
	access string
	until  time.Time // when the next one is asked for
}

func newHubspotTokens() *hubspotTokens {
	return &hubspotTokens{all: map[[sha256.Size]byte]hubspotToken{}}
}

// hubspotGrant is what access tokens of a source are given for.
func hubspotGrant(a *Access) [sha256.Size]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q", a.api(), a.Settings["client_id"], a.Settings["client_secret"], a.Settings["refresh_token"]))
}

// of returns an access token of a source: the one that was set, or one that its
// refresh token is given for. Refresh tokens stay as they are
// (developers.hubspot.com/docs/api-reference/latest/authentication/manage-oauth-tokens).
func (t *hubspotTokens) of(ctx context.Context, a *Access) (string, error) {
	if token := a.Settings["access_token"]; token != "" {
		return token, nil
	}
	form := url.Values{"grant_type": {"refresh_token"}}
	for _, name := range []string{"client_id", "client_secret", "refresh_token"} {
		value := a.Settings[name]
		if value == "" {
			return "", fmt.Errorf("%w: set access_token; or client_id, client_secret and refresh_token", crm.ErrInvalid)
		}
		form.Set(name, value)
	}
	grant := hubspotGrant(a)
	t.mu.Lock()
	have := t.all[grant]
	t.mu.Unlock()
	if have.access != "" && a.Now().Before(have.until) {
		return have.access, nil
	}
	fresh, err := hubspotRenew(ctx, a, form)
	if err != nil {
		return "", err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all[grant] = fresh
	return fresh.access, nil
}

// drop forgets a token that does not hold; false if it was not given for a
// refresh token, and there is no other.
func (t *hubspotTokens) drop(a *Access, token string) bool {
	if a.Settings["access_token"] != "" {
		return false
	}
	grant := hubspotGrant(a)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.all[grant].access == token {
		delete(t.all, grant)
	}
	return true
}

// hubspotRenew asks for an access token. It is asked for anew a minute before it
// ends, or half its time if that is less.
func hubspotRenew(ctx context.Context, a *Access, form url.Values) (hubspotToken, error) {
	res, err := a.do(ctx, call{method: http.MethodPost, url: a.api() + "/oauth/" + hubspotVersion + "/token", body: []byte(form.Encode()),
		header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
		fault: func(res *answer) error {
			if res.status == http.StatusBadRequest || res.status == http.StatusUnauthorized {
				return fmt.Errorf("%w: HubSpot gives no access for the refresh token (%d); let the account install the app again", crm.ErrDenied, res.status)
			}
			return hubspotThrottled(res, a.Settings["time_zone"])
		}})
	if err != nil {
		return hubspotToken{}, err
	}
	var out struct {
		Access  string `json:"access_token"`
		Seconds int64  `json:"expires_in"`
	}
	if err := res.json(&out); err != nil {
		return hubspotToken{}, err
	}
	if out.Access == "" {
		return hubspotToken{}, errors.New("HubSpot gives no access token")
	}
	life := time.Duration(out.Seconds) * time.Second
	return hubspotToken{access: out.Access, until: res.now.Add(life - min(time.Minute, life/2))}, nil
}

// hubspotThrottled is the error of an answer that asks to wait; nil of any
// other. HubSpot names the limit that is used up, and says what an interval of
// it is but not where in it we are. What stands before HubSpot says how many
// seconds to wait, in the body.
func hubspotThrottled(res *answer, zone string) error {
	if res.status != http.StatusTooManyRequests {
		return nil
	}
	var body struct {
		Policy string  `json:"policyName"`  // DAILY, TEN_SECONDLY_ROLLING or SECONDLY
		Wait   float64 `json:"retry_after"` // seconds
	}
	_ = res.json(&body) // without a body there is the head
	out := &crm.Throttled{Until: res.now.Add(hubspotInterval(res.header)), Why: "too many requests in ten seconds (429)"}
	switch policy := strings.ToUpper(body.Policy); {
	case strings.HasSuffix(policy, "DAILY"):
		out.Until, out.Why = hubspotMidnight(res.now, zone), "the account's requests of a day are used up (429)"
	case policy == "SECONDLY":
		out.Until, out.Why = res.now.Add(time.Second), "too many requests in a second (429)"
	case body.Wait > 0 && body.Wait < 1e6:
		out.Until, out.Why = res.now.Add(time.Duration(body.Wait*float64(time.Second))), "too many requests (429)"
	}
	if at, ok := retryAfter(res.header, res.now); ok && at.After(out.Until) {
		out.Until = at
	}
	return out
}

// hubspotInterval is in which time the requests of an interval are counted.
func hubspotInterval(h http.Header) time.Duration {
	if ms, err := strconv.Atoi(h.Get("X-HubSpot-RateLimit-Interval-Milliseconds")); err == nil && ms > 0 {
		return time.Duration(ms) * time.Millisecond
	}
	return 10 * time.Second
}

// hubspotMidnight is when a day's requests are given anew; of a zone that nobody
// knows, at midnight UTC.
func hubspotMidnight(now time.Time, zone string) time.Time {
	in, err := time.LoadLocation(zone)
	if err != nil {
		in = time.UTC
	}
	now = now.In(in)
	return time.Date(now.Year(), now.Month(), now.Day()+1, 0, 0, 0, 0, in).UTC()
}

// hubspotLeft reads the heads of answers. Those of searches say nothing, nor of
// the day those to an app with OAuth
// (developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines).
func hubspotLeft(zone string) func(h http.Header, now time.Time) (int, time.Time, bool) {
	return func(h http.Header, now time.Time) (int, time.Time, bool) {
		if left, err := strconv.Atoi(h.Get("X-HubSpot-RateLimit-Daily-Remaining")); err == nil && left <= 0 {
			return 0, hubspotMidnight(now, zone), true
		}
		left, err := strconv.Atoi(h.Get("X-HubSpot-RateLimit-Remaining"))
		return left, now.Add(hubspotInterval(h)), err == nil
	}
}
