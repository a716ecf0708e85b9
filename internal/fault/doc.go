//go:build linux

// Command fault holds the product to its promises while everything around it
// fails:
//
//	go run ./internal/fault -seeds 3 -table docs/faults.md
//
// It runs PostgreSQL, Redis, a Temporal server and workers as processes, with a
// link in front of each that can be slowed, stopped and cut; S3 and a mail
// server in this process. Each fault of the matrix meets one import of a seeded
// file at seeded moments. Then a checker reads the file, the tables, the lists of
// what became of each row and the mails, and says what does not hold: it goes by
// none of the product's own counts, which are among what it checks.
//
//	I1  every row is accounted for, in lists and in counts
//	I2  one outcome a row, one record an identity
//	I3  the tables are those of an undisturbed import
//	I4  a rejected row has its line, its reason and its own text
//	I5  one import, one string of bytes; else nothing is written
//	I6  people are told after the end, of what it was, under one id
//	I8  a cancel ends it within 30 seconds, between batches
//	I9  it ends as it must, within four minutes
//	I10 connections and memory stay within bounds
//	I11 other sources are left alone
//
// The seed is printed, and gives the same rows, faults and moments, counted in
// batches; what the operating system makes of them is its own. The tests of this
// package play the short set, with one seed. It needs Linux.
package main
