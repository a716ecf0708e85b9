package dedupe

import (
	"bytes"
	"encoding/binary"
	"errors"
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
	binary.BigEndian.PutUint64(k[:], (uint64(n)+1)*0x9E3779B97F4A7C15)
	binary.LittleEndian.PutUint64(k[8:], (uint64(n)+1)*0xD1B54A32D192ED03)
	return k
}

// ascending returns the keys of numbers as a claim wants them.
func ascending(numbers ...int) []crm.Key {
	ks := make([]crm.Key, len(numbers))
	for i, n := range numbers {
		ks[i] = key(n)
	}
	slices.SortFunc(ks, func(a, b crm.Key) int { return bytes.Compare(a[:], b[:]) })
	return ks
}

// numbers returns those from one up to another.
func numbers(from, to int) (ns []int) {
	for n := from; n < to; n++ {
		ns = append(ns, n)
	}
	return ns
}

var space = Space{Import: "0197-import", Generation: "first"}

func TestDropForgetsEveryGeneration(t *testing.T) {
	onEach(t, func(t *testing.T, x *Index) {
		want(t, x, space, 0, 0, []int{1}, []int{1})
		want(t, x, Space{space.Import, "second"}, 0, 0, []int{1}, []int{1})
		other := Space{space.Import + "2", "first"}
		want(t, x, other, 0, 0, []int{1}, []int{1})
		for range 2 {
			if err := x.Drop(t.Context(), space.Import); err != nil {
				t.Fatal(err)
			}
		}
		left, err := x.redis.Keys(t.Context(), "*").Result()
		slices.Sort(left)
		if all := []string{generations(other.Import), other.claims()}; err != nil || !slices.Equal(left, all) {
			t.Errorf("%v are left, %v; want %v", left, err, all)
		}
	})
}

func TestClaimsEndWithTime(t *testing.T) {
	onEach(t, func(t *testing.T, x *Index) {
		want(t, x, space, 0, 0, []int{1}, []int{1})
		names := []string{space.claims(), generations(space.Import)}
		for _, renew := range []func() error{
			func() error { return x.Renew(t.Context(), space) },
			func() error { _, _, _, err := x.Claim(t.Context(), space, 1, 1, ascending(2)); return err },
		} {
			for _, name := range names {
				if err := x.redis.Expire(t.Context(), name, time.Minute).Err(); err != nil {
					t.Fatal(err)
				}
			}
			if err := renew(); err != nil {
				t.Fatal(err)
			}
			for _, name := range names {
				if ttl := x.redis.TTL(t.Context(), name).Val(); ttl < timeToLive-time.Minute || ttl > timeToLive {
					t.Errorf("%s lives for %v, want %v", name, ttl, timeToLive)
				}
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
	_, _, _, err := x.Claim(t.Context(), space, 0, 0, ascending(1))
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
	if _, _, _, err := x.Claim(t.Context(), space, 0, 0, ascending(1)); err == nil || crm.TypeOf(err) != "" {
		t.Errorf("Claim: %v", err)
	}
}
