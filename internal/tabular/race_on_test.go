//go:build race

package tabular

// raced is true when the race detector watches: it makes a scan ten to twenty
// times as slow.
const raced = true
