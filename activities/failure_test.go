package activities

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"go.temporal.io/sdk/temporal"

	"sluice/internal/crm"
)

func TestMarkedKindsAreNotRetriedAndKeepTheirType(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want crm.FailureType // "" passes as it is, and is retried
	}{
		{nil, ""}, {errors.New("connection refused"), ""},
		{fmt.Errorf("line 1: %w", crm.ErrInvalid), crm.FailInvalid},
		{fmt.Errorf("batch 3: %w", crm.ErrNotFound), crm.FailNotFound},
		{fmt.Errorf("stage: %w", crm.ErrDenied), crm.FailDenied},
		{fmt.Errorf("write: %w", crm.ErrFenced), crm.FailFenced},
		{fmt.Errorf("write: %w", crm.ErrUnbalanced), crm.FailUnbalanced},
		{fmt.Errorf("file: %w", crm.ErrSourceChanged), crm.FailSourceChanged},
	} {
		got := onTheWire(t.Context(), c.err)
		var app *temporal.ApplicationError
		marked := errors.As(got, &app)
		if marked != (c.want != "") {
			t.Errorf("%v crosses as %v", c.err, got)
			continue
		}
		if marked && (app.Type() != string(c.want) || !app.NonRetryable() || app.Message() != c.err.Error()) {
			t.Errorf("%v crosses as %s %q, retryable %v; want %s", c.err, app.Type(), app.Message(), !app.NonRetryable(), c.want)
		}
	}
}

func TestStoppingWorkerGivesTheStepBackAndACancelStaysOne(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errStopping)
	if got := onTheWire(ctx, crm.ErrInvalid); !errors.Is(got, errStopping) || crm.TypeOf(got) != "" {
		t.Errorf("a stopping worker answers %v, want an error that is retried", got)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if got := onTheWire(ctx, errors.New("rolled back")); !errors.Is(got, context.Canceled) {
		t.Errorf("a cancelled step answers %v, want canceled", got)
	}
}

func TestRejectGroupsAreBoundedAndLoseNoRow(t *testing.T) {
	t.Parallel()
	l := &listing{groups: map[group]*crm.RejectGroup{}}
	var rows int64
	for i := range 3 * crm.MaxRejectGroups {
		for n := range i + 1 {
			rows++
			r := crm.RejectedRow{Line: int64(1000*i + n), Faults: []crm.Rejection{{Reason: crm.ReasonBadEmail, Column: fmt.Sprint(i)}}}
			l.groups[group{r.Faults[0].Reason, r.Faults[0].Column}] = &crm.RejectGroup{
				Reason: r.Faults[0].Reason, Column: r.Faults[0].Column, Count: int64(n + 1), FirstLine: int64(1000 * i)}
		}
	}
	got := l.grouped()
	var sum int64
	for i, g := range got {
		sum += g.Count
		if i > 0 && i < len(got)-1 && got[i-1].Count < g.Count {
			t.Errorf("group %d has more rows than the one before", i)
		}
	}
	last := got[len(got)-1]
	if len(got) != crm.MaxRejectGroups || sum != rows || last.Reason != "other" || last.FirstLine != 0 {
		t.Errorf("%d groups of %d rows, the last %+v; want %d groups of %d", len(got), sum, last, crm.MaxRejectGroups, rows)
	}
}
