package launch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"sluice/internal/crm"
)

// rows is a store with one open import, or none, and one that has ended, which
// any reference means.
type rows struct {
	Store
	open, ended *crm.ImportRow
}

// numbered is a store of imports in the order of their numbers.
type numbered struct {
	rows
	all []crm.ImportRow
}

func (n numbered) Import(_ context.Context, ref string) (crm.ImportRow, error) {
	for i := len(n.all) - 1; i >= 0; i-- {
		if row := n.all[i]; ref == row.ID || strings.TrimPrefix(ref, "#") == fmt.Sprint(row.Number) || ref == row.Source {
			return row, nil
		}
	}
	return crm.ImportRow{}, crm.ErrNotFound
}

func (r rows) Source(context.Context, string) (crm.Source, error) { return crm.Source{}, nil }
func (r rows) AddSource(context.Context, crm.Source) error        { return nil }

func (r rows) Import(context.Context, string) (crm.ImportRow, error) {
	if r.ended == nil {
		return crm.ImportRow{}, crm.ErrNotFound
	}
	return *r.ended, nil
}

func (r rows) FileNames(context.Context, int64) ([]string, error) { return []string{"a.csv"}, nil }

func (r rows) Retries(context.Context, string) ([]crm.ImportRow, error) { return nil, nil }

func (r rows) Open(context.Context, string) (crm.ImportRow, error) {
	if r.open == nil {
		return crm.ImportRow{}, crm.ErrNotFound
	}
	return *r.open, nil
}

// shelf is a stage that keeps nothing but names, and has one list of rows.
type shelf struct{ list string }

func (s shelf) ReadCompressed(context.Context, crm.Object) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader(s.list)), nil
}

func (shelf) PutContent(_ context.Context, prefix string, r io.Reader) (crm.Object, error) {
	var b bytes.Buffer
	n, err := b.ReadFrom(r)
	sum := sha256.Sum256(b.Bytes())
	name := hex.EncodeToString(sum[:])
	return crm.Object{Key: prefix + "/" + name, Size: n, BLAKE3: name}, err
}

func TestTheVerySameImportIsAttachedToAndNoOther(t *testing.T) {
	t.Parallel()
	file := func(sha string) []crm.FileRef { return []crm.FileRef{{Name: "a.csv", Object: crm.Object{BLAKE3: sha}}} }
	running := crm.Request{Source: "news", Files: file("aa"), Sheet: "s"}
	for name, c := range map[string]struct {
		asked, running crm.Request
		attached       bool
	}{
		"the same":                   {running, running, true},
		"another file":               {crm.Request{Files: file("bb"), Sheet: "s"}, running, false},
		"another sheet":              {crm.Request{Files: file("aa")}, running, false},
		"another mapping":            {crm.Request{Files: file("aa"), Sheet: "s", Mapping: crm.Object{BLAKE3: "m"}}, running, false},
		"another mode":               {crm.Request{Files: file("aa"), Sheet: "s", Mode: crm.CreateOnly}, running, false},
		"a file more":                {crm.Request{Files: append(file("aa"), file("bb")...), Sheet: "s"}, running, false},
		"a dry run":                  {crm.Request{Files: file("aa"), Sheet: "s", Plan: true}, running, false},
		"a retry":                    {crm.Request{Files: file("aa"), Sheet: "s", Parent: "p"}, running, false},
		"again while the first runs": {crm.Request{Files: file("aa"), Sheet: "s", Again: true}, running, false},
		"again, as that one is":      {crm.Request{Files: file("aa"), Sheet: "s", Again: true}, crm.Request{Files: file("aa"), Sheet: "s", Again: true}, true},
	} {
		l := &Launcher{Store: rows{open: &crm.ImportRow{Import: crm.Import{ID: "imp", Number: 7}, Request: c.running}}}
		s, err := l.attach(t.Context(), c.asked, "import:news", "run")
		var other *RunningError
		if c.attached && (err != nil || !s.Attached || s.ImportID != "imp") {
			t.Errorf("%s: %+v, %v; want attached", name, s, err)
		}
		if !c.attached && (!errors.As(err, &other) || !errors.Is(err, crm.ErrDenied) || !strings.Contains(err.Error(), "import 7 is running")) {
			t.Errorf("%s: %+v, %v; want refused", name, s, err)
		}
	}
}

func TestBadOptionsStartNothing(t *testing.T) {
	t.Parallel()
	l := &Launcher{Store: rows{}, Stage: shelf{}} // and no Temporal: it must not be asked
	one := []crm.FileRef{{Name: "a.csv"}}
	for name, o := range map[string]Options{
		"no file":        {Source: "news"},
		"too many files": {Source: "news", Files: make([]crm.FileRef, MaxFiles+1)},
		"a bad source":   {Source: "News!", Files: one},
	} {
		if _, err := l.Start(t.Context(), o); !errors.Is(err, crm.ErrInvalid) {
			t.Errorf("%s: %v, want invalid", name, err)
		}
	}
	if _, err := l.StageFile(t.Context(), "empty.csv", strings.NewReader("")); !errors.Is(err, crm.ErrInvalid) {
		t.Errorf("an empty file: %v, want invalid", err)
	}
}

func TestRequestTakesItsHeartbeatFromTheLauncherUnlessItNamesOne(t *testing.T) {
	t.Parallel()
	l := &Launcher{Store: rows{}, Stage: shelf{}, Heartbeat: 10 * time.Second}
	one := []crm.FileRef{{Name: "a.csv"}}
	for named, want := range map[time.Duration]time.Duration{0: 10 * time.Second, 2 * time.Second: 2 * time.Second} {
		r, err := l.request(t.Context(), Options{Source: "news", Files: one, Mapping: []byte("version: 1"), Tuning: crm.Tuning{Heartbeat: named}})
		if err != nil || r.Tuning.Heartbeat != want || r.Mapping.IsZero() || r.Version != crm.RequestVersion {
			t.Errorf("heartbeat %s gives %+v, %v; want %s", named, r, err, want)
		}
	}
}

func TestLedgerTellsWhatIsWrittenAndNothingMore(t *testing.T) {
	t.Parallel()
	open := FromLedger(crm.ImportRow{State: crm.Running, Totals: crm.Counts{Read: 40, Accepted: 40}})
	if !open.Ledger || open.Steps[0].Rows != 40 || open.Steps[0].Done || open.Rate != 0 {
		t.Errorf("open import: %+v", open)
	}
	ended := FromLedger(crm.ImportRow{State: crm.Cancelled, Report: &crm.Report{Counts: crm.Counts{Read: 90, Accepted: 40, Unprocessed: 50}}})
	if ended.Steps[0].Rows != 40 || !ended.Steps[0].Done || ended.Counts.Unprocessed != 50 {
		t.Errorf("ended import: %+v", ended)
	}
}

func TestLinkNeedsAnAddress(t *testing.T) {
	t.Parallel()
	s := Started{WorkflowID: "import:news"}
	if got := (&Launcher{}).Link(s); got != "" {
		t.Errorf("link without a UI: %q", got)
	}
	if got := (&Launcher{UI: "http://ui", Space: "sluice"}).Link(s); got != "http://ui/namespaces/sluice/workflows/import:news" {
		t.Errorf("link: %q", got)
	}
}
