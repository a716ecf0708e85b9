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
