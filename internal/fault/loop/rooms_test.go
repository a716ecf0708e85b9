package loop

import (
	"context"
	"io"
	"iter"
	"sync"

	"sluice/activities"
	"sluice/internal/crm"
)

// A stageRoom is a stage whose calls may fail, and the reads of its objects,
// and those of what is put.
type stageRoom struct {
	activities.Stage
	calls *calls
}

func (s stageRoom) PutContent(ctx context.Context, prefix string, r io.Reader) (crm.Object, error) {
	return s.put(step(ctx, "Stage.PutContent"), r, func(r io.Reader) (crm.Object, error) { return s.Stage.PutContent(ctx, prefix, r) })
}

func (s stageRoom) Put(ctx context.Context, key string, r io.Reader) (crm.Object, error) {
	return s.put(step(ctx, "Stage.Put"), r, func(r io.Reader) (crm.Object, error) { return s.Stage.Put(ctx, key, r) })
}

func (s stageRoom) PutCompressed(ctx context.Context, key string, r io.Reader) (crm.Object, error) {
	return s.put(step(ctx, "Stage.PutCompressed"), r, func(r io.Reader) (crm.Object, error) { return s.Stage.PutCompressed(ctx, key, r) })
}

func (s stageRoom) put(place string, r io.Reader, put func(io.Reader) (crm.Object, error)) (o crm.Object, err error) {
	err = s.calls.do(place, func() error {
		o, err = put(reader{r, s.calls, place + ", a read"})
		return err
	})
	return o, err
}

// List counts a call for every object, and one for the end.
func (s stageRoom) List(ctx context.Context, prefix string) iter.Seq2[crm.Listed, error] {
	return counted(s.calls, step(ctx, "Stage.List"), s.Stage.List(ctx, prefix))
}

func (s stageRoom) Remove(ctx context.Context, l crm.Listed) (removed bool, err error) {
	err = s.calls.do(step(ctx, "Stage.Remove"), func() error {
		removed, err = s.Stage.Remove(ctx, l)
		return err
	})
	return removed, err
}

func (s stageRoom) Open(ctx context.Context, o crm.Object, offset int64) (io.ReadCloser, error) {
	return s.read(step(ctx, "Stage.Open"), func() (io.ReadCloser, error) { return s.Stage.Open(ctx, o, offset) })
}

func (s stageRoom) OpenKey(ctx context.Context, key string) (io.ReadCloser, error) {
	return s.read(step(ctx, "Stage.OpenKey"), func() (io.ReadCloser, error) { return s.Stage.OpenKey(ctx, key) })
}

func (s stageRoom) ReadCompressed(ctx context.Context, o crm.Object) (io.ReadCloser, error) {
	return s.read(step(ctx, "Stage.ReadCompressed"), func() (io.ReadCloser, error) { return s.Stage.ReadCompressed(ctx, o) })
}

func (s stageRoom) ReadCompressedKey(ctx context.Context, key string) (io.ReadCloser, error) {
	return s.read(step(ctx, "Stage.ReadCompressedKey"), func() (io.ReadCloser, error) { return s.Stage.ReadCompressedKey(ctx, key) })
}

// read opens an object. One that was opened although it is said that it was not
// is closed: nobody else can.
func (s stageRoom) read(place string, open func() (io.ReadCloser, error)) (io.ReadCloser, error) {
	var r io.ReadCloser
	err := s.calls.do(place, func() (err error) { r, err = open(); return err })
	if err != nil {
		if r != nil {
			r.Close()
		}
		return nil, err
	}
	s.calls.opened(place, 1)
	return &closing{reader: reader{r, s.calls, place + ", a read"}, Closer: r, place: place}, nil
}

// A reader is one whose reads may fail: one that fails after its effect has
// read what it says.
type reader struct {
	io.Reader
	calls *calls
	place string
}

func (r reader) Read(p []byte) (n int, err error) {
	before, after := r.calls.next(r.place)
	if before {
		return 0, errInjected
	}
	n, err = r.Reader.Read(p)
	if after {
		err = errInjected
	}
	return n, err
}

// closing is a reader that is missed when nobody closes it.
type closing struct {
	reader
	io.Closer
	place string
	once  sync.Once
}

func (c *closing) Close() error {
	c.once.Do(func() { c.calls.opened(c.place, -1) })
	return c.Closer.Close()
}

// A judgeRoom is a judge whose calls may fail.
type judgeRoom struct {
	activities.Judge
	calls *calls
}

func (j judgeRoom) Batch(ctx context.Context, importID string, claims crm.Claims, number int, keys *crm.BatchKeys,
	earlier func(ctx context.Context, batch int) (*crm.BatchKeys, error)) (next crm.Claims, err error) {
	err = j.calls.do(step(ctx, "Judge.Batch"), func() error {
		next, err = j.Judge.Batch(ctx, importID, claims, number, keys, earlier)
		return err
	})
	return next, err
}

func (j judgeRoom) Renew(ctx context.Context, importID string, claims crm.Claims) error {
	return j.calls.do(step(ctx, "Judge.Renew"), func() error { return j.Judge.Renew(ctx, importID, claims) })
}

func (j judgeRoom) Forget(ctx context.Context, importID string) error {
	return j.calls.do(step(ctx, "Judge.Forget"), func() error { return j.Judge.Forget(ctx, importID) })
}

// A mailRoom is a mailer whose sending may fail.
type mailRoom struct {
	activities.Mailer
	calls *calls
}

func (m mailRoom) Send(ctx context.Context, msg crm.Message) error {
	return m.calls.do(step(ctx, "Mailer.Send"), func() error { return m.Mailer.Send(ctx, msg) })
}

// counted counts a call for each thing of a sequence, and one for the end. What
// fails after its effect is told of, and the next one is not.
func counted[V any](c *calls, place string, all iter.Seq2[V, error]) iter.Seq2[V, error] {
	return func(yield func(V, error) bool) {
		var none V
		for v, err := range all {
			before, after := c.next(place)
			if before {
				yield(none, errInjected)
				return
			}
			if !yield(v, err) || err != nil {
				return
			}
			if after {
				yield(none, errInjected)
				return
			}
		}
		if before, after := c.next(place); before || after {
			yield(none, errInjected)
		}
	}
}
