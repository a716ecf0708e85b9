package workflows

import (
	"fmt"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"sluice/internal/crm"
)

// judged is what travels from Dedupe to Write.
type judged struct {
	batch   crm.Batch
	verdict crm.Verdict
}

// pipeline takes the rest of one file through Parse, Dedupe and Write:
//
//	parse ──groups──▶ dedupe ──batches──▶ write
//	  1                 1                  Writers
//
// Groups are parsed and judged one after the other, in address order; batches
// are written several at a time, in any order. The channels are short, so what
// is staged ahead of Write stays bounded: parsing waits for writing.
//
// It returns when every batch that was parsed is written: at the end of the
// file, or with m.continuing set when this run has enough history. The first
// step that fails for good stops the others, and is what pipeline returns.
func (m *importing) pipeline(ctx workflow.Context) error {
	m.phase(ctx, phaseWrite)
	ctx, stop := workflow.WithCancel(ctx)
	defer stop()
	var first error
	fail := func(err error) {
		if err != nil && first == nil {
			first = err
			stop()
		}
	}
	groups := workflow.NewBufferedChannel(ctx, 1)
	batches := workflow.NewBufferedChannel(ctx, m.tuning.Writers)
	wg := workflow.NewWaitGroup(ctx)
	start := func(name string, do func(workflow.Context) error) {
		wg.Add(1)
		workflow.GoNamed(ctx, name, func(ctx workflow.Context) {
			defer wg.Done()
			fail(do(ctx))
		})
	}
	start("parse", func(ctx workflow.Context) error {
		defer groups.Close()
		return m.parse(ctx, groups)
	})
	start("dedupe", func(ctx workflow.Context) error {
		defer batches.Close()
		return m.dedupe(ctx, groups, batches)
	})
	for i := range m.tuning.Writers {
		start(fmt.Sprintf("write-%d", i), func(ctx workflow.Context) error { return m.write(ctx, batches) })
	}
	wg.Wait(ctx)
	return first
}

// parse stages the file group by group until it ends or the run is full.
func (m *importing) parse(ctx workflow.Context, groups workflow.Channel) error {
	for {
		if err := m.gate(ctx); err != nil {
			return err
		}
		in := crm.ParseInput{Import: m.at.Import, File: *m.at.File, From: m.at.At, Batch: m.at.Batch,
			Batches: m.group(), Rows: m.tuning.BatchRows, Bytes: m.tuning.BatchBytes}
		p, err := run(ctx, crm.Parse, m.tuning, fmt.Sprintf("%s from line %d", m.place(), in.From.Line), in)
		if err != nil {
			return err
		}
		m.groups++
		m.at.Batch += len(p.Batches)
		m.at.At = p.Next
		m.parsed(ctx, p, p.Next.Offset-in.From.Offset)
		if err := m.brake(ctx); err != nil {
			return err
		}
		if len(p.Batches) > 0 {
			if err := send(ctx, groups, p.Batches); err != nil {
				return err
			}
		}
		if p.Done {
			return ctx.Err()
		}
		if m.full(ctx) {
			m.continuing = true
			return ctx.Err()
		}
	}
}

// group says how many batches to parse at once. Nothing is written before the
// first group is parsed, so an import begins with as many as can be written and
// doubles what there is until its groups are full.
func (m *importing) group() int {
	return min(m.tuning.Group, max(m.tuning.Writers, m.at.Batch))
}

// dedupe judges groups in the order in which they were parsed: each verdict
// rests on the claims that the one before left.
func (m *importing) dedupe(ctx workflow.Context, groups, batches workflow.Channel) error {
	for {
		var group []crm.Batch
		if !groups.Receive(ctx, &group) {
			return ctx.Err()
		}
		if err := m.gate(ctx); err != nil {
			return err
		}
		first, last := group[0], group[len(group)-1]
		judge := make([]crm.ToJudge, len(group))
		for i, b := range group {
			judge[i] = crm.ToJudge{Number: b.Number, Keys: b.Keys}
		}
		d, err := run(ctx, crm.Dedupe, m.tuning,
			fmt.Sprintf("batches %d-%d", first.Number, last.Number),
			crm.DedupeInput{Import: m.at.Import, Batches: judge, Claims: m.at.Claims})
		if err != nil {
			return err
		}
		m.at.Claims = d.Claims
		m.deduped(ctx, group)
		for i, b := range group {
			if err := send(ctx, batches, judged{b, d.Verdicts[i]}); err != nil {
				return err
			}
		}
	}
}

// write writes batches as they come; several of it run at the same time.
func (m *importing) write(ctx workflow.Context, batches workflow.Channel) error {
	for {
		var j judged
		if !batches.Receive(ctx, &j) {
			return ctx.Err()
		}
		if err := m.gate(ctx); err != nil {
			return err
		}
		if err := m.writeOrPark(ctx, j); err != nil {
			return err
		}
	}
}

// writeOrPark writes a batch. One whose staged objects are lost is parsed again
// first; one that cannot be written is parked, and its siblings go on.
func (m *importing) writeOrPark(ctx workflow.Context, j judged) error {
	w, err := m.writeBatch(ctx, j)
	if err != nil && failureOf(err).Type == crm.FailNotFound {
		var again crm.Batch
		if again, err = m.remake(ctx, j.batch, err); err == nil {
			j.batch = again
			w, err = m.writeBatch(ctx, j)
		}
	}
	if err != nil {
		return m.park(ctx, j, err)
	}
	m.wrote(ctx, w.Counts)
	return nil
}

func (m *importing) writeBatch(ctx workflow.Context, j judged) (crm.Written, error) {
	return run(ctx, crm.Write, m.tuning,
		fmt.Sprintf("batch %d, lines %d-%d", j.batch.Number, j.batch.First, j.batch.Last),
		crm.WriteInput{Import: m.at.Import, Batch: j.batch, Verdict: j.verdict})
}

// remake parses a batch again whose staged objects are missing or damaged. The
// file and the plan are what they were, so the batch is too (invariant 6), and
// the verdict on it holds. Of a file that is behind the import nothing is made
// again: lost is returned.
func (m *importing) remake(ctx workflow.Context, b crm.Batch, lost error) (crm.Batch, error) {
	if m.at.File == nil || m.at.File.Number != b.File {
		return b, lost // it was parked, and its file is behind us
	}
	p, err := run(ctx, crm.Parse, m.tuning, fmt.Sprintf("batch %d again", b.Number), crm.ParseInput{
		Import: m.at.Import, File: *m.at.File, From: b.From, Batch: b.Number,
		Batches: 1, Rows: m.tuning.BatchRows, Bytes: m.tuning.BatchBytes})
	if err != nil {
		return b, err
	}
	if len(p.Batches) != 1 || p.Batches[0].Counts != b.Counts {
		return b, temporal.NewNonRetryableApplicationError(
			fmt.Sprintf("batch %d is another one when it is parsed again", b.Number), string(crm.FailSourceChanged), nil)
	}
	return p.Batches[0], nil
}

// send sends until the context is cancelled. A channel's own Send does not look
// at the context: once the receiver has stopped it would block for ever.
func send(ctx workflow.Context, to workflow.Channel, v any) error {
	workflow.NewSelector(ctx).AddSend(to, v, func() {}).
		AddReceive(ctx.Done(), func(workflow.ReceiveChannel, bool) {}).Select(ctx)
	return ctx.Err()
}

// place names the file at hand for summaries: its number among the files, not
// its name, which may say more than an operator's screen should.
func (m *importing) place() string {
	if m.request.Paged() {
		return fmt.Sprintf("segment %d", m.at.FileNumber+1)
	}
	return fmt.Sprintf("file %d of %d", m.at.FileNumber+1, len(m.request.Files))
}
