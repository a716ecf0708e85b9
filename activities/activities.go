package activities

import (
	"context"
	"io"
	"iter"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/worker"

	"sluice/internal/crm"
)

// Activities carries out the steps. Its fields are filled by literal and not
// changed afterwards; it is safe for concurrent use.
type Activities struct {
	Stage     Stage
	Store     Store
	Judge     Judge
	Sources   Sources
	Running   Running
	Schedules Schedules
	Mailer    Mailer   // nil: nothing is sent, and the outbox stays empty
	MailTo    []string // who hears of the end of every import; empty: nobody
}

// Stage is the part of the stage that the steps need. Objects appear whole or
// not at all, and reading one whole checks its size and hash.
type Stage interface {
	Put(ctx context.Context, key string, r io.Reader) (crm.Object, error)
	PutContent(ctx context.Context, prefix string, r io.Reader) (crm.Object, error) // under the hash of what it holds
	PutCompressed(ctx context.Context, key string, r io.Reader) (crm.Object, error)
	Open(ctx context.Context, o crm.Object, offset int64) (io.ReadCloser, error)
	OpenKey(ctx context.Context, key string) (io.ReadCloser, error) // unchecked
	ReadCompressed(ctx context.Context, o crm.Object) (io.ReadCloser, error)
	ReadCompressedKey(ctx context.Context, key string) (io.ReadCloser, error) // by its own checksum alone
	Path(o crm.Object) string
	List(ctx context.Context, prefix string) iter.Seq2[crm.Listed, error]
	Remove(ctx context.Context, l crm.Listed) (removed bool, err error)
}

// Store is the part of the store that the steps need.
type Store interface {
	Source(ctx context.Context, slug string) (crm.Source, error)
	SaveSubscriptions(ctx context.Context, number int64, all []crm.Subscription) error
	Subscribers(ctx context.Context, number int64, after string, limit int) ([]crm.Subscriber, error)
	OpenImport(ctx context.Context, r crm.Request, mapping string) (crm.Opened, error)
	Recognize(ctx context.Context, r crm.Request, mapping string) (crm.Opened, error)
	Opening(ctx context.Context, number int64) (crm.ImportRow, error)
	Import(ctx context.Context, id string) (crm.ImportRow, error)
	Mark(ctx context.Context, number int64, s crm.State, by string) error
	SaveFile(ctx context.Context, number int64, row crm.FileRow, how crm.Writing) error
	File(ctx context.Context, number int64, file int) (crm.FileRow, error)
	FileNames(ctx context.Context, number int64) ([]string, error)
	Write(ctx context.Context, in crm.WriteBatch, open crm.PartOpener) (crm.Counts, error)
	Park(ctx context.Context, number int64, p crm.ParkedBatch) error
	Unpark(ctx context.Context, number int64) ([]crm.ParkedBatch, error)
	Skip(ctx context.Context, number int64, p crm.ParkedBatch, preset crm.Outcomes, by string) (crm.Counts, error)
	Ledger(ctx context.Context, number int64, from int) iter.Seq2[crm.LedgerRow, error]
	Recount(ctx context.Context, number int64) (crm.Recount, error)
	EndImport(ctx context.Context, number int64, r crm.Report, outbox []crm.Message) (crm.Report, error)
	Message(ctx context.Context, id int64) (crm.Message, error)
	MarkSent(ctx context.Context, id int64, at time.Time) error
	undoStore
	removeStore
	backfillStore
	scheduleStore
}

// Judge says which records of a batch repeat an earlier one of the import. The
// verdict goes into keys.Outcomes; earlier gives the judged keys of a batch
// before, for when the claims have to be made again.
type Judge interface {
	Batch(ctx context.Context, importID string, claims crm.Claims, number int, keys *crm.BatchKeys,
		earlier func(ctx context.Context, batch int) (*crm.BatchKeys, error)) (crm.Claims, error)
	Renew(ctx context.Context, importID string, claims crm.Claims) error
	Forget(ctx context.Context, importID string) error
}

// Mailer writes and sends e-mail. Compose says the outcome and counts of an
// ended import in plain text, and no cell's value.
type Mailer interface {
	Send(ctx context.Context, m crm.Message) error
	Compose(r crm.Report) (subject, body string)
}

// Register makes the steps of imports and undos known to a worker, or to a test
// environment, which is one too.
func Register(r worker.ActivityRegistry, a *Activities) {
	register(r, crm.Open, a.Open)
	register(r, crm.Fetch, a.Fetch)
	register(r, crm.Plan, a.Plan)
	register(r, crm.AwaitSource, a.AwaitSource)
	register(r, crm.Find, a.Find)
	register(r, crm.Recognize, a.Recognize)
	register(r, crm.Inspect, a.Inspect)
	register(r, crm.Parse, a.Parse)
	register(r, crm.Dedupe, a.Dedupe)
	register(r, crm.Write, a.Write)
	register(r, crm.Settle, a.Settle)
	register(r, crm.Reconcile, a.Reconcile)
	register(r, crm.Notify, a.Notify)
	register(r, crm.Mark, a.Mark)
	register(r, crm.Park, a.Park)
	register(r, crm.Unpark, a.Unpark)
	register(r, crm.Skip, a.Skip)
	register(r, crm.BeginScheduled, a.BeginScheduled)
	register(r, crm.EndScheduled, a.EndScheduled)
	registerBackfill(r, a)
	registerUndo(r, a)
	registerRemove(r, a)
}

// register binds a step to the method that carries it out, with what every
// step has in common around it: heartbeats, an orderly stop, and the failure
// types of the wire.
func register[In, Out any](r worker.ActivityRegistry, s crm.Step[In, Out], do func(context.Context, In) (Out, error)) {
	r.RegisterActivityWithOptions(func(ctx context.Context, in In) (Out, error) {
		ctx, stop := beating(ctx)
		defer stop()
		out, err := do(ctx, in)
		return out, onTheWire(ctx, err)
	}, activity.RegisterOptions{Name: s.Name})
}
