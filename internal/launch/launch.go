package launch

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"sluice/internal/crm"
	"sluice/workflows"
)

// A Launcher starts imports and talks to them. Its fields are filled by
// literal; it is safe for concurrent use.
type Launcher struct {
	Temporal client.Client
	Store    Store
	Stage    Stage
	UI       string // address of the Temporal Web UI; "" if unknown
	Space    string // Temporal namespace, for links

	// Heartbeat is for imports whose options name none; zero leaves it to
	// [crm.Tuning].
	Heartbeat time.Duration
}

// Store is the part of the store that launching needs.
type Store interface {
	Source(ctx context.Context, slug string) (crm.Source, error)
	AddSource(ctx context.Context, s crm.Source) error
	Import(ctx context.Context, ref string) (crm.ImportRow, error)
	Open(ctx context.Context, source string) (crm.ImportRow, error)
	Retries(ctx context.Context, id string) ([]crm.ImportRow, error)
	FileNames(ctx context.Context, number int64) ([]string, error)
	backfillStore
	scheduleStore
	removeStore
}

// Stage is the part of the stage that launching needs.
type Stage interface {
	PutContent(ctx context.Context, prefix string, r io.Reader) (crm.Object, error)
	ReadCompressed(ctx context.Context, o crm.Object) (io.ReadCloser, error)
}

// Options is what a person says about an import.
type Options struct {
	Source    string // slug; made as a source of files if there is none
	Files     []crm.FileRef
	Mapping   []byte // the mapping file's text; nil if none was given
	Sheet     string
	Mode      crm.Mode // "" leaves it to the mapping, which leaves it to upsert
	Again     bool
	Plan      bool // a dry run: all is as in an import, and nothing is kept
	StartedBy string
	Tuning    crm.Tuning

	MaxRejected int // per cent of the rows; see [crm.Request]

	// Parent makes the import a retry of the rejected rows of another one that
	// has ended: its id, its number, or a source, which means its latest that
	// really ran: neither a dry run nor a repeat of what was imported before.
	// Then Source may be left to it, and so may the Mode and the Mapping, which are
	// what they were there. Without Files all its rejected rows are tried as
	// they are; see [Launcher.RetryFile].
	Parent string
}

// MaxFiles is how many files one request may name: a request travels, so it
// must stay small.
const MaxFiles = 500

// A Started import.
type Started struct {
	ImportID   string `json:"import_id"`
	Source     string `json:"source"`
	WorkflowID string `json:"workflow_id"`
	RunID      string `json:"run_id"`

	// Attached is true when the very same import was running already, so that
	// nothing was started: the caller watches that one.
	Attached bool `json:"attached"`
}

// A RunningError says that another import of the source is running, and which.
// It wraps [crm.ErrDenied].
type RunningError struct {
	Source   string
	ImportID string // "" when the store does not know it yet
	Number   int64  // of the import; 0 when ImportID is ""
}

func (e *RunningError) Error() string {
	which := "an import"
	if e.Number > 0 {
		which = fmt.Sprintf("import %d", e.Number)
	}
	return fmt.Sprintf("source %s: %s is running; wait for it with --queue, or cancel it", e.Source, which)
}

// Unwrap makes a RunningError a refusal.
func (e *RunningError) Unwrap() error { return crm.ErrDenied }

// StageFile copies a local file or standard input into the stage, under the
// hash of its content, so that the same file is staged once. name is for
// people. An empty r wraps [crm.ErrInvalid].
func (l *Launcher) StageFile(ctx context.Context, name string, r io.Reader) (crm.FileRef, error) {
	o, err := l.Stage.PutContent(ctx, "files", r)
	if err != nil {
		return crm.FileRef{}, fmt.Errorf("stage %q: %w", name, err)
	}
	if o.Size == 0 {
		return crm.FileRef{}, fmt.Errorf("file %q: %w: it is empty", name, crm.ErrInvalid)
	}
	return crm.FileRef{Name: name, Object: o}, nil
}

// Start starts an import and returns at once. When the very same import (the
// same files, sheet, mapping and mode) is running already, as after a crash,
// it attaches to it. When another import of the source is running the error is
// a [RunningError]. Bad options wrap [crm.ErrInvalid]; an import that cannot be
// retried is a [RetryError].
func (l *Launcher) Start(ctx context.Context, o Options) (Started, error) {
	o, err := l.retrying(ctx, o)
	if err != nil {
		return Started{}, err
	}
	request, err := l.request(ctx, o)
	if err != nil {
		return Started{}, err
	}
	return l.execute(ctx, "Import", request, workflows.ImportInput{Request: request})
}

// execute starts a workflow of a source, or attaches to it if it is running.
func (l *Launcher) execute(ctx context.Context, workflow string, request crm.Request, in any) (Started, error) {
	id, labels := workflows.ImportID(request.Source), workflows.LabelsOf(request)
	run, err := l.Temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID:        id,
		TaskQueue: workflows.TaskQueue,
		// One writer per source at a time: Temporal refuses the second.
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
		WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		// Without this the client quietly returns the running workflow.
		WorkflowExecutionErrorWhenAlreadyStarted: true,
		StaticSummary:                            labels.Summary,
		StaticDetails:                            labels.Details,
		TypedSearchAttributes:                    labels.Attributes,
		Priority:                                 labels.Priority,
	}, workflow, in)
	var running *serviceerror.WorkflowExecutionAlreadyStarted
	if errors.As(err, &running) {
		return l.attach(ctx, request, id, running.RunId)
	}
	if err != nil {
		return Started{}, fmt.Errorf("start %s: %w", request.Kind(), err)
	}
	return Started{ImportID: request.ID, Source: request.Source, WorkflowID: id, RunID: run.GetRunID()}, nil
}

// retrying fills in what a retry takes from the import it retries.
func (l *Launcher) retrying(ctx context.Context, o Options) (Options, error) {
	if o.Parent == "" {
		return o, nil
	}
	row, err := l.parent(ctx, o.Parent)
	if err == nil {
		err = Retryable(row)
	}
	if err != nil {
		return o, err
	}
	if o.Source != "" && o.Source != row.Source {
		return o, refuse(row, "it is not of source "+o.Source)
	}
	o.Parent, o.Source = row.ID, row.Source
	o.Mode = cmp.Or(o.Mode, row.Request.Mode)
	if len(o.Files) == 0 {
		var f crm.FileRef
		f, err = l.RetryFile(ctx, row)
		o.Files = []crm.FileRef{f}
	}
	return o, err
}

func (l *Launcher) request(ctx context.Context, o Options) (crm.Request, error) {
	if err := crm.CheckSlug(o.Source); err != nil {
		return crm.Request{}, err
	}
	if len(o.Files) == 0 || len(o.Files) > MaxFiles {
		return crm.Request{}, fmt.Errorf("import: %w: 1 to %d files at a time", crm.ErrInvalid, MaxFiles)
	}
	if err := l.Store.AddSource(ctx, crm.Source{Slug: o.Source, Title: o.Source, Kind: crm.KindFile}); err != nil {
		return crm.Request{}, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return crm.Request{}, err
	}
	r := crm.Request{Version: crm.RequestVersion, ID: id.String(), Source: o.Source, Mode: o.Mode, Files: o.Files,
		Sheet: o.Sheet, Again: o.Again, Plan: o.Plan, Parent: o.Parent, StartedBy: o.StartedBy, MaxRejected: o.MaxRejected, AskedAt: time.Now().UTC().Truncate(time.Millisecond), Tuning: l.tuned(o.Tuning)}
	if r.Elsewhere() {
		r.Asked = asked(o.Files)
	}
	if len(o.Mapping) > 0 {
		if r.Mapping, err = l.StageMapping(ctx, o.Mapping); err != nil {
			return crm.Request{}, err
		}
	}
	return r, nil
}

// asked stands for files of which some lie elsewhere.
func asked(files []crm.FileRef) string {
	h := sha256.New()
	for _, f := range files {
		fmt.Fprintf(h, "%q %q %q\n", f.Object.BLAKE3, f.Place, f.Address.BLAKE3)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// StageAddress puts the whole address of a file on the web into the stage, which
// may be all it takes to read the file.
func (l *Launcher) StageAddress(ctx context.Context, address string) (crm.Object, error) {
	o, err := l.Stage.PutContent(ctx, "addresses", strings.NewReader(address))
	if err != nil {
		return o, fmt.Errorf("stage an address: %w", err)
	}
	return o, nil
}

// StageMapping puts the text of a mapping file into the stage.
func (l *Launcher) StageMapping(ctx context.Context, text []byte) (crm.Object, error) {
	o, err := l.Stage.PutContent(ctx, "mappings", bytesReader(text))
	if err != nil {
		return o, fmt.Errorf("stage mapping: %w", err)
	}
	return o, nil
}

// tuned fills in what this launcher's imports have in common.
func (l *Launcher) tuned(t crm.Tuning) crm.Tuning {
	t.Heartbeat = cmp.Or(t.Heartbeat, l.Heartbeat)
	return t
}

// attach finds out whether the import that is running is the one asked for.
func (l *Launcher) attach(ctx context.Context, asked crm.Request, id, runID string) (Started, error) {
	row, err := l.Store.Open(ctx, asked.Source)
	if errors.Is(err, crm.ErrNotFound) {
		return Started{}, &RunningError{Source: asked.Source}
	}
	if err != nil {
		return Started{}, err
	}
	if asked.Again && !row.Request.Again || !same(asked, row.Request) {
		return Started{}, &RunningError{Source: asked.Source, ImportID: row.ID, Number: row.Number}
	}
	return Started{ImportID: row.ID, Source: asked.Source, WorkflowID: id, RunID: runID, Attached: true}, nil
}

func same(a, b crm.Request) bool {
	if a.Sheet != b.Sheet || a.Mode != b.Mode || a.Mapping.BLAKE3 != b.Mapping.BLAKE3 || a.Plan != b.Plan || a.Parent != b.Parent || a.Undoes != b.Undoes || a.Removes != b.Removes || a.Asked != b.Asked {
		return false
	}
	if a.Asked != "" {
		return true
	}
	if len(a.Files) != len(b.Files) {
		return false
	}
	for i := range a.Files {
		if a.Files[i].Object.BLAKE3 != b.Files[i].Object.BLAKE3 {
			return false
		}
	}
	return true
}

// Wait waits for an import's workflow to close and returns its report. A
// failed import has a report too, and no error: its State says so. An import
// whose workflow was terminated is [crm.Interrupted]. ctx ends the waiting and
// not the import.
func (l *Launcher) Wait(ctx context.Context, s Started) (crm.Report, error) {
	var report crm.Report
	err := l.Temporal.GetWorkflow(ctx, s.WorkflowID, s.RunID).Get(ctx, &report)
	if err == nil {
		return report, nil
	}
	var closed *temporal.WorkflowExecutionError
	if !errors.As(err, &closed) {
		return crm.Report{}, fmt.Errorf("wait for import: %w", err)
	}
	row, rowErr := l.Store.Import(ctx, s.ImportID)
	switch {
	case errors.Is(rowErr, crm.ErrNotFound): // Open itself failed, so there is no row
		return notOpened(s, err), nil
	case rowErr != nil:
		return crm.Report{}, rowErr
	case row.Report != nil:
		return *row.Report, nil
	}
	return crm.Report{ImportID: row.ID, Number: row.Number, Source: row.Source, State: crm.Interrupted,
		Counts: row.Totals, StartedAt: row.StartedAt}, nil
}

// notOpened reports an import that was refused before it had a row.
func notOpened(s Started, err error) crm.Report {
	f := &crm.Failure{Type: crm.FailInvalid, Step: crm.Open.Name, Message: err.Error()}
	var app *temporal.ApplicationError
	if errors.As(err, &app) {
		f.Message = app.Message()
		if app.Type() != "" {
			f.Type = crm.FailureType(app.Type())
		}
	}
	return crm.Report{ImportID: s.ImportID, Source: s.Source, State: crm.Failed, Failure: f}
}

// Running returns the import of a source whose workflow is running, or an
// error that wraps [crm.ErrNotFound].
func (l *Launcher) Running(ctx context.Context, source string) (Started, error) {
	id := workflows.ImportID(source)
	d, err := l.Temporal.DescribeWorkflowExecution(ctx, id, "")
	var absent *serviceerror.NotFound
	if errors.As(err, &absent) || err == nil && d.GetWorkflowExecutionInfo().GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
		return Started{}, fmt.Errorf("source %s: running import: %w", source, crm.ErrNotFound)
	}
	if err != nil {
		return Started{}, fmt.Errorf("look for import: %w", err)
	}
	s := Started{Source: source, WorkflowID: id, RunID: d.GetWorkflowExecutionInfo().GetExecution().GetRunId(), Attached: true}
	row, err := l.Store.Open(ctx, source)
	if errors.Is(err, crm.ErrNotFound) {
		return s, nil // its first step has not run yet
	}
	s.ImportID = row.ID
	return s, err
}

// Link returns the address of an import's page in the Temporal Web UI, "" when
// the UI is not known.
func (l *Launcher) Link(s Started) string {
	if l.UI == "" {
		return ""
	}
	return fmt.Sprintf("%s/namespaces/%s/workflows/%s", l.UI, url.PathEscape(l.Space), url.PathEscape(s.WorkflowID))
}
