package dedupe

import (
	"context"
	_ "embed"
	"errors"
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
// A structure is a hash: a key of 16 bytes, and the number of the batch that
// owns it. Beside it lie how many keys each batch owns, and for each import
// the names of its structures, so that they can be found without a scan.
// Nothing but this file knows; a denser structure may take its place.
type Index struct{ redis *redis.Client }

// A Space names one structure of claims. Nobody shares it: the generation is
// new whenever an import starts its claims over.
type Space struct{ Import, Generation string }

// All keys of an import have one tag, and so one place in a cluster.
func (s Space) claims() string { return generations(s.Import) + ":" + s.Generation }
func (s Space) counts() string { return s.claims() + ":counts" }

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

// timeToLive is how long claims outlive their import's last batch.
const timeToLive = 7 * 24 * time.Hour

// A call of the script holds up the whole server, some 5 ms for this many
// keys; a pipeline of calls holds up nobody, but must be answered within the
// time a read may take.
const (
	keysPerCall      = 2_000
	callsPerPipeline = 8
)

//go:embed claim.lua
var script string

// Claim asks, for each key, whether batch number owner holds it: the first
// batch in order, of all that ever presented it. Keys must be distinct. The
// answers are in the order of the keys.
//
// Size is the number of distinct keys that batches up to owner hold after the
// call; claims of later batches, by an attempt that got further, are not in
// it. The caller compares it with what it should be.
//
// A batch keeps what it holds, so a retry gets the answers and the size that
// it got the first time (invariant 3). A batch takes a key over from a later
// one: claims made in any order give the answers of claims made in order, once
// all earlier ones are made. After an error some claims may have been made:
// call again.
func (x *Index) Claim(ctx context.Context, space Space, owner int, keys []crm.Key) (won []bool, size int64, err error) {
	won = make([]bool, 0, len(keys))
	for all, more := len(keys), true; more; {
		n := min(len(keys), keysPerCall*callsPerPipeline)
		if won, size, err = x.claim(ctx, space, owner, keys[:n], won); err != nil {
			return nil, 0, fmt.Errorf("claim keys of batch %d: %w", owner, err)
		}
		keys = keys[n:]
		if more = len(keys) > 0; !more && len(won) != all {
			return nil, 0, errReply
		}
	}
	return won, size, nil
}

// claim adds the answers for one pipeline of keys to won.
func (x *Index) claim(ctx context.Context, space Space, owner int, keys []crm.Key, won []bool) ([]bool, int64, error) {
	names := []string{space.claims(), space.counts(), generations(space.Import)}
	var calls []*redis.Cmd
	_, err := x.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		for more := true; more; {
			n := min(len(keys), keysPerCall)
			calls = append(calls, p.Eval(ctx, script, names, owner, int(timeToLive.Seconds()), space.Generation, pack(keys[:n])))
			keys = keys[n:]
			more = len(keys) > 0
		}
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	var size int64
	for _, call := range calls {
		reply, err := call.Slice()
		if err != nil {
			return nil, 0, err
		}
		if won, size, err = unpack(reply, won); err != nil {
			return nil, 0, err
		}
	}
	return won, size, nil
}

func pack(keys []crm.Key) []byte {
	b := make([]byte, 0, len(keys)*len(crm.Key{}))
	for i := range keys {
		b = append(b, keys[i][:]...)
	}
	return b
}

var errReply = errors.New("redis: not a reply of the claim script")

func unpack(reply []any, won []bool) ([]bool, int64, error) {
	if len(reply) != 2 {
		return nil, 0, errReply
	}
	answers, ok1 := reply[0].(string)
	size, ok2 := reply[1].(int64)
	if !ok1 || !ok2 {
		return nil, 0, errReply
	}
	for i := range len(answers) {
		won = append(won, answers[i] == '1')
	}
	return won, size, nil
}

// Renew keeps the claims of a space for another week. A space without claims
// stays without.
func (x *Index) Renew(ctx context.Context, space Space) error {
	_, err := x.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, key := range []string{space.claims(), space.counts(), generations(space.Import)} {
			p.Expire(ctx, key, timeToLive)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("renew claims: %w", err)
	}
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
	keys := make([]string, 0, 2*len(names)+1)
	for _, name := range names {
		space := Space{importID, name}
		keys = append(keys, space.claims(), space.counts())
	}
	// The list goes last, in the same command. Freeing a large hash takes
	// seconds, so it is left to the server's own time.
	if err := x.redis.Unlink(ctx, append(keys, list)...).Err(); err != nil {
		return fmt.Errorf("drop claims: %w", err)
	}
	return nil
}
