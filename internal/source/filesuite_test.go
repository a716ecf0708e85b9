package source

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
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
