package dedupe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"

	"sluice/internal/crm"
	"sluice/internal/servertest"
)

// claimed claims the keys of numbers and returns those won, ascending.
func claimed(t testing.TB, x *Index, s Space, batch int, size int64, ns []int) (got []int, after int64, exact bool) {
	t.Helper()
	won, after, exact, err := x.Claim(t.Context(), s, batch, size, ascending(ns...))
	if err != nil {
		t.Fatal(err)
	}
	of := map[crm.Key]int{}
	for _, n := range ns {
		of[key(n)] = n
	}
	for i, k := range ascending(ns...) {
		if exact && won[i] {
			got = append(got, of[k])
		}
	}
	slices.Sort(got)
	return got, after, exact
}

// want claims numbers on top of a size and compares those won.
func want(t testing.TB, x *Index, s Space, batch int, size int64, ns, won []int) {
	t.Helper()
	got, after, exact := claimed(t, x, s, batch, size, ns)
	if !exact || !slices.Equal(got, won) || after != size+int64(len(won)) {
		t.Errorf("batch %d claims %v: won %v, size %d, exact %v; want %v", batch, ns, got, after, exact, won)
	}
}

// refused claims numbers on top of a size that is not the space's, and sees
// that nothing changes.
func refused(t testing.TB, x *Index, s Space, batch int, size int64, ns []int) {
	t.Helper()
	before := x.redis.HGetAll(t.Context(), s.claims()).Val()
	got, _, exact := claimed(t, x, s, batch, size, ns)
	if exact {
		t.Errorf("batch %d on top of %d: won %v; want no answer", batch, size, got)
	}
	after := x.redis.HGetAll(t.Context(), s.claims()).Val()
	if len(before) != len(after) || before[sizeField] != after[sizeField] {
		t.Errorf("batch %d was refused and changed the space", batch)
	}
}

func TestFirstWins(t *testing.T) {
	onEach(t, func(t *testing.T, x *Index) {
		want(t, x, space, 0, 0, []int{1, 2, 3}, []int{1, 2, 3})
		want(t, x, space, 1, 3, []int{3, 4, 1, 5}, []int{4, 5})
		want(t, x, space, 2, 5, []int{1, 4}, nil)
		want(t, x, space, 3, 5, nil, nil)
		want(t, x, space, 4, 5, []int{6, 5}, []int{6})
	})
}

func TestRetryGivesTheSameAnswers(t *testing.T) {
	onEach(t, func(t *testing.T, x *Index) {
		// The worker died after batch 2, and its group begins again; then an
		// attempt that was thought dead goes on where it was.
		for _, batch := range []int{0, 0, 1, 1, 2, 1, 2, 0, 2, 1} {
			switch batch {
			case 0:
				want(t, x, space, 0, 0, []int{1, 2}, []int{1, 2})
			case 1:
				want(t, x, space, 1, 2, []int{2, 3}, []int{3})
			case 2:
				want(t, x, space, 2, 3, []int{1, 4, 5, 6}, []int{4, 5, 6})
			}
		}
		want(t, x, space, 3, 6, []int{6, 7}, []int{7})
	})
}

// TestAttemptsAtOnceAgree lets several attempts judge the same batches at the
// same time, each at its own pace.
func TestAttemptsAtOnceAgree(t *testing.T) {
	onEach(t, func(t *testing.T, x *Index) {
		const batches, attempts = 12, 4
		var answers [attempts][batches][]bool
		var group sync.WaitGroup
		for a := range attempts {
			group.Go(func() {
				size := int64(0)
				for b := 0; b < batches; b++ {
					if a == 1 && b == 7 && answers[a][b] == nil {
						answers[a][b], b, size = []bool{}, 0, 0 // It begins again.
					}
					won, after, exact, err := x.Claim(context.Background(), space, b, size, ascending(numbers(90*b, 90*b+100)...))
					if err != nil || !exact {
						t.Errorf("attempt %d, batch %d: exact %v, %v", a, b, exact, err)
						return
					}
					answers[a][b], size = won, after
				}
				if size != 90*batches+10 {
					t.Errorf("attempt %d ends with size %d", a, size)
				}
			})
		}
		group.Wait()
		for a := range attempts {
			for b := range batches {
				if !slices.Equal(answers[a][b], answers[0][b]) {
					t.Errorf("attempts 0 and %d differ on batch %d", a, b)
				}
			}
		}
	})
}

func TestSpacesAreApart(t *testing.T) {
	onEach(t, func(t *testing.T, x *Index) {
		want(t, x, space, 0, 0, []int{1}, []int{1})
		want(t, x, Space{space.Import, "second"}, 1, 0, []int{1, 2}, []int{1, 2})
		want(t, x, Space{"other", space.Generation}, 1, 0, []int{1}, []int{1})
	})
}

// TestClaimsOutOfPlaceAreRefused covers the claims that are no batch's next:
// what they are told would depend on who else was there.
func TestClaimsOutOfPlaceAreRefused(t *testing.T) {
	onEach(t, func(t *testing.T, x *Index) {
		refused(t, x, space, 1, 2, []int{3})
		want(t, x, space, 0, 0, []int{1, 2}, []int{1, 2})
		refused(t, x, space, 2, 5, []int{3})           // a batch too far
		refused(t, x, space, 0, 0, []int{1, 9})        // other keys under a number that was claimed
		refused(t, x, space, 0, 1, []int{1, 2})        // the same on top of others
		refused(t, x, space, 1, 0, []int{1, 2})        // the keys of another batch
		want(t, x, space, 1, 2, []int{2, 3}, []int{3}) // and nothing of it stays
		if _, _, _, err := x.Claim(t.Context(), space, 2, 3, []crm.Key{key(1), key(1)}); err == nil {
			t.Error("keys that repeat are claimed")
		}
	})
}

// TestInvariant5LossIsNoticed disturbs a space of two batches in every way
// that a server can, and in some that only people do.
func TestInvariant5LossIsNoticed(t *testing.T) {
	onEach(t, func(t *testing.T, x *Index) {
		ctx := t.Context()
		someBucket := func(s Space) string {
			return group(ascending(3), lowestLevel)[0].field
		}
		for name, disturb := range map[string]func(s Space) error{
			"emptied":       func(s Space) error { return x.redis.FlushAll(ctx).Err() },
			"evicted":       func(s Space) error { return x.redis.Del(ctx, s.claims()).Err() },
			"older":         func(s Space) error { return x.redis.Copy(ctx, "older", s.claims(), 0, true).Err() },
			"a bucket lost": func(s Space) error { return x.redis.HDel(ctx, s.claims(), someBucket(s)).Err() },
			"the size lost": func(s Space) error { return x.redis.HDel(ctx, s.claims(), sizeField).Err() },
			"a number lost": func(s Space) error { return x.redis.HDel(ctx, s.claims(), fieldsField).Err() },
			"another size":  func(s Space) error { return x.redis.HIncrBy(ctx, s.claims(), sizeField, 1).Err() },
			"no such level": func(s Space) error { return x.redis.HSet(ctx, s.claims(), levelField, 99).Err() },
			"a field more":  func(s Space) error { return x.redis.HSet(ctx, s.claims(), "foreign", "foreign").Err() },
			"no whole keys": func(s Space) error { return x.redis.HSet(ctx, s.claims(), someBucket(s), "foreign").Err() },
			"an older sluice": func(s Space) error {
				return errors.Join(x.redis.Del(ctx, s.claims()).Err(), x.redis.HSet(ctx, s.claims(), "0123456789abcdef", 0).Err())
			},
		} {
			s := Space{Import: "disturbed", Generation: name}
			want(t, x, s, 0, 0, []int{1, 2, 3}, []int{1, 2, 3})
			if err := x.redis.Copy(ctx, s.claims(), "older", 0, true).Err(); err != nil {
				t.Fatal(err)
			}
			want(t, x, s, 1, 3, []int{3, 4}, []int{4})
			if err := disturb(s); err != nil {
				t.Fatal(name, err)
			}
			if got, _, exact := claimed(t, x, s, 2, 4, []int{3, 9}); exact {
				t.Errorf("%s: won %v; want no answer", name, got)
			}
		}
	})
}

// TestLevelsRise claims so many keys that all buckets are divided, more than
// once and some of them late, and compares with a map.
func TestLevelsRise(t *testing.T) {
	onEach(t, func(t *testing.T, x *Index) {
		seen := map[crm.Key]bool{}
		size, level := int64(0), ""
		rises := 0
		for b, n := range []int{10, 3_000, 20_000, 5, 1, 40_000, 30_000, 7, 60_000, 3_000} {
			from := max(0, len(seen)-n/10) // A tenth is there already.
			ks := ascending(numbers(from, from+n)...)
			won, after, exact, err := x.Claim(t.Context(), space, b, size, ks)
			if err != nil || !exact {
				t.Fatalf("batch %d: exact %v, %v", b, exact, err)
			}
			for i, k := range ks {
				if won[i] == seen[k] {
					t.Fatalf("batch %d: answer %v for a key that was seen %v", b, won[i], seen[k])
				}
				seen[k] = true
			}
			if size = after; size != int64(len(seen)) {
				t.Fatalf("size %d after batch %d, want %d", size, b, len(seen))
			}
			if l := x.redis.HGet(t.Context(), space.claims(), levelField).Val(); l != level {
				level, rises = l, rises+1
			}
		}
		if rises < 4 {
			t.Errorf("level %s after %d rises", level, rises)
		}
		kept := 0
		for field, v := range x.redis.HGetAll(t.Context(), space.claims()).Val() {
			if !strings.Contains(field, ":") {
				kept += len(v)
			}
		}
		if kept != len(seen)*memberBytes {
			t.Errorf("%d bytes of members, want %d for %d keys", kept, len(seen)*memberBytes, len(seen))
		}
	})
}

// TestDividingKeepsWhatIsThere lets the level rise by two while most buckets
// are not touched, and then divides them by keys that are all there already.
func TestDividingKeepsWhatIsThere(t *testing.T) {
	onEach(t, func(t *testing.T, x *Index) {
		everywhere := ascending(numbers(0, 8_000)...)
		low := ascending(numbers(8_000, 36_000)...)
		for i := range low {
			low[i][0] &= 0x0f
		}
		slices.SortFunc(low, func(a, b crm.Key) int { return bytes.Compare(a[:], b[:]) })
		for b, c := range []struct {
			keys  []crm.Key
			won   int
			level string
		}{
			{everywhere, 8_000, "8"},
			{low, 28_000, "10"},
			{everywhere, 0, "10"},
			{low, 0, "10"},
			{everywhere[:4_000], 0, "10"},
		} {
			size := []int64{0, 8_000, 36_000, 36_000, 36_000}[b]
			won, _, exact, err := x.Claim(t.Context(), space, b, size, c.keys)
			if err != nil || !exact || count(won) != int64(c.won) {
				t.Fatalf("batch %d: won %d, exact %v, %v; want %d", b, count(won), exact, err, c.won)
			}
			if level := x.redis.HGet(t.Context(), space.claims(), levelField).Val(); level != c.level {
				t.Errorf("level %s after batch %d, want %s", level, b, c.level)
			}
		}
	})
}

// TestKeysAreAnyBytes takes keys of zeros, line ends and what patterns and
// protocols use, all in a few buckets.
func TestKeysAreAnyBytes(t *testing.T) {
	onEach(t, func(t *testing.T, x *Index) {
		var ks []crm.Key
		for _, text := range []string{"", "%a+", "\r\n$1\r\n", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "*", ".", "a", "aa", "aaa"} {
			for last := range 3 {
				var k crm.Key
				copy(k[1:keyBytes], text)
				k[keyBytes-1] += byte(last)
				ks = append(ks, k)
			}
		}
		slices.SortFunc(ks, func(a, b crm.Key) int { return bytes.Compare(a[:], b[:]) })
		for b, part := range [][]crm.Key{ks[:7], ks[5:20], ks} {
			size := []int64{0, 7, 20}[b]
			won, after, exact, err := x.Claim(t.Context(), space, b, size, part)
			if err != nil || !exact || after != []int64{7, 20, int64(len(ks))}[b] {
				t.Fatalf("batch %d: size %d, exact %v, %v", b, after, exact, err)
			}
			if i := slices.Index(won, true); i != []int{0, 2, 20}[b] || slices.Contains(won[i:], false) {
				t.Errorf("batch %d: %v", b, won)
			}
		}
	})
}

// A cutter cuts one exchange with the server off, before or after it takes
// effect.
type cutter struct {
	left  int // exchanges until then
	after bool
}

func (c *cutter) DialHook(next redis.DialHook) redis.DialHook { return next }

func (c *cutter) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		return c.cut(func() error { return next(ctx, cmd) })
	}
}

func (c *cutter) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		return c.cut(func() error { return next(ctx, cmds) })
	}
}

func (c *cutter) cut(exchange func() error) error {
	if c.left--; c.left != 0 {
		return exchange()
	}
	if c.after {
		if err := exchange(); err != nil {
			return err
		}
	}
	return errFake
}

// TestClaimCutOffIsClaimedAgain cuts a claim of several parts off at each of
// its exchanges, and claims again.
func TestClaimCutOffIsClaimedAgain(t *testing.T) {
	onEach(t, func(t *testing.T, x *Index) {
		c := &cutter{}
		x.redis.AddHook(c)
		cuts := 0
		for _, after := range []bool{false, true} {
			for at := 1; ; at++ {
				s := Space{"cut", fmt.Sprint(after, at)}
				want(t, x, s, 0, 0, numbers(0, 10), numbers(0, 10))
				ks := ascending(numbers(5, 5+2*keysPerPart+1)...)
				c.left, c.after = at, after
				_, _, _, err := x.Claim(t.Context(), s, 1, 10, ks)
				c.left = 0
				if err == nil {
					break // There is no such exchange, or nobody needs it.
				}
				cuts++
				if !errors.Is(err, errFake) {
					t.Fatal(err)
				}
				won, size, exact, err := x.Claim(t.Context(), s, 1, 10, ks)
				if err != nil || !exact || count(won) != int64(len(ks)-5) || size != int64(len(ks)+5) {
					t.Errorf("cut off at %d: won %d, size %d, exact %v, %v", at, count(won), size, exact, err)
				}
			}
		}
		if cuts < 20 {
			t.Errorf("%d cuts", cuts)
		}
	})
}

// TestFullServerIsTriedAgain shows that a server without memory changes
// nothing by half.
func TestFullServerIsTriedAgain(t *testing.T) {
	t.Parallel()
	x := open(t, servertest.Redis(t))
	want(t, x, space, 0, 0, numbers(0, 10), numbers(0, 10))
	limit := func(bytes string) {
		if err := x.redis.ConfigSet(t.Context(), "maxmemory", bytes).Err(); err != nil {
			t.Fatal(err)
		}
	}
	limit("1")
	if _, _, _, err := x.Claim(t.Context(), space, 1, 10, ascending(numbers(5, 9_000)...)); err == nil || crm.TypeOf(err) != "" {
		t.Errorf("claim on a full server: %v", err)
	}
	want(t, x, space, 0, 0, numbers(0, 10), numbers(0, 10))
	limit("0")
	want(t, x, space, 1, 10, numbers(5, 9_000), numbers(10, 9_000))
}
