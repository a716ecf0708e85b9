package stage

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/internal/crm"
)

// listed returns what is below a prefix, by key.
func (p place) listed(t *testing.T, prefix string) (all []crm.Listed) {
	t.Helper()
	for l, err := range p.List(t.Context(), prefix) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, l)
	}
	slices.SortFunc(all, func(a, b crm.Listed) int { return strings.Compare(a.Key, b.Key) })
	return all
}

func keys(all []crm.Listed) string {
	var names []string
	for _, l := range all {
		names = append(names, l.Key)
	}
	return strings.Join(names, " ")
}

func TestListTellsOfWhatIsBelowAPrefix(t *testing.T) {
	onEach(t, func(t *testing.T, s place) {
		s.put(t, "imports/1/a", []byte("abc"))
		s.put(t, "imports/1/b/c", nil)
		s.put(t, "imports/10/a", nil)
		s.put(t, "files/x", nil)
		w, err := s.Create(t.Context(), "imports/1/unfinished")
		if err != nil {
			t.Fatal(err)
		}
		defer w.Abort()
		all := s.listed(t, "imports/1")
		if got := keys(all); got != "imports/1/a imports/1/b/c" {
			t.Errorf("listed %q", got)
		}
		if l := all[0]; l.Size != headerSize+3 || time.Since(l.At) > time.Hour || l.Unfinished {
			t.Errorf("listed %+v", l)
		}
		if got := s.listed(t, "nothing"); len(got) > 0 {
			t.Errorf("listed %q below what is not there", keys(got))
		}
	})
}

func TestRemoveTakesOneObjectAndNothingElse(t *testing.T) {
	onEach(t, func(t *testing.T, s place) {
		for _, key := range []string{"imports/1/a", "imports/1/a.b", "imports/2/a"} {
			s.put(t, key, nil)
		}
		l := s.listed(t, "imports/1")[0]
		for i, want := range []bool{true, false} {
			if got, err := s.Remove(t.Context(), l); got != want || err != nil {
				t.Errorf("time %d: %v, %v, want %v", i+1, got, err, want)
			}
		}
		if got := keys(s.listed(t, "imports")); got != "imports/1/a.b imports/2/a" {
			t.Errorf("left %q", got)
		}
	})
}

// TestRemoveLeavesWhatWasPutAgain is the file that somebody uploads once more
// while its old copy is on the list of what is to go.
func TestRemoveLeavesWhatWasPutAgain(t *testing.T) {
	onEach(t, func(t *testing.T, s place) {
		o := s.put(t, "files/a", nil)
		l := s.listed(t, "files")[0]
		l.At = l.At.Add(-24 * time.Hour) // when it was listed, it was a day older
		if removed, err := s.Remove(t.Context(), l); removed || err != nil {
			t.Errorf("removed %v, %v", removed, err)
		}
		if _, err := s.read(t, o, 0); err != nil {
			t.Error(err)
		}
	})
}

func TestListEndsWithItsContext(t *testing.T) {
	onEach(t, func(t *testing.T, s place) {
		for _, key := range []string{"files/a", "files/b", "files/c"} {
			s.put(t, key, nil)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		n := 0
		var ended error
		for _, err := range s.List(ctx, "files") {
			if ended = err; err == nil {
				n++
			}
			cancel()
		}
		if n != 1 || !errors.Is(ended, context.Canceled) {
			t.Errorf("%d objects, then %v", n, ended)
		}
	})
}

func TestUnfinishedFilesAreListedAndRemoved(t *testing.T) {
	t.Parallel()
	s := directory(t)
	s.put(t, "imports/1/a", nil)
	w, err := s.Create(t.Context(), "imports/2/b")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	var found []crm.Listed
	for l, err := range s.Unfinished(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, l)
	}
	if len(found) != 1 || !found[0].Unfinished || !strings.HasPrefix(found[0].Key, "imports/2/"+tempMark) {
		t.Fatalf("unfinished: %+v", found)
	}
	if removed, err := s.Remove(t.Context(), found[0]); !removed || err != nil {
		t.Errorf("removed %v, %v", removed, err)
	}
	if _, err := os.Stat(filepath.Dir(s.Path(crm.Object{Key: "imports/2/b"}))); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its folder: %v", err)
	}
}
