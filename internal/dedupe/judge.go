package dedupe

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"

	"sluice/internal/crm"
)

// A Judge gives the verdicts on the batches of imports, one batch after the
// other in address order. Its verdicts are exact: those of one program that
// reads all rows in order and remembers every key. It is safe for concurrent
// use by different imports.
type Judge struct {
	index         claimer
	log           *slog.Logger
	newGeneration func() string
}

// claimer is the part of the index that a judge needs.
type claimer interface {
	Claim(ctx context.Context, space Space, batch int, size int64, keys []crm.Key) (won []bool, after int64, exact bool, err error)
	Renew(ctx context.Context, space Space) error
	Drop(ctx context.Context, importID string) error
}

// Earlier returns the keys of one batch of an import: all of them, judged or
// not, the same every time.
type Earlier = func(ctx context.Context, batch int) (*crm.BatchKeys, error)

// NewJudge returns a judge that asks an index. It logs lost claims, with
// counts and nothing else; log may be nil.
func NewJudge(index *Index, log *slog.Logger) *Judge {
	return newJudge(index, log)
}

func newJudge(index claimer, log *slog.Logger) *Judge {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Judge{index: index, log: log, newGeneration: rand.Text}
}

// rebuilds is how often claims are made again for one batch. A Redis that
// fails this often in a row forgets faster than anyone can tell it.
const rebuilds = 2

// Batch gives the verdict on batch number of an import: it fills
// keys.Outcomes, and returns the claims for the next batch to go on from.
// Claims are those that the batch before returned; for the first one that is to
// claim they are zero but for its number.
//
// The first record in address order wins. A record that repeats one, of the
// same batch or an earlier one, is [crm.Duplicate], the others
// [crm.ToWrite]. A retry gives the same verdict (invariant 3), whatever became
// of Redis in between (invariant 5).
//
// Batch calls earlier for the batches from claims.Since on that are before
// number, in order, and only when
// claims were lost: then it takes as long as judging all of them again. An
// error of Redis or of earlier is returned as it is and leaves keys without a
// verdict.
func (j *Judge) Batch(ctx context.Context, importID string, claims crm.Claims, number int,
	keys *crm.BatchKeys, earlier Earlier) (crm.Claims, error) {
	d := distinctKeys(keys)
	won, claims, err := j.judge(ctx, importID, claims, number, d, earlier)
	if err != nil {
		return crm.Claims{}, fmt.Errorf("judge batch %d: %w", number, err)
	}
	keys.Outcomes = d.outcomes(keys, won)
	return claims, nil
}

// Renew keeps the claims of an import for another week. Without claims it does
// nothing.
func (j *Judge) Renew(ctx context.Context, importID string, claims crm.Claims) error {
	if claims.Generation == "" {
		return nil
	}
	return j.index.Renew(ctx, Space{importID, claims.Generation})
}

// Forget drops the claims of an import that has ended. It may be repeated.
func (j *Judge) Forget(ctx context.Context, importID string) error {
	return j.index.Drop(ctx, importID)
}

// judge says which of a batch's distinct keys no earlier batch holds.
func (j *Judge) judge(ctx context.Context, importID string, claims crm.Claims, number int,
	d *distinct, earlier Earlier) (won []bool, next crm.Claims, err error) {
	if len(d.keys) == 0 {
		return nil, claims, nil
	}
	exact := false
	if claims.Generation != "" || claims.Size == 0 {
		if claims.Generation == "" {
			claims.Generation = j.newGeneration()
		}
		won, next, exact, err = j.claim(ctx, importID, claims, number, d.keys)
	}
	for try := 0; err == nil && !exact; try++ {
		log := j.log.With("import", importID, "batch", number)
		if try == rebuilds {
			log.Warn("claims are lost again and again; comparing with the stage")
			return fromStage(ctx, claims, number, d, earlier)
		}
		log.Warn("claims are lost; claiming again from the first batch", "claims", claims.Size)
		var whole bool
		claims, whole, err = j.rebuild(ctx, importID, claims, number, earlier)
		if whole {
			won, next, exact, err = j.claim(ctx, importID, claims, number, d.keys)
		}
	}
	return won, next, err
}

// claim claims a batch's keys on top of claims. Exact says that the index held
// all that it should and nothing else, and that won can be believed
// (invariant 5).
func (j *Judge) claim(ctx context.Context, importID string, claims crm.Claims, number int,
	keys []crm.Key) (won []bool, next crm.Claims, exact bool, err error) {
	won, size, exact, err := j.index.Claim(ctx, Space{importID, claims.Generation}, number, claims.Size, keys)
	return won, crm.Claims{Generation: claims.Generation, Since: claims.Since, Size: size}, exact, err
}

// rebuild makes the claims of the batches before number again, under a new
// generation: an attempt that is thought dead may still write into the old
// one. Whole says that it came to the end and every step was exact; the size
// is then what was counted on the way, else that of the claims that were lost.
func (j *Judge) rebuild(ctx context.Context, importID string, lost crm.Claims, number int,
	earlier Earlier) (claims crm.Claims, whole bool, err error) {
	claims = crm.Claims{Generation: j.newGeneration(), Since: lost.Since}
	for b := lost.Since; b < number; b++ {
		keys, err := earlier(ctx, b)
		if err != nil {
			return claims, false, err
		}
		d := distinctKeys(keys)
		if len(d.keys) == 0 {
			continue
		}
		_, next, exact, err := j.claim(ctx, importID, claims, b, d.keys)
		if err != nil || !exact {
			return crm.Claims{Generation: claims.Generation, Since: lost.Since, Size: lost.Size}, false, err
		}
		claims = next
	}
	return claims, true, nil
}

// fromStage judges a batch without the index, by reading the keys of every
// batch before it. The claims it returns have no generation, so the batch
// after begins with a rebuild: what an index that is known to be wrong holds
// is no ground for another claim, whatever its size.
func fromStage(ctx context.Context, claims crm.Claims, number int, d *distinct, earlier Earlier) ([]bool, crm.Claims, error) {
	won := make([]bool, len(d.keys))
	for i := range won {
		won[i] = true
	}
	for b := claims.Since; b < number; b++ {
		keys, err := earlier(ctx, b)
		if err != nil {
			return nil, crm.Claims{}, err
		}
		for _, of := range keys.Of {
			for _, key := range of {
				if i, ok := d.find(key); ok {
					won[i] = false
				}
			}
		}
	}
	return won, crm.Claims{Since: claims.Since, Size: claims.Size + count(won)}, nil
}

func count(won []bool) (n int64) {
	for _, w := range won {
		if w {
			n++
		}
	}
	return n
}
