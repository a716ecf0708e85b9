package stage

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"sync"

	"sluice/internal/crm"
)

// A Stage keeps objects. It is safe for concurrent use, also by several
// processes on the same directory or bucket.
type Stage struct {
	at       backend
	encoders sync.Pool // of *zstd.Encoder
	decoders sync.Pool // of *zstd.Decoder
}

// backend is one kind of place to keep objects in. Keys have been checked, and
// the bytes include the header.
type backend interface {
	// create begins an object whose key is known, createIn one whose key is
	// prefix and something that only its end tells.
	create(ctx context.Context, key string) (sink, error)
	createIn(ctx context.Context, prefix string) (sink, error)

	// open reads from a byte on. No such object wraps crm.ErrNotFound.
	open(ctx context.Context, key string, offset int64) (io.ReadCloser, error)

	// remove removes key and all below it. There may be nothing.
	remove(ctx context.Context, key string) error

	// list and unfinished call each until it returns false; removeListed
	// removes one of what they told of, unless it was put again since.
	list(ctx context.Context, prefix string, each func(crm.Listed) bool) error
	unfinished(ctx context.Context, each func(crm.Listed) bool) error
	removeListed(ctx context.Context, l crm.Listed) (removed bool, err error)

	path(key string) string
	close() error
}

// sink takes the bytes of one object. One of commit and abort ends it.
type sink interface {
	io.Writer
	commit(key string) error
	abort()
}

// Open opens the stage at a URL; the caller closes it.
//
//	file:///abs/dir   a directory, made if it is absent, for one machine
//	s3://bucket?…     a bucket, with the parameters of the Go CDK (region,
//	                  endpoint, use_path_style, prefix, …); credentials come
//	                  from the environment, as every AWS tool reads them
//	mem://            memory, new and empty, for tests
//
// Any other URL wraps [crm.ErrInvalid].
func Open(ctx context.Context, rawURL string) (*Stage, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		// The cause would repeat the URL.
		return nil, fmt.Errorf("open stage: %w: not a URL", crm.ErrInvalid)
	}
	var at backend
	switch u.Scheme {
	case "file":
		at, err = openDir(u)
	case "s3", "mem":
		at, err = openBucket(ctx, u)
	default:
		err = fmt.Errorf("%w: use file:///dir or s3://bucket", crm.ErrInvalid)
	}
	if err != nil {
		return nil, fmt.Errorf("open stage: %w", err)
	}
	return &Stage{at: at}, nil
}

// Close releases what the stage holds. Readers and writers must be closed
// before.
func (s *Stage) Close() error { return s.at.close() }

// Put copies r to key and says what was stored. The object appears whole or
// not at all: no reader sees half of it, and a Put that fails leaves what was
// there before. Putting the same bytes again is harmless. Put does not close r.
func (s *Stage) Put(ctx context.Context, key string, r io.Reader) (crm.Object, error) {
	w, err := s.Create(ctx, key)
	if err != nil {
		return crm.Object{}, err
	}
	return copyInto(ctx, w, r)
}

// PutCompressed is Put for bytes that are stored as zstd: see
// [Stage.CreateCompressed].
func (s *Stage) PutCompressed(ctx context.Context, key string, r io.Reader) (crm.Object, error) {
	w, err := s.CreateCompressed(ctx, key)
	if err != nil {
		return crm.Object{}, err
	}
	return copyInto(ctx, w, r)
}

// PutContent copies r to a key that its content decides: the prefix, a slash
// and the SHA-256 of the bytes, which every machine has a program to check. The
// same bytes are staged once however often and by however many they are put. It
// promises what [Stage.Put] promises.
func (s *Stage) PutContent(ctx context.Context, prefix string, r io.Reader) (crm.Object, error) {
	if err := checkKey(prefix); err != nil {
		return crm.Object{}, err
	}
	to, err := s.at.createIn(ctx, prefix)
	if err != nil {
		return crm.Object{}, fmt.Errorf("stage %s: %w", prefix, err)
	}
	w, err := newWriter(to, prefix)
	if err != nil {
		return crm.Object{}, err
	}
	w.name = sha256.New()
	return copyInto(ctx, w, r)
}

func copyInto(ctx context.Context, w *Writer, r io.Reader) (crm.Object, error) {
	defer w.Abort()
	buf, _ := copyBuffers.Get().(*[256 << 10]byte)
	if buf == nil {
		buf = new([256 << 10]byte)
	}
	defer copyBuffers.Put(buf)
	if _, err := io.CopyBuffer(w, reading{ctx, r}, buf[:]); err != nil {
		return crm.Object{}, fmt.Errorf("stage %s: %w", w.key, err)
	}
	return w.Commit()
}

var copyBuffers sync.Pool // of what copyInto copies through

// reading is a reader that a cancelled context ends. It hides the other
// methods of r, so that io.Copy never bypasses it.
type reading struct {
	ctx context.Context
	r   io.Reader
}

func (r reading) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}

// Delete removes the object of a key and every object below it: "a" stands for
// "a" and "a/b", not for "ab". Deleting what is not there is no error.
func (s *Stage) Delete(ctx context.Context, keyPrefix string) error {
	if err := checkKey(keyPrefix); err != nil {
		return err
	}
	if err := s.at.remove(ctx, keyPrefix); err != nil {
		return fmt.Errorf("delete stage object %s: %w", keyPrefix, err)
	}
	return nil
}

// Path returns where a person finds an object: a file's path, or a URL.
func (s *Stage) Path(o crm.Object) string { return s.at.path(o.Key) }

// maxKey leaves room below S3's 1,024 bytes for the bucket's own prefix.
const maxKey = 512

// checkKey keeps keys inside the stage, whatever kind it is.
func checkKey(key string) error {
	if key == "" || len(key) > maxKey {
		return fmt.Errorf("stage key: %w: use 1 to %d characters", crm.ErrInvalid, maxKey)
	}
	for part := range strings.SplitSeq(key, "/") {
		if part == "" || part == "." || part == ".." || strings.Trim(part, keyAlphabet) != "" {
			return fmt.Errorf("stage key: %w: use a-z, 0-9, ., _ and - between slashes", crm.ErrInvalid)
		}
	}
	return nil
}

const keyAlphabet = "abcdefghijklmnopqrstuvwxyz0123456789._-"

// A damage says that an object is not what it was when it was staged. What was
// staged is gone for good, so it counts as not found: its maker can make it
// again, and reading again cannot help.
type damage struct{ key, what string }

func (d damage) Error() string { return "stage object " + d.key + ": damaged: " + d.what }

// Damaged says what is wrong, to those who treat damage and absence apart.
func (d damage) Damaged() string { return d.what }

func (d damage) Is(target error) bool { return target == crm.ErrNotFound }

var errClosed = errors.New("already closed")
