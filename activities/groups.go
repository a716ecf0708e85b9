package activities

import (
	"sort"

	"sluice/internal/crm"
)

// groups counts rejections, or warnings, by reason and column.
type groups map[group]*crm.RejectGroup

type group struct {
	reason crm.Reason
	column string
}

// add counts every fault of a row. Rows come in address order.
func (g groups) add(r *crm.RejectedRow) {
	for _, f := range r.Faults {
		of := g[group{f.Reason, f.Column}]
		if of == nil {
			of = &crm.RejectGroup{Reason: f.Reason, Column: f.Column, FirstFile: r.File, FirstLine: r.Line}
			g[group{f.Reason, f.Column}] = of
		}
		of.Count++
	}
}

// sorted returns the groups by falling count; see [crm.Report.Rejects].
func (g groups) sorted() []crm.RejectGroup {
	out := make([]crm.RejectGroup, 0, len(g))
	for _, of := range g {
		out = append(out, *of)
	}
	sort.Slice(out, func(i, j int) bool {
		a, b := out[i], out[j]
		if a.Count != b.Count {
			return a.Count > b.Count
		}
		if a.Reason != b.Reason {
			return a.Reason < b.Reason
		}
		return a.Column < b.Column
	})
	if len(out) > crm.MaxRejectGroups {
		rest := crm.RejectGroup{Reason: "other", FirstFile: out[crm.MaxRejectGroups-1].FirstFile, FirstLine: out[crm.MaxRejectGroups-1].FirstLine}
		for _, g := range out[crm.MaxRejectGroups-1:] {
			rest.Count += g.Count
			if crm.At(g.FirstFile, g.FirstLine) < crm.At(rest.FirstFile, rest.FirstLine) {
				rest.FirstFile, rest.FirstLine = g.FirstFile, g.FirstLine
			}
		}
		out = append(out[:crm.MaxRejectGroups-1], rest)
	}
	return out
}
