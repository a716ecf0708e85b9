package activities

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

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
	g := &grouping{a: a, in: in, imp: imp, rows: rows, header: p.Layout.Header, mapper: mapper, attempt: attempt(ctx)}
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

	row     crm.Row
	mapped  mapping.Mapped
	parts   [3]bytes.Buffer
	counts  [3]int
	keys    crm.BatchKeys
	rejects bytes.Buffer
	warned  bytes.Buffer
	values  []string
	line    []byte
	out     crm.Parsed
}

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
		g.parts[e].Reset()
	}
	g.counts, g.keys = [3]int{}, crm.BatchKeys{}
	g.rejects.Reset()
	g.warned.Reset()
}

// take maps the row at hand and adds it to the batch, as records or as a
// rejected row.
func (g *grouping) take(b *crm.Batch) error {
	if address := g.rows.address; !address.Fits() {
		return fmt.Errorf("line %d: %w: a file may have %d lines; split it", address.Line(), crm.ErrInvalid, int64(1)<<32)
	}
	if g.row.Fault != "" {
		return g.reject(b, unreadable(&g.row, g.header))
	}
	g.mapper.Map(&g.row, &g.mapped)
	if len(g.mapped.Faults) > 0 {
		return g.reject(b, g.mapped.Faults)
	}
	g.add()
	if len(g.mapped.Warnings) == 0 {
		return nil
	}
	b.Counts.Warnings += int64(len(g.mapped.Warnings))
	return g.list(&g.warned, g.mapped.Warnings)
}

func (g *grouping) reject(b *crm.Batch, faults []crm.Rejection) error {
	b.Counts.Rejected++
	for _, f := range faults {
		g.out.Rejects[f.Reason]++
	}
	return g.list(&g.rejects, faults)
}

// list adds the row at hand to a list, with what is to be said of it.
func (g *grouping) list(to *bytes.Buffer, faults []crm.Rejection) error {
	line, err := json.Marshal(crm.RejectedRow{File: g.rows.address.File(), Line: g.rows.address.Line(), Faults: faults, Cells: g.row.Cells})
	to.Write(append(line, '\n'))
	return err
}

// add appends the records of the row at hand to the batch's parts.
func (g *grouping) add() {
	address := g.rows.address
	var keys [3]*crm.Key
	for _, e := range crm.Entities {
		values := g.mapped.Records[e]
		if values == nil {
			continue
		}
		identity := crm.Identity(e, values)
		g.values = append(g.values[:0], strconv.FormatInt(int64(address), 10), crm.RecordID(g.imp.StartedAt, e, address))
		if e == crm.Customer {
			key := crm.ClaimKey(g.imp.Secret, e, identity...)
			keys[e] = &key
		} else {
			key := crm.ClaimKey(g.imp.Secret, e, append([]string{g.mapped.CustomerKey}, identity...)...)
			keys[e] = &key
			g.values = append(g.values, g.mapped.CustomerKey, crm.MatchKey(e, identity...))
		}
		g.values = append(g.values, values...)
		g.line = crm.AppendCopy(g.line[:0], g.values...)
		g.parts[e].Write(g.line)
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
		p.Records = g.counts[e]
		if p.Object, err = g.a.Stage.PutCompressed(ctx, prefix+"/"+e.Plural()+".zst", &g.parts[e]); err != nil {
			return err
		}
	}
	if len(g.keys.Rows) > 0 {
		if b.Keys, err = g.a.Stage.Put(ctx, prefix+"/keys", bytes.NewReader(g.keys.Encode())); err != nil {
			return err
		}
	}
	if g.rejects.Len() > 0 {
		if b.Rejects, err = g.a.Stage.PutCompressed(ctx, prefix+"/rejects.zst", &g.rejects); err != nil {
			return err
		}
	}
	if g.warned.Len() > 0 {
		b.Warned, err = g.a.Stage.PutCompressed(ctx, prefix+"/warned.zst", &g.warned)
	}
	return err
}
