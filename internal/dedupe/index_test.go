package dedupe

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"sluice/internal/crm"
	"sluice/internal/servertest"
)

// onEach runs a test on the Redis in this process and on a real one.
func onEach(t *testing.T, test func(t *testing.T, x *Index)) {
	t.Parallel()
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		test(t, open(t, "redis://"+miniredis.RunT(t).Addr()))
	})
	t.Run("real", func(t *testing.T) {
		t.Parallel()
		test(t, open(t, servertest.Redis(t)))
	})
}

func open(t testing.TB, url string) *Index {
	t.Helper()
	x, err := Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close() })
	return x
}

// key returns the key of a number. Every byte of it takes every value: keys
// are no text.
func key(n int) crm.Key {
	var k crm.Key
	binary.BigEndian.PutUint64(k[:], uint64(n))
	binary.LittleEndian.PutUint64(k[8:], uint64(n)*0x9E3779B97F4A7C15)
	return k
}

func keys(from, to int) []crm.Key {
	var ks []crm.Key
	for n := from; n < to; n++ {
		ks = append(ks, key(n))
	}
	return ks
}

// claim claims the keys of numbers and returns the numbers won.
func (x *Index) claim2(t *testing.T, s Space, owner int, numbers ...int) ([]int, int64) {
	t.Helper()
	var ks []crm.Key
	for _, n := range numbers {
		ks = append(ks, key(n))
	}
	won, size, err := x.Claim(t.Context(), s, owner, ks)
	if err != nil {
		t.Fatal(err)
	}
	var got []int
	for i, w := range won {
		if w {
			got = append(got, numbers[i])
		}
	}
	return got, size
}

func want(t *testing.T, x *Index, s Space, owner int, numbers, won []int, size int64) {
	t.Helper()
	got, n := x.claim2(t, s, owner, numbers...)
	if !slices.Equal(got, won) || n != size {
		t.Errorf("batch %d claims %v: won %v, size %d; want %v, %d", owner, numbers, got, n, won, size)
	}
}

var space = Space{Import: "0197-import", Generation: "first"}

func TestFirstWins(t *testing.T) {
	onEach(t, func(t *testing.T, x *Index) {
		want(t, x, space, 0, []int{1, 2, 3}, []int{1, 2, 3}, 3)
		want(t, x, space, 1, []int{3, 4, 1, 5}, []int{4, 5}, 5)
		want(t, x, space, 2, []int{1, 4}, nil, 5)
		want(t, x, space, 3, nil, nil, 5)
	})
}

func TestRetryGivesTheSameAnswers(t *testing.T) {
	onEach(t, func(t *testing.T, x *Index) {
		for range 2 {
			want(t, x, space, 0, []int{1, 2}, []int{1, 2}, 2)
		}
		for range 2 {
			want(t, x, space, 1, []int{2, 3}, []int{3}, 3)
		}
		// The worker died after batch 2, and its group begins again: no answer
		// and no size shows how far it had got.
		want(t, x, space, 2, []int{4, 5, 6}, []int{4, 5, 6}, 6)
		want(t, x, space, 1, []int{2, 3}, []int{3}, 3)
		want(t, x, space, 2, []int{4, 5, 6}, []int{4, 5, 6}, 6)
	})
}

func TestEarlierBatchTakesOver(t *testing.T) {
	onEach(t, func(t *testing.T, x *Index) {
		want(t, x, space, 7, []int{1, 2, 3}, []int{1, 2, 3}, 3)
		want(t, x, space, 2, []int{2, 4}, []int{2, 4}, 2)
		want(t, x, space, 7, []int{1, 2, 3}, []int{1, 3}, 4)
		want(t, x, space, 0, []int{1, 2, 3, 4}, []int{1, 2, 3, 4}, 4)
		want(t, x, space, 2, []int{2, 4}, nil, 4)
	})
}

func TestSpacesAreApart(t *testing.T) {
	onEach(t, func(t *testing.T, x *Index) {
		want(t, x, space, 0, []int{1}, []int{1}, 1)
		want(t, x, Space{space.Import, "second"}, 1, []int{1, 2}, []int{1, 2}, 2)
		want(t, x, Space{"other", space.Generation}, 1, []int{1}, []int{1}, 1)
	})
}

// TestLargeClaim crosses from one call of the script to the next, and from one
// pipeline to the next.
func TestLargeClaim(t *testing.T) {
	onEach(t, func(t *testing.T, x *Index) {
		n := keysPerCall*callsPerPipeline + keysPerCall + 1
		won, size, err := x.Claim(t.Context(), space, 0, keys(0, n))
		if err != nil || size != int64(n) || len(won) != n || slices.Contains(won, false) {
			t.Fatalf("%d answers, size %d, %v", len(won), size, err)
		}
		won, size, err = x.Claim(t.Context(), space, 1, keys(n-10, n+10))
		if err != nil || size != int64(n+10) || count(won) != 10 || won[9] || !won[10] {
			t.Errorf("%v, size %d, %v", won, size, err)
		}
	})
}

func TestLossShowsInTheSize(t *testing.T) {
	onEach(t, func(t *testing.T, x *Index) {
		want(t, x, space, 0, []int{1, 2, 3}, []int{1, 2, 3}, 3)
		lost := key(2)
		x.redis.HDel(t.Context(), space.claims(), string(lost[:]))
		want(t, x, space, 1, []int{2, 9}, []int{2, 9}, 4) // 5 were due
		x.redis.HSet(t.Context(), space.claims(), "foreign", "foreign")
		want(t, x, space, 2, nil, nil, 5)
		x.redis.HSet(t.Context(), space.counts(), "last", "1000000000")
		if _, size := x.claim2(t, space, 3, 4); size != -1 {
			t.Errorf("size %d of a structure that is not ours", size)
		}
		x.redis.FlushAll(t.Context())
		want(t, x, space, 4, []int{1}, []int{1}, 1)
	})
}

func TestDropForgetsEveryGeneration(t *testing.T) {
	onEach(t, func(t *testing.T, x *Index) {
		want(t, x, space, 0, []int{1}, []int{1}, 1)
		want(t, x, Space{space.Import, "second"}, 0, []int{1}, []int{1}, 1)
		other := Space{space.Import + "2", "first"}
		want(t, x, other, 0, []int{1}, []int{1}, 1)
		for range 2 {
			if err := x.Drop(t.Context(), space.Import); err != nil {
				t.Fatal(err)
			}
		}
		left, err := x.redis.Keys(t.Context(), "*").Result()
		slices.Sort(left)
		if all := []string{generations(other.Import), other.claims(), other.counts()}; err != nil || !slices.Equal(left, all) {
			t.Errorf("%v are left, %v; want %v", left, err, all)
		}
	})
}

func TestClaimsEndWithTime(t *testing.T) {
	onEach(t, func(t *testing.T, x *Index) {
		want(t, x, space, 0, []int{1}, []int{1}, 1)
		for _, key := range []string{space.claims(), space.counts(), generations(space.Import)} {
			if err := x.redis.Expire(t.Context(), key, time.Minute).Err(); err != nil {
				t.Fatal(err)
			}
		}
		for _, renew := range []func() error{
			func() error { return nil },
			func() error { return x.Renew(t.Context(), space) },
			func() error { _, _, err := x.Claim(t.Context(), space, 1, nil); return err },
		} {
			if err := renew(); err != nil {
				t.Fatal(err)
			}
		}
		for _, key := range []string{space.claims(), space.counts(), generations(space.Import)} {
			if ttl := x.redis.TTL(t.Context(), key).Val(); ttl < timeToLive-time.Minute || ttl > timeToLive {
				t.Errorf("%s lives for %v, want %v", key, ttl, timeToLive)
			}
		}
		if err := x.Renew(t.Context(), Space{"no", "such"}); err != nil {
			t.Error(err)
		}
	})
}

func TestCheckToleratesAnyServer(t *testing.T) {
	onEach(t, func(t *testing.T, x *Index) {
		lines, err := x.Check(t.Context())
		if err != nil || len(lines) == 0 {
			t.Errorf("Check = %q, %v", lines, err)
		}
	})
}

func TestCheckNamesAPolicyThatEvicts(t *testing.T) {
	t.Parallel()
	x := open(t, servertest.Redis(t))
	for policy, fine := range map[string]bool{"noeviction": true, "allkeys-lru": false} {
		if err := x.redis.ConfigSet(t.Context(), "maxmemory-policy", policy).Err(); err != nil {
			t.Fatal(err)
		}
		lines, err := x.Check(t.Context())
		text := strings.Join(lines, "; ")
		if err != nil || !strings.Contains(text, "version ") || !strings.Contains(text, policy) ||
			strings.Contains(text, "evicted") == fine {
			t.Errorf("%s: %q, %v", policy, text, err)
		}
	}
}

func TestErrorsKeepThePassword(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "http://:hunter2@h", "redis://:hunter2@h:x", "redis://:hunter2@h/notadb",
		"redis://:hunter2@h/0?nonsense=hunter2", "://:hunter2@"} {
		if _, err := Open(t.Context(), url); !errors.Is(err, crm.ErrInvalid) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("Open(%q): %v", url, err)
		}
	}
	server := miniredis.RunT(t)
	server.RequireAuth("right")
	x := open(t, "redis://:hunter2@"+server.Addr())
	_, _, err := x.Claim(t.Context(), space, 0, keys(0, 1))
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("Claim: %v", err)
	}
	if _, err := x.Check(t.Context()); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("Check: %v", err)
	}
}

// TestUnreachableIsTriedAgain shows that an outage is none of the kinds that
// end an import.
func TestUnreachableIsTriedAgain(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	x := open(t, "redis://"+server.Addr()+"?max_retries=-1&dial_timeout=1s")
	server.Close()
	if _, _, err := x.Claim(t.Context(), space, 0, keys(0, 1)); err == nil || crm.TypeOf(err) != "" {
		t.Errorf("Claim: %v", err)
	}
}

// BenchmarkClaim fills a real Redis with batches of 20,000 keys and measures
// the memory that each takes.
func BenchmarkClaim(b *testing.B) {
	x := open(b, servertest.Redis(b))
	const batch = 20_000
	memory := func() (n float64) {
		info := x.redis.Info(b.Context(), "memory").Val()
		_, rest, _ := strings.Cut(info, "used_memory:")
		fmt.Sscan(rest, &n)
		return n
	}
	before := memory()
	n := 0
	for b.Loop() {
		ks := keys(n*batch, (n+1)*batch)
		won, size, err := x.Claim(b.Context(), space, n, ks)
		if n++; err != nil || size != int64(n*batch) || slices.Contains(won, false) {
			b.Fatal(size, err)
		}
	}
	b.ReportMetric(float64(n*batch)/b.Elapsed().Seconds(), "claims/s")
	b.ReportMetric((memory()-before)/float64(n*batch), "bytes/claim")
}
