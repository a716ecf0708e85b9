package stage

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"
)

// fakeS3 answers the part of S3 that the stage uses, in memory: objects whole
// and in parts, ranges, and lists.
type fakeS3 struct {
	mu      sync.Mutex
	objects map[string][]byte
	parts   map[string]map[string][]byte // by upload and number
	put     map[string]time.Time         // when an object was
}

// newS3 starts a fake S3 and returns a stage URL for it. Nobody signs anything,
// so no test needs an environment of its own.
func newS3(t *testing.T) string {
	f := &fakeS3{objects: map[string][]byte{}, parts: map[string]map[string][]byte{}, put: map[string]time.Time{}}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	return "s3://bucket?region=us-east-1&use_path_style=true&request_checksum_calculation=when_required" +
		"&response_checksum_validation=when_required&anonymous=true&endpoint=" + server.URL
}

func (f *fakeS3) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // The upload was given up.
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	key := strings.TrimPrefix(r.URL.Path, "/bucket/")
	upload := r.URL.Query().Get("uploadId")
	switch {
	case r.Method == http.MethodGet && r.URL.Query().Has("list-type"):
		f.list(w, r.URL.Query().Get("prefix"))
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		f.get(w, r, key)
	case r.Method == http.MethodPut && upload != "":
		f.parts[upload][fmt.Sprintf("%06s", r.URL.Query().Get("partNumber"))] = body
		w.Header().Set("ETag", `"part"`)
	case r.Method == http.MethodPut:
		f.objects[key], f.put[key] = body, time.Now()
		w.Header().Set("ETag", `"whole"`)
	case r.Method == http.MethodPost && upload == "":
		id := fmt.Sprint(len(f.parts))
		f.parts[id] = map[string][]byte{}
		fmt.Fprintf(w, "<InitiateMultipartUploadResult><UploadId>%s</UploadId></InitiateMultipartUploadResult>", id)
	case r.Method == http.MethodPost:
		f.objects[key], f.put[key] = f.join(upload), time.Now()
		fmt.Fprint(w, "<CompleteMultipartUploadResult><ETag>whole</ETag></CompleteMultipartUploadResult>")
	case r.Method == http.MethodDelete:
		if delete(f.parts, upload); upload == "" {
			delete(f.objects, key)
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

func (f *fakeS3) get(w http.ResponseWriter, r *http.Request, key string) {
	b, ok := f.objects[key]
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, "<Error><Code>NoSuchKey</Code></Error>")
		return
	}
	http.ServeContent(w, r, "", f.put[key], strings.NewReader(string(b)))
}

func (f *fakeS3) join(upload string) []byte {
	var numbers []string
	for n := range f.parts[upload] {
		numbers = append(numbers, n)
	}
	sort.Strings(numbers)
	var whole []byte
	for _, n := range numbers {
		whole = append(whole, f.parts[upload][n]...)
	}
	return whole
}

func (f *fakeS3) list(w http.ResponseWriter, prefix string) {
	type object struct {
		Key          string
		Size         int
		LastModified string
	}
	var out struct {
		XMLName  xml.Name `xml:"ListBucketResult"`
		Contents []object
	}
	for key, b := range f.objects {
		if strings.HasPrefix(key, prefix) {
			out.Contents = append(out.Contents, object{key, len(b), f.put[key].UTC().Format("2006-01-02T15:04:05.000Z")})
		}
	}
	sort.Slice(out.Contents, func(i, j int) bool { return out.Contents[i].Key < out.Contents[j].Key })
	xml.NewEncoder(w).Encode(out)
}
