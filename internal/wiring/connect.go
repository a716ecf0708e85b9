package wiring

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"

	"sluice/internal/crm"
	"sluice/internal/embedded"
	"sluice/internal/stage"
	"sluice/internal/store"
	"sluice/workflows"
)

// A ConnectError says which part does not answer.
type ConnectError struct {
	Part string // such as "temporal 127.0.0.1:7233"
	Err  error
}

func (e *ConnectError) Error() string { return fmt.Sprintf("connect to %s: %v", e.Part, e.Err) }

// Unwrap returns the cause.
func (e *ConnectError) Unwrap() error { return e.Err }

// dialTime is how long a Temporal server may take to answer.
const dialTime = 10 * time.Second

// dial connects to Temporal and makes sure that the namespace is there.
func dial(ctx context.Context, o client.Options) (client.Client, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	part := fmt.Sprintf("temporal %s, namespace %s", o.HostPort, o.Namespace)
	c, err := client.DialContext(ctx, o)
	if err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("no answer within %s", dialTime)
		}
		return nil, &ConnectError{part, err}
	}
	_, err = c.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: o.Namespace})
	var absent *serviceerror.NamespaceNotFound
	if errors.As(err, &absent) {
		err = fmt.Errorf("no such namespace; make it with: temporal operator namespace create --retention 720h %s", o.Namespace)
	}
	if err != nil {
		c.Close()
		return nil, &ConnectError{part, err}
	}
	return c, nil
}

// register adds the search attributes that the namespace lacks, and waits
// until the server shows them: a workflow that writes an unknown one gets
// stuck.
func register(ctx context.Context, c client.Client, namespace string) error {
	missing, err := unregistered(ctx, c, namespace)
	if err != nil || len(missing) == 0 {
		return err
	}
	_, err = c.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
		Namespace: namespace, SearchAttributes: missing})
	var exists *serviceerror.AlreadyExists
	if err != nil && !errors.As(err, &exists) { // somebody else may have been faster
		return fmt.Errorf("register search attributes: %w; register them by hand: temporal operator search-attribute create", err)
	}
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		if missing, err = unregistered(ctx, c, namespace); err != nil || len(missing) == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("register search attributes: %w", ctx.Err())
		case <-tick.C:
		}
	}
}

func unregistered(ctx context.Context, c client.Client, namespace string) (map[string]enumspb.IndexedValueType, error) {
	have, err := c.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: namespace})
	if err != nil {
		return nil, fmt.Errorf("list search attributes: %w", err)
	}
	missing := map[string]enumspb.IndexedValueType{}
	for _, a := range workflows.SearchAttributes {
		if _, ok := have.GetCustomAttributes()[a.GetName()]; !ok {
			missing[a.GetName()] = a.GetValueType()
		}
	}
	return missing, nil
}

// OpenStore connects to the database alone and starts nothing, for commands
// that only read. Where no import has made a database, or no tables in it, it
// wraps [crm.ErrNotFound].
func OpenStore(ctx context.Context, c Config) (*store.Store, error) {
	place := "database " + masked(c.DatabaseURL)
	if c.DatabaseURL == "" {
		place = "data directory " + c.DataDir
		if _, err := os.Stat(c.dir().Database()); err != nil {
			return nil, fmt.Errorf("%s: %w", place, errEmpty)
		}
	}
	s, err := openStore(ctx, c)
	if err != nil {
		return nil, err
	}
	if made, err := s.Made(ctx); err != nil || !made {
		if err == nil {
			err = fmt.Errorf("%s: %w", place, errEmpty)
		}
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

var errEmpty = fmt.Errorf("nothing has been imported yet: %w", crm.ErrNotFound)

func openStore(ctx context.Context, c Config) (*store.Store, error) {
	url := c.DatabaseURL
	if url == "" {
		url = "sqlite://" + c.dir().Database()
	}
	s, err := store.Open(ctx, url)
	if err != nil && !errors.Is(err, crm.ErrInvalid) {
		return nil, &ConnectError{"database " + masked(url), err}
	}
	return s, err
}

// dir names the places in the data directory, without owning it.
func (c Config) dir() *embedded.Dir { return &embedded.Dir{Path: c.DataDir} }

// OpenStage opens the stage alone and starts nothing.
func OpenStage(ctx context.Context, c Config) (*stage.Stage, error) {
	url := c.StageURL
	if url == "" {
		url = "file://" + c.dir().Stage()
	}
	return stage.Open(ctx, url)
}

// temporalLog keeps the SDK's own chatter at a level above ours: what it calls
// info is debug to an operator.
func temporalLog(log *slog.Logger) sdklog.Logger {
	return sdklog.NewStructuredLogger(log.With("part", "temporal"))
}
