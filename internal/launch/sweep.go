package launch

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"

	"sluice/internal/crm"
)

// sweptStore is the part of the store that sweeping needs.
type sweptStore interface {
	ImportsAfter(ctx context.Context, number int64) iter.Seq2[crm.ImportRow, error]
	MarkSwept(ctx context.Context, number int64, w crm.Swept) error
}

// sweptStage is the part of the stage that sweeping needs.
type sweptStage interface {
	List(ctx context.Context, prefix string) iter.Seq2[crm.Listed, error]
	Unfinished(ctx context.Context) iter.Seq2[crm.Listed, error]
	Remove(ctx context.Context, l crm.Listed) (removed bool, err error)
}

// Sweeping says what a sweep is to do.
type Sweeping struct {
	// Keep is for how long the stage keeps what an import left, counted from
	// the import's end; 0 is for ever.
	Keep time.Duration

	DryRun bool      // remove nothing, and say what would go
	Now    time.Time // zero means now
}

// Sweepings are what a sweep removed, or would remove.
type Sweepings struct {
	DryRun bool `json:"dry_run,omitempty"`

	Imports    int    `json:"imports"`    // of which something goes
	Batches    Amount `json:"batches"`    // batches, keys and verdicts of imports
	Lists      Amount `json:"lists"`      // lists, mappings and rewritten files of imports
	Files      Amount `json:"files"`      // source files, mapping files and addresses, as they came
	Unfinished Amount `json:"unfinished"` // what writers left that were killed
}

// All adds the kinds up.
func (s *Sweepings) All() Amount {
	var all Amount
	for _, a := range []Amount{s.Batches, s.Lists, s.Files, s.Unfinished} {
		all.Objects += a.Objects
		all.Bytes += a.Bytes
	}
	return all
}

// An Amount is a number of objects in the stage, and what they take.
type Amount struct {
	Objects int   `json:"objects"`
	Bytes   int64 `json:"bytes"`
}

// abandonedAfter is how long a writer may be silent before what it left is
// taken to be abandoned.
const abandonedAfter = 24 * time.Hour

// Sweep removes from the stage what nobody needs any more, and says what:
//
//   - batches, keys and verdicts of an import that ended longer ago than Keep;
//   - its lists, its mapping, its rewritten files and its source files as well,
//     unless they are of use to an import that is open or younger than that:
//     one of the same file, or a retry;
//   - files that no import ever named and that are older than Keep;
//   - what writers left that were killed more than a day ago.
//
// What an open import refers to stays, also of one that is opened meanwhile.
// So does every object that is younger than Keep itself.
//
// It is idempotent, ends at once with its context, and may be repeated after
// any error: what it returns then is what it came to.
func Sweep(ctx context.Context, s sweptStore, g sweptStage, o Sweeping) (Sweepings, error) {
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	w := &sweep{store: s, stage: g, o: o, needs: needs{before: o.Now.Add(-o.Keep), imports: map[string]*kept{}, files: map[string]bool{}}}
	w.out.DryRun = o.DryRun
	if err := w.unfinished(ctx); err != nil || o.Keep == 0 {
		return w.out, err
	}
	if err := w.imports(ctx); err != nil {
		return w.out, err
	}
	for _, prefix := range []string{"files", "mappings", "addresses"} {
		if err := w.files(ctx, prefix); err != nil {
			return w.out, err
		}
	}
	return w.out, nil
}

// sweep is one call of Sweep.
type sweep struct {
	store sweptStore
	stage sweptStage
	o     Sweeping
	needs needs
	out   Sweepings
}

// needs is what imports need of the stage.
type needs struct {
	before  time.Time // an import that ended before needs nothing for itself
	last    int64     // number of the last import looked at
	imports map[string]*kept
	files   map[string]bool // keys of source files and mapping files that are needed
}

// kept is what is known of one import.
type kept struct {
	number int64
	parent string
	own    []string // keys of its source files and its mapping file
	whole  bool     // it is open or young: nothing of it goes
	lists  bool     // its lists and files stay: a retry goes by them
}

// refresh looks at the imports that were opened since it looked last. Those it
// knows cannot come to need more: an import that has ended stays so.
func (n *needs) refresh(ctx context.Context, s sweptStore) error {
	for row, err := range s.ImportsAfter(ctx, n.last) {
		if err != nil {
			return err
		}
		n.add(row)
	}
	return nil
}

func (n *needs) add(row crm.ImportRow) {
	k := &kept{number: row.Number, parent: row.Request.Parent}
	for _, f := range row.Request.Files {
		k.own = append(k.own, f.Object.Key, f.Address.Key)
	}
	if !row.Request.Mapping.IsZero() {
		k.own = append(k.own, row.Request.Mapping.Key)
	}
	ended := row.EndedAt
	if ended.IsZero() {
		ended = row.StartedAt
	}
	k.whole = row.State.Open() || !ended.Before(n.before)
	n.imports[row.ID], n.last = k, row.Number
	if !k.whole {
		return
	}
	for at := k; at != nil && !at.lists; at = n.imports[at.parent] {
		at.lists = true
		for _, key := range at.own {
			n.files[key] = true
		}
	}
}

// unfinished removes what is left of writers that were killed.
func (w *sweep) unfinished(ctx context.Context) error {
	for l, err := range w.stage.Unfinished(ctx) {
		if err == nil && l.At.Before(w.o.Now.Add(-abandonedAfter)) {
			err = w.remove(ctx, l, &w.out.Unfinished)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// imports goes through what imports left, one import after the other.
func (w *sweep) imports(ctx context.Context) error {
	id := ""
	var found []crm.Listed
	for l, err := range w.stage.List(ctx, "imports") {
		if err != nil {
			return err
		}
		of, _, _ := strings.Cut(strings.TrimPrefix(l.Key, "imports/"), "/")
		if of != id {
			if err := w.importOf(ctx, id, found); err != nil {
				return err
			}
			id, found = of, found[:0]
		}
		if l.At.Before(w.needs.before) {
			found = append(found, l)
		}
	}
	return w.importOf(ctx, id, found)
}

// importOf removes what may go of one import, of which old objects were found.
// One that the store does not know was refused before it began, or is not
// opened yet.
func (w *sweep) importOf(ctx context.Context, id string, found []crm.Listed) error {
	if len(found) == 0 {
		return nil
	}
	if err := w.needs.refresh(ctx, w.store); err != nil {
		return err
	}
	k := w.needs.imports[id]
	if k == nil {
		k = &kept{}
	}
	if k.whole {
		return nil
	}
	var batches, lists []crm.Listed
	for _, l := range found {
		switch part, _, _ := strings.Cut(strings.TrimPrefix(l.Key, "imports/"+id+"/"), "/"); {
		case part == "batches" || part == "verdicts":
			batches = append(batches, l)
		case !k.lists:
			lists = append(lists, l)
		}
	}
	if len(batches)+len(lists) == 0 {
		return nil
	}
	w.out.Imports++
	if err := w.mark(ctx, k.number, len(batches) > 0, len(lists) > 0); err != nil {
		return err
	}
	for _, l := range batches {
		if err := w.remove(ctx, l, &w.out.Batches); err != nil {
			return err
		}
	}
	for _, l := range lists {
		if err := w.remove(ctx, l, &w.out.Lists); err != nil {
			return err
		}
	}
	return nil
}

// mark notes what goes before it goes, so that whoever misses it finds out why.
func (w *sweep) mark(ctx context.Context, number int64, batches, lists bool) error {
	if w.o.DryRun || number == 0 {
		return nil
	}
	var at crm.Swept
	if batches {
		at.Batches = w.o.Now.UTC().Truncate(time.Millisecond)
	}
	if lists {
		at.Lists = w.o.Now.UTC().Truncate(time.Millisecond)
	}
	return w.store.MarkSwept(ctx, number, at)
}

// files goes through the files that imports are made from.
func (w *sweep) files(ctx context.Context, prefix string) error {
	for l, err := range w.stage.List(ctx, prefix) {
		if err != nil {
			return err
		}
		if !l.At.Before(w.needs.before) {
			continue
		}
		if err := w.needs.refresh(ctx, w.store); err != nil {
			return err
		}
		if w.needs.files[l.Key] {
			continue
		}
		if err := w.remove(ctx, l, &w.out.Files); err != nil {
			return err
		}
	}
	return nil
}

func (w *sweep) remove(ctx context.Context, l crm.Listed, sum *Amount) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !w.o.DryRun {
		removed, err := w.stage.Remove(ctx, l)
		if err != nil || !removed {
			return err
		}
	}
	sum.Objects++
	sum.Bytes += l.Size
	return nil
}

// A SweptError says that what a command needs of an import was removed from the
// stage, and when. It wraps [crm.ErrNotFound].
type SweptError struct {
	Number int64
	Source string
	What   string // "batches" or "lists"
	At     time.Time
	Kept   time.Duration // as it is set now; 0 is for ever
}

func (e *SweptError) Error() string {
	text := fmt.Sprintf("the %s of import %d of %s were removed on %s", e.What, e.Number, e.Source, e.At.Format(time.DateOnly))
	if e.Kept > 0 {
		text += fmt.Sprintf(" (kept for %s: SLUICE_KEEP)", Days(e.Kept))
	}
	return text
}

// Unwrap makes a SweptError say that something is not there.
func (e *SweptError) Unwrap() error { return crm.ErrNotFound }

// Days says a duration as people do: in days where it is whole days.
func Days(d time.Duration) string {
	n := d / (24 * time.Hour)
	switch {
	case d%(24*time.Hour) != 0:
		return d.String()
	case n == 1:
		return "1 day"
	}
	return fmt.Sprintf("%d days", n)
}
