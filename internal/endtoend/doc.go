// Package endtoend holds the tests that need more than one room: whole imports
// on real parts, killed and repeated, and compared with what a plain reading
// of the same rows says. It is never linked into a binary.
package endtoend
