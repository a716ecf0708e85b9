package dedupe

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"sluice/internal/crm"
)

// timeToLive is how long claims outlive their import's last batch.
const timeToLive = 7 * 24 * time.Hour

// conflicts is how often a claim is begun again because the space was changed
// meanwhile. If another attempt did so, the answer is there the next time.
const conflicts = 10

var errOrder = errors.New("keys do not ascend")

// keysPerPart bounds how long one transaction holds up the server, and what it
// keeps of it in memory: some 5 ms and 4 MB.
const keysPerPart = 4_000

// Claim asks which keys of a batch no earlier batch has claimed, and claims
// them. Keys must be distinct and ascend. Size is the number of keys that the
// batches before hold; the answers are in the order of the keys, and after is
// the size with the keys won.
//
// Exact says that the space held just what it should, so that the answers can
// be believed. If it is false there are none, and the claims are to be made
// again in another space; a claim that is not in its place changes nothing.
//
// The space remembers its answers. A batch that is claimed again, by a retry
// or by another attempt at the same time, gets those it got the first time
// (invariant 3), whoever has come how far since. After an error some claims
// may have been made: call again.
func (x *Index) Claim(ctx context.Context, space Space, batch int, size int64, keys []crm.Key) (won []bool, after int64, exact bool, err error) {
	for i := 1; i < len(keys); i++ {
		if bytes.Compare(keys[i-1][:], keys[i][:]) >= 0 {
			return nil, 0, false, errOrder
		}
	}
	won = make([]bool, 0, len(keys))
	for part, more := 0, true; more; part++ {
		n := min(len(keys), keysPerPart)
		c := &claim{space: space, size: size, keys: keys[:n], ahead: len(keys),
			name: fmt.Sprintf("%d:%d:%d:%016x", batch, part, n, digest(keys[:n]))}
		err := c.make(ctx, x.redis)
		if errors.Is(err, errInexact) {
			return nil, 0, false, nil
		}
		if err != nil {
			return nil, 0, false, fmt.Errorf("claim keys of batch %d: %w", batch, err)
		}
		won, size = c.answer.won(won, n), c.answer.after
		keys = keys[n:]
		more = len(keys) > 0
	}
	return won, size, true, nil
}

// digest tells one list of keys from another. Keys are as good as random, so
// it need not be more than quick.
func digest(keys []crm.Key) uint64 {
	const odd = 0x9E3779B97F4A7C15
	h := uint64(len(keys))
	for i := range keys {
		h = bits.RotateLeft64((h^binary.LittleEndian.Uint64(keys[i][:8]))*odd, 29)
		h = bits.RotateLeft64((h^binary.LittleEndian.Uint64(keys[i][8:]))*odd, 29)
	}
	return h
}

// errInexact says that a space does not hold what it should.
var errInexact = errors.New("claims are lost")

// The fields that are neither a bucket nor an answer. The colon keeps them
// apart from the numbers of buckets, which are letters and digits.
const (
	sizeField   = ":size"   // number of keys
	fieldsField = ":fields" // number of fields, with these
	levelField  = ":level"  // how many bits number a bucket, at the most
)

// A claim is a part of a batch, claimed whole or not at all.
type claim struct {
	space Space
	size  int64 // that is due
	keys  []crm.Key
	ahead int    // how many keys the batch still has, with these
	name  string // of the field for the answer

	level   int
	fields  int64    // in the hash
	buckets []bucket // that the keys fall into
	others  []bucket // cut from the same larger ones
	divided []string // the fields of those
	answer  answer
}

// make makes the claim or finds that it was made. A claim that is not exact is
// errInexact.
func (c *claim) make(ctx context.Context, r *redis.Client) error {
	for try := 1; ; try++ {
		err := r.Watch(ctx, func(tx *redis.Tx) error {
			err := c.attempt(ctx, tx)
			if !errors.Is(err, errInexact) {
				return err
			}
			// What was read may be half of before and half of after a change.
			// Then this fails as any transaction does.
			if _, err := tx.TxPipelined(ctx, func(p redis.Pipeliner) error { return p.HLen(ctx, c.space.claims()).Err() }); err != nil {
				return err
			}
			return errInexact
		}, c.space.claims())
		if try == conflicts || !errors.Is(err, redis.TxFailedErr) {
			return err
		}
	}
}

// attempt makes the claim if nobody else changes the space meanwhile; if
// somebody does, the error is redis.TxFailedErr.
func (c *claim) attempt(ctx context.Context, tx *redis.Tx) error {
	answered, err := c.head(ctx, tx)
	if err != nil || answered {
		return err
	}
	c.buckets, c.others, c.divided = group(c.keys, c.level), nil, nil
	if err := c.load(ctx, tx); err != nil {
		return err
	}
	c.answer = answer{c.size, c.size + int64(len(c.keys)), make([]byte, (len(c.keys)+7)/8)}
	merge(c.buckets, func(i int) {
		c.answer.lost[i/8] |= 1 << (i % 8)
		c.answer.after--
	})
	return c.store(ctx, tx)
}

// head reads what the space says of itself. Answered says that it knows this
// very claim.
//
// Invariant 5: a hash is believed only if it holds as many keys as the batches
// before have, by its own number, and as many fields as belong to it. Claims
// are made in order and each in one transaction, so a hash of that size has
// the keys of just these batches.
func (c *claim) head(ctx context.Context, tx *redis.Tx) (answered bool, err error) {
	var state *redis.SliceCmd
	var held *redis.IntCmd
	_, err = tx.Pipelined(ctx, func(p redis.Pipeliner) error {
		state = p.HMGet(ctx, c.space.claims(), sizeField, fieldsField, levelField, c.name)
		held = p.HLen(ctx, c.space.claims())
		return nil
	})
	if err != nil {
		return false, err
	}
	v := state.Val()
	if text, ok := v[3].(string); ok {
		c.answer, err = parseAnswer(text, len(c.keys))
		if err != nil || c.answer.before != c.size {
			return false, errInexact
		}
		return true, nil // Nothing is renewed: that would be a change, and fail the attempts of others.
	}
	size, fields, level := number(v[0]), number(v[1]), number(v[2])
	if size != c.size || fields != held.Val() || level > highestLevel {
		return false, errInexact
	}
	c.fields = fields
	c.level = max(int(level), levelFor(c.size+int64(c.ahead)))
	return false, nil
}

// number reads a field of the head; one that is absent or no number is 0.
func number(v any) int64 {
	text, _ := v.(string)
	n, _ := strconv.ParseInt(text, 10, 64)
	return n
}

// fieldsPerCommand bounds how long one command holds up the server.
const fieldsPerCommand = 2_000

// load reads the buckets' members. What was not divided since the level was
// lower is found in a larger bucket, and is cut out of it.
func (c *claim) load(ctx context.Context, tx *redis.Tx) error {
	missing := make([]*bucket, len(c.buckets))
	for i := range c.buckets {
		missing[i] = &c.buckets[i]
		missing[i].fresh = true
	}
	if c.size == 0 {
		return nil
	}
	missing, err := c.loadWhole(ctx, tx, missing)
	for level := c.level - 1; err == nil && level >= lowestLevel && len(missing) > 0; level-- {
		missing, err = c.loadLarger(ctx, tx, missing, level)
	}
	return err
}

// loadWhole reads the buckets that have a field, and returns the others.
func (c *claim) loadWhole(ctx context.Context, tx *redis.Tx, buckets []*bucket) (missing []*bucket, err error) {
	fields := make([]any, len(buckets))
	for i, b := range buckets {
		fields[i] = &b.field
	}
	err = hmget(ctx, tx, c.space, fields, func(i int, members string, ok bool) error {
		if !ok {
			missing = append(missing, buckets[i])
			return nil
		}
		if len(members)%memberBytes != 0 {
			return errInexact
		}
		buckets[i].members, buckets[i].fresh = members, false
		return nil
	})
	return missing, err
}

// loadLarger looks for buckets in those of a lower level, and returns the ones
// that are not there.
func (c *claim) loadLarger(ctx context.Context, tx *redis.Tx, buckets []*bucket, level int) (missing []*bucket, err error) {
	var larger []bucketID
	var fields []any
	for _, b := range buckets {
		id := b.id >> (c.level - level)
		if n := len(larger); n == 0 || larger[n-1] != id {
			larger = append(larger, id)
			fields = append(fields, string(id.field(nil)))
		}
	}
	err = hmget(ctx, tx, c.space, fields, func(i int, members string, ok bool) error {
		n := 0
		for n < len(buckets) && buckets[n].id>>(c.level-level) == larger[i] {
			n++
		}
		asked := buckets[:n]
		buckets = buckets[n:]
		if !ok {
			missing = append(missing, asked...)
			return nil
		}
		c.divided = append(c.divided, fields[i].(string))
		return larger[i].cut(members, c.level, func(id bucketID, members string) {
			for len(asked) > 0 && asked[0].id < id {
				asked = asked[1:]
			}
			if len(asked) > 0 && asked[0].id == id {
				asked[0].members = members
				return
			}
			c.others = append(c.others, bucket{field: string(id.field(nil)), value: members, fresh: true})
		})
	})
	return missing, err
}

// hmget tells each the value of every field, in order.
func hmget(ctx context.Context, tx *redis.Tx, space Space, fields []any, each func(i int, value string, ok bool) error) error {
	name := space.claims()
	cmds, err := tx.Pipelined(ctx, func(p redis.Pipeliner) error {
		for from := 0; from < len(fields); from += fieldsPerCommand {
			to := min(len(fields), from+fieldsPerCommand)
			p.Do(ctx, append([]any{"HMGET", name}, fields[from:to]...)...)
		}
		return nil
	})
	if err != nil {
		return err
	}
	i := 0
	for _, cmd := range cmds {
		values, err := cmd.(*redis.Cmd).Slice()
		if err != nil {
			return err
		}
		for _, v := range values {
			value, ok := v.(string)
			if err := each(i, value, ok); err != nil {
				return err
			}
			i++
		}
	}
	return nil
}

// store writes what has changed and the answer, in one transaction.
func (c *claim) store(ctx context.Context, tx *redis.Tx) error {
	name := c.space.claims()
	var changed []any
	fields := c.fields + 1 - int64(len(c.divided)) // and the answer
	if c.fields == 0 {
		fields += 3 // those of the head
	}
	for _, buckets := range [][]bucket{c.buckets, c.others} {
		for i := range buckets {
			b := &buckets[i]
			if b.value == "" {
				continue
			}
			changed = append(changed, &b.field, &b.value)
			if b.fresh {
				fields++
			}
		}
	}
	_, err := tx.TxPipelined(ctx, func(p redis.Pipeliner) error {
		for from := 0; from < len(changed); from += 2 * fieldsPerCommand {
			to := min(len(changed), from+2*fieldsPerCommand)
			p.Do(ctx, append([]any{"HSET", name}, changed[from:to]...)...)
		}
		for from := 0; from < len(c.divided); from += fieldsPerCommand {
			p.HDel(ctx, name, c.divided[from:min(len(c.divided), from+fieldsPerCommand)]...)
		}
		p.HSet(ctx, name, sizeField, c.answer.after, fieldsField, fields, levelField, c.level, c.name, c.answer.String())
		p.SAdd(ctx, generations(c.space.Import), c.space.Generation)
		return expire(ctx, p, c.space)
	})
	return err
}

// An answer is what the space remembers of a claim.
type answer struct {
	before, after int64  // the size
	lost          []byte // a bit for each key, the lowest first
}

func (a answer) String() string { return fmt.Sprintf("%d %d %s", a.before, a.after, a.lost) }

// parseAnswer reads what String wrote. Anything else is an error.
func parseAnswer(text string, keys int) (a answer, err error) {
	parts := bytes.SplitN([]byte(text), []byte(" "), 3)
	if len(parts) != 3 || len(parts[2]) != (keys+7)/8 {
		return a, errInexact
	}
	before, err1 := strconv.ParseInt(string(parts[0]), 10, 64)
	after, err2 := strconv.ParseInt(string(parts[1]), 10, 64)
	return answer{before, after, parts[2]}, errors.Join(err1, err2)
}

// won adds an answer for each key.
func (a answer) won(to []bool, keys int) []bool {
	for i := range keys {
		to = append(to, a.lost[i/8]>>(i%8)&1 == 0)
	}
	return to
}
