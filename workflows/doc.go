// Package workflows says what happens next. Its code is deterministic and does
// no I/O: it runs the steps of internal/crm by name, waits, and keeps count.
// What a step does is in package activities, which this one never imports.
//
// Import is the main one. Read import.go first: it is the table of contents of
// an import; pipeline.go overlaps parsing, deduplication and writing;
// commands.go answers pause, resume and cancel; progress.go answers how far it
// is; run.go holds the timeouts and retries of every step.
//
// Undo reverses an import; it is an import as far as commands and progress go.
// So is RemoveSource, which removes a source with all it holds.
//
// A change here must replay the histories in testdata/histories, which were
// recorded from released code. What cannot is put behind workflow.GetVersion.
package workflows
