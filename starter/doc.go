// Command starter launches imports and watches them. It is the command line of
// Sluice.
//
//	starter import leads.csv --source newsletter
//
// It goes through two doors: internal/wiring brings or reaches the parts of
// the installation, internal/launch does what can be done to an import. With
// nothing set it brings all parts itself, in this process and below one
// directory; then an import lasts as long as the command does, and goes on
// with the next one.
//
// # What goes where
//
// Data goes to standard output, and nothing else does. Progress, notes and
// errors go to standard error: on a terminal as a block that stands still,
// else as a line at once, every ten seconds and with each change of phase. With
// -o json, standard output is one object, or one a line for lists of any
// length, and an error is one object on standard error with the keys error and
// exit.
//
// # Exit codes
//
// They are API; exit.go is where errors become codes.
//
//	0    done; also when the very file is imported already, and when a command
//	     such as cancel has done what it was asked to do
//	1    failed: the import ended as failed, cancelled or interrupted, or waits
//	     for somebody to decide; there is no such import, source or record; or
//	     the import refuses the command
//	2    usage: wrong arguments, a file or mapping that cannot be imported as
//	     it is, a setting that cannot work, an import that has nothing to
//	     retry; nothing was written
//	3    done, with rejected rows
//	4    a part does not answer, or does not allow it; another import of the
//	     source is running
//	130  interrupted; the import was not cancelled
//
// # Before anything starts
//
// An import looks at its files and its mapping by the code that will look at
// them again inside the import. What can be known to be wrong then is said in
// one line, and nothing has been started or written.
//
// Flags that say how a file is read are laid over the mapping file, or over the
// source's saved mapping, and the result is what the import keeps: the same
// file under another flag is another import.
//
// # Rejected rows
//
// What a reason means and what mends it stands in remedy.go, for the reject
// file, the report and the documents alike. Settings are never proposed on a
// guess: rejected rows are mapped once more under each that can help, and
// counted. No list replaces a file that is there: it may have been mended.
package main
