package dedupe

import (
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"sluice/internal/crm"
	"sluice/internal/servertest"
)

var large = flag.Bool("large", false, "let BenchmarkClaim claim 25 million keys too")

// BenchmarkClaim fills a space with batches of 48,000 keys, of which one in
// twenty was there before. It reports the time for a key as a caller sees it,
// the server's share of the processor, its memory, and the time for a key of a
// batch that is claimed again.
func BenchmarkClaim(b *testing.B) {
	for _, total := range []int64{1e6, 5e6, 25e6} {
		b.Run(fmt.Sprintf("real/%dM", total/1e6), func(b *testing.B) {
			if total > 5e6 && !*large {
				b.Skip("add -large to run it")
			}
			benchmarkClaim(b, open(b, servertest.Redis(b)), total)
		})
	}
	b.Run("embedded/1M", func(b *testing.B) {
		benchmarkClaim(b, open(b, "redis://"+miniredis.RunT(b).Addr()), 1e6)
	})
}

func benchmarkClaim(b *testing.B, x *Index, total int64) {
	var spent, again time.Duration
	var keys, repeated int64
	memory, _, cpu := used(b, x)
	for i := 0; b.Loop(); i++ {
		s := Space{"bench", fmt.Sprint(i)}
		r := rand.New(rand.NewPCG(1, uint64(i)))
		var old, batch []crm.Key
		size := int64(0)
		claim := func(n int) time.Duration {
			start := time.Now()
			_, after, exact, err := x.Claim(b.Context(), s, n, size, batch)
			if err != nil || !exact {
				b.Fatal(exact, err)
			}
			size = after
			return time.Since(start)
		}
		for n := 0; size < total; n++ {
			batch, old = randomBatch(r, batch[:0], old)
			before := size
			spent += claim(n)
			if keys += int64(len(batch)); size >= total {
				size = before
				again += claim(n)
				repeated += int64(len(batch))
			}
		}
	}
	memoryNow, peak, cpuNow := used(b, x)
	b.ReportMetric(spent.Seconds()*1e6/float64(keys), "µs/key")
	b.ReportMetric(again.Seconds()*1e6/float64(repeated), "µs/key-again")
	b.ReportMetric((memoryNow-memory)/float64(total*int64(b.N)), "bytes/key")
	if cpuNow > 0 {
		b.ReportMetric((peak-memory)/float64(total*int64(b.N)), "bytes/key-peak")
		b.ReportMetric((cpuNow-cpu)*1e6/float64(keys), "server-µs/key")
	}
	b.ReportMetric(0, "ns/op")
}

// randomBatch returns 48,000 keys, some of them of those given, which it
// replaces by and by.
func randomBatch(r *rand.Rand, batch, old []crm.Key) (keys, next []crm.Key) {
	for range 48_000 {
		var k crm.Key
		binary.BigEndian.PutUint64(k[:8], r.Uint64())
		binary.BigEndian.PutUint64(k[8:], r.Uint64())
		switch {
		case len(old) < 48_000:
			old = append(old, k)
		case r.IntN(20) == 0:
			k = old[r.IntN(len(old))]
		default:
			old[r.IntN(len(old))] = k
		}
		batch = append(batch, k)
	}
	slices.SortFunc(batch, func(a, b crm.Key) int { return bytes.Compare(a[:], b[:]) })
	return slices.Compact(batch), old
}

// used returns the bytes of memory that a server has taken now and at the most,
// and its seconds of processor time. For the embedded one it is this program's
// memory, and nothing else.
func used(b *testing.B, x *Index) (memory, peak, cpu float64) {
	number := func(section, field string) (n float64) {
		_, rest, _ := strings.Cut(x.redis.Info(b.Context(), section).Val(), field+":")
		fmt.Sscan(rest, &n)
		return n
	}
	if n := number("memory", "used_memory"); n > 0 {
		return n, number("memory", "used_memory_peak"), number("cpu", "used_cpu_user") + number("cpu", "used_cpu_sys")
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc), 0, 0
}

// BenchmarkDistinct finds the repeats in a batch of 20,000 rows of two records
// and some.
func BenchmarkDistinct(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	keys, old := randomBatch(r, nil, nil)
	k := &crm.BatchKeys{}
	for range 20_000 {
		k.Of[crm.Customer] = append(k.Of[crm.Customer], keys[r.IntN(len(keys))])
	}
	k.Of[crm.Contact], k.Of[crm.Note] = old[:20_000], old[20_000:28_000]
	for b.Loop() {
		d := distinctKeys(k)
		d.outcomes(k, make([]bool, len(d.keys)))
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/48_000, "ns/key")
	b.ReportAllocs()
}
