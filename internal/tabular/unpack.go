package tabular

import (
	"context"
	"io"

	"sluice/internal/crm"
)

// Packed returns how src is packed, by its content alone: "gzip", "zstd", "zip"
// for an archive that holds one file and is no workbook, or "" for a file that
// is not packed. An archive of several files, or of none, wraps
// [crm.ErrInvalid] and says how many there are.
func Packed(ctx context.Context, src Source) (string, error) {
	return "", nil
}

// Unpack writes what is packed in src to w, packing being what [Packed] said.
// What comes of it is a file like any other, but is not unpacked once more.
//
// It is streamed. A file that is damaged or cut short wraps [crm.ErrInvalid]
// and says at which byte; so does one that unpacks to more than it may: see
// maxUnpacked. After an error what w holds is of no use.
func Unpack(ctx context.Context, src Source, packing string, w io.Writer) error {
	return invalid("it is packed as %s", packing)
}

var _ = crm.ErrInvalid
