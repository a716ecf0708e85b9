// Package launch is everything one can do to an import from outside: stage a
// file, start, plan without writing, watch, pause, resume, cancel, wait for the
// end, retry what was rejected, and list what was accepted. The command line,
// the HTTP API and schedules all go through it, so that they agree.
//
// It knows Temporal, and the workflows by their names and inputs. What it
// needs of the store and the stage it takes through small interfaces. It never
// runs a step.
package launch
