package stage

import (
	"context"
	"encoding/hex"
	"fmt"
	"hash"

	"github.com/klauspost/compress/zstd"
	"github.com/zeebo/blake3"

	"sluice/internal/crm"
)

// Objects are summed up whenever they are put or read whole. BLAKE3 is as hard
// to forge as SHA-256, and where the processor has no instructions for that
// one, ten times as fast.

// A Writer takes the bytes of one object. Nobody sees them before Commit. The
// caller ends it with Commit or Abort; Abort after either does nothing, so it
// can be deferred. A Writer is for one goroutine.
type Writer struct {
	stage *Stage
	key   string
	to    sink
	sum   *blake3.Hasher
	name  hash.Hash // SHA-256, when key is only a prefix of it; else nil
	size  int64
	zip   *zstd.Encoder // nil when the bytes are stored as they come
	err   error         // of the first write that failed, or errClosed
}

// Create begins the object of a key. The context holds until Commit: when it
// is cancelled the object may be abandoned.
func (s *Stage) Create(ctx context.Context, key string) (*Writer, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	to, err := s.at.create(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("stage %s: %w", key, err)
	}
	return newWriter(to, key)
}

// CreateCompressed is Create for bytes that are stored as zstd. The object's
// size and hash are those of what is stored. Read it with
// [Stage.ReadCompressed].
func (s *Stage) CreateCompressed(ctx context.Context, key string) (*Writer, error) {
	w, err := s.Create(ctx, key)
	if err != nil {
		return nil, err
	}
	w.stage = s
	w.zip, err = s.encoder(stored{w})
	if err != nil {
		w.Abort()
		return nil, fmt.Errorf("stage %s: %w", key, err)
	}
	return w, nil
}

func newWriter(to sink, key string) (*Writer, error) {
	if _, err := to.Write(header(unsealed)); err != nil {
		to.abort()
		return nil, fmt.Errorf("stage %s: %w", key, err)
	}
	return &Writer{key: key, to: to, sum: blake3.New()}, nil
}

// Write adds p to the object. After an error every call returns it.
func (w *Writer) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	if w.zip == nil {
		return w.store(p)
	}
	n, err := w.zip.Write(p)
	if err != nil && w.err == nil {
		w.err = err
	}
	return n, err
}

func (w *Writer) store(p []byte) (int, error) {
	n, err := w.to.Write(p)
	w.sum.Write(p[:n])
	if w.name != nil {
		w.name.Write(p[:n])
	}
	w.size += int64(n)
	w.err = err
	return n, err
}

// stored is what an encoder writes to.
type stored struct{ w *Writer }

func (s stored) Write(p []byte) (int, error) { return s.w.store(p) }

// Commit makes the object appear and returns what refers to it. When it
// returns, the object outlives a power cut. When it fails, what was there
// before is still there.
func (w *Writer) Commit() (crm.Object, error) {
	defer w.Abort()
	if w.err == nil && w.zip != nil {
		w.err = w.zip.Close()
	}
	if w.err != nil {
		return crm.Object{}, fmt.Errorf("stage %s: %w", w.key, w.err)
	}
	o := crm.Object{Key: w.key, Size: w.size, BLAKE3: hex.EncodeToString(w.sum.Sum(nil))}
	if w.name != nil {
		o.Key += "/" + hex.EncodeToString(w.name.Sum(nil))
	}
	to := w.to
	w.to = nil
	if err := to.commit(o.Key); err != nil {
		return crm.Object{}, fmt.Errorf("stage %s: %w", o.Key, err)
	}
	return o, nil
}

// Abort gives the object up and leaves nothing of it.
func (w *Writer) Abort() {
	if w.to != nil {
		w.to.abort()
		w.to = nil
	}
	if w.zip != nil {
		w.zip.Reset(nil)
		w.stage.encoders.Put(w.zip)
		w.zip = nil
	}
	if w.err == nil {
		w.err = errClosed
	}
}

// encoder takes an encoder from the pool: making one costs a window.
func (s *Stage) encoder(to stored) (*zstd.Encoder, error) {
	if e, ok := s.encoders.Get().(*zstd.Encoder); ok {
		e.Reset(to)
		return e, nil
	}
	// With WithLowerEncoderMem it would move its window for every block of
	// 128 KiB, which costs a quarter more than the second MiB is worth.
	return zstd.NewWriter(to, zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(window))
}

// window bounds the memory of both ends. A larger one gains under 1 % on
// batches.
const window = 1 << 20
