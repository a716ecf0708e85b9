package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"sluice/internal/crm"
)

// races is how often a batch is written anew because somebody else wrote one
// of its records in between.
const races = 5

// Write writes one batch and enters it in the ledger, in one transaction, and
// returns what became of its rows. A batch that is in the ledger already is
// not written again: Write answers the counts entered the first time
// (invariant 3), and is safe to call from several workers at once. After an
// error, too, the call may simply be made again: what was written is known
// from the ledger alone.
//
// Records match those in the tables by their keys, whatever Redis thought of
// them (invariant 5). A record that is as it should be is not touched; one
// that changes leaves a before-image. A contact or note whose customer is not
// there is [crm.Held], or rejected if the batch is one of leftovers. A record
// that the database refuses is found out and rejected; the others are written.
//
// The rules and the mode are those saved with the batch's file: see
// [Store.SaveFile]. Of a dry run only the ledger row is kept, which says what
// Write would say if it was none.
//
// A key that the file's match finds two customers for makes the records that
// bear it [crm.Ambiguous]. In a retry a record that would change, but changed
// since the parent, is [crm.ChangedSince].
//
// An import that has ended wraps [crm.ErrFenced]. A batch whose outcomes do
// not add up, or which meets a record that the same import wrote from another
// row, wraps [crm.ErrUnbalanced]; nothing of it is written. One that fails again
// and again, though the database is there and no record of its own is at fault,
// wraps [crm.ErrParked]. Any other error is passing. No error holds a value
// (invariant 4).
func (s *Store) Write(ctx context.Context, in crm.WriteBatch, open crm.PartOpener) (crm.Counts, error) {
	operation := fmt.Sprintf("write batch %d of import %d", in.Batch.Number, in.Import)
	preset, err := completePreset(&in)
	if err != nil {
		return crm.Counts{}, fmt.Errorf("%s: %w", operation, err)
	}
	for tries := 1; ; tries++ {
		counts, err := s.attempt(ctx, &attempt{s: s, in: &in, open: open, preset: preset, again: tries > 1})
		if err == nil {
			return counts, nil
		}
		f := faultOf(err)
		again := f != nil && f.race
		if f != nil && f.data {
			err = s.refuse(ctx, &in, open, preset, f)
			again = err == nil
		}
		if !again || tries == races {
			return crm.Counts{}, s.troubled(ctx, &in, wrap(operation, err), err)
		}
	}
}

// troubled counts a failure that does not go away by itself. Once it has come
// too often the error becomes [crm.ErrParked].
func (s *Store) troubled(ctx context.Context, in *crm.WriteBatch, said, why error) error {
	if waits(why) || crm.TypeOf(said) != "" {
		return said
	}
	tooOften, err := s.failed(ctx, in.Import, in.Batch.Number, said)
	if err == nil && (tooOften || in.Impatient) {
		return fmt.Errorf("%w: %w", crm.ErrParked, said)
	}
	return said
}

// completePreset returns a copy of the batch's verdict with a place for every
// record.
func completePreset(in *crm.WriteBatch) (crm.Outcomes, error) {
	var preset crm.Outcomes
	for _, e := range crm.Entities {
		records := in.Batch.Part(e).Records
		switch preset[e] = slices.Clone(in.Preset[e]); {
		case len(preset[e]) == records:
		case preset[e] == nil:
			preset[e] = slices.Repeat([]crm.Outcome{crm.ToWrite}, records)
		default:
			return preset, fmt.Errorf("%w: a verdict on %d %s, want %d", crm.ErrUnbalanced, len(preset[e]), e.Plural(), records)
		}
	}
	return preset, nil
}

// An attempt is one transaction that writes a batch.
type attempt struct {
	s      *Store
	tx     session
	in     *crm.WriteBatch
	open   crm.PartOpener
	preset crm.Outcomes // ToWrite, or what stands
	only   *[3][]bool   // if set, a trial: only these records are loaded, and nothing is kept
	again  bool         // this is not the first attempt
	keys   bool         // only what identifies the records is loaded, and not what could be refused

	to       target
	of       [3]*records
	outcomes crm.Outcomes
	filled   []string         // temporary tables
	texts    [3]*bytes.Buffer // that the records lie in
}

// errTrial rolls a trial back that went well.
var errTrial = errors.New("trial")

func (s *Store) attempt(ctx context.Context, a *attempt) (counts crm.Counts, err error) {
	for e := range a.preset {
		a.preset[e] = slices.Clone(a.preset[e])
	}
	defer func() {
		for e, t := range a.texts {
			if t != nil {
				texts[e].Put(t)
			}
		}
	}()
	err = s.inSession(ctx, func(tx session) error {
		a.tx = tx
		counts, err = a.run(ctx)
		return err
	})
	return counts, err
}

func (a *attempt) run(ctx context.Context) (crm.Counts, error) {
	if counts, there, err := a.enter(ctx); there || err != nil {
		return counts, err
	}
	if err := a.aim(ctx); err != nil {
		return crm.Counts{}, err
	}
	if err := a.readAll(ctx); err != nil {
		return crm.Counts{}, err
	}
	if err := a.checkDuplicates(ctx); err != nil {
		return crm.Counts{}, err
	}
	a.begin()
	if a.again {
		// What looked like somebody else's doing may be our own.
		if err := a.distinct(); err != nil {
			return crm.Counts{}, err
		}
	}
	if err := a.look(ctx); err != nil {
		return crm.Counts{}, err
	}
	counts, err := a.judge()
	if err != nil {
		return counts, err
	}
	if err := a.carryOut(ctx); err != nil {
		return counts, err
	}
	if a.only != nil {
		return counts, errTrial
	}
	// Invariant 1: a batch whose rows are not all accounted for is not in.
	if !counts.Balanced() {
		return counts, fmt.Errorf("%w: %d rows read, %d rejected, %d duplicate, %d accepted", crm.ErrUnbalanced,
			counts.Read, counts.Rejected, counts.Duplicate, counts.Accepted)
	}
	if a.in.Settles != nil {
		if err := a.move(ctx); err != nil {
			return counts, err
		}
		counts = counts.Minus(a.in.Settles.Before)
	}
	if err := a.close(ctx, counts); err != nil {
		return counts, err
	}
	return counts, a.clear(ctx)
}

// carryOut does what judge decided, or, in a dry run, what is left of it.
func (a *attempt) carryOut(ctx context.Context) error {
	if a.to.dry {
		return a.plan(ctx)
	}
	return a.apply(ctx)
}

// A target is what a batch's import says about writing it.
type target struct {
	source  int64
	started string // canonical
	by      string // who started the import
	dry     bool
	mode    crm.Mode
	rules   crm.Rules
	match   *matching // nil: by external id
	since   *since    // nil: it is no retry
	paged   bool      // a record may come in several files
}

// aim reads the import and keeps it from ending before this transaction has.
// Whoever ends it waits for us; once it has ended, we are fenced out.
func (a *attempt) aim(ctx context.Context) error {
	var row importRow
	err := a.tx.NewRaw("SELECT source_id, state, dry, parent, started_at, request FROM imports WHERE number = ?"+a.s.dialect.share(), a.in.Import).
		Scan(ctx, &row.SourceID, &row.State, &row.Dry, &row.Parent, &row.StartedAt, &row.Request)
	if err != nil {
		return err
	}
	if !row.State.Open() {
		return crm.ErrFenced
	}
	var file fileRow
	err = a.tx.NewSelect().Model(&file).Where("import_number = ?", a.in.Import).Where("file = ?", a.in.Batch.File).Scan(ctx)
	if err != nil {
		return err
	}
	var request crm.Request
	if err := json.Unmarshal([]byte(row.Request), &request); err != nil {
		return err
	}
	a.to = target{source: row.SourceID, started: timeText(row.StartedAt.Time), by: request.StartedBy, dry: row.Dry, mode: file.Mode, paged: request.Paged()}
	if a.to.match, err = matchingBy(file.MatchedBy); err != nil {
		return err
	}
	if a.to.since, err = sinceParent(ctx, a.tx, row.Parent); err != nil {
		return err
	}
	return json.Unmarshal([]byte(file.Rules), &a.to.rules)
}

// clear empties the temporary tables, which the connection's next batch uses.
func (a *attempt) clear(ctx context.Context) error {
	for _, table := range a.filled {
		if _, err := a.tx.ExecContext(ctx, "DELETE FROM "+table); err != nil {
			return err
		}
	}
	a.filled = nil
	return nil
}
