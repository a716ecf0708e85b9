package source

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"sluice/internal/crm"
)

// maxFound is how many files a pattern may stand for.
const maxFound = 10_000

// List returns the files that a pattern stands for, sorted by their names, byte
// by byte; there may be none. Folders are none of them. A place that is no
// pattern stands for its file, which is looked at. Errors are those of
// [Remote.Stat]; too many files wrap [crm.ErrInvalid].
func (r *Remote) List(ctx context.Context) ([]Found, error) {
	if !r.place.Pattern() {
		info, err := r.Stat(ctx)
		if err != nil {
			return nil, err
		}
		return []Found{{Place: r.place, Name: info.Name, Size: info.Size, Changed: info.Changed}}, nil
	}
	found, err := r.from.list(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.place, err)
	}
	slices.SortFunc(found, func(a, b Found) int { return strings.Compare(a.Name, b.Name) })
	return found, nil
}

// finds collects what a pattern stands for.
type finds struct {
	pattern Place
	found   []Found
}

// matches reports whether a file of a name is one of those.
func (f *finds) matches(name string) bool { return starred(f.pattern.Base(), name) }

// add adds a file that matches. Its Place is told from its Name.
func (f *finds) add(one Found) error {
	if len(f.found) == maxFound {
		return fmt.Errorf("%w: it stands for more than %d files", crm.ErrInvalid, maxFound)
	}
	var err error
	if one.Place, err = f.pattern.beside(one.Name); err != nil {
		return err
	}
	f.found = append(f.found, one)
	return nil
}
