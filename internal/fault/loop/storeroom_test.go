package loop

import (
	"context"
	"iter"
	"time"

	"sluice/activities"
	"sluice/internal/crm"
)

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

// Ledger counts a call for every row, and one for the end.
func (s storeRoom) Ledger(ctx context.Context, number int64, from int) iter.Seq2[crm.LedgerRow, error] {
	return counted(s.calls, step(ctx, "Store.Ledger"), s.Store.Ledger(ctx, number, from))
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

func (s storeRoom) Recognize(ctx context.Context, r crm.Request, mapping string) (crm.Opened, error) {
	return ask(ctx, s.calls, "Recognize", func() (crm.Opened, error) { return s.Store.Recognize(ctx, r, mapping) })
}

func (s storeRoom) SaveSubscriptions(ctx context.Context, number int64, all []crm.Subscription) error {
	return s.tell(ctx, "SaveSubscriptions", func() error { return s.Store.SaveSubscriptions(ctx, number, all) })
}

func (s storeRoom) Subscribers(ctx context.Context, number int64, after string, limit int) ([]crm.Subscriber, error) {
	return ask(ctx, s.calls, "Subscribers", func() ([]crm.Subscriber, error) { return s.Store.Subscribers(ctx, number, after, limit) })
}

func (s storeRoom) OpenRemoval(ctx context.Context, r crm.Request) (crm.Removal, error) {
	return ask(ctx, s.calls, "OpenRemoval", func() (crm.Removal, error) { return s.Store.OpenRemoval(ctx, r) })
}

func (s storeRoom) Removal(ctx context.Context, source, id string) (crm.Removal, error) {
	return ask(ctx, s.calls, "Removal", func() (crm.Removal, error) { return s.Store.Removal(ctx, source, id) })
}

func (s storeRoom) RemovePage(ctx context.Context, in crm.RemovePage) (crm.Removal, error) {
	return ask(ctx, s.calls, "RemovePage", func() (crm.Removal, error) { return s.Store.RemovePage(ctx, in) })
}

func (s storeRoom) EndRemoval(ctx context.Context, in crm.EndRemovalInput) error {
	return s.tell(ctx, "EndRemoval", func() error { return s.Store.EndRemoval(ctx, in) })
}

func (s storeRoom) BackfillSource(ctx context.Context, id, source string) (src crm.BackfillSource, planned bool, err error) {
	src, err = ask(ctx, s.calls, "BackfillSource", func() (crm.BackfillSource, error) {
		src, planned, err = s.Store.BackfillSource(ctx, id, source)
		return src, err
	})
	return src, planned, err
}

func (s storeRoom) PlanBackfill(ctx context.Context, id, source string, parts []crm.PlannedPartition) error {
	return s.tell(ctx, "PlanBackfill", func() error { return s.Store.PlanBackfill(ctx, id, source, parts) })
}

func (s storeRoom) BeginPartition(ctx context.Context, id, source, importID string) (p crm.BackfillPartition, r crm.Request, err error) {
	p, err = ask(ctx, s.calls, "BeginPartition", func() (crm.BackfillPartition, error) {
		p, r, err = s.Store.BeginPartition(ctx, id, source, importID)
		return p, err
	})
	return p, r, err
}

func (s storeRoom) EndPartition(ctx context.Context, in crm.EndPartitionInput) error {
	return s.tell(ctx, "EndPartition", func() error { return s.Store.EndPartition(ctx, in) })
}

func (s storeRoom) Requeue(ctx context.Context, in crm.RequeueInput) error {
	return s.tell(ctx, "Requeue", func() error { return s.Store.Requeue(ctx, in) })
}

func (s storeRoom) BackfillCounts(ctx context.Context, id, source string) (crm.BackfillCounts, error) {
	return ask(ctx, s.calls, "BackfillCounts", func() (crm.BackfillCounts, error) { return s.Store.BackfillCounts(ctx, id, source) })
}

func (s storeRoom) EndBackfill(ctx context.Context, in crm.EndBackfillInput) error {
	return s.tell(ctx, "EndBackfill", func() error { return s.Store.EndBackfill(ctx, in) })
}

func (s storeRoom) Schedule(ctx context.Context, source string) (crm.ScheduleRow, error) {
	return ask(ctx, s.calls, "Schedule", func() (crm.ScheduleRow, error) { return s.Store.Schedule(ctx, source) })
}

func (s storeRoom) SaveSchedule(ctx context.Context, in crm.Schedule) error {
	return s.tell(ctx, "SaveSchedule", func() error { return s.Store.SaveSchedule(ctx, in) })
}

func (s storeRoom) EndScheduled(ctx context.Context, in crm.EndScheduledInput) (crm.ScheduleRow, error) {
	return ask(ctx, s.calls, "EndScheduled", func() (crm.ScheduleRow, error) { return s.Store.EndScheduled(ctx, in) })
}
