package loop

import (
	"time"

	"sluice/internal/crm"
	"sluice/internal/fakesaas"
	"sluice/internal/store"
	"sluice/workflows"
)

// A backfilled is what a backfill must come to.
type backfilled struct {
	Sources    map[string]crm.BackfillCounts
	Partitions map[string][]crm.BackfillPartition // by source, without the ids of imports
	States     map[string][]crm.State             // of the imports, newest first
	Exports    map[string]string
}

// prepareBackfill brings in the last weeks of a source that is read, and two
// files of another one. The second file is damaged: it is tried twice, and then
// somebody skips it.
func prepareBackfill(w *world) course {
	w.addBilling()
	files := w.request(asCSV(before)).Files
	files = append(files, w.request("PK\x03\x04 and no workbook").Files...)
	files[1].Name = "damaged.xlsx"
	from := saasNow.Add(-40 * 24 * time.Hour)
	b := crm.Backfill{ID: "backfill", AtOnce: 2, StartedAt: saasNow, Tuning: paged, Sources: []crm.BackfillSource{
		{Source: billing, Span: crm.Span{From: from}}, {Source: news, Files: files}}}
	if err := w.store.AddBackfill(w.t.Context(), b); err != nil {
		w.t.Fatal(err)
	}
	return func(w *world) (any, []string) {
		var v verdict
		p := w.provide(2, 10)
		w.other.syncs = 1
		var end crm.BackfillProgress
		err := w.execute(workflows.Backfill, workflows.BackfillInput{Version: 1, ID: b.ID, Sources: []string{billing, news}, AtOnce: b.AtOnce, Tuning: b.Tuning},
			&end, command{workflows.UpdateSkip, time.Hour})
		if err != nil {
			return nil, []string{err.Error()}
		}
		w.checkTables(read(nil, before, crm.Upsert), &v)
		w.checkProvided(p.Customers(func(c *fakesaas.Customer) bool { return !c.Created.Before(from) }), nil, &v)
		return w.backfilled(end, &v), v
	}
}

// backfilled gathers what a backfill came to, and wants its accounts to agree:
// what it says itself, its partitions, and their imports.
func (w *world) backfilled(end crm.BackfillProgress, v *verdict) backfilled {
	w.t.Helper()
	out := backfilled{map[string]crm.BackfillCounts{}, map[string][]crm.BackfillPartition{}, map[string][]crm.State{}, map[string]string{}}
	row, err := w.store.Backfill(w.t.Context(), end.ID)
	if err != nil || row.State != crm.Done || end.State != crm.Done || row.EndedAt.IsZero() {
		v.fail("the backfill is %s, ended at %v, and says %s, %v; want done", row.State, row.EndedAt, end.State, err)
	}
	messages := 0
	for _, s := range end.Sources {
		if s.State != crm.Done {
			v.fail("%s is %s, %+v; want done", s.Source, s.State, s.Failure)
		}
		parts, err := w.store.BackfillPartitions(w.t.Context(), end.ID, s.Source)
		if err != nil {
			w.t.Fatal(err)
		}
		imports, err := w.store.Imports(w.t.Context(), store.ImportQuery{Source: s.Source})
		if err != nil {
			w.t.Fatal(err)
		}
		messages += len(imports)
		out.Sources[s.Source], out.Exports[s.Source] = s.BackfillCounts, w.export(s.Source)
		for _, row := range imports {
			out.States[s.Source] = append(out.States[s.Source], row.State)
		}
		out.Partitions[s.Source] = w.partitions(s, parts, imports, v)
	}
	w.checkPost(messages, v)
	return out
}

// partitions wants the partitions of a source to add up with what is said of
// them and with their imports, and returns them without the imports' ids.
func (w *world) partitions(s crm.SourceProgress, parts []crm.BackfillPartition, imports []crm.ImportRow, v *verdict) []crm.BackfillPartition {
	w.t.Helper()
	var counts crm.BackfillCounts
	tries := 0
	byID := map[string]crm.ImportRow{}
	for _, row := range imports {
		byID[row.ID] = row
	}
	for i := range parts {
		p := &parts[i]
		counts.Count(*p)
		tries += p.Tries
		last := byID[p.ImportID]
		if last.Report == nil || last.Report.Read != p.Rows {
			v.fail("partition %d of %s has %d rows, its import %+v", p.Number, s.Source, p.Rows, last.Report)
		} else if p.State == crm.PartitionDone {
			w.checkDone(*last.Report, true, v)
		}
		p.ImportID = ""
	}
	if counts != s.BackfillCounts {
		v.fail("%s counts %+v, its partitions are %+v", s.Source, s.BackfillCounts, counts)
	}
	if tries != len(imports) {
		v.fail("the partitions of %s were tried %d times, and there are %d imports", s.Source, tries, len(imports))
	}
	return parts
}
