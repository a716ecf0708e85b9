package launch

import (
	"context"
	"errors"
	"strings"
	"testing"

	"sluice/internal/crm"
)

// retried is a store of one import and what retried it.
type retried struct {
	rows
	retries []crm.ImportRow
}

func (r retried) Retries(context.Context, string) ([]crm.ImportRow, error) { return r.retries, nil }

func TestWhatCannotBeUndoneIsRefusedBeforeAnythingIsStarted(t *testing.T) {
	t.Parallel()
	wrote := &crm.Report{Counts: crm.Counts{Contacts: crm.Tally{Records: 1, Updated: 1}}}
	retry := func(number int64, state crm.State, r *crm.Report) crm.ImportRow {
		return crm.ImportRow{Import: crm.Import{Number: number}, Kind: crm.KindRetry, State: state, Report: r}
	}
	for name, c := range map[string]struct {
		row     crm.ImportRow
		retries []crm.ImportRow
		says    string
	}{
		"undone":           {crm.ImportRow{State: crm.Undone, UndoneBy: 9}, nil, "already, by import 9"},
		"a dry run":        {crm.ImportRow{State: crm.Done, Request: crm.Request{Plan: true}}, nil, "dry run"},
		"already imported": {crm.ImportRow{State: crm.AlreadyImported}, nil, "earlier"},
		"retried": {crm.ImportRow{State: crm.Done}, []crm.ImportRow{retry(8, crm.Done, wrote), retry(9, crm.Undone, wrote),
			retry(10, crm.Failed, &crm.Report{}), retry(11, crm.Cancelled, wrote)}, "by import 11, then 8; undo that first"},
		"an undo that did not get through": {crm.ImportRow{State: crm.Cancelled, Kind: crm.KindUndo}, nil, "get through"},
	} {
		c.row.Import = crm.Import{ID: "imp", Number: 7, Source: "news"}
		l := &Launcher{Store: retried{rows{ended: &c.row}, c.retries}} // and no Temporal: it must not be asked
		if _, err := l.Undo(t.Context(), UndoOptions{Import: "7"}); !errors.Is(err, crm.ErrInvalid) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v; want invalid and %q", name, err, c.says)
		}
	}
}

func TestTheVeryUndoThatIsRunningIsAttachedTo(t *testing.T) {
	t.Parallel()
	for running, attached := range map[string]bool{"imp": true, "other": false, "": false} {
		l := &Launcher{Store: rows{open: &crm.ImportRow{Import: crm.Import{ID: "undo", Number: 8}, Request: crm.Request{Undoes: running}}}}
		got, err := l.attach(t.Context(), crm.Request{Source: "news", Undoes: "imp"}, "import:news", "run")
		var other *RunningError
		if attached && (err != nil || !got.Attached || got.ImportID != "undo") || !attached && !errors.As(err, &other) {
			t.Errorf("undo of %q is running: %+v, %v", running, got, err)
		}
	}
}
