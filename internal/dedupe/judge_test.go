package dedupe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"sluice/internal/crm"
)

// An example is an import's batches and the verdicts that one map gives.
type example struct {
	batches  []*crm.BatchKeys
	verdicts []crm.Outcomes
	sizes    []int64 // distinct keys up to and with each batch
}

func (e *example) add(rows [][3]*crm.Key, seen map[crm.Key]bool) {
	k := &crm.BatchKeys{}
	var v crm.Outcomes
	for _, row := range rows {
		k.AddRow(row)
		for en, key := range row {
			if key == nil {
				continue
			}
			outcome := crm.ToWrite
			if seen[*key] {
				outcome = crm.Duplicate
			}
			seen[*key] = true
			v[en] = append(v[en], outcome)
		}
	}
	e.batches = append(e.batches, k)
	e.verdicts = append(e.verdicts, v)
	e.sizes = append(e.sizes, int64(len(seen)))
}

func drawExample(t *rapid.T) *example {
	e := &example{}
	seen := map[crm.Key]bool{}
	different := rapid.IntRange(1, 40).Draw(t, "different keys")
	for b := range rapid.IntRange(1, 7).Draw(t, "batches") {
		var rows [][3]*crm.Key
		for range rapid.IntRange(0, 12).Draw(t, fmt.Sprint("rows of ", b)) {
			var row [3]*crm.Key
			for en := range row {
				if n := rapid.IntRange(-2, different).Draw(t, "key"); n >= 0 {
					k := key(n*3 + en)
					row[en] = &k
				}
			}
			rows = append(rows, row)
		}
		e.add(rows, seen)
	}
	return e
}

func (e *example) earlier(_ context.Context, batch int) (*crm.BatchKeys, error) {
	return &crm.BatchKeys{Rows: e.batches[batch].Rows, Of: e.batches[batch].Of}, nil
}

// check judges every batch, in groups that are now and then begun again, and
// compares with the verdicts of the map. A failed call is repeated, as the
// step is.
func (e *example) check(t *rapid.T, x claimer, between func()) {
	before := make([]crm.Claims, len(e.batches)+1) // claims to judge a batch from
	again := 3
	for b := 0; b < len(e.batches); b++ {
		between()
		j := newJudge(x, nil) // Nothing is kept from call to call.
		k, _ := e.earlier(nil, b)
		next, err := j.Batch(context.Background(), "import", before[b], b, k, e.earlier)
		if errors.Is(err, errFake) {
			if k.Outcomes[0] != nil {
				t.Fatalf("batch %d: a verdict and an error", b)
			}
			b--
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(e.verdicts[b], k.Outcomes, cmp.Transformer("", trim)); diff != "" {
			t.Fatalf("verdict on batch %d: -want +got\n%s", b, diff)
		}
		if next.Size != e.sizes[b] {
			t.Fatalf("size after batch %d is %d, want %d", b, next.Size, e.sizes[b])
		}
		before[b+1] = next
		if again > 0 && rapid.IntRange(0, 9).Draw(t, "begin again") == 0 {
			again--
			b = rapid.IntRange(-1, b).Draw(t, "after batch")
		}
	}
}

// trim makes empty and absent outcomes the same.
func trim(o crm.Outcomes) (s [3]string) {
	for e := range o {
		for _, outcome := range o[e] {
			s[e] += string(rune(outcome))
		}
	}
	return s
}

// fake is an index in memory that does wrong on purpose. Every key is a field
// of its own, so that one can be lost or come from outside and be missed.
type fake struct {
	t      *rapid.T
	faults []string // what may happen; nil for nothing
	left   int      // how many more times
	held   map[Space]*held
	calls  int
}

type held struct {
	keys         map[crm.Key]bool
	size, fields int64 // as the index counts them
	answers      map[string]fakeAnswer
}

type fakeAnswer struct {
	won           []bool
	before, after int64
}

var errFake = errors.New("connection refused")

func (f *fake) Claim(_ context.Context, s Space, batch int, size int64, keys []crm.Key) ([]bool, int64, bool, error) {
	f.calls++
	fault := ""
	if len(f.faults) > 0 && f.left != 0 {
		f.left--
		fault = rapid.SampledFrom(append(f.faults, "", "")).Draw(f.t, "fault")
	}
	if f.held[s] == nil {
		f.held[s] = &held{keys: map[crm.Key]bool{}, answers: map[string]fakeAnswer{}}
	}
	f.disturb(fault, s)
	if fault == "refused" {
		return nil, 0, false, errFake
	}
	a, exact := f.held[s].claim(fmt.Sprint(batch, keys), size, keys)
	if fault == "cut off" {
		return nil, 0, false, errFake
	}
	return a.won, a.after, exact, nil
}

func (h *held) claim(name string, size int64, keys []crm.Key) (a fakeAnswer, exact bool) {
	if a, ok := h.answers[name]; ok {
		return a, a.before == size
	}
	if h.size != size || h.fields != int64(len(h.keys)+len(h.answers)) {
		return a, false
	}
	a.before = size
	for _, k := range keys {
		a.won = append(a.won, !h.keys[k])
		h.keys[k] = true
	}
	a.after = size + count(a.won)
	h.answers[name] = a
	h.size, h.fields = a.after, int64(len(h.keys)+len(h.answers))
	return a, true
}

func (f *fake) disturb(fault string, s Space) {
	switch fault {
	case "forget all":
		for s := range f.held {
			f.held[s] = &held{keys: map[crm.Key]bool{}, answers: map[string]fakeAnswer{}}
		}
	case "forget one":
		n := rapid.IntRange(0, 50).Draw(f.t, "which")
		for i := range 200 {
			if k := key((n + i) % 200); f.held[s].keys[k] {
				delete(f.held[s].keys, k)
				return
			}
		}
	case "forget an answer":
		clear(f.held[s].answers)
	case "foreign":
		for range rapid.IntRange(1, 3).Draw(f.t, "how many") {
			f.held[s].keys[key(rapid.IntRange(0, 300).Draw(f.t, "foreign key"))] = true // Some are the import's own.
		}
	}
}

func (f *fake) Drop(context.Context, string) error { return nil }

func (f *fake) Renew(context.Context, Space) error { return nil }

// TestInvariant5RedisNeverChangesAVerdict lets the index lose keys, be given
// keys, fail before and after it has done its work, and compares with a map.
// Losing and being given as many at the same time is not an accident.
func TestInvariant5RedisNeverChangesAVerdict(t *testing.T) {
	t.Parallel()
	for name, faults := range map[string][]string{
		"without faults":  nil,
		"forgetting":      {"forget all", "forget one", "forget an answer", "refused", "cut off"},
		"forgetting only": {"forget all"},
		"given keys":      {"foreign", "refused", "cut off"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				f := &fake{t: t, faults: faults, left: 40, held: map[Space]*held{}}
				drawExample(t).check(t, f, func() {})
			})
		})
	}
}

// TestInvariant5ServerDisturbedInBetween is the same with real servers: they
// are emptied, restored to what they were some batches before, and given or
// relieved of single fields.
func TestInvariant5ServerDisturbedInBetween(t *testing.T) {
	onEach(t, func(t *testing.T, x *Index) {
		rapid.Check(t, func(r *rapid.T) {
			x.redis.FlushAll(t.Context())
			faults := []string{"", "", "", "empty", "keep", "restore", rapid.SampledFrom([]string{"lose", "give"}).Draw(r, "or")}
			drawExample(r).check(r, x, func() { disturb(t.Context(), r, x, faults) })
		})
	})
}

func disturb(ctx context.Context, r *rapid.T, x *Index, faults []string) {
	fault := rapid.SampledFrom(faults).Draw(r, "fault")
	if fault == "empty" {
		x.redis.FlushAll(ctx)
	}
	for _, generation := range x.redis.SMembers(ctx, generations("import")).Val() {
		name := Space{"import", generation}.claims()
		switch fault {
		case "keep":
			x.redis.Copy(ctx, name, "kept"+name, 0, true)
		case "restore":
			x.redis.Copy(ctx, "kept"+name, name, 0, true)
		case "lose":
			fields := x.redis.HKeys(ctx, name).Val()
			slices.Sort(fields)
			if len(fields) > 0 {
				x.redis.HDel(ctx, name, rapid.SampledFrom(fields).Draw(r, "field"))
			}
		case "give":
			foreign := key(rapid.IntRange(0, 130).Draw(r, "foreign key"))
			field := string(bucketOf(&foreign, lowestLevel).field(nil))
			x.redis.HSetNX(ctx, name, field, foreign[keyBytes-memberBytes:keyBytes])
		}
	}
}

// three is an import of three batches in which b and c repeat.
func three() *example {
	a, b, c, d := key(1), key(2), key(3), key(4)
	e, seen := &example{}, map[crm.Key]bool{}
	e.add([][3]*crm.Key{{&a}, {&b}, {&b}}, seen)
	e.add([][3]*crm.Key{{&b}, {&c}}, seen)
	e.add([][3]*crm.Key{{&c}, {&d}, {&a}}, seen)
	return e
}

// forgetful loses everything before every call.
type forgetful struct{ *fake }

func (f forgetful) Claim(ctx context.Context, s Space, batch int, size int64, keys []crm.Key) ([]bool, int64, bool, error) {
	clear(f.held)
	return f.fake.Claim(ctx, s, batch, size, keys)
}

func TestForgetfulRedisIsGivenUp(t *testing.T) {
	t.Parallel()
	e := three()
	var log bytes.Buffer
	f := forgetful{&fake{held: map[Space]*held{}}}
	j := newJudge(f, slog.New(slog.NewTextHandler(&log, nil)))
	claims := crm.Claims{}
	for b := range e.batches {
		k, _ := e.earlier(nil, b)
		var err error
		if claims, err = j.Batch(t.Context(), "import", claims, b, k, e.earlier); err != nil {
			t.Fatal(err)
		}
		if trim(k.Outcomes) != trim(e.verdicts[b]) || claims.Size != e.sizes[b] {
			t.Errorf("batch %d: %q, size %d; want %q, %d", b, trim(k.Outcomes), claims.Size, trim(e.verdicts[b]), e.sizes[b])
		}
	}
	if !strings.Contains(log.String(), "comparing with the stage") {
		t.Errorf("nobody was told: %s", &log)
	}
	// Once it remembers again, it is used again.
	f.fake.calls = 0
	k, _ := e.earlier(nil, 2)
	if _, err := newJudge(f.fake, nil).Batch(t.Context(), "import", crm.Claims{Size: e.sizes[1]}, 2, k, e.earlier); err != nil {
		t.Fatal(err)
	}
	if f.fake.calls != 3 || trim(k.Outcomes) != trim(e.verdicts[2]) {
		t.Errorf("%d calls, want two to rebuild and a claim; %q", f.fake.calls, trim(k.Outcomes))
	}
}

func TestRetriedGroupNeedsNoRebuild(t *testing.T) {
	t.Parallel()
	e := three()
	x := open(t, "redis://"+miniredis.RunT(t).Addr())
	j := NewJudge(x, nil)
	noEarlier := func(context.Context, int) (*crm.BatchKeys, error) {
		return nil, errors.New("asked for an earlier batch")
	}
	claims := crm.Claims{}
	for _, b := range []int{0, 1, 2, 1, 1, 2} {
		k, _ := e.earlier(nil, b)
		from := claims
		if b > 0 {
			from.Size = e.sizes[b-1]
		}
		next, err := j.Batch(t.Context(), "import", from, b, k, noEarlier)
		if err != nil || trim(k.Outcomes) != trim(e.verdicts[b]) {
			t.Fatalf("batch %d: %q, %v", b, trim(k.Outcomes), err)
		}
		claims = next
	}
	if err := j.Forget(t.Context(), "import"); err != nil {
		t.Fatal(err)
	}
	if n := x.redis.DBSize(t.Context()).Val(); n != 0 {
		t.Errorf("%d keys are left", n)
	}
}

func TestErrorsOfTheStageAreReturned(t *testing.T) {
	t.Parallel()
	gone := fmt.Errorf("stage object: %w", crm.ErrNotFound)
	j := newJudge(&fake{held: map[Space]*held{}}, nil)
	k, _ := three().earlier(nil, 2)
	_, err := j.Batch(t.Context(), "import", crm.Claims{Generation: "g", Size: 3}, 2, k,
		func(context.Context, int) (*crm.BatchKeys, error) { return nil, gone })
	if !errors.Is(err, crm.ErrNotFound) || k.Outcomes[0] != nil {
		t.Errorf("%v, %v", err, k.Outcomes)
	}
}
