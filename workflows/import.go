package workflows

import (
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"sluice/internal/crm"
)

// ImportInput is the input of Import: the request and, from the second run of
// a long import on, where the run before stopped.
type ImportInput struct {
	Request crm.Request `json:"request"`
	Carried *Carried    `json:"carried,omitempty"`
}

// Carried is what one run of an import hands to the next. It encodes to under
// 8 KB, whatever the import's size (invariant 2).
type Carried struct {
	Version int        `json:"version"` // 1
	Run     int        `json:"run"`     // how many runs came before
	Import  crm.Import `json:"import"`

	FileNumber int          `json:"file_number"`    // the file being read, or the next one
	File       *crm.File    `json:"file,omitempty"` // as Parse reads it; nil when it is not inspected yet
	At         crm.Position `json:"at"`
	Batch      int          `json:"batch"` // number of the next batch

	Claims   crm.Claims   `json:"claims"`
	Progress crm.Progress `json:"progress"`
	Paused   bool         `json:"paused,omitempty"`
	By       string       `json:"by,omitempty"`

	Pages pages `json:"pages,omitzero"`

	Rejected int64    `json:"rejected,omitempty"` // rows, by Parse
	Released bool     `json:"released,omitempty"` // somebody let it go on although many rows are rejected
	Parked   []int    `json:"parked,omitempty"`   // numbers of the batches put aside, at most crm.MaxParked
	Decision decision `json:"decision,omitzero"`  // about these
}

// Import brings the files of one request into the CRM: fetch and inspect each,
// then parse, dedupe and write them batch by batch, settle what was left over,
// recount, and tell people.
//
// It returns once everything is written, recounted and told. Rejected rows do
// not fail it. A step that fails for good does, with the step's failure type,
// and the import is recounted and told all the same, as after a cancel. What
// was written stays written: imports are resumed, never rolled back.
//
// A long import continues as new between groups of batches; its state crosses
// in [Carried].
func Import(ctx workflow.Context, in ImportInput) (crm.Report, error) {
	m := newImporting(ctx, in)
	// The work can be stopped before the first command may arrive.
	work, stop := workflow.WithCancel(ctx)
	m.stop = stop
	if err := m.answer(ctx); err != nil {
		return crm.Report{}, err
	}
	workflow.GoNamed(work, "keep", m.keep)
	report, err := m.run(ctx, work)
	// A command that was accepted is answered before the run closes.
	_ = workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
	return report, err
}

// importing is the state of one run.
type importing struct {
	request crm.Request
	tuning  crm.Tuning
	at      Carried
	meter   meter

	paused    bool
	by        string // who paused or cancelled
	cancelled bool
	braked    *crm.Failure        // too many rows are rejected: somebody has to say that it may go on
	asking    bool                // batches are parked, and nothing else is left to do
	stuck     bool                // leftovers keep failing
	ending    bool                // no command is taken any more
	stop      workflow.CancelFunc // ends the work, not the recount

	groups     int  // of this run
	continuing bool // the work goes on in the next run
}

func newImporting(ctx workflow.Context, in ImportInput) *importing {
	m := &importing{request: in.Request, tuning: in.Request.Tuning.WithDefaults()}
	if in.Carried != nil {
		m.at = *in.Carried
		m.paused, m.by = in.Carried.Paused, in.Carried.By
	} else {
		m.at.Version = 1
		m.at.Progress = crm.Progress{State: crm.Running, Phase: phaseOpen, Files: len(in.Request.Files),
			Import:    crm.Import{ID: in.Request.ID, Source: in.Request.Source},
			StartedAt: workflow.Now(ctx), BytesTotal: totalBytes(in.Request.Files), Partitions: len(in.Request.Reads)}
	}
	return m
}

// run takes the import from its request to its report. work is ctx until
// somebody cancels.
func (m *importing) run(ctx, work workflow.Context) (crm.Report, error) {
	earlier, err := m.open(work)
	if err == nil && earlier != "" {
		return m.alreadyImported(ctx, earlier), nil
	}
	if err == nil {
		earlier, err = m.collect(work)
	}
	if err == nil && earlier != "" {
		return m.alreadyImported(ctx, earlier), nil
	}
	if err == nil && m.request.Paged() {
		err = m.readPages(work)
	} else if err == nil {
		err = m.readFiles(work)
	}
	if err == nil && m.continuing {
		return crm.Report{}, m.continueAsNew(ctx)
	}
	if err == nil {
		err = m.attend(work)
	}
	if err == nil {
		err = m.settle(work)
	}
	return m.end(ctx, err)
}

// open enters the import in the store. A run that continues finds it open.
func (m *importing) open(ctx workflow.Context) (earlier string, err error) {
	if m.at.Run > 0 {
		return "", nil
	}
	m.phase(ctx, phaseOpen)
	opened, err := run(ctx, crm.Open, m.tuning, m.request.Source, m.request)
	if err != nil {
		return "", err
	}
	m.at.Import = opened.Import
	m.at.Progress.Import = opened.Import
	if m.paused { // before there was a row to show it in
		m.mark(ctx, crm.Paused)
	}
	return opened.Earlier, nil
}

// collect brings files that lie elsewhere into the stage, all of them before the
// first is read: only then is it known whether the same were imported before.
func (m *importing) collect(ctx workflow.Context) (earlier string, err error) {
	if !m.request.Elsewhere() {
		return "", nil
	}
	m.phase(ctx, phaseFetch)
	if err := m.find(ctx); err != nil {
		return "", err
	}
	for i, f := range m.request.Files {
		if !f.Elsewhere() {
			continue
		}
		if err := m.gate(ctx); err != nil {
			return "", err
		}
		m.at.Progress.File = f.Name
		fetched, err := run(ctx, crm.Fetch, m.tuning, f.Name, crm.FetchInput{Import: m.at.Import, Number: i, File: f})
		if err != nil {
			return "", err
		}
		m.request.Files[i].Name, m.request.Files[i].Object = fetched.Name, fetched.Object
		m.at.Progress.BytesTotal += fetched.Object.Size
	}
	opened, err := run(ctx, crm.Recognize, m.tuning, "", m.request)
	return opened.Earlier, err
}

// find puts the files that patterns stand for in their place.
func (m *importing) find(ctx workflow.Context) error {
	var files []crm.FileRef
	for _, f := range m.request.Files {
		if !f.Many {
			files = append(files, f)
			continue
		}
		if err := m.gate(ctx); err != nil {
			return err
		}
		found, err := run(ctx, crm.Find, m.tuning, f.Name, crm.FindInput{Source: m.request.Source, File: f})
		if err != nil {
			return err
		}
		files = append(files, found.Files...)
	}
	m.request.Files, m.at.Progress.Files = files, len(files)
	return nil
}

func (m *importing) alreadyImported(ctx workflow.Context, earlier string) crm.Report {
	m.ending = true
	m.at.Progress.State = crm.AlreadyImported
	m.show(ctx)
	now := workflow.Now(ctx)
	return crm.Report{ImportID: m.at.Import.ID, Number: m.at.Import.Number, Source: m.at.Import.Source,
		State: crm.AlreadyImported, Earlier: earlier, StartedAt: m.at.Progress.StartedAt, EndedAt: now}
}

// readFiles takes the files one after the other, each through the pipeline.
// It returns with m.continuing set when this run's history is long enough.
func (m *importing) readFiles(ctx workflow.Context) error {
	for m.at.FileNumber < len(m.request.Files) {
		if err := m.inspect(ctx); err != nil {
			return err
		}
		if err := m.pipeline(ctx); err != nil || m.continuing {
			return err
		}
		m.at.FileNumber, m.at.File = m.at.FileNumber+1, nil
		if m.at.FileNumber < len(m.request.Files) && m.full(ctx) {
			m.continuing = true
			return nil
		}
	}
	return nil
}

// inspect brings the next file into the stage and learns what it holds, unless
// an earlier run did.
func (m *importing) inspect(ctx workflow.Context) error {
	if m.at.File != nil {
		return nil
	}
	ref := m.request.Files[m.at.FileNumber]
	m.at.Progress.File = ref.Name
	if err := m.gate(ctx); err != nil {
		return err
	}
	m.phase(ctx, phaseFetch)
	fetched, err := run(ctx, crm.Fetch, m.tuning, m.place(), crm.FetchInput{
		Import: m.at.Import, Number: m.at.FileNumber, File: ref})
	if err != nil {
		return err
	}
	return m.look(ctx, fetched.File, ref.Object.Size)
}

// look learns what a file holds that is in the stage. known is how many of its
// bytes the progress counts on.
func (m *importing) look(ctx workflow.Context, f crm.File, known int64) error {
	m.phase(ctx, phaseInspect)
	found, err := run(ctx, crm.Inspect, m.tuning, m.place(), crm.InspectInput{
		Import: m.at.Import, File: f})
	if err != nil {
		return err
	}
	m.at.File, m.at.At = &found.File, found.Start
	m.at.Progress.Bytes += found.Start.Offset // the header is behind us
	m.at.Progress.BytesTotal += found.File.Object.Size - known
	return nil
}

// settle writes the leftovers: rows whose winner was rejected, and contacts
// whose customer had not landed when their batch was written.
func (m *importing) settle(ctx workflow.Context) error {
	if err := m.gate(ctx); err != nil {
		return err
	}
	m.phase(ctx, phaseSettle)
	in := crm.SettleInput{Import: m.at.Import, Batch: m.at.Batch, Rows: m.tuning.BatchRows}
	for {
		settled, err := run(ctx, crm.Settle, m.tuning, "", in)
		if err == nil {
			m.at.Progress.Counts.Add(settled.Counts)
			return nil
		}
		if in.Skip, err = m.attendLeftovers(ctx, err); err != nil {
			return err
		}
	}
}

// end recounts the import and tells people, whatever happened before.
func (m *importing) end(ctx workflow.Context, failed error) (crm.Report, error) {
	m.ending = true
	ctx, _ = workflow.NewDisconnectedContext(ctx) // a cancelled import is recounted too
	in := crm.ReconcileInput{Import: m.at.Import, State: crm.Done}
	switch {
	case failed != nil && (m.cancelled || temporal.IsCanceledError(failed)):
		in.State, in.Failure, failed = crm.Cancelled, m.braked, nil
	case failed != nil:
		in.State, in.Failure = crm.Failed, failureOf(failed)
	}
	if m.at.Import.Number == 0 { // Open itself failed: there is nothing to recount
		return crm.Report{ImportID: m.request.ID, Source: m.request.Source, State: in.State, Failure: in.Failure}, failed
	}
	m.phase(ctx, phaseReconcile)
	last := crm.Reconcile
	if m.request.Undoes != "" {
		last = crm.EndUndo
	}
	report, err := run(ctx, last, m.tuning, "", in)
	if err != nil {
		return report, err
	}
	m.at.Progress.State, m.at.Progress.Counts = report.State, report.Counts
	m.notify(ctx, report)
	m.show(ctx)
	if report.State == crm.Failed {
		return report, temporal.NewNonRetryableApplicationError(report.Failure.Message, string(report.Failure.Type), nil)
	}
	return report, nil
}

// notify sends what the outbox holds. An import whose people cannot be told
// has ended all the same.
func (m *importing) notify(ctx workflow.Context, report crm.Report) {
	if len(report.Outbox) == 0 {
		return
	}
	m.phase(ctx, phaseNotify)
	wg := workflow.NewWaitGroup(ctx)
	for _, id := range report.Outbox {
		wg.Add(1)
		workflow.Go(ctx, func(ctx workflow.Context) {
			defer wg.Done()
			if _, err := run(ctx, crm.Notify, m.tuning, "", crm.NotifyInput{Import: m.at.Import, Outbox: id}); err != nil {
				workflow.GetLogger(ctx).Warn("notification not sent", "import", m.at.Import.ID, "outbox", id)
			}
		})
	}
	wg.Wait(ctx)
}

// full decides, alone, when a run has enough history and the next one takes
// over: at the import's own measure, or earlier when the server says so. A
// group of 8 batches makes some 45 events, so 50 groups stay far below the
// server's limits of 51,200 events and 50 MiB.
func (m *importing) full(ctx workflow.Context) bool {
	return m.groups >= m.tuning.Groups || workflow.GetInfo(ctx).GetContinueAsNewSuggested()
}

// continueAsNew hands over to the next run. The pipeline is drained by now;
// commands that were accepted are answered first, since they do not cross.
func (m *importing) continueAsNew(ctx workflow.Context) error {
	if err := workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) }); err != nil {
		return err
	}
	next := m.at
	next.Run++
	next.Paused, next.By = m.paused, m.by
	return workflow.NewContinueAsNewError(ctx, Import, ImportInput{Request: m.request, Carried: &next})
}

func totalBytes(files []crm.FileRef) (n int64) {
	for _, f := range files {
		n += f.Object.Size
	}
	return n
}
