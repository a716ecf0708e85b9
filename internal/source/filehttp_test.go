package source

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sluice/internal/crm"
	"sluice/internal/egress"
	"sluice/internal/stage"
)

// A webTrial is a web server of one's own.
type webTrial struct {
	*fileServer
	mu    sync.Mutex
	asked []string // what parts, "" for all
}

func (w *webTrial) requests() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.asked)
}

func serveWeb(t *testing.T, h http.HandlerFunc) *webTrial {
	t.Helper()
	x := &webTrial{fileServer: &fileServer{}}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x.mu.Lock()
		x.asked = append(x.asked, r.Header.Get("Range"))
		x.mu.Unlock()
		h(w, r)
	}))
	t.Cleanup(web.Close)
	x.at = web.URL + "/"
	x.way = wayTo(t, "127.0.0.1", &x.read)
	return x
}

// content serves bytes as most servers do, with a tag.
func content(b []byte, tag string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if tag != "" {
			w.Header().Set("ETag", tag)
		}
		w.Header().Set("Content-Type", "text/csv")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
	}
}

// Some servers make a file when they are asked for it.
func TestAServerWithoutRangesIsAskedOnce(t *testing.T) {
	t.Parallel()
	want := someBytes(2*testPart + 5)
	for name, sized := range map[string]bool{"sized": true, "of no size that is told": false} {
		x := serveWeb(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("ETag", `"v1"`)
			if sized {
				w.Header().Set("Content-Length", strconv.Itoa(len(want)))
			}
			_, _ = w.Write(want)
		})
		st := testStage(t)
		got, err := x.download(t.Context(), t, "leads.csv", into(st))
		checkWhole(t, st, got, err, want)
		if asked := x.requests(); len(asked) != 1 || got.Validator != "" {
			t.Errorf("%s: asked for %q, validator %q; want one request, and none", name, asked, got.Validator)
		}
	}
}

func TestNothingIsKeptOfAFileWithoutAStrongTag(t *testing.T) {
	t.Parallel()
	want := someBytes(2*testPart + 5)
	for _, tag := range []string{"", `W/"v1"`, `v1`, `""`} {
		x := serveWeb(t, content(want, tag))
		st := testStage(t)
		to := into(st)
		to.Parts = nil // or it would panic
		got, err := x.download(t.Context(), t, "leads.csv", to)
		checkWhole(t, st, got, err, want)
		if got.Validator != "" {
			t.Errorf("the tag %s makes the validator %q", tag, got.Validator)
		}
	}
}

// If-Range is new to some servers: they give bytes of whatever version there is.
func TestAServerThatDoesNotKnowIfRangeIsNotTrusted(t *testing.T) {
	t.Parallel()
	want := someBytes(3 * testPart)
	for name, tt := range map[string]struct {
		resumed func(w http.ResponseWriter, r *http.Request)
		want    error
	}{
		"the whole file again": {func(w http.ResponseWriter, r *http.Request) {
			r.Header.Del("Range")
			content(want, `"v1"`)(w, r)
		}, errNoResume},
		"a part without a tag": {func(w http.ResponseWriter, r *http.Request) {
			r.Header.Del("If-Range")
			content(want, "")(w, r)
		}, errNoResume},
		"other bytes": {func(w http.ResponseWriter, r *http.Request) {
			r.Header.Set("Range", "bytes=5-")
			content(want, `"v1"`)(w, r)
		}, errNoResume},
		"a part without saying which": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("ETag", `"v1"`)
			w.WriteHeader(http.StatusPartialContent)
		}, errNoResume},
		"a part of another version": {func(w http.ResponseWriter, r *http.Request) {
			r.Header.Del("If-Range")
			content(want, `"v2"`)(w, r)
		}, crm.ErrSourceChanged},
		"a part of a longer file": {func(w http.ResponseWriter, r *http.Request) {
			content(append(slices.Clone(want), 'x'), `"v1"`)(w, r)
		}, crm.ErrSourceChanged},
		"nothing, for the file is shorter": {func(w http.ResponseWriter, r *http.Request) {
			content(want[:10], `"v1"`)(w, r)
		}, crm.ErrSourceChanged},
		"a precondition that failed": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusPreconditionFailed)
		}, crm.ErrSourceChanged},
	} {
		x := serveWeb(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("If-Range") != "" {
				tt.resumed(w, r)
				return
			}
			content(want, `"v1"`)(w, r)
		})
		r := x.open(t, "leads.csv")
		info, err := r.Stat(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := r.from.open(t.Context(), testPart, info); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
}

// What cannot be gone on with is begun anew, within the same call.
func TestADownloadThatCannotGoOnBeginsAnew(t *testing.T) {
	t.Parallel()
	want := someBytes(2*testPart + 5)
	x := serveWeb(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("If-Range") != "" {
			r.Header.Del("Range")
		}
		content(want, `"v1"`)(w, r)
	})
	st := testStage(t)
	cutShort(t, x.fileServer, st, 1)
	got, err := x.download(t.Context(), t, "leads.csv", into(st))
	checkWhole(t, st, got, err, want)
	if asked := x.requests(); got.Kept != 0 || asked[len(asked)-2] != fmt.Sprintf("bytes=%d-", testPart) || asked[len(asked)-1] != "" {
		t.Errorf("asked for %q, of which %d bytes were there; want the rest, and then all", asked, got.Kept)
	}
}

// The connection ends in the middle of the file.
func TestABodyThatIsCutShortSaysAtWhichByteAndIsTriedAgain(t *testing.T) {
	t.Parallel()
	want := someBytes(3*testPart + 5)
	const cut = testPart + 100
	for name, sized := range map[string]bool{"sized": true, "in chunks": false} {
		var broken atomic.Bool
		x := serveWeb(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Range") != "" || broken.Swap(true) {
				content(want, `"v1"`)(w, r)
				return
			}
			w.Header().Set("ETag", `"v1"`)
			if sized {
				w.Header().Set("Content-Length", strconv.Itoa(len(want)))
			}
			_, _ = w.Write(want[:cut])
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		})
		st := testStage(t)
		_, err := x.download(t.Context(), t, "leads.csv", into(st))
		if err == nil || crm.TypeOf(err) != "" || !strings.Contains(err.Error(), fmt.Sprintf("at byte %d", cut)) {
			t.Errorf("%s: got %v; want a passing error that says byte %d", name, err, cut)
		}
		got, err := x.download(t.Context(), t, "leads.csv", into(st))
		checkWhole(t, st, got, err, want)
		if got.Kept != testPart {
			t.Errorf("%s: %d bytes were there, want the one part", name, got.Kept)
		}
	}
}

func TestAFileWhoseSizeIsNotToldIsReadInParts(t *testing.T) {
	t.Parallel()
	for _, size := range []int{2 * testPart, 2*testPart + 5} {
		want := someBytes(size)
		x := serveWeb(t, func(w http.ResponseWriter, r *http.Request) {
			content(want, `"v1"`)(unsized{w}, r)
		})
		st := testStage(t)
		cutShort(t, x.fileServer, st, 2)
		got, err := x.download(t.Context(), t, "leads.csv", into(st))
		checkWhole(t, st, got, err, want)
		if got.Kept != 2*testPart {
			t.Errorf("%d bytes were there, want two parts", got.Kept)
		}
		got, err = x.download(t.Context(), t, "leads.csv", into(st))
		checkWhole(t, st, got, err, want)
		if got.Kept != int64(size) {
			t.Errorf("%d bytes were there, want all %d", got.Kept, size)
		}
	}
}

// unsized leaves out of a head how long the file is.
type unsized struct{ http.ResponseWriter }

func (u unsized) WriteHeader(status int) {
	h := u.Header()
	if span := h.Get("Content-Range"); span != "" {
		before, _, _ := strings.Cut(span, "/")
		h.Set("Content-Range", before+"/*")
	}
	h.Del("Content-Length")
	u.ResponseWriter.WriteHeader(status)
}

// cutShort has a download die after so many parts.
func cutShort(t *testing.T, s *fileServer, st *stage.Stage, parts int) {
	t.Helper()
	ctx, die := context.WithCancel(t.Context())
	defer die()
	to := into(st)
	to.Parts = &mortal{Stage: st, left: parts, die: die}
	if _, err := s.download(ctx, t, "leads.csv", to); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want that it was cancelled", err)
	}
}

func TestMoreThanTheCapIsAnErrorAtThatByte(t *testing.T) {
	t.Parallel()
	x := serveWeb(t, func(w http.ResponseWriter, _ *http.Request) {
		for range 100 {
			if _, err := w.Write(make([]byte, 1000)); err != nil {
				return
			}
			_ = http.NewResponseController(w).Flush()
		}
	})
	to := into(testStage(t))
	to.Most = 54_321
	_, err := x.download(t.Context(), t, "leads.csv", to)
	if !errors.Is(err, crm.ErrInvalid) || !strings.Contains(err.Error(), "behind byte 54321") {
		t.Errorf("got %v, want ErrInvalid that says byte 54321", err)
	}
}

// A transport of Go decompresses what comes compressed, unless it is told not
// to: then sizes and ranges would be those of something else.
func TestNothingIsDecompressedOnTheWay(t *testing.T) {
	t.Parallel()
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write(someBytes(1000))
	_ = z.Close()
	x := serveWeb(t, func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Accept-Encoding"); got != "identity" {
			t.Errorf("Accept-Encoding: %q", got)
		}
		w.Header().Set("Content-Encoding", "gzip") // all the same
		content(zipped.Bytes(), `"v1"`)(w, r)
	})
	st := testStage(t)
	got, err := x.download(t.Context(), t, "leads.csv.gz", into(st))
	checkWhole(t, st, got, err, zipped.Bytes())
}

func TestAnswersThatAreNoFileSayWhatTheyAre(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		status int
		header http.Header
		kind   error // nil: passing
		want   string
	}{
		{200, http.Header{"Content-Type": {"text/html; charset=utf-8"}}, crm.ErrInvalid, "a web page"},
		{401, nil, crm.ErrDenied, "401"},
		{403, nil, crm.ErrDenied, "may have run out"},
		{404, nil, crm.ErrNotFound, "404"},
		{410, nil, crm.ErrNotFound, "410"},
		{400, nil, crm.ErrInvalid, "400"},
		{204, nil, crm.ErrInvalid, "204"},
		{304, nil, crm.ErrInvalid, "304"},
		{500, nil, nil, "500"},
		{502, nil, nil, "502"},
	} {
		x := serveWeb(t, func(w http.ResponseWriter, _ *http.Request) {
			for name, values := range tt.header {
				w.Header()[name] = values
			}
			w.WriteHeader(tt.status)
			_, _ = io.WriteString(w, "hush")
		})
		_, err := x.download(t.Context(), t, "leads.csv", into(testStage(t)))
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hush") ||
			tt.kind != nil && !errors.Is(err, tt.kind) || tt.kind == nil && crm.TypeOf(err) != "" {
			t.Errorf("%d: %v; want %v and %q", tt.status, err, tt.kind, tt.want)
		}
	}
}

func TestAServerThatAsksToWaitIsWaitedFor(t *testing.T) {
	t.Parallel()
	x := serveWeb(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "120")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	_, err := x.open(t, "leads.csv").Stat(t.Context())
	var wait *crm.Throttled
	if !errors.As(err, &wait) || time.Until(wait.Until) < time.Minute {
		t.Errorf("got %v, want Throttled for two minutes", err)
	}
}

func TestRedirectsToPrivateAddressesAreRefused(t *testing.T) {
	t.Parallel()
	for _, to := range []string{"http://169.254.169.254/latest/meta-data/", "https://10.0.0.1/leads.csv", "http://[::1]:6379/"} {
		x := serveWeb(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusFound) })
		_, err := x.download(t.Context(), t, "leads.csv", into(testStage(t)))
		if !errors.Is(err, egress.ErrRefused) || crm.TypeOf(err) != crm.FailInvalid {
			t.Errorf("to %s: %v, want ErrRefused", to, err)
		}
	}
}

func TestCredentialsGoIntoTheHead(t *testing.T) {
	t.Parallel()
	var sent atomic.Value
	x := serveWeb(t, func(w http.ResponseWriter, r *http.Request) {
		sent.Store(r.Header.Get("Authorization"))
		content([]byte("x"), "")(w, r)
	})
	for want, set := range map[string]map[string]string{
		"":                   {},
		"Bearer t0ken":       {"token": "t0ken"},
		"Basic bWU6c2VjcmV0": {"user": "me", "password": "secret"},
	} {
		x.way.Settings = set
		if _, err := x.open(t, "leads.csv").Stat(t.Context()); err != nil || sent.Load() != want {
			t.Errorf("%v: Authorization %q, %v; want %q", set, sent.Load(), err, want)
		}
	}
}

// The end of an address may be all it takes to read the file, so it is shown
// only when it looks like a name.
func webPlace(t *testing.T, text string) Place {
	t.Helper()
	p, err := ParsePlace(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestNamesOfFilesOnTheWeb(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ path, disposition, want string }{
		{"a/leads.csv", "", "leads.csv"},
		{"a/Leads%20of%202026.csv?token=hush", "", "Leads of 2026.csv"},
		{"download/hush", "", "127.0.0.1"},
		{"", "", "127.0.0.1"},
		{"moved/hush", "", "target.csv"},
		{"hush", `attachment; filename="leads.csv"`, "leads.csv"},
		{"hush", `attachment; filename="../../etc/passwd"`, "passwd"},
		{"hush", `attachment; filename="C:\\exports\\leads.csv"`, "leads.csv"},
		{"hush", "attachment; filename=\"x.csv\"; filename*=UTF-8''M%C3%BCller%20%E2%80%AEvsc.csv", "Müller vsc.csv"},
		{"leads.csv", `attachment; filename=".."`, "leads.csv"},
		{"leads.csv", `;;;`, "leads.csv"},
		{"hush", `attachment; filename="` + strings.Repeat("ü", 200) + `.csv"`, strings.Repeat("ü", 127)},
	} {
		x := serveWeb(t, func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/moved/") {
				http.Redirect(w, r, "/target.csv", http.StatusFound)
				return
			}
			if tt.disposition != "" {
				w.Header().Set("Content-Disposition", tt.disposition)
			}
			content([]byte("x"), "")(w, r)
		})
		if place := webPlace(t, "https://127.0.0.1/"+tt.path); strings.Contains(place.Name(), "hush") {
			t.Errorf("%s: before anybody looked at it, it is called %q", tt.path, place.Name())
		}
		info, err := x.open(t, tt.path).Stat(t.Context())
		if err != nil || info.Name != tt.want {
			t.Errorf("%s, %s: %q, %v; want %q", tt.path, tt.disposition, info.Name, err, tt.want)
		}
	}
}

// An address that is signed for GET is for nothing else.
func TestOnlyGetIsAskedFor(t *testing.T) {
	t.Parallel()
	x := serveWeb(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		content(someBytes(100), `"v1"`)(w, r)
	})
	st := testStage(t)
	got, err := x.download(t.Context(), t, "leads.csv", into(st))
	checkWhole(t, st, got, err, someBytes(100))
	if asked := x.requests(); !slices.Equal(asked, []string{"bytes=0-0", ""}) {
		t.Errorf("asked for %q", asked)
	}
}
