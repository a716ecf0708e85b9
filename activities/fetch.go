package activities

import (
	"context"
	"errors"
	"fmt"
	"io"

	"sluice/internal/crm"
)

// Fetch makes sure that a file of the request is whole in the stage.
//
// Local files and standard input are staged before the import starts, so here
// the staged copy is read once against the size and hash it was announced
// with. Reading changes nothing, so running it twice is harmless. A file that
// is missing, empty or another one ends the import.
func (a *Activities) Fetch(ctx context.Context, in crm.FetchInput) (crm.File, error) {
	o := in.File.Object
	if o.Size == 0 {
		return crm.File{}, fmt.Errorf("file %q: %w: it is empty", in.File.Name, crm.ErrInvalid)
	}
	r, err := a.Stage.Open(ctx, o, 0)
	if err != nil {
		return crm.File{}, err
	}
	defer r.Close()
	if _, err := io.Copy(io.Discard, r); err != nil {
		if errors.Is(err, crm.ErrNotFound) { // the stage found another size or hash
			return crm.File{}, fmt.Errorf("file %q: %w since the import was started", in.File.Name, crm.ErrSourceChanged)
		}
		return crm.File{}, err
	}
	return crm.File{Number: in.Number, Name: in.File.Name, Object: o}, nil
}
