package limit

import (
	"context"
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
)

// A Rate is how often something may be done. The zero Rate sets no bound.
type Rate struct {
	Requests float64 // in the time of Per
	Per      time.Duration
}

// interval is the time from one request to the next; 0 without a bound.
func (r Rate) interval() time.Duration {
	if r.Requests <= 0 || r.Per <= 0 {
		return 0
	}
	return time.Duration(float64(r.Per) / r.Requests)
}

// burst is how many requests may come at once: a second's worth, at least one.
func (r Rate) burst() int64 {
	if i := r.interval(); i > 0 {
		return max(1, int64(time.Second/i))
	}
	return 1
}

// A Limiter says when the next request may be made. It is safe for concurrent
// use.
type Limiter struct{ redis redis.UniversalClient }

// New returns a Limiter that counts in Redis.
func New(client redis.UniversalClient) *Limiter { return &Limiter{client} }

//go:embed take.lua
var takeText string

//go:embed refuse.lua
var refuseText string

var take, refuse = redis.NewScript(takeText), redis.NewScript(refuseText)

// Take asks leave for one request of an account that counts towards all of the
// limits, by their names. It returns 0 if the request may be made, and has been
// counted; else how long to wait before asking again, and nothing is counted.
func (l *Limiter) Take(ctx context.Context, account string, limits map[string]Rate) (wait time.Duration, err error) {
	names := slices.Sorted(maps.Keys(limits))
	keys := make([]string, len(names))
	args := make([]any, 0, 2*len(names))
	for i, name := range names {
		keys[i] = key(account, name)
		args = append(args, limits[name].interval().Microseconds(), limits[name].burst())
	}
	if len(keys) == 0 {
		return 0, nil
	}
	us, err := take.Run(ctx, l.redis, keys, args...).Int64()
	if err != nil {
		return 0, fmt.Errorf("limit of requests: %w", err)
	}
	return time.Duration(us) * time.Microsecond, nil
}

// Refused says that the service refused a request that counted towards a limit,
// and for how long it wants to be left alone. The limit is halved.
func (l *Limiter) Refused(ctx context.Context, account, name string, wait time.Duration) error {
	return l.tell(ctx, account, name, wait, 1)
}

// Hold says that the service wants to be left alone for a while, without having
// refused anything.
func (l *Limiter) Hold(ctx context.Context, account, name string, wait time.Duration) error {
	return l.tell(ctx, account, name, wait, 0)
}

func (l *Limiter) tell(ctx context.Context, account, name string, wait time.Duration, halve int) error {
	if err := refuse.Run(ctx, l.redis, []string{key(account, name)}, max(wait, 0).Microseconds(), halve).Err(); err != nil {
		return fmt.Errorf("limit of requests: %w", err)
	}
	return nil
}

// key names a limit. Those of one account share a slot of a cluster.
func key(account, name string) string { return "sluice:limit:{" + account + "}:" + name }
