package stage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"time"

	"gocloud.dev/blob"
	_ "gocloud.dev/blob/memblob" // mem://
	_ "gocloud.dev/blob/s3blob"  // s3://
	"gocloud.dev/gcerrors"

	"sluice/internal/crm"
)

// bucket keeps objects in a bucket.
type bucket struct {
	b    *blob.Bucket
	base string // what Path puts in front of a key
}

func openBucket(ctx context.Context, u *url.URL) (backend, error) {
	base := u.Scheme + "://" + u.Host
	b, err := blob.OpenBucket(ctx, u.String())
	if err != nil {
		// What a URL's query says goes into no error.
		cause := strings.ReplaceAll(err.Error(), u.String(), base)
		for _, values := range u.Query() {
			for _, v := range values {
				if v != "" {
					cause = strings.ReplaceAll(cause, v, "…")
				}
			}
		}
		return nil, fmt.Errorf("%s: %w: %s", base, crm.ErrInvalid, cause)
	}
	if prefix := u.Query().Get("prefix"); prefix != "" {
		base += "/" + strings.Trim(prefix, "/")
	}
	return &bucket{b: b, base: base + "/"}, nil
}

func (b *bucket) close() error { return b.b.Close() }

func (b *bucket) path(key string) string { return b.base + key }

func (b *bucket) open(ctx context.Context, key string, offset int64) (io.ReadCloser, error) {
	r, err := b.b.NewRangeReader(ctx, key, offset, -1, nil)
	if err != nil {
		return nil, bucketError(err)
	}
	return struct{ io.ReadCloser }{r}, nil // Its Seek would make a request a call.
}

func (b *bucket) create(ctx context.Context, key string) (sink, error) {
	ctx, cancel := context.WithCancel(ctx)
	w, err := b.b.NewWriter(ctx, key, writerOptions())
	if err != nil {
		cancel()
		return nil, bucketError(err)
	}
	return &bucketSink{Writer: w, cancel: cancel}, nil
}

// writerOptions names the content type, or the library would hold back the
// first bytes to guess it.
func writerOptions() *blob.WriterOptions {
	return &blob.WriterOptions{ContentType: "application/octet-stream"}
}

// spoolName begins the names of the local files of what has no key yet.
const spoolName = "sluice-stage-"

// createIn keeps the bytes in a local file until their end tells the key. A
// bucket can copy, but only 5 GB at once.
func (b *bucket) createIn(ctx context.Context, _ string) (sink, error) {
	f, err := os.CreateTemp("", spoolName)
	if err != nil {
		return nil, err
	}
	return &spool{File: f, ctx: ctx, to: b}, nil
}

func (b *bucket) remove(ctx context.Context, key string) error {
	if err := b.removeOne(ctx, key); err != nil {
		return err
	}
	list := b.b.List(&blob.ListOptions{Prefix: key + "/"})
	for {
		o, err := list.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = b.removeOne(ctx, o.Key)
		}
		if err != nil {
			return err
		}
	}
}

func (b *bucket) removeOne(ctx context.Context, key string) error {
	err := b.b.Delete(ctx, key)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return nil
	}
	return err
}

// bucketError marks the one failure that a caller treats apart. Refused
// credentials are left to be tried again: somebody may be changing them, and
// an import half done should wait for that.
func bucketError(err error) error {
	if gcerrors.Code(err) == gcerrors.NotFound {
		return crm.ErrNotFound
	}
	return err
}

// bucketSink is an upload. It appears when the writer is closed, unless its
// context has been cancelled.
type bucketSink struct {
	*blob.Writer
	cancel context.CancelFunc
}

func (s *bucketSink) commit(string) error {
	defer s.cancel()
	return bucketError(s.Close())
}

func (s *bucketSink) abort() {
	s.cancel()
	s.Close()
}

// freshFor is how long bytes that are put once more need not be: an object that
// was put long ago may be on the list of what is to be removed.
const freshFor = 6 * time.Hour

// spool is an object on its way to a bucket.
type spool struct {
	*os.File
	ctx context.Context
	to  *bucket
}

func (s *spool) commit(key string) error {
	defer s.abort()
	size, err := s.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	there, err := s.to.b.Attributes(s.ctx, key)
	if err == nil && there.Size == size && time.Since(there.ModTime) < freshFor {
		return nil // The key is the hash: these bytes are staged.
	}
	if _, err := s.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return bucketError(s.to.b.Upload(s.ctx, key, s.File, writerOptions()))
}

func (s *spool) abort() {
	s.Close()
	os.Remove(s.Name())
}
