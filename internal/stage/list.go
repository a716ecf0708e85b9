package stage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"sluice/internal/crm"
)

// List goes through the objects below a prefix, such as "imports". Those that
// have a folder in common come together, in no other order that can be relied
// on. An object that is put or removed meanwhile may be told of or not. An
// error ends it; so does ctx, at once.
func (s *Stage) List(ctx context.Context, prefix string) iter.Seq2[crm.Listed, error] {
	return func(yield func(crm.Listed, error) bool) {
		err := checkKey(prefix)
		if err == nil {
			err = s.at.list(ctx, prefix, func(l crm.Listed) bool { return yield(l, nil) })
		}
		if err != nil {
			yield(crm.Listed{}, fmt.Errorf("list stage objects %s: %w", prefix, err))
		}
	}
}

// Unfinished goes through what writers left that did not finish, and what they
// are writing at the moment. Of a bucket it knows what lies on this machine:
// uploads that were cut short are for the bucket's own rules to end.
func (s *Stage) Unfinished(ctx context.Context) iter.Seq2[crm.Listed, error] {
	return func(yield func(crm.Listed, error) bool) {
		if err := s.at.unfinished(ctx, func(l crm.Listed) bool { return yield(l, nil) }); err != nil {
			yield(crm.Listed{}, fmt.Errorf("list unfinished stage objects: %w", err))
		}
	}
}

// Remove removes one object, or one unfinished file, that was listed. One that
// was put again since, which is what makes it young, stays: then removed is
// false, as for one that is gone.
func (s *Stage) Remove(ctx context.Context, l crm.Listed) (removed bool, err error) {
	if removed, err = s.at.removeListed(ctx, l); err != nil {
		return false, fmt.Errorf("remove stage object %s: %w", l.Key, err)
	}
	return removed, nil
}

// errEnough ends a walk whose caller has seen enough.
var errEnough = errors.New("enough")

func (d *dir) list(ctx context.Context, prefix string, each func(crm.Listed) bool) error {
	return d.walk(ctx, prefix, func(l crm.Listed) bool { return l.Unfinished || each(l) })
}

func (d *dir) unfinished(ctx context.Context, each func(crm.Listed) bool) error {
	return d.walk(ctx, ".", func(l crm.Listed) bool { return !l.Unfinished || each(l) })
}

// walk goes through the files below a folder. A folder or a file that vanishes
// meanwhile is passed over, and so is what is neither.
func (d *dir) walk(ctx context.Context, folder string, each func(crm.Listed) bool) error {
	err := fs.WalkDir(d.root.FS(), folder, func(name string, e fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		if err == nil && e.Type().IsRegular() {
			var at fs.FileInfo
			if at, err = e.Info(); err == nil && !each(crm.Listed{Key: name, Size: at.Size(), At: at.ModTime(),
				Unfinished: strings.HasPrefix(path.Base(name), tempMark)}) {
				err = errEnough
			}
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

func (d *dir) removeListed(_ context.Context, l crm.Listed) (bool, error) {
	at, err := d.root.Lstat(l.Key)
	if err == nil && !at.ModTime().Equal(l.At) {
		return false, nil
	}
	if err == nil {
		err = d.root.Remove(l.Key)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	// Folders go with their last file. A writer that comes just then makes its
	// folder again.
	for up := path.Dir(l.Key); up != "." && d.root.Remove(up) == nil; up = path.Dir(up) {
		d.mu.Lock()
		clear(d.known)
		d.mu.Unlock()
	}
	return true, nil
}

func (b *bucket) list(ctx context.Context, prefix string, each func(crm.Listed) bool) error {
	list := b.b.List(&blob.ListOptions{Prefix: prefix + "/"})
	for {
		o, err := list.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil || !each(crm.Listed{Key: o.Key, Size: o.Size, At: o.ModTime}) {
			return err
		}
	}
}

// unfinished lists the files in which createIn keeps what has no key yet.
func (b *bucket) unfinished(ctx context.Context, each func(crm.Listed) bool) error {
	names, err := filepath.Glob(filepath.Join(os.TempDir(), spoolName+"*"))
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return err
		}
		at, err := os.Lstat(name)
		if err == nil && at.Mode().IsRegular() && !each(crm.Listed{Key: name, Size: at.Size(), At: at.ModTime(), Unfinished: true}) {
			return nil
		}
	}
	return err
}

func (b *bucket) removeListed(ctx context.Context, l crm.Listed) (bool, error) {
	if l.Unfinished {
		err := os.Remove(l.Key)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) { // somebody else's
			return false, nil
		}
		return err == nil, err
	}
	at, err := b.b.Attributes(ctx, l.Key)
	// S3 lists fractions of seconds and tells of one object without them.
	if err == nil && !at.ModTime.Truncate(time.Second).Equal(l.At.Truncate(time.Second)) {
		return false, nil
	}
	if err == nil {
		err = b.b.Delete(ctx, l.Key)
	}
	if gcerrors.Code(err) == gcerrors.NotFound {
		return false, nil
	}
	return err == nil, err
}
