package activities

import (
	"bytes"
	"context"
	"fmt"
	"sync"

	"sluice/internal/crm"
)

// Settle writes the leftovers of an import, in address order: records that
// lost to one that was rejected afterwards, and contacts and notes whose
// customer had not landed when their batch was written. Only now are these
// rejected if their customer is not there.
//
// Leftovers that keep failing end it as [crm.FailBatchParked], unless it is told
// to give those up.
//
// It reads the ledger and the batches, and leaves batches of its own, which go
// through the same transaction as any other. That transaction also marks the
// records as moved where they come from, so a second run, or a run after a
// crash in the middle, finds only what is left (invariant 3).
func (a *Activities) Settle(ctx context.Context, in crm.SettleInput) (crm.Settled, error) {
	s := &settling{a: a, in: in, next: in.Batch, rejected: map[crm.Key]bool{}, settled: map[crm.Key]crm.Outcome{}}
	found, err := s.survey(ctx)
	if err != nil || !found {
		return s.out, err
	}
	s.chunk = newChunk()
	ctx, stop := context.WithCancel(ctx)
	defer s.reading.Wait()
	defer stop()
	var last *surveyed
	for row, err := range a.Store.Ledger(ctx, in.Import.Number, 0) {
		if err != nil {
			return crm.Settled{}, err
		}
		if row.Settles {
			continue
		}
		next := s.open(ctx, row)
		if err := s.batch(ctx, last); err != nil {
			return crm.Settled{}, err
		}
		last = next
	}
	if err := s.batch(ctx, last); err != nil {
		return crm.Settled{}, err
	}
	return s.out, s.flush(ctx)
}

// settling is one call of Settle. A record that lost comes after its winner in
// address order, so one pass over the ledger sees what became of every winner
// before it meets the losers.
type settling struct {
	a        *Activities
	in       crm.SettleInput
	next     int                     // number of the next batch of leftovers
	rejected map[crm.Key]bool        // keys nobody holds: their winner was rejected
	settled  map[crm.Key]crm.Outcome // what earlier attempts made of the records they moved
	chunk    *chunk
	reading  sync.WaitGroup // of lines, ahead of their batch's turn
	out      crm.Settled
}

// survey finds out whether there is anything to settle, and what an attempt
// before this one has settled already.
func (s *settling) survey(ctx context.Context) (found bool, err error) {
	for row, err := range s.a.Store.Ledger(ctx, s.in.Import.Number, 0) {
		if err != nil {
			return false, err
		}
		if !row.Settles {
			found = found || held(&row) || rejectedByWrite(&row)
			continue
		}
		s.next = max(s.next, row.Batch.Number+1)
		s.out.Batches++
		s.out.Counts.Add(row.Counts)
		keys, err := s.a.batchKeys(ctx, row.Batch.Keys)
		if err != nil {
			return false, err
		}
		for e := range keys.Of {
			for i, k := range keys.Of[e] {
				s.settled[k] = row.Outcomes[e][i]
			}
		}
	}
	return found, nil
}

func held(r *crm.LedgerRow) bool {
	return r.Counts.Customers.Waiting+r.Counts.Contacts.Waiting+r.Counts.Notes.Waiting > 0
}

func rejectedByWrite(r *crm.LedgerRow) bool { return r.Counts.Rejected > r.Batch.Counts.Rejected }

func duplicates(r *crm.LedgerRow) bool {
	return r.Counts.Customers.Duplicate+r.Counts.Contacts.Duplicate+r.Counts.Notes.Duplicate > 0
}

// A surveyed batch is one of the ledger. The lines of one that holds leftovers
// are read on other processors, while the batch before it is looked through.
type surveyed struct {
	row  crm.LedgerRow
	text batchLines
}

func (s *settling) open(ctx context.Context, r crm.LedgerRow) *surveyed {
	b := &surveyed{row: r}
	for _, e := range crm.Entities {
		p := b.row.Batch.Part(e)
		read := sync.OnceValues(func() ([][]byte, error) { return s.a.partLines(ctx, p) })
		b.text[e] = read
		if held(&r) && p.Records > 0 {
			s.reading.Go(func() { _, _ = read() }) // whoever asks for a line has the error too
		}
	}
	return b
}

// batch looks through the rows of one batch; nil has none.
func (s *settling) batch(ctx context.Context, b *surveyed) error {
	if b == nil {
		return nil
	}
	r := &b.row
	mayFollow := duplicates(r) && len(s.rejected)+len(s.chunk.pending) > 0
	if !held(r) && !rejectedByWrite(r) && !mayFollow {
		return ctx.Err()
	}
	keys, err := s.a.batchKeys(ctx, r.Batch.Keys)
	if err != nil {
		return err
	}
	var at [3]int
	for _, has := range keys.Rows {
		row := leftover{batch: r.Batch.Number, file: r.Batch.File, text: &b.text, skipped: r.Skipped != ""}
		for e := range at {
			row.at[e] = -1
			if has&(1<<e) != 0 {
				row.at[e] = at[e]
				row.keys[e], row.outcomes[e] = keys.Of[e][at[e]], r.Outcomes[e][at[e]]
				at[e]++
			}
		}
		if err := s.row(ctx, &row); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// batchLines are the lines of a batch's records by entity, read when they are
// first asked for.
type batchLines [3]func() ([][]byte, error)

// line returns the line of the i-th record of entity e.
func (l *batchLines) line(e crm.Entity, i int) ([]byte, error) {
	lines, err := l[e]()
	if err != nil {
		return nil, err
	}
	return lines[i], nil
}

// partLines reads one part of a batch whole.
func (a *Activities) partLines(ctx context.Context, p *crm.Part) ([][]byte, error) {
	r, err := a.Stage.ReadCompressed(ctx, p.Object)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	text := bytes.NewBuffer(make([]byte, 0, p.Bytes+bytes.MinRead))
	if _, err := text.ReadFrom(r); err != nil {
		return nil, err
	}
	lines := make([][]byte, 0, p.Records)
	for line := range bytes.Lines(text.Bytes()) {
		lines = append(lines, line)
	}
	if len(lines) != p.Records {
		return nil, fmt.Errorf("stage object %s: %w: it has %d records and not %d", p.Object.Key, crm.ErrNotFound, len(lines), p.Records)
	}
	return lines, nil
}

// leftover is a row that may have to be judged anew. at holds the place of
// each record in its batch's parts; -1 where the row has none.
type leftover struct {
	batch    int
	file     int // of the batch
	at       [3]int
	keys     [3]crm.Key
	outcomes [3]crm.Outcome
	text     *batchLines
	skipped  bool // its batch is
}

// row decides about one row: whether it frees keys for those who lost to it,
// and whether it is a leftover itself.
func (s *settling) row(ctx context.Context, r *leftover) error {
	if s.known(r) {
		return nil
	}
	if s.follows(r) { // a record lost to one that this chunk decides about
		if err := s.flush(ctx); err != nil {
			return err
		}
	}
	var preset [3]crm.Outcome
	found := false
	for e := range r.at {
		preset[e] = r.outcomes[e]
		if r.at[e] < 0 {
			continue
		}
		if r.outcomes[e] == crm.Held {
			preset[e], found = crm.ToWrite, true
		}
		if s.rejected[r.keys[e]] && r.outcomes[e] == crm.Duplicate {
			preset[e], found = crm.ToWrite, true
		}
	}
	if !found {
		return nil
	}
	if err := s.chunk.add(r, preset); err != nil {
		return err
	}
	if s.chunk.rows >= int64(s.in.Rows) {
		return s.flush(ctx)
	}
	return nil
}

// known takes note of a row whose fate is sealed: rejected by Write, or settled
// by an earlier attempt.
func (s *settling) known(r *leftover) bool {
	moved, rejected := false, false
	for e := range r.at {
		if r.at[e] >= 0 {
			moved = moved || r.outcomes[e] == crm.Moved
			rejected = rejected || r.outcomes[e].Reason() != ""
		}
	}
	for e := range r.at {
		if r.at[e] < 0 || r.outcomes[e] == crm.Duplicate {
			continue
		}
		switch {
		case moved && r.outcomes[e] == crm.Moved:
			s.note(r.keys[e], s.settled[r.keys[e]])
		case rejected:
			s.note(r.keys[e], r.outcomes[e])
		}
	}
	return moved || rejected || r.skipped // a row of nothing but duplicates counts as rejected there
}

// note says what became of the record that holds a key.
func (s *settling) note(k crm.Key, o crm.Outcome) {
	if o.Landed() {
		delete(s.rejected, k)
		return
	}
	if o != crm.Duplicate {
		s.rejected[k] = true
	}
}

// follows reports whether a record of the row lost to one of the chunk.
func (s *settling) follows(r *leftover) bool {
	for e := range r.at {
		if r.at[e] >= 0 && r.outcomes[e] == crm.Duplicate && s.chunk.pending[r.keys[e]] {
			return true
		}
	}
	return false
}

// flush writes the chunk and takes note of what became of it.
func (s *settling) flush(ctx context.Context) error {
	c := s.chunk
	if c.rows == 0 {
		return ctx.Err()
	}
	b, verdict, err := s.stage(ctx, c)
	if err != nil {
		return err
	}
	w := crm.WriteBatch{Import: s.in.Import.Number, Batch: b, Verdict: verdict, Preset: c.keys.Outcomes,
		Settles: &crm.Settles{Before: c.before(), Moved: c.moved}, Impatient: s.in.Skip}
	counts, err := s.a.Store.Write(ctx, w, s.a.partOpener(&b))
	if s.in.Skip && crm.TypeOf(err) == crm.FailBatchParked {
		w.Preset = c.keys.Outcomes.Skip()
		counts, err = s.a.Store.Write(ctx, w, s.a.partOpener(&b))
	}
	if err != nil {
		return err
	}
	s.out.Counts.Add(counts)
	s.out.Batches++
	for row, err := range s.a.Store.Ledger(ctx, s.in.Import.Number, b.Number) {
		if err != nil {
			return err
		}
		for e := range c.keys.Of {
			for i, k := range c.keys.Of[e] {
				s.note(k, row.Outcomes[e][i])
			}
		}
		break
	}
	s.next++
	s.chunk = newChunk()
	return nil
}

// stage puts the chunk into the stage as a batch like any other.
func (s *settling) stage(ctx context.Context, c *chunk) (b crm.Batch, verdict crm.Object, err error) {
	b = crm.Batch{Number: s.next, File: c.file, First: c.first.Line(), Last: c.last.Line(), Counts: crm.RowTally{Read: c.rows}}
	prefix := batchKey(s.in.Import.ID, attempt(ctx), s.next)
	for _, e := range crm.Entities {
		if len(c.keys.Of[e]) == 0 {
			continue
		}
		p := b.Part(e)
		p.Records, p.Bytes = len(c.keys.Of[e]), c.lines[e].Len()
		if p.Object, err = s.a.Stage.PutCompressed(ctx, prefix+"/"+e.Plural()+".zst", &c.lines[e]); err != nil {
			return b, verdict, err
		}
	}
	if b.Keys, err = s.a.Stage.Put(ctx, prefix+"/keys", bytes.NewReader(c.keys.Encode())); err != nil {
		return b, verdict, err
	}
	v := crm.BatchVerdict{Keys: b.Keys, Outcomes: c.keys.Outcomes}
	verdict, err = s.a.Stage.PutCompressed(ctx, prefix+"/verdict.zst", bytes.NewReader(v.Encode()))
	return b, verdict, err
}

// chunk is a batch of leftovers in the making.
type chunk struct {
	rows        int64
	file        int // of the batch that its first row comes from
	first, last crm.Address
	lines       [3]bytes.Buffer
	addresses   [3][]crm.Address
	prior       crm.Outcomes  // what the records counted for where they come from
	keys        crm.BatchKeys // with the preset outcomes
	pending     map[crm.Key]bool
	moved       map[int][3][]int
}

func newChunk() *chunk {
	return &chunk{pending: map[crm.Key]bool{}, moved: map[int][3][]int{}}
}

func (c *chunk) add(r *leftover, preset [3]crm.Outcome) error {
	var keys [3]*crm.Key
	moved := c.moved[r.batch]
	for e := range r.at {
		if r.at[e] < 0 {
			continue
		}
		keys[e] = &r.keys[e]
		line, err := r.text.line(crm.Entity(e), r.at[e])
		if err != nil {
			return err
		}
		address := crm.CopyAddress(line)
		c.lines[e].Write(line)
		c.addresses[e] = append(c.addresses[e], address)
		c.prior[e] = append(c.prior[e], r.outcomes[e])
		c.keys.Outcomes[e] = append(c.keys.Outcomes[e], preset[e])
		if preset[e] != r.outcomes[e] {
			moved[e] = append(moved[e], r.at[e])
			c.pending[r.keys[e]] = true
		}
		if c.rows == 0 {
			c.file, c.first = r.file, address
		}
		c.last = address
	}
	c.moved[r.batch] = moved
	c.keys.AddRow(keys)
	c.rows++
	return nil
}

// before reckons what the chunk's rows counted for where they come from.
func (c *chunk) before() crm.Counts {
	return c.prior.Tally(crm.RowTally{Read: c.rows}, c.addresses)
}
