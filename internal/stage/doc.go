// Package stage is where files and batches wait between steps: a directory on
// one machine, or a bucket that many workers share. It knows nothing of rows
// or imports; it keeps bytes under keys and gives them back unharmed or not at
// all.
//
//	Create ─▶ Write … ─▶ Commit ─▶ crm.Object ─▶ Open
//	             │                     │
//	           Abort                 Delete
//
// An object appears whole or not at all, and never changes. Its size and hash
// travel in the [crm.Object] that Commit returns, not beside the bytes, so a
// reader notices what happened to the bytes since. What is in a directory is
// for its owner alone: files are of mode 0600 and folders of mode 0700.
//
// What goes when is decided elsewhere: see [Stage.List].
//
// # What lies on disk
//
// Every object begins with 16 bytes that name its format and the key it is
// sealed under. They are hidden from readers and from every size, offset and
// hash. To zstd they are a frame to be skipped (RFC 8878, section 3.1.2), so
// zstdcat opens what [Stage.CreateCompressed] stored:
//
//	5C 2A 4D 18   magic number of a skippable frame
//	08 00 00 00   its length
//	53 4C 43 01   "SLC" and the version of the format, 1
//	00 00 00 00   id of the sealing key, big-endian; 0 is unsealed
//
// Keys are slash-separated paths of a-z, 0-9, dot, underscore and hyphen. In a
// directory they are the files' paths below it.
package stage
