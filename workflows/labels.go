package workflows

import (
	"fmt"

	"go.temporal.io/sdk/temporal"

	"sluice/internal/crm"
)

// Labels are what Temporal shows of a workflow, finds it by, and goes by when
// more is to be done than workers can.
type Labels struct {
	Summary    string // plain text, under 200 bytes
	Details    string // Markdown, under 2 KB
	Attributes temporal.SearchAttributes

	// Priority says who comes first: what a schedule began before what somebody
	// did, and that before a backfill. Among equals the sources take turns.
	// Children and steps inherit it.
	Priority temporal.Priority
}

// Who comes first, as Temporal counts: 1 to 5, where 3 is what has none.
const (
	PriorityScheduled = 2
	PriorityBackfill  = 4
)

// LabelsOf returns the labels of the workflow of a request.
func LabelsOf(r crm.Request) Labels {
	l := labels(summary(r), r.Kind(), r.Source, r.StartedBy)
	l.Details = fmt.Sprintf("Import `%s` of source `%s`, asked for by %s.\n\n"+
		"A long import continues as new: it shows as a chain of runs under one workflow ID. "+
		"Pause, resume and cancel are Updates; terminating runs no code and leaves what is written.",
		r.ID, r.Source, r.StartedBy)
	return l
}

func summary(r crm.Request) string {
	what := "Import"
	switch {
	case r.Removes:
		return "Removal of " + r.Source
	case r.Undoes != "":
		return "Undo of an import into " + r.Source
	case r.Paged():
		return "Import of " + r.Source + " · " + amount(len(r.Reads), "partition", func() string { return r.Reads[0].ID })
	case r.Plan:
		what = "Dry run of an import"
	case r.Parent != "":
		what = "Retry of rejected rows"
	}
	return what + " into " + r.Source + " · " + amount(len(r.Files), "file", func() string { return r.Files[0].Name })
}

// amount names what there is one of, and counts more.
func amount(n int, of string, one func() string) string {
	if n != 1 {
		return plural(n, of)
	}
	if name := []rune(one()); len(name) > 60 {
		return string(name[:60]) + "…"
	}
	return one()
}

// SyncLabels returns the labels of the sync of a source.
func SyncLabels(source, startedBy string) Labels {
	l := labels("Sync of "+source, crm.KindSync, source, startedBy)
	l.Details = fmt.Sprintf("Brings source `%s` up to date, asked for by %s. It plans what there is to read and runs an Import of it, `%s`, "+
		"which says how far it is and takes the commands.", source, startedBy, ImportID(source))
	return l
}

func labels(summary, kind, source, startedBy string) Labels {
	return Labels{Summary: summary, Priority: temporal.Priority{FairnessKey: source},
		Attributes: temporal.NewSearchAttributes(AttrSource.ValueSet(source), AttrKind.ValueSet(kind),
			AttrState.ValueSet(string(crm.Running)), AttrStartedBy.ValueSet(startedBy))}
}

// BackfillLabels returns the labels of a backfill of so many sources.
func BackfillLabels(sources int, startedBy string) Labels {
	return Labels{Summary: "Backfill of " + plural(sources, "source"), Details: "Asked for by " + startedBy + ". It runs an Import for each partition of each source; " +
		"*Current details* says how far each source is. Pause, resume, cancel, retry and skip are Updates.",
		Priority: temporal.Priority{PriorityKey: PriorityBackfill},
		Attributes: temporal.NewSearchAttributes(AttrKind.ValueSet(crm.KindBackfill),
			AttrState.ValueSet(string(crm.Running)), AttrStartedBy.ValueSet(startedBy))}
}

func plural(n int, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return fmt.Sprintf("%d %ss", n, of)
}
