package source

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sluice/internal/crm"
	"sluice/internal/egress"
	"sluice/internal/servertest"
	"sluice/internal/stage"
)

// A fileServer serves files that may change.
type fileServer struct {
	way   Way
	at    string       // the folder's address
	read  atomic.Int64 // bytes that have come from it
	put   func(name string, b []byte)
	slack int64 // how much is read ahead, at the most
}

// fileServers are one of each kind that this program reads.
var fileServers = map[string]func(t *testing.T) *fileServer{"web": webOnTrial, "s3": s3OnTrial, "sftp": sftpOnTrial}

func eachFileServer(t *testing.T, do func(t *testing.T, s *fileServer)) {
	t.Helper()
	t.Parallel()
	for _, name := range slices.Sorted(maps.Keys(fileServers)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			do(t, fileServers[name](t))
		})
	}
}

// wayTo is one that reaches the networks given, and counts what comes.
func wayTo(t *testing.T, networks string, read *atomic.Int64) Way {
	t.Helper()
	policy, err := egress.ParsePolicy(networks, "", "")
	if err != nil {
		t.Fatal(err)
	}
	out := egress.New(policy)
	return Way{
		HTTP: func(r *http.Request) (*http.Response, error) {
			res, err := out.Do(r, egress.Limits{Idle: 20 * time.Second})
			if err == nil {
				res.Body = &countedBody{res.Body, read}
			}
			return res, err
		},
		Dial: func(ctx context.Context, host string, port uint16) (net.Conn, error) {
			c, err := out.Dial(ctx, host, port)
			if err != nil {
				return nil, err
			}
			return &countedConn{c, read}, nil
		},
		Settings: map[string]string{},
	}
}

type countedBody struct {
	io.ReadCloser
	n *atomic.Int64
}

func (c *countedBody) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.n.Add(int64(n))
	return n, err
}

type countedConn struct {
	net.Conn
	n *atomic.Int64
}

func (c *countedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// webOnTrial gives ranges and strong tags.
func webOnTrial(t *testing.T) *fileServer {
	t.Helper()
	type file struct {
		bytes []byte
		tag   string
	}
	var mu sync.Mutex
	files := map[string]file{}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		f, ok := files[path.Base(r.URL.Path)]
		mu.Unlock()
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("ETag", f.tag)
		w.Header().Set("Content-Type", "text/csv")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.bytes))
	}))
	t.Cleanup(web.Close)
	s := &fileServer{at: web.URL + "/exports/"}
	s.way = wayTo(t, "127.0.0.1", &s.read)
	s.slack = 8 << 10
	versions := 0
	s.put = func(name string, b []byte) {
		mu.Lock()
		defer mu.Unlock()
		versions++
		files[name] = file{b, fmt.Sprintf(`"v%d"`, versions)}
	}
	return s
}

// s3OnTrial gives tags too, which the server of the tests does not.
func s3OnTrial(t *testing.T) *fileServer {
	t.Helper()
	server := servertest.StartS3()
	t.Cleanup(server.Stop)
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	endpoint := u.Query().Get("endpoint")
	var mu sync.Mutex
	tags := map[string]string{}
	server.Before(func(w http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		if tag := tags[r.URL.Path]; tag != "" && r.Method != http.MethodPut {
			w.Header().Set("ETag", tag)
		}
		return false
	})
	s := &fileServer{at: "s3://bucket/exports/", slack: 8 << 10}
	s.way = wayTo(t, "127.0.0.1", &s.read)
	s.way.Settings = map[string]string{"access_key": "AKIAEXAMPLE", "secret_key": "very-secret", "region": "eu-west-1", "endpoint": endpoint}
	versions := 0
	s.put = func(name string, b []byte) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, endpoint+"/bucket/exports/"+name, bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		mu.Lock()
		defer mu.Unlock()
		versions++
		tags["/bucket/exports/"+name] = fmt.Sprintf(`"v%d"`, versions)
	}
	return s
}

func sftpOnTrial(t *testing.T) *fileServer {
	t.Helper()
	dir := t.TempDir()
	server := startSSH(t, sshOptions{dir: dir})
	s := &fileServer{at: "sftp://importer@" + server.address + filepath.ToSlash(dir) + "/", slack: sftpAhead + 256<<10}
	s.way = wayTo(t, "127.0.0.1", &s.read)
	s.way.Settings = map[string]string{"password": sshPassword, "known_hosts": server.known}
	changed := time.Now().Add(-time.Hour)
	s.put = func(name string, b []byte) {
		changed = changed.Add(time.Second)
		writeAt(t, filepath.Join(dir, name), b, changed)
	}
	return s
}

// writeAt writes a file with a time of its last change.
func writeAt(t *testing.T, name string, b []byte, changed time.Time) {
	t.Helper()
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(name, changed, changed); err != nil {
		t.Fatal(err)
	}
}

func (s *fileServer) open(t *testing.T, name string) *Remote {
	t.Helper()
	p, err := ParsePlace(s.at + name)
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.Open(t.Context(), s.way)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

func (s *fileServer) download(ctx context.Context, t *testing.T, name string, to Download) (Downloaded, error) {
	t.Helper()
	return s.open(t, name).Download(ctx, to)
}

// testPart is how many bytes a part has in tests.
const testPart = 1 << 20

// testStage is one in a directory.
func testStage(t *testing.T) *stage.Stage {
	t.Helper()
	s, err := stage.Open(t.Context(), "file://"+filepath.ToSlash(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func into(s *stage.Stage) Download {
	return Download{Parts: s, Prefix: "imports/one/parts/0", part: testPart,
		Put: func(ctx context.Context, r io.Reader) (crm.Object, error) { return s.PutContent(ctx, "files", r) }}
}

// mortal is a stage whose worker dies when so many parts have been kept.
type mortal struct {
	*stage.Stage
	left int
	die  context.CancelFunc
}

func (m *mortal) Put(ctx context.Context, key string, r io.Reader) (crm.Object, error) {
	o, err := m.Stage.Put(ctx, key, r)
	if strings.HasSuffix(key, ".ref") {
		if m.left--; m.left == 0 {
			m.die()
		}
	}
	return o, err
}

// someBytes are always the same, and no two lengths begin alike.
func someBytes(n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(n), byte(n >> 8), byte(n >> 16)})
	_, _ = r.Read(b)
	return b
}

func checkWhole(t *testing.T, st *stage.Stage, got Downloaded, err error, want []byte) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	r, err := st.Open(t.Context(), got.Object, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(b, want) {
		t.Fatalf("put %d bytes, %v; want the %d of the file", len(b), err, len(want))
	}
	sum := sha256.Sum256(want)
	if hash := hex.EncodeToString(sum[:]); got.SHA256 != hash || got.Size != int64(len(want)) || !strings.HasSuffix(got.Object.Key, hash) {
		t.Errorf("got %d bytes of SHA-256 %s under %s, want %d of %s", got.Size, got.SHA256, got.Object.Key, len(want), hash)
	}
}

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
