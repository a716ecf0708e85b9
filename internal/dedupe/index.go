package dedupe

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"sluice/internal/crm"
)

// An Index keeps claims in Redis. It is safe for concurrent use.
//
// A space is one hash, so that whatever takes it away takes all of it: its
// time to live, eviction, a server restored to an older state. It holds
//
//	74, 75, …        a bucket: the members of its keys, ascending
//	12:0:4000:9ac…   the answers to a part of a batch, named by the numbers of
//	                 both and by what was claimed: how many keys, their digest
//	:size :fields    how many keys and fields there are
//	:level           by how many bits of a key the buckets are numbered
//
// Beside the hash lie, for each import, the names of its generations, so that
// they can be found without a scan.
type Index struct{ redis *redis.Client }

// A Space names one structure of claims. Nobody shares it: the generation is
// new whenever an import starts its claims over.
type Space struct{ Import, Generation string }

// All keys of an import have one tag, and so one place in a cluster.
func (s Space) claims() string { return generations(s.Import) + ":" + s.Generation }

func generations(importID string) string { return "sluice:{" + importID + "}" }

// Open prepares an index at a redis://, rediss:// or unix:// URL; the caller
// closes it. It does not connect: that is for [Index.Check] and for the first
// claim. Any other URL wraps [crm.ErrInvalid].
func Open(_ context.Context, url string) (*Index, error) {
	o, err := redis.ParseURL(url)
	if err != nil {
		// The cause may repeat the URL with its password.
		return nil, fmt.Errorf("open redis: %w: use redis://user:password@host:port/0, rediss:// or unix://", crm.ErrInvalid)
	}
	silence()
	o.ContextTimeoutEnabled = true
	o.ReadTimeout = max(o.ReadTimeout, 30*time.Second) // for a pipeline of claims on a busy machine
	// Both are commands that servers like Redis refuse.
	o.DisableIdentity = true
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return &Index{redis: redis.NewClient(o)}, nil
}

// silence keeps the library from writing to standard error by itself. What
// goes wrong is in the errors it returns.
var silence = sync.OnceFunc(func() { redis.SetLogger(silent{}) })

type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

// Client is the index's connection to Redis, for others to share. The index
// closes it.
func (x *Index) Client() redis.UniversalClient { return x.redis }

// Close ends the connections.
func (x *Index) Close() error { return x.redis.Close() }

// Check returns what is to be said of the server, a line each: its version,
// and its policy when memory runs out, as far as it tells. An error says that
// it does not answer.
func (x *Index) Check(ctx context.Context) ([]string, error) {
	if err := x.redis.Ping(ctx).Err(); err != nil {
		return nil, fmt.Errorf("check redis: %w", err)
	}
	lines := []string{"answers"}
	// Managed servers refuse both questions, and so does the embedded one.
	if info, err := x.redis.Info(ctx, "server").Result(); err == nil {
		for line := range strings.Lines(info) {
			if v, ok := strings.CutPrefix(line, "redis_version:"); ok {
				lines = append(lines, "version "+strings.TrimSpace(v))
			}
		}
	}
	if c, err := x.redis.ConfigGet(ctx, "maxmemory-policy").Result(); err == nil {
		if p := c["maxmemory-policy"]; p == "noeviction" {
			lines = append(lines, "maxmemory-policy noeviction")
		} else if p != "" {
			lines = append(lines, "maxmemory-policy "+p+": claims may be evicted, and every loss is made up for by claiming again")
		}
	}
	return lines, nil
}

// Renew keeps the claims of a space for another week. A space without claims
// stays without.
func (x *Index) Renew(ctx context.Context, space Space) error {
	_, err := x.redis.Pipelined(ctx, func(p redis.Pipeliner) error { return expire(ctx, p, space) })
	if err != nil {
		return fmt.Errorf("renew claims: %w", err)
	}
	return nil
}

func expire(ctx context.Context, p redis.Pipeliner, space Space) error {
	p.Expire(ctx, space.claims(), timeToLive)
	p.Expire(ctx, generations(space.Import), timeToLive)
	return nil
}

// Drop removes every claim of an import. Dropping what is not there is no
// error.
func (x *Index) Drop(ctx context.Context, importID string) error {
	list := generations(importID)
	names, err := x.redis.SMembers(ctx, list).Result()
	if err != nil {
		return fmt.Errorf("drop claims: %w", err)
	}
	keys := make([]string, 0, len(names)+1)
	for _, name := range names {
		keys = append(keys, Space{importID, name}.claims())
	}
	// The list goes last, in the same command. Freeing a large hash takes
	// seconds, so it is left to the server's own time.
	if err := x.redis.Unlink(ctx, append(keys, list)...).Err(); err != nil {
		return fmt.Errorf("drop claims: %w", err)
	}
	return nil
}
