package loop

import (
	"context"
	"io"
	"iter"
	"sync"
	"time"

	"sluice/activities"
	"sluice/internal/crm"
)

// A stageRoom is a stage whose calls may fail, and the reads of its objects,
// and those of what is put.
type stageRoom struct {
	activities.Stage
	calls *calls
}

func (s stageRoom) Put(ctx context.Context, key string, r io.Reader) (o crm.Object, err error) {
	place := step(ctx, "Stage.Put")
	err = s.calls.do(place, func() error {
		o, err = s.Stage.Put(ctx, key, reader{r, s.calls, place + ", a read"})
		return err
	})
	return o, err
}

func (s stageRoom) PutCompressed(ctx context.Context, key string, r io.Reader) (o crm.Object, err error) {
	place := step(ctx, "Stage.PutCompressed")
	err = s.calls.do(place, func() error {
		o, err = s.Stage.PutCompressed(ctx, key, reader{r, s.calls, place + ", a read"})
		return err
	})
	return o, err
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

// A storeRoom is a store whose calls may fail, and the rows of its ledger.
type storeRoom struct {
	activities.Store
	calls *calls
}

// ask makes a call that answers something.
func ask[Out any](ctx context.Context, c *calls, what string, call func() (Out, error)) (out Out, err error) {
	err = c.do(step(ctx, "Store."+what), func() error { out, err = call(); return err })
	if err != nil {
		var none Out
		return none, err
	}
	return out, nil
}

// tell makes a call that answers nothing.
func (s storeRoom) tell(ctx context.Context, what string, call func() error) error {
	return s.calls.do(step(ctx, "Store."+what), call)
}

func (s storeRoom) Source(ctx context.Context, slug string) (crm.Source, error) {
	return ask(ctx, s.calls, "Source", func() (crm.Source, error) { return s.Store.Source(ctx, slug) })
}

func (s storeRoom) OpenImport(ctx context.Context, r crm.Request, mapping string) (crm.Opened, error) {
	return ask(ctx, s.calls, "OpenImport", func() (crm.Opened, error) { return s.Store.OpenImport(ctx, r, mapping) })
}

func (s storeRoom) Opening(ctx context.Context, number int64) (crm.ImportRow, error) {
	return ask(ctx, s.calls, "Opening", func() (crm.ImportRow, error) { return s.Store.Opening(ctx, number) })
}

func (s storeRoom) Import(ctx context.Context, id string) (crm.ImportRow, error) {
	return ask(ctx, s.calls, "Import", func() (crm.ImportRow, error) { return s.Store.Import(ctx, id) })
}

func (s storeRoom) Mark(ctx context.Context, number int64, state crm.State, by string) error {
	return s.tell(ctx, "Mark", func() error { return s.Store.Mark(ctx, number, state, by) })
}

func (s storeRoom) SaveFile(ctx context.Context, number int64, row crm.FileRow, how crm.Writing) error {
	return s.tell(ctx, "SaveFile", func() error { return s.Store.SaveFile(ctx, number, row, how) })
}

func (s storeRoom) File(ctx context.Context, number int64, file int) (crm.FileRow, error) {
	return ask(ctx, s.calls, "File", func() (crm.FileRow, error) { return s.Store.File(ctx, number, file) })
}

func (s storeRoom) FileNames(ctx context.Context, number int64) ([]string, error) {
	return ask(ctx, s.calls, "FileNames", func() ([]string, error) { return s.Store.FileNames(ctx, number) })
}

func (s storeRoom) Write(ctx context.Context, in crm.WriteBatch, open crm.PartOpener) (crm.Counts, error) {
	return ask(ctx, s.calls, "Write", func() (crm.Counts, error) { return s.Store.Write(ctx, in, open) })
}

func (s storeRoom) Park(ctx context.Context, number int64, p crm.ParkedBatch) error {
	return s.tell(ctx, "Park", func() error { return s.Store.Park(ctx, number, p) })
}

func (s storeRoom) Unpark(ctx context.Context, number int64) ([]crm.ParkedBatch, error) {
	return ask(ctx, s.calls, "Unpark", func() ([]crm.ParkedBatch, error) { return s.Store.Unpark(ctx, number) })
}

func (s storeRoom) Skip(ctx context.Context, number int64, p crm.ParkedBatch, preset crm.Outcomes, by string) (crm.Counts, error) {
	return ask(ctx, s.calls, "Skip", func() (crm.Counts, error) { return s.Store.Skip(ctx, number, p, preset, by) })
}

func (s storeRoom) OpenUndo(ctx context.Context, r crm.Request) (crm.UndoOpened, error) {
	return ask(ctx, s.calls, "OpenUndo", func() (crm.UndoOpened, error) { return s.Store.OpenUndo(ctx, r) })
}

func (s storeRoom) UndoPage(ctx context.Context, in crm.UndoPage) (crm.UndonePage, error) {
	return ask(ctx, s.calls, "UndoPage", func() (crm.UndonePage, error) { return s.Store.UndoPage(ctx, in) })
}

func (s storeRoom) UndoSum(ctx context.Context, number int64) (crm.UndoSum, error) {
	return ask(ctx, s.calls, "UndoSum", func() (crm.UndoSum, error) { return s.Store.UndoSum(ctx, number) })
}

func (s storeRoom) EndUndo(ctx context.Context, number int64, r crm.Report) (crm.Report, error) {
	return ask(ctx, s.calls, "EndUndo", func() (crm.Report, error) { return s.Store.EndUndo(ctx, number, r) })
}

// Ledger counts a call for every row, and one for the end. A row that fails
// after its effect is told of, and the next one is not.
func (s storeRoom) Ledger(ctx context.Context, number int64, from int) iter.Seq2[crm.LedgerRow, error] {
	place := step(ctx, "Store.Ledger")
	return func(yield func(crm.LedgerRow, error) bool) {
		for row, err := range s.Store.Ledger(ctx, number, from) {
			before, after := s.calls.next(place)
			if before {
				yield(crm.LedgerRow{}, errInjected)
				return
			}
			if !yield(row, err) || err != nil {
				return
			}
			if after {
				yield(crm.LedgerRow{}, errInjected)
				return
			}
		}
		if before, after := s.calls.next(place); before || after {
			yield(crm.LedgerRow{}, errInjected)
		}
	}
}

func (s storeRoom) Recount(ctx context.Context, number int64) (crm.Recount, error) {
	return ask(ctx, s.calls, "Recount", func() (crm.Recount, error) { return s.Store.Recount(ctx, number) })
}

func (s storeRoom) EndImport(ctx context.Context, number int64, r crm.Report, outbox []crm.Message) (crm.Report, error) {
	return ask(ctx, s.calls, "EndImport", func() (crm.Report, error) { return s.Store.EndImport(ctx, number, r, outbox) })
}

func (s storeRoom) Message(ctx context.Context, id int64) (crm.Message, error) {
	return ask(ctx, s.calls, "Message", func() (crm.Message, error) { return s.Store.Message(ctx, id) })
}

func (s storeRoom) MarkSent(ctx context.Context, id int64, at time.Time) error {
	return s.tell(ctx, "MarkSent", func() error { return s.Store.MarkSent(ctx, id, at) })
}
