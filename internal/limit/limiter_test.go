package limit

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"sluice/internal/servertest"
)

// clocked is a Limiter on a Redis whose time stands still but for moves.
func clocked(t *testing.T) (l *Limiter, move func(time.Duration)) {
	t.Helper()
	m := miniredis.RunT(t)
	now := time.Date(2026, time.November, 2, 12, 0, 0, 0, time.UTC)
	m.SetTime(now)
	c := redis.NewClient(&redis.Options{Addr: m.Addr()})
	t.Cleanup(func() { _ = c.Close() })
	return New(c), func(d time.Duration) {
		now = now.Add(d)
		m.SetTime(now)
	}
}

func ask(t *testing.T, l *Limiter, limits map[string]Rate) time.Duration {
	t.Helper()
	wait, err := l.Take(t.Context(), "acme", limits)
	if err != nil {
		t.Fatal(err)
	}
	return wait
}

func TestALimitIsKept(t *testing.T) {
	t.Parallel()
	l, move := clocked(t)
	limits := map[string]Rate{"": {Requests: 10, Per: time.Second}, "search": {Requests: 1, Per: time.Second}}
	granted := map[string]int{}
	for range 2_000 { // ten seconds
		if ask(t, l, map[string]Rate{"": limits[""]}) == 0 {
			granted["all"]++
		}
		if ask(t, l, limits) == 0 {
			granted["search"]++
		}
		move(5 * time.Millisecond)
	}
	// A second's worth may come at once at the beginning.
	if n := granted["all"] + granted["search"]; n < 100 || n > 111 {
		t.Errorf("%d requests in ten seconds, want 100 and at first ten more", n)
	}
	if n := granted["search"]; n > 11 {
		t.Errorf("%d searches in ten seconds, want ten and at first one more", n)
	}
}

func TestWaitingAsLongAsSaidIsEnough(t *testing.T) {
	t.Parallel()
	l, move := clocked(t)
	limits := map[string]Rate{"": {Requests: 150, Per: time.Minute}}
	for range 50 {
		if wait := ask(t, l, limits); wait > 0 {
			move(wait)
			if again := ask(t, l, limits); again != 0 {
				t.Fatalf("after waiting for %v it says %v", wait, again)
			}
		}
	}
}

func TestARefusalHalvesTheLimitAndItComesBack(t *testing.T) {
	t.Parallel()
	l, move := clocked(t)
	limits := map[string]Rate{"": {Requests: 1, Per: time.Second}}
	if wait := ask(t, l, limits); wait != 0 {
		t.Fatalf("the first request waits for %v", wait)
	}
	if err := l.Refused(t.Context(), "acme", "", 7*time.Second); err != nil {
		t.Fatal(err)
	}
	if wait := ask(t, l, limits); wait != 7*time.Second {
		t.Errorf("after a refusal for seven seconds it waits for %v", wait)
	}
	move(7 * time.Second)
	if wait := ask(t, l, limits); wait != 0 {
		t.Errorf("seven seconds later it still waits for %v", wait)
	}
	if wait := ask(t, l, limits); wait < 1900*time.Millisecond || wait > 2*time.Second {
		t.Errorf("at half the limit the next request waits for %v, want two seconds", wait)
	}
	for range 100 {
		move(ask(t, l, limits))
		ask(t, l, limits)
	}
	if wait := ask(t, l, limits); wait > time.Second {
		t.Errorf("after a hundred requests the limit has not come back: %v", wait)
	}
}

func TestAHoldLeavesTheLimitAsItIs(t *testing.T) {
	t.Parallel()
	l, move := clocked(t)
	limits := map[string]Rate{"": {Requests: 1, Per: time.Second}}
	if err := l.Hold(t.Context(), "acme", "", time.Hour); err != nil {
		t.Fatal(err)
	}
	if err := l.Hold(t.Context(), "acme", "", time.Second); err != nil { // a shorter one takes nothing back
		t.Fatal(err)
	}
	if wait := ask(t, l, limits); wait != time.Hour {
		t.Errorf("it waits for %v, want an hour", wait)
	}
	move(time.Hour)
	ask(t, l, limits)
	if wait := ask(t, l, limits); wait != time.Second {
		t.Errorf("the next request waits for %v, want a second", wait)
	}
}

// On a real Redis, by its own clock: many who ask at once are granted what one
// would be.
func TestManyShareALimit(t *testing.T) {
	t.Parallel()
	server, err := servertest.StartRedis("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	options, err := redis.ParseURL(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	c := redis.NewClient(options)
	t.Cleanup(func() { _ = c.Close() })
	l := New(c)
	limits := map[string]Rate{"": {Requests: 100, Per: time.Second}}
	var granted atomic.Int64
	begun := time.Now()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				wait, err := l.Take(t.Context(), "acme", limits)
				if err != nil {
					t.Error(err)
					return
				}
				if wait == 0 {
					granted.Add(1)
				}
			}
		})
	}
	all.Wait()
	if n, most := granted.Load(), 101+100*time.Since(begun).Seconds(); n < 100 || float64(n) > most {
		t.Errorf("%d of 800 requests are granted, want 100 at once and then 100 a second: at most %.0f", n, most)
	}
}
