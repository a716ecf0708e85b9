package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"sluice/internal/wiring"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}))
}

// commands is everything that can be said on the command line.
type commands struct {
	Setting wiring.Config `embed:"" group:"installation"`

	Import   importCmd   `cmd:"" help:"Bring files into the CRM and wait for the end."`
	Sync     syncCmd     `cmd:"" help:"Bring a source up to date: read what has changed since the last time."`
	Progress progressCmd `cmd:"" help:"Say how far the import of a source is."`
	Imports  struct {
		List    importsListCmd    `cmd:"" help:"List imports, the latest first."`
		Show    importsShowCmd    `cmd:"" help:"Show one import: files, decisions, counts, report."`
		Watch   importsWatchCmd   `cmd:"" help:"Follow an import to its end; the way back after a detach or Ctrl-C."`
		Pause   importsPauseCmd   `cmd:"" help:"Let no new batch begin."`
		Resume  importsResumeCmd  `cmd:"" help:"Go on with an import that is paused, or that stopped because of its many rejected rows."`
		Skip    importsSkipCmd    `cmd:"" help:"Give the parked batches of an import up: their rows are rejected."`
		Cancel  importsCancelCmd  `cmd:"" help:"End an import. What is written stays."`
		Rejects importsRejectsCmd `cmd:"" help:"List the rejected rows with line, column, reason and how to fix them."`

		Accepted    importsAcceptedCmd    `cmd:"" help:"List the accepted rows with what became of their records."`
		Unprocessed importsUnprocessedCmd `cmd:"" help:"List the rows that a cancelled or failed import did not come to."`
		Warnings    importsWarningsCmd    `cmd:"" help:"List the rows of which a value was kept as written or left out."`
		Retry       importsRetryCmd       `cmd:"" help:"Import the rejected rows again: mended, or as they are under other settings. Of an import that waits: write its parked batches again."`
		Undo        importsUndoCmd        `cmd:"" help:"Take back what an import wrote, unless somebody changed it since."`
		Undone      importsUndoneCmd      `cmd:"" help:"List the records of an import that was undone with what became of them."`
	} `cmd:"" help:"Imports: list, show, watch, pause, resume, skip, cancel, rejects, accepted, unprocessed, warnings, retry, undo, undone."`
	Sources struct {
		Kinds sourcesKindsCmd `cmd:"" help:"List what sources can be read from, and what each has to be told."`
		Add   sourcesAddCmd   `cmd:"" help:"Make a source, or set its saved mapping."`
		Set   sourcesSetCmd   `cmd:"" help:"Change what a source's connector has been told."`
		Check sourcesCheckCmd `cmd:"" help:"Ask a source whose it is, with one request."`
		List  sourcesListCmd  `cmd:"" help:"List sources: how they stand, their last and next runs, and what they hold."`
		Show  sourcesShowCmd  `cmd:"" help:"Show one source."`

		Remove sourcesRemoveCmd `cmd:"" help:"Remove a source with all it holds."`
	} `cmd:"" help:"Sources: kinds, add, set, check, list, show, remove."`
	Backfill struct {
		Start  backfillStartCmd  `cmd:"" default:"withargs" help:"Bring history in: what a source has of a span of time, or many files, and wait for the end."`
		List   backfillListCmd   `cmd:"" help:"List backfills, the latest first."`
		Show   backfillShowCmd   `cmd:"" help:"Show how far a backfill is with each source, and its partitions."`
		Watch  backfillWatchCmd  `cmd:"" help:"Follow a backfill to its end; the way back after a detach or Ctrl-C."`
		Pause  backfillPauseCmd  `cmd:"" help:"Let no new partition begin."`
		Resume backfillResumeCmd `cmd:"" help:"Go on with a backfill that is paused."`
		Cancel backfillCancelCmd `cmd:"" help:"End a backfill. What is written stays."`
		Retry  backfillRetryCmd  `cmd:"" help:"Import the parked partitions again."`
		Skip   backfillSkipCmd   `cmd:"" help:"Give the parked partitions up."`
		Add    backfillAddCmd    `cmd:"" help:"Bring another source into a backfill that is running."`
		Drop   backfillDropCmd   `cmd:"" help:"Leave the rest of a source out."`
	} `cmd:"" help:"Backfills: start, list, show, watch, pause, resume, cancel, retry, skip, add, drop."`
	Schedule struct {
		Create  scheduleCreateCmd  `cmd:"" help:"Have a source brought up to date by itself, or change when."`
		Apply   scheduleApplyCmd   `cmd:"" help:"Make or change the schedules that a file names."`
		List    scheduleListCmd    `cmd:"" help:"List schedules and how their sources stand."`
		Show    scheduleShowCmd    `cmd:"" help:"Show a schedule with the five times to come."`
		Pause   schedulePauseCmd   `cmd:"" help:"Begin nothing for the time being."`
		Resume  scheduleResumeCmd  `cmd:"" help:"Go on with a schedule that is paused."`
		Trigger scheduleTriggerCmd `cmd:"" help:"Do now what it does at its times."`
		Delete  scheduleDeleteCmd  `cmd:"" help:"Remove a schedule; records stay."`
		Run     scheduleRunCmd     `cmd:"" help:"Keep a worker running here, so that schedules run on a machine without servers."`
	} `cmd:"" help:"Schedules: create, apply, list, show, pause, resume, trigger, delete, run."`
	Demo struct {
		Saas demoSaasCmd `cmd:"" help:"Serve made-up customers as billing systems and CRMs do, to try things out with."`
	} `cmd:"" help:"Demo: saas."`
	Keys struct {
		New keysNewCmd `cmd:"" help:"Print a new key, for SLUICE_KEY."`
	} `cmd:"" help:"Keys: new."`
	Customers struct {
		Show customersShowCmd `cmd:"" help:"Show a customer, and which row of which file it came from."`
	} `cmd:"" help:"Customers: show."`
	Contacts struct {
		Show contactsShowCmd `cmd:"" help:"Show a contact, and which row of which file it came from."`
	} `cmd:"" help:"Contacts: show."`
	Mapping struct {
		Suggest mappingSuggestCmd `cmd:"" help:"Print a mapping for a file, with what speaks for each guess."`
		Check   mappingCheckCmd   `cmd:"" help:"Check a mapping, all faults at once."`

		Schema   mappingSchemaCmd   `cmd:"" help:"Print the JSON schema of mapping files, for an editor."`
		Template mappingTemplateCmd `cmd:"" help:"Print a file to fill in that needs no mapping."`
	} `cmd:"" help:"Mappings: suggest, check, schema, template."`
	Export  exportCmd  `cmd:"" help:"Print the records of a source."`
	Sweep   sweepCmd   `cmd:"" help:"Remove from the stage what no import needs any more."`
	Doctor  doctorCmd  `cmd:"" help:"Look at every part and say what to mend."`
	Config  configCmd  `cmd:"" help:"Print the settings in force, passwords masked."`
	Version versionCmd `cmd:"" help:"Print the version."`
}

// A session is what every command gets.
type session struct {
	*printer
	in     io.Reader
	config wiring.Config
}

// run is the whole program. It returns the exit code.
func run(ctx context.Context, args []string, std streams) int {
	ctx, stop := interruptible(ctx)
	defer stop()
	p := newPrinter(std)
	code, text := execute(ctx, args, std, p)
	if text != "" {
		p.complain(text, code)
	}
	return code
}

func execute(ctx context.Context, args []string, std streams, p *printer) (code int, complaint string) {
	var c commands
	helped := false
	parser, err := newParser(&c, std, func(int) { helped = true })
	if err != nil {
		return exitFailed, err.Error()
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(args)
	if helped {
		return exitDone, ""
	}
	if err != nil {
		return exitUsage, parseFault(err)
	}
	s := &session{printer: p, in: std.in}
	if s.config, err = c.Setting.Resolve(); err == nil {
		parsed.BindTo(ctx, (*context.Context)(nil))
		err = parsed.Run(s)
	}
	code = codeOf(err)
	var silent ending
	if err == nil || errors.As(err, &silent) {
		return code, ""
	}
	if code == exitInterrupted {
		return code, "interrupted"
	}
	return code, plain(err.Error())
}

// parseFault says what is wrong with the command line and where help is.
func parseFault(err error) string {
	help := "starter --help"
	var parse *kong.ParseError
	if errors.As(err, &parse) && parse.Context != nil {
		if node := parse.Context.Selected(); node != nil {
			help = node.FullPath() + " --help"
		}
	}
	// "" stands among the words of a flag that need not be given; it is no word.
	text := strings.Replace(strings.TrimSuffix(err.Error(), "."), `,"" but got`, " but got", 1)
	return fmt.Sprintf("%s; see %s", text, help)
}

// interruptible returns a context that the first Ctrl-C ends. The second one
// ends the program at once: what is stopping then is in good hands, since
// imports are resumed from whatever was committed.
func interruptible(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		select {
		case <-done:
			return
		case <-signals:
			cancel()
		}
		select {
		case <-done:
		case <-signals:
			os.Exit(exitInterrupted)
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		cancel()
	}
}
