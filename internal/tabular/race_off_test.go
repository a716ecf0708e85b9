//go:build !race

package tabular

// raced is true when the race detector watches.
const raced = false
