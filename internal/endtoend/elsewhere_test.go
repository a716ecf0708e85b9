package endtoend

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"sluice/internal/crm"
	"sluice/internal/secret"
	"sluice/internal/servertest"
)

// web serves files by their paths, and counts who asked.
type web struct {
	*httptest.Server
	asked atomic.Int64

	mu    sync.Mutex
	files map[string]string
}

// put puts a file there, or another in its place.
func (w *web) put(path, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.files[path] = text
}

func newWeb(t *testing.T, files map[string]string) *web {
	w := &web{files: files}
	w.Server = httptest.NewServer(w)
	t.Cleanup(w.Close)
	return w
}

func (w *web) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	w.asked.Add(1)
	if to, ok := strings.CutPrefix(r.URL.Path, "/to/"); ok {
		http.Redirect(out, r, "http://"+to, http.StatusFound)
		return
	}
	w.mu.Lock()
	text, ok := w.files[r.URL.Path]
	w.mu.Unlock()
	if !ok {
		http.NotFound(out, r)
		return
	}
	out.Header().Set("ETag", fmt.Sprintf("%q", fmt.Sprint(len(text))))
	http.ServeContent(out, r, r.URL.Path, time.Time{}, strings.NewReader(text))
}

// people is a CSV of so many customers, from a number on.
func people(from, n int) string {
	var b strings.Builder
	b.WriteString("id,name,email\n")
	for i := range n {
		fmt.Fprintf(&b, "p%d,Person %d,p%d@example.com\n", from+i, from+i, from+i)
	}
	return b.String()
}

// reported runs a command with -o json and returns the report that it prints.
func (c *cluster) reported(code int, args ...string) (r crm.Report) {
	c.t.Helper()
	out, errs, got := c.starter(append(args, "-o", "json")...)
	if err := json.Unmarshal([]byte(out), &r); err != nil || got != code {
		c.t.Fatalf("%v exits %d, want %d, and prints: %v\n%s%s", args, got, code, err, out, errs)
	}
	return r
}

// Files of the web and of a bucket are fetched by a worker and imported like
// those of the machine; the same once more is found to be so.
func TestFilesFromElsewhereAreImportedOnce(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.env = append(c.env, "SLUICE_EGRESS_NETWORKS=127.0.0.1")
	c.worker()
	const signed = "c4fe-signature"
	from := newWeb(t, map[string]string{"/leads.csv": people(0, 40)})
	address := from.URL + "/leads.csv?signature=" + signed
	first := c.reported(0, "import", address, "--source", "web")
	if first.Read != 40 || first.Customers.Created != 40 {
		t.Errorf("of 40 rows it read %d and created %d customers", first.Read, first.Customers.Created)
	}
	again := c.reported(0, "import", address, "--source", "web")
	if again.State != crm.AlreadyImported || again.Earlier != first.ImportID {
		t.Errorf("the second time it is %s, by %q", again.State, again.Earlier)
	}
	from.put("/leads.csv", people(0, 41))
	if newer := c.reported(0, "import", address, "--source", "web"); newer.Customers.Created != 1 {
		t.Errorf("of the file with one row more it created %d", newer.Customers.Created)
	}
	row, err := c.store.Import(t.Context(), first.ImportID)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := json.Marshal(row); err != nil || strings.Contains(string(text), signed) {
		t.Errorf("what authorizes to read the file is in the import's row: %s, %v", text, err)
	}
	if out := c.must(0, "imports", "show", first.ImportID); strings.Contains(out, signed) || !strings.Contains(out, "leads.csv") {
		t.Errorf("show says:\n%s", out)
	}

	bucket := servertest.StartS3()
	t.Cleanup(bucket.Stop)
	endpoint := bucket.URL[strings.Index(bucket.URL, "endpoint=")+len("endpoint="):]
	for i, key := range []string{"months/2024-01.csv", "months/2024-02.csv", "months/readme.txt", "months/2024-03.csv"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, endpoint+"/bucket/"+key, strings.NewReader(people(100*i, 10)))
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatal(res, err)
		}
		res.Body.Close()
	}
	c.must(0, "sources", "add", "file", "--name", "bucket", "--set", "endpoint="+endpoint, "--set", "anonymous=true", "--set", "region=us-east-1")
	all := c.reported(0, "import", "s3://bucket/months/2024-*.csv", "--source", "bucket")
	if all.Read != 30 || all.Customers.Created != 30 {
		t.Errorf("of three files with ten rows each it read %d and created %d", all.Read, all.Customers.Created)
	}
	if again := c.reported(0, "import", "s3://bucket/months/2024-*.csv", "--source", "bucket"); again.State != crm.AlreadyImported {
		t.Errorf("the second time it is %s", again.State)
	}
	if none := c.reported(1, "import", "s3://bucket/years/*.csv", "--source", "bucket"); none.Failure == nil || none.Failure.Type != crm.FailNotFound {
		t.Errorf("a pattern that nothing matches ends as %+v", none.Failure)
	}
}

// What cannot be fetched ends the import with its own state, at once.
func TestWhatCannotBeFetchedSaysWhy(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	const password = "c4fe-password"
	key, err := secret.New()
	if err != nil {
		t.Fatal(err)
	}
	c.env = append(c.env, "SLUICE_EGRESS_NETWORKS=127.0.0.1", "SLUICE_KEY="+key, "SLUICE_SOURCE_PASSWORD="+password)
	kill := c.worker()
	from := newWeb(t, map[string]string{"/empty.csv": "", "/leads.csv": people(0, 3)})
	host, known := sshHost(t)
	c.must(0, "sources", "add", "file", "--name", "vault", "--set", "user=me", "--set", "known_hosts="+known)
	const signed = "c4fe-signature"
	for _, tt := range []struct {
		name, address, source string
		want                  crm.FailureType
	}{
		{"no such file", from.URL + "/gone.csv", "web", crm.FailNotFound},
		{"an empty file", from.URL + "/empty.csv", "web", crm.FailInvalid},
		{"an address inside", "http://10.1.2.3/leads.csv", "web", crm.FailInvalid},
		{"a redirect inside", from.URL + "/to/169.254.169.254/leads.csv", "web", crm.FailInvalid},
		{"a server of another key", "sftp://" + host + "/leads.csv", "vault", crm.FailDenied},
	} {
		before := from.asked.Load()
		out, errs, code := c.starter("import", tt.address+map[bool]string{true: "?s=" + signed}[tt.source == "web"], "--source", tt.source, "-o", "json")
		var r crm.Report
		_ = json.Unmarshal([]byte(out), &r)
		if code != 1 || r.Failure == nil || r.Failure.Type != tt.want {
			t.Errorf("%s: exit code %d, want 1 and %s:\n%s%s", tt.name, code, tt.want, out, errs)
		}
		if strings.Contains(out+errs, signed) || strings.Contains(out+errs, password) {
			t.Errorf("%s: it repeats what authorizes:\n%s%s", tt.name, out, errs)
		}
		if asked := from.asked.Load() - before; asked > 3 {
			t.Errorf("%s: the server was asked %d times", tt.name, asked)
		}
	}

	kill()
	c.env = append(c.env, "SLUICE_EGRESS_NETWORKS=")
	c.worker()
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(from.URL, "http://"))
	r := c.reported(1, "import", "http://localhost:"+port+"/leads.csv", "--source", "web")
	if r.Failure == nil || r.Failure.Type != crm.FailInvalid || !strings.Contains(r.Failure.Message, "SLUICE_EGRESS_NETWORKS") {
		t.Errorf("a name that leads to this machine ends as %+v, want invalid, and what to do", r.Failure)
	}
}

// sshHost is a server of SSH that shows another key than the line of known_hosts
// that it returns says.
func sshHost(t *testing.T) (address, known string) {
	t.Helper()
	key := func() ssh.Signer {
		_, private, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		s, err := ssh.NewSignerFromSigner(private)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	config := &ssh.ServerConfig{NoClientAuth: true}
	config.AddHostKey(key())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _, _, _ = ssh.NewServerConn(conn, config)
			}()
		}
	}()
	return l.Addr().String(), knownhosts.Line([]string{l.Addr().String()}, key().PublicKey())
}
