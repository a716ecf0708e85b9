package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"sluice/internal/crm"
	"sluice/internal/egress"
)

func TestDownloadIsWhole(t *testing.T) {
	eachFileServer(t, func(t *testing.T, s *fileServer) {
		st := testStage(t)
		for _, size := range []int{1, testPart - 1, testPart, testPart + 1, 2 * testPart, 2*testPart + 12345} {
			want := someBytes(size)
			s.put("leads.csv", want)
			got, err := s.download(t.Context(), t, "leads.csv", into(st))
			checkWhole(t, st, got, err, want)
			if got.Name != "leads.csv" || got.Kept != 0 {
				t.Errorf("got %q, of which %d bytes were there; want leads.csv and none", got.Name, got.Kept)
			}
		}
	})
}

// A worker dies whenever it has read a part. No part is read twice.
func TestDownloadKilledAfterEachPartReadsNoPartAgain(t *testing.T) {
	eachFileServer(t, func(t *testing.T, s *fileServer) {
		const size = 4*testPart + 777
		want := someBytes(size)
		s.put("leads.csv", want)
		st := testStage(t)
		var got Downloaded
		var err error
		deaths := 0
		for {
			ctx, die := context.WithCancel(t.Context())
			to := into(st)
			to.Parts = &mortal{Stage: st, left: 1, die: die}
			got, err = s.download(ctx, t, "leads.csv", to)
			die()
			if err == nil || deaths > 9 {
				break
			}
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("after %d deaths: %v, want that it was cancelled", deaths, err)
			}
			deaths++
		}
		checkWhole(t, st, got, err, want)
		if deaths != 5 || got.Kept != size {
			t.Errorf("%d deaths, and %d bytes were there at last; want 5, one for each part, and all", deaths, got.Kept)
		}
		if read, most := s.read.Load(), size+int64(deaths)*s.slack; read > most {
			t.Errorf("%d bytes were read for a file of %d; want at most %d", read, size, most)
		}
	})
}

func TestDownloadOfAFileThatChangedBetweenTwoCallsBeginsAnew(t *testing.T) {
	eachFileServer(t, func(t *testing.T, s *fileServer) {
		st := testStage(t)
		s.put("leads.csv", someBytes(3*testPart))
		cutShort(t, s, st, 2)
		want := slices.Clone(someBytes(3 * testPart))
		want[0]++ // of the same size
		s.put("leads.csv", want)
		got, err := s.download(t.Context(), t, "leads.csv", into(st))
		checkWhole(t, st, got, err, want)
		if got.Kept != 0 {
			t.Errorf("%d bytes of another version were made use of", got.Kept)
		}
	})
}

func TestOpenInTheMiddleOfAFileThatChangedSaysSo(t *testing.T) {
	eachFileServer(t, func(t *testing.T, s *fileServer) {
		s.put("leads.csv", someBytes(testPart))
		r := s.open(t, "leads.csv")
		info, err := r.Stat(t.Context())
		if err != nil || info.Validator == "" {
			t.Fatalf("Stat = %+v, %v; want a validator", info, err)
		}
		s.put("leads.csv", bytes.Repeat([]byte("x"), testPart))
		_, _, err = r.from.open(t.Context(), 1000, info)
		if !errors.Is(err, crm.ErrSourceChanged) || crm.TypeOf(err) != crm.FailSourceChanged {
			t.Errorf("got %v, want ErrSourceChanged", err)
		}
	})
}

func TestOpenInTheMiddleGivesTheRest(t *testing.T) {
	eachFileServer(t, func(t *testing.T, s *fileServer) {
		want := someBytes(10_000)
		s.put("leads.csv", want)
		r := s.open(t, "leads.csv")
		info, err := r.Stat(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, from := range []int64{1, 4096, 9999} {
			_, body, err := r.from.open(t.Context(), from, info)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(body)
			if err := errors.Join(err, body.Close()); err != nil || !bytes.Equal(got, want[from:]) {
				t.Errorf("from %d: %d bytes, %v; want %d", from, len(got), err, len(want)-int(from))
			}
		}
	})
}

func TestFilesThatAreNotThereAreNotFound(t *testing.T) {
	eachFileServer(t, func(t *testing.T, s *fileServer) {
		_, err := s.download(t.Context(), t, "absent.csv", into(testStage(t)))
		if !errors.Is(err, crm.ErrNotFound) {
			t.Errorf("got %v, want ErrNotFound", err)
		}
	})
}

func TestEmptyFilesAreInvalid(t *testing.T) {
	eachFileServer(t, func(t *testing.T, s *fileServer) {
		s.put("leads.csv", nil)
		_, err := s.download(t.Context(), t, "leads.csv", into(testStage(t)))
		if !errors.Is(err, crm.ErrInvalid) || !strings.Contains(err.Error(), "empty") {
			t.Errorf("got %v, want that it is empty", err)
		}
	})
}

func TestFilesThatAreTooLargeAreRefusedBeforeTheyAreRead(t *testing.T) {
	eachFileServer(t, func(t *testing.T, s *fileServer) {
		s.put("leads.csv", someBytes(testPart))
		to := into(testStage(t))
		to.Most = testPart - 1
		_, err := s.download(t.Context(), t, "leads.csv", to)
		if want := fmt.Sprintf("it has %d bytes, and may have %d", testPart, testPart-1); !errors.Is(err, crm.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
		if read := s.read.Load(); read > 64<<10 {
			t.Errorf("%d bytes were read of a file that is too large", read)
		}
	})
}

func TestFilesAreReachedOnlyWhereItIsAllowed(t *testing.T) {
	eachFileServer(t, func(t *testing.T, s *fileServer) {
		s.put("leads.csv", someBytes(10))
		settings := s.way.Settings
		s.way = wayTo(t, "", &s.read)
		s.way.Settings = settings
		_, err := s.download(t.Context(), t, "leads.csv", into(testStage(t)))
		if !errors.Is(err, egress.ErrRefused) || crm.TypeOf(err) != crm.FailInvalid {
			t.Errorf("got %v, want ErrRefused", err)
		}
	})
}

func TestErrorsSayNoSecret(t *testing.T) {
	eachFileServer(t, func(t *testing.T, s *fileServer) {
		s.put("leads.csv", someBytes(10))
		for name, value := range s.way.Settings {
			if name == "secret_key" || name == "password" {
				s.way.Settings[name] = value + "-wrong"
			}
		}
		for _, name := range []string{"leads.csv", "absent.csv"} {
			_, err := s.download(t.Context(), t, name, into(testStage(t)))
			if err != nil && (strings.Contains(err.Error(), "very-secret") || strings.Contains(err.Error(), sshPassword)) {
				t.Errorf("%s: the error repeats a secret: %v", name, err)
			}
		}
	})
}

func TestPatternsStandForFilesByName(t *testing.T) {
	eachFileServer(t, func(t *testing.T, s *fileServer) {
		if strings.HasPrefix(s.at, "http") {
			return // The web has no folders.
		}
		for _, name := range []string{"b.csv", "a.csv", "a.CSV", "c.xlsx", "A b.csv", "ab"} {
			s.put(name, []byte(name))
		}
		for pattern, want := range map[string][]string{
			"*.csv":  {"A b.csv", "a.csv", "b.csv"},
			"a*":     {"a.CSV", "a.csv", "ab"},
			"*":      {"A b.csv", "a.CSV", "a.csv", "ab", "b.csv", "c.xlsx"},
			"*.json": nil,
			"a.csv":  {"a.csv"},
		} {
			found, err := s.open(t, pattern).List(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range found {
				got = append(got, f.Name)
				again, err := ParsePlace(f.Place.Text())
				if err != nil || again.Pattern() || again.Base() != f.Name || f.Size != int64(len(f.Name)) || f.Changed.IsZero() {
					t.Errorf("%s found %+v, which reads %+v, %v", pattern, f, again, err)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s stands for %q, want %q", pattern, got, want)
			}
		}
		if _, err := s.open(t, "*.csv").Stat(t.Context()); !errors.Is(err, crm.ErrInvalid) {
			t.Errorf("Stat of a pattern: %v, want ErrInvalid", err)
		}
		st := testStage(t)
		found, err := s.open(t, "A*.csv").List(t.Context())
		if err != nil || len(found) != 1 {
			t.Fatalf("found %v, %v", found, err)
		}
		got, err := s.download(t.Context(), t, strings.TrimPrefix(found[0].Place.Text(), s.at), into(st))
		checkWhole(t, st, got, err, []byte("A b.csv"))
	})
}
