package activities

import (
	"context"
	"fmt"
	"io"

	"go.temporal.io/sdk/activity"

	"sluice/internal/crm"
	"sluice/internal/source"
)

// download brings a file that lies elsewhere into the stage, under the hash of
// its content. Parts of a large one are kept there as they come, so another
// attempt, in any worker, reads what is missing; they go when the file is whole.
// Running it again reads the file again: what it answers is what the file was
// when it did.
//
// A file that becomes another meanwhile ends the import as source_changed; one
// that is not there, empty, too large, or not given out to us ends it too.
func (a *Activities) download(ctx context.Context, in crm.FetchInput) (crm.File, error) {
	remote, err := a.remote(ctx, in.Import.Source, in.File)
	if err != nil {
		return crm.File{}, err
	}
	defer remote.Close()
	parts := fmt.Sprintf("imports/%s/parts/%d", in.Import.ID, in.Number)
	done, err := remote.Download(ctx, source.Download{Parts: a.Stage, Prefix: parts,
		Put:      func(ctx context.Context, r io.Reader) (crm.Object, error) { return a.Stage.PutContent(ctx, "files", r) },
		Progress: func(read, size int64) { activity.RecordHeartbeat(ctx, [2]int64{read, size}) },
	})
	if err != nil {
		return crm.File{}, err
	}
	for l, err := range a.Stage.List(ctx, parts) {
		if err == nil {
			_, err = a.Stage.Remove(ctx, l)
		}
		if err != nil {
			return crm.File{}, err
		}
	}
	return crm.File{Number: in.Number, Name: done.Name, Object: done.Object}, nil
}

// Find says which files a pattern stands for. It leaves nothing anywhere. None,
// or too many, end the import.
func (a *Activities) Find(ctx context.Context, in crm.FindInput) (crm.FoundFiles, error) {
	found, err := a.find(ctx, in.Source, in.File)
	if err == nil && len(found) > crm.MaxFound {
		err = fmt.Errorf("%s: %w: it stands for %d files, and one import has at most %d; starter backfill imports each by itself",
			in.File.Place, crm.ErrInvalid, len(found), crm.MaxFound)
	}
	if err != nil {
		return crm.FoundFiles{}, err
	}
	return crm.FoundFiles{Files: found}, nil
}

func (a *Activities) find(ctx context.Context, slug string, f crm.FileRef) ([]crm.FileRef, error) {
	remote, err := a.remote(ctx, slug, f)
	if err != nil {
		return nil, err
	}
	defer remote.Close()
	list, err := remote.List(ctx)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("%s: %w: no file matches", f.Place, crm.ErrNotFound)
	}
	var out []crm.FileRef
	for _, one := range list {
		out = append(out, crm.FileRef{Name: one.Name, Place: one.Place.Text()})
	}
	return out, err
}

// maxAddress is more than the text of a place may take.
const maxAddress = 8 << 10

// remote opens where a file lies. Its caller closes it.
func (a *Activities) remote(ctx context.Context, slug string, f crm.FileRef) (*source.Remote, error) {
	address := f.Place
	if !f.Address.IsZero() {
		r, err := a.Stage.Open(ctx, f.Address, 0)
		b, err := whole(r, err, maxAddress)
		if err != nil {
			return nil, err
		}
		address = string(b)
	}
	place, err := source.ParsePlace(address)
	if err != nil {
		return nil, err
	}
	way, err := a.Sources.Way(ctx, slug)
	if err != nil {
		return nil, err
	}
	return place.Open(ctx, way)
}
