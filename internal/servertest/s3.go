package servertest

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"
)

// An S3 answers the part of S3 that a stage uses, in memory and on the loopback
// interface: objects whole and in parts, ranges, lists and deletes, of one
// bucket. Nobody signs anything.
type S3 struct {
	URL string // for STAGE_URL

	server *httptest.Server

	mu      sync.Mutex
	objects map[string]kept
	parts   map[string]map[string][]byte // by upload and number
	before  func(http.ResponseWriter, *http.Request) bool
}

// kept is an object, and when it was put.
type kept struct {
	bytes []byte
	at    time.Time
}

// StartS3 starts an empty S3. The caller stops it.
func StartS3() *S3 {
	s := &S3{objects: map[string]kept{}, parts: map[string]map[string][]byte{}}
	s.server = httptest.NewServer(s)
	s.URL = "s3://bucket?region=us-east-1&use_path_style=true&request_checksum_calculation=when_required" +
		"&response_checksum_validation=when_required&anonymous=true&endpoint=" + s.server.URL
	return s
}

// Stop ends it, and with it the requests in hand.
func (s *S3) Stop() {
	s.server.CloseClientConnections()
	s.server.Close()
}

// Before has every request go to f first, which answers it and returns true, or
// leaves it as it is. f is called by many at once; nil: there is none.
func (s *S3) Before(f func(http.ResponseWriter, *http.Request) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before = f
}

// Objects returns the keys that begin with prefix, in order.
func (s *S3) Objects(prefix string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	keys := slices.Sorted(maps.Keys(s.objects))
	return slices.DeleteFunc(keys, func(k string) bool { return !strings.HasPrefix(k, prefix) })
}

// Change replaces the bytes of an object, behind everybody's back.
func (s *S3) Change(key string, to func([]byte) []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.objects[key]
	s.objects[key] = kept{to(slices.Clone(was.bytes)), was.at}
}

// ServeHTTP answers one request.
func (s *S3) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	before := s.before
	s.mu.Unlock()
	if before != nil && before(w, r) {
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // The upload was given up.
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key, upload := strings.TrimPrefix(r.URL.Path, "/bucket/"), r.URL.Query().Get("uploadId")
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		if r.URL.Query().Has("list-type") {
			s.list(w, r.URL.Query().Get("prefix"))
			return
		}
		s.get(w, r, key)
	case http.MethodPut:
		if upload == "" {
			s.objects[key] = kept{body, time.Now()}
		} else {
			s.parts[upload][fmt.Sprintf("%06s", r.URL.Query().Get("partNumber"))] = body
		}
		w.Header().Set("ETag", `"any"`)
	case http.MethodPost:
		s.post(w, key, upload)
	case http.MethodDelete:
		if delete(s.parts, upload); upload == "" {
			delete(s.objects, key)
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

func (s *S3) get(w http.ResponseWriter, r *http.Request, key string) {
	o, ok := s.objects[key]
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, "<Error><Code>NoSuchKey</Code></Error>")
		return
	}
	http.ServeContent(w, r, "", o.at, bytes.NewReader(o.bytes))
}

// post begins an upload in parts, or puts its parts together.
func (s *S3) post(w http.ResponseWriter, key, upload string) {
	if upload == "" {
		id := fmt.Sprint(len(s.parts))
		s.parts[id] = map[string][]byte{}
		fmt.Fprintf(w, "<InitiateMultipartUploadResult><UploadId>%s</UploadId></InitiateMultipartUploadResult>", id)
		return
	}
	var whole []byte
	for _, n := range slices.Sorted(maps.Keys(s.parts[upload])) {
		whole = append(whole, s.parts[upload][n]...)
	}
	s.objects[key] = kept{whole, time.Now()}
	fmt.Fprint(w, "<CompleteMultipartUploadResult><ETag>whole</ETag></CompleteMultipartUploadResult>")
}

func (s *S3) list(w http.ResponseWriter, prefix string) {
	type object struct {
		Key          string
		Size         int
		LastModified string
	}
	var out struct {
		XMLName  xml.Name `xml:"ListBucketResult"`
		Contents []object
	}
	for _, key := range slices.Sorted(maps.Keys(s.objects)) {
		if strings.HasPrefix(key, prefix) {
			out.Contents = append(out.Contents, object{key, len(s.objects[key].bytes), s.objects[key].at.UTC().Format("2006-01-02T15:04:05.000Z")})
		}
	}
	_ = xml.NewEncoder(w).Encode(out)
}
