//go:build linux

package main

import (
	"context"
	"fmt"
	"net/url"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"sluice/internal/servertest"
)

var redisFaults = []*fault{{
	id: "F8", name: "Redis is down, at the start and in the middle",
	how:   "the link refuses until an operator has seen it; then SIGKILL of the server in the middle, and a start, empty, after a seeded while",
	holds: "I1 I2 I3 I9",
	seen:  "the state is `waiting`; the progress names the step Dedupe and the cause",
	play: func(ctx context.Context, s *scene) error {
		s.redis.down()
		s.worker()
		if err := s.begin(ctx); err != nil {
			return err
		}
		if err := s.sees(ctx, "waiting", "Dedupe"); err != nil {
			return err
		}
		s.redis.flow()
		if err := s.in(ctx, 1+s.random.IntN(20)); err != nil {
			return err
		}
		if err := s.killRedis(ctx, 3*time.Second); err != nil {
			return err
		}
		return s.end(ctx)
	},
}, {
	id: "F9", name: "Redis is emptied", short: true,
	how:   "FLUSHALL at three seeded moments",
	holds: "I1 I2 I3",
	seen:  "nothing: the claims are made again from the stage",
	play: func(ctx context.Context, s *scene) error {
		return s.thrice(ctx, 12, func(c *redis.Client) error { return c.FlushAll(ctx).Err() })
	},
}, {
	id: "F10", name: "Redis restarts empty, and fails over to an empty one",
	how:   "SIGKILL and a start without data; then the link leads to another, empty server",
	holds: "I1 I2 I3",
	seen:  "nothing, or `waiting` while it is away",
	play: func(ctx context.Context, s *scene) error {
		s.worker()
		if err := s.begin(ctx); err != nil {
			return err
		}
		at := 1 + s.random.IntN(12)
		if err := s.in(ctx, at); err != nil {
			return err
		}
		if err := s.killRedis(ctx, time.Second); err != nil {
			return err
		}
		if err := s.in(ctx, at+8+s.random.IntN(12)); err != nil {
			return err
		}
		second, err := servertest.StartRedis(s.dir)
		if err != nil {
			return err
		}
		s.onClose(second.Stop)
		u, err := url.Parse(second.URL)
		if err != nil {
			return err
		}
		s.redis.to(u.Host)
		return s.end(ctx)
	},
}, {
	id: "F11", name: "Redis is full: it refuses, then it evicts",
	how:   "maxmemory below what is used, with noeviction until an operator has seen it, then with allkeys-lru at three seeded moments",
	holds: "I1 I2 I3 I9",
	seen:  "the state is `waiting`; the failure says that Redis is full",
	play: func(ctx context.Context, s *scene) error {
		c := s.claims()
		defer c.Close()
		defer func() { // the server is that of all faults
			_ = c.ConfigSet(context.WithoutCancel(ctx), "maxmemory", "0").Err()
			_ = c.ConfigSet(context.WithoutCancel(ctx), "maxmemory-policy", "noeviction").Err()
		}()
		s.worker()
		if err := s.begin(ctx); err != nil {
			return err
		}
		if err := s.in(ctx, 1+s.random.IntN(8)); err != nil {
			return err
		}
		if err := c.ConfigSet(ctx, "maxmemory", "1mb").Err(); err != nil {
			return err
		}
		if err := s.sees(ctx, "waiting", "Dedupe"); err != nil {
			return err
		}
		if err := c.ConfigSet(ctx, "maxmemory-policy", "allkeys-lru").Err(); err != nil {
			return err
		}
		s.pass(ctx, time.Second, 3*time.Second)
		if err := c.ConfigSet(ctx, "maxmemory", "0").Err(); err != nil {
			return err
		}
		return s.end(ctx)
	},
}, {
	id: "F12", name: "Redis says things that are not so",
	how: "at three seeded moments keys of nobody are put into every structure of the import, and what it held at the moment before " +
		"comes back in place of what it holds",
	holds: "I1 I2 I3: no row is left out because Redis has seen it",
	seen:  "nothing",
	play: func(ctx context.Context, s *scene) error {
		stale := map[string]string{}
		return s.thrice(ctx, 12, func(c *redis.Client) error { return s.lie(ctx, c, stale) })
	},
}}

// claims connects to Redis past the link. The caller closes.
func (s *scene) claims() *redis.Client {
	o, err := redis.ParseURL(s.stack.redis.URL)
	if err != nil {
		panic(err) // it is ours
	}
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return redis.NewClient(o)
}

// thrice does something to Redis at three moments, up to gap batches apart.
func (s *scene) thrice(ctx context.Context, gap int, do func(*redis.Client) error) error {
	c := s.claims()
	defer c.Close()
	s.worker()
	if err := s.begin(ctx); err != nil {
		return err
	}
	at := 0
	for range 3 {
		at += 1 + s.random.IntN(gap)
		s.say("after batch %d", at)
		if err := s.in(ctx, at); err != nil {
			return err
		}
		if err := do(c); err != nil {
			return err
		}
	}
	return s.end(ctx)
}

// killRedis kills the server and starts it again, empty.
func (s *scene) killRedis(ctx context.Context, most time.Duration) error {
	s.say("Redis killed")
	if err := syscall.Kill(s.stack.redis.PID, syscall.SIGKILL); err != nil {
		return err
	}
	s.redis.cut()
	s.pass(ctx, 0, most)
	return s.stack.redis.Again()
}

// lie brings back what the structures of imports held when it was last called,
// or puts keys of nobody into them.
func (s *scene) lie(ctx context.Context, c *redis.Client, stale map[string]string) error {
	names, err := c.Keys(ctx, "sluice:*").Result()
	if err != nil {
		return err
	}
	for _, name := range names {
		if was := stale[name]; was != "" {
			if err := c.RestoreReplace(ctx, name, time.Hour, was).Err(); err != nil {
				return err
			}
			continue
		}
		if stale[name], err = c.Dump(ctx, name).Result(); err != nil {
			return err
		}
		if kind, err := c.Type(ctx, name).Result(); err != nil || kind != "hash" {
			continue
		}
		for range 20 {
			garbage := fmt.Sprintf("%016x", s.random.Uint64())
			if err := c.HSet(ctx, name, fmt.Sprint(s.random.IntN(1000)), garbage).Err(); err != nil {
				return err
			}
		}
	}
	return nil
}
