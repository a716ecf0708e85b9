package activities

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"sluice/internal/crm"
)

// Fetch makes sure that a file of the request, or the next segment of a
// partition, is whole in the stage. Of segments see fetchPages, of files that
// lie elsewhere download.
//
// Local files and standard input are staged before the import starts, so here
// the staged copy is read once against the size and hash it was announced
// with. It leaves checksums of the file's blocks in the stage, for those who
// read it in pieces; each attempt under a key of its own, so running it twice
// is harmless. A file that is missing, empty or another one ends the import.
func (a *Activities) Fetch(ctx context.Context, in crm.FetchInput) (crm.Fetched, error) {
	switch {
	case in.Segment != nil:
		return a.fetchPages(ctx, in)
	case in.File.Elsewhere():
		f, err := a.download(ctx, in)
		return crm.Fetched{File: f}, err
	}
	f, err := a.fetchFile(ctx, in)
	return crm.Fetched{File: f}, err
}

func (a *Activities) fetchFile(ctx context.Context, in crm.FetchInput) (crm.File, error) {
	o := in.File.Object
	if o.Size == 0 {
		return crm.File{}, fmt.Errorf("file %q: %w: it is empty", in.File.Name, crm.ErrInvalid)
	}
	f := crm.File{Number: in.Number, Name: in.File.Name, Object: o}
	r, err := a.Stage.Open(ctx, o, 0)
	if err != nil {
		return crm.File{}, changed(f, err)
	}
	defer r.Close()
	var sums blockSums
	if _, err := io.Copy(&sums, r); err != nil {
		return crm.File{}, changed(f, err)
	}
	f.Sums, err = a.Stage.Put(ctx, fileKey(in.Import.ID, attempt(ctx), in.Number, "sums"), bytes.NewReader(sums.all()))
	return f, err
}
