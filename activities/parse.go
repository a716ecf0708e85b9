package activities

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"sluice/internal/crm"
	"sluice/internal/mapping"
)

// Parse reads the next rows of a file, maps them to records, and stages the
// records in batches, in address order. Beside each batch lie its rejected rows,
// and the rows it accepted with warnings.
//
// It reads the staged file from in.From and leaves at most in.Batches batches.
// It is bounded, so a lost worker costs one group and no more; its keys carry
// the attempt, so a repeated attempt never touches what another one staged
// (invariant 3), and the same input gives the same batches (invariant 6).
// Rejected rows are data and end nothing; a damaged stage is retried.
func (a *Activities) Parse(ctx context.Context, in crm.ParseInput) (crm.Parsed, error) {
	imp, err := a.Store.Opening(ctx, in.Import.Number)
	if err != nil {
		return crm.Parsed{}, err
	}
	_, p, err := a.planned(ctx, in.Import, in.File.Number)
	if err != nil {
		return crm.Parsed{}, err
	}
	mapper, err := p.Mapping.Mapper()
	if err != nil {
		return crm.Parsed{}, err
	}
	rows, err := a.rows(ctx, in.File, &p, in.From)
	if err != nil {
		return crm.Parsed{}, err
	}
	defer rows.Close()
	texts, _ := batchTexts.Get().(*batchText)
	if texts == nil {
		texts = new(batchText)
	}
	defer batchTexts.Put(texts)
	g := &grouping{a: a, in: in, imp: imp, rows: rows, header: p.Layout.Header, mapper: mapper, attempt: attempt(ctx), batchText: texts}
	return g.run(ctx)
}

// grouping is one call of Parse.
type grouping struct {
	a       *Activities
	in      crm.ParseInput
	imp     crm.ImportRow
	rows    *reading
	header  []string // of the rows' own columns
	mapper  *mapping.Mapper
	attempt string

	*batchText
	row      crm.Row
	mapped   mapping.Mapped
	counts   [3]int
	identity []string
	out      crm.Parsed
}

// batchText is the batch at hand, as it will be staged: some 20 MB that one
// group leaves to the next.
type batchText struct {
	parts   [3][]byte
	keys    crm.BatchKeys
	encoded []byte // of keys
	rejects []byte
	warned  []byte
}

var batchTexts sync.Pool // of *batchText

func (g *grouping) run(ctx context.Context) (crm.Parsed, error) {
	g.out.Rejects = crm.Reasons{}
	g.out.Next = g.in.From
	for len(g.out.Batches) < g.in.Batches && !g.out.Done {
		if err := g.batch(ctx, g.in.Batch+len(g.out.Batches)); err != nil {
			return crm.Parsed{}, err
		}
	}
	return g.out, ctx.Err()
}

// batch fills and stages one batch. The blank rows before a batch's end belong
// to it; those at the end of a file that fills no other batch belong to none
// and are counted with the group.
func (g *grouping) batch(ctx context.Context, number int) error {
	from, blank := g.out.Next, g.rows.Blank()
	b := crm.Batch{Number: number, File: g.in.File.Number, From: from}
	g.reset()
	for b.Counts.Read < int64(g.in.Rows) && g.rows.Position().Offset-from.Offset < g.in.Bytes {
		err := g.rows.Read(&g.row)
		if errors.Is(err, io.EOF) {
			g.out.Done = true
			break
		}
		if err != nil {
			return err
		}
		if b.Counts.Read == 0 {
			b.First = g.row.Line
		}
		b.Last = g.row.Line
		b.Counts.Read++
		if err := g.take(&b); err != nil {
			return err
		}
	}
	g.out.Next = g.rows.Position()
	b.Counts.Blank = g.rows.Blank() - blank
	g.out.Counts.Add(crm.Counts{Read: b.Counts.Read, Blank: b.Counts.Blank, Rejected: b.Counts.Rejected, Warnings: b.Counts.Warnings})
	if b.Counts.Read == 0 && b.Counts.Blank == 0 {
		return nil
	}
	if err := g.stage(ctx, &b); err != nil {
		return err
	}
	g.out.Batches = append(g.out.Batches, b)
	return ctx.Err()
}

func (g *grouping) reset() {
	for e := range g.parts {
		g.parts[e] = g.parts[e][:0]
	}
	g.counts = [3]int{}
	g.keys.Reset()
	g.rejects, g.warned = g.rejects[:0], g.warned[:0]
}

// take maps the row at hand and adds it to the batch, as records or as a
// rejected row.
func (g *grouping) take(b *crm.Batch) error {
	if address := g.rows.address; !address.Fits() {
		return fmt.Errorf("line %d: %w: a file may have %d lines; split it", address.Line(), crm.ErrInvalid, int64(1)<<32)
	}
	if g.row.Fault != "" {
		g.reject(b, unreadable(&g.row, g.header))
		return nil
	}
	g.mapper.Map(&g.row, &g.mapped)
	if len(g.mapped.Faults) > 0 {
		g.reject(b, g.mapped.Faults)
		return nil
	}
	g.add()
	if len(g.mapped.Warnings) > 0 {
		b.Counts.Warnings += int64(len(g.mapped.Warnings))
		g.warned = g.list(g.warned, g.mapped.Warnings)
	}
	return nil
}

func (g *grouping) reject(b *crm.Batch, faults []crm.Rejection) {
	b.Counts.Rejected++
	for _, f := range faults {
		g.out.Rejects[f.Reason]++
	}
	g.rejects = g.list(g.rejects, faults)
}

// list adds the row at hand to a list, with what is to be said of it.
func (g *grouping) list(to []byte, faults []crm.Rejection) []byte {
	row := crm.RejectedRow{File: g.rows.address.File(), Line: g.rows.address.Line(), Faults: faults, Cells: g.row.Cells}
	line, _ := json.Marshal(row) // it holds nothing that JSON does not
	return append(append(to, line...), '\n')
}

// add appends the records of the row at hand to the batch's parts.
func (g *grouping) add() {
	var made [3]crm.Key
	var keys [3]*crm.Key
	for _, e := range crm.Entities {
		values := g.mapped.Records[e]
		if values == nil {
			continue
		}
		of := append(g.identity[:0], g.mapped.CustomerKey)
		of = crm.AppendIdentity(of, e, values)
		g.identity = of
		if e == crm.Customer {
			of = of[:1] // the external id is all of it
		}
		made[e] = crm.ClaimKey(g.imp.Secret, e, of...)
		keys[e] = &made[e]
		g.parts[e] = crm.AppendRecord(g.parts[e], g.imp.StartedAt, e, g.rows.address, g.mapped.CustomerKey, of[1:], values)
		g.counts[e]++
	}
	g.keys.AddRow(keys)
}

// stage puts what the batch holds into the stage.
func (g *grouping) stage(ctx context.Context, b *crm.Batch) (err error) {
	prefix := batchKey(g.in.Import.ID, g.attempt, b.Number)
	for _, e := range crm.Entities {
		if g.counts[e] == 0 {
			continue
		}
		p := b.Part(e)
		p.Records, p.Bytes = g.counts[e], len(g.parts[e])
		if p.Object, err = g.a.Stage.PutCompressed(ctx, prefix+"/"+e.Plural()+".zst", bytes.NewReader(g.parts[e])); err != nil {
			return err
		}
	}
	if len(g.keys.Rows) > 0 {
		g.encoded = g.keys.Append(g.encoded[:0])
		if b.Keys, err = g.a.Stage.Put(ctx, prefix+"/keys", bytes.NewReader(g.encoded)); err != nil {
			return err
		}
	}
	if len(g.rejects) > 0 {
		if b.Rejects, err = g.a.Stage.PutCompressed(ctx, prefix+"/rejects.zst", bytes.NewReader(g.rejects)); err != nil {
			return err
		}
	}
	if len(g.warned) > 0 {
		b.Warned, err = g.a.Stage.PutCompressed(ctx, prefix+"/warned.zst", bytes.NewReader(g.warned))
	}
	return err
}
