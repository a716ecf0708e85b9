package source

import (
	"context"
	"errors"
	"net/http"
	"time"

	"sluice/internal/crm"
)

// limiter says when an account may be asked; see package limit.
type limiter interface {
	Take(ctx context.Context, account string, quotas map[string]Quota) (wait time.Duration, err error)
	Refused(ctx context.Context, account, class string, wait time.Duration) error
	Hold(ctx context.Context, account, class string, wait time.Duration) error
}

// Polite makes requests no more often than the source allows, whichever worker
// makes them.
type Polite struct {
	Out     func(*http.Request) (*http.Response, error)
	Limits  limiter
	Account string // whose limits: the same for all sources of one account
	About   About

	// Share is how much of the source's own limits is made use of, from 0 to 1;
	// 0: 0.6. The account's other programs need some of it.
	Share float64
}

// defaultShare is what a zero [Polite.Share] means.
const defaultShare = 0.6

// patience is how long a request waits for leave. Who has to wait longer gives
// its place at the worker to somebody else.
const patience = 10 * time.Second

// Do makes a request of a class once the limits allow it. When that takes longer
// than ten seconds it makes none, and the error is a [crm.Throttled].
func (p *Polite) Do(req *http.Request, class string) (*http.Response, error) {
	ctx := req.Context()
	for {
		wait, err := p.Limits.Take(ctx, p.Account, p.quotas(class))
		if err != nil {
			return nil, err
		}
		if wait <= 0 {
			break
		}
		if wait > patience {
			return nil, &crm.Throttled{Until: time.Now().Add(wait), Why: "the limit of requests is used up"}
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	res, err := p.Out(req)
	if err != nil {
		return nil, err
	}
	if err := p.heed(ctx, class, res); err != nil {
		return nil, errors.Join(err, res.Body.Close())
	}
	return res, nil
}

// quotas are the limits that a request of a class counts towards.
func (p *Polite) quotas(class string) map[string]Quota {
	share := p.Share
	if share <= 0 || share > 1 {
		share = defaultShare
	}
	out := map[string]Quota{}
	for _, name := range []string{"", class} {
		if q, ok := p.About.Quotas[name]; ok {
			q.Requests *= share
			out[name] = q
		}
	}
	return out
}

// heed tells the limiter what the source says of its limits.
func (p *Polite) heed(ctx context.Context, class string, res *http.Response) error {
	now := time.Now()
	if res.StatusCode == http.StatusTooManyRequests {
		wait := minThrottle
		if at, ok := retryAfter(res.Header, now); ok {
			wait = at.Sub(now)
		} else if p.About.Left != nil {
			if _, until, ok := p.About.Left(res.Header, now); ok && until.After(now) {
				wait = until.Sub(now)
			}
		}
		name := ""
		if _, ok := p.About.Quotas[class]; ok {
			name = class
		}
		return p.Limits.Refused(ctx, p.Account, name, wait)
	}
	if p.About.Left == nil {
		return nil
	}
	if left, until, ok := p.About.Left(res.Header, now); ok && left <= 0 && until.After(now) {
		return p.Limits.Hold(ctx, p.Account, "", until.Sub(now))
	}
	return nil
}
