// Package activities is the steps of an import, one file each, named as the
// step is. Heartbeats and safety under retries live here; what happens next is
// in package workflows.
//
// This is the only package that puts two rooms together: it reads with
// tabular, maps with mapping, and reaches the stage, the store, the claims and
// the mailer through the small interfaces in activities.go.
//
// Every step may run twice, at the same time even, when an attempt that was
// given up for dead is not. The comment on each step says why that is
// harmless. A failure that trying again cannot mend is marked with a kind of
// internal/crm by whoever knows it first, and becomes a failure type on the
// wire in failure.go; every other failure is retried.
package activities
