//go:build gcs

package source

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func init() { fileServers["gcs"] = gcsOnTrial }

// gcsOnTrial answers the part of Google Cloud Storage that is read: metadata and
// lists by the JSON API, and the bytes by the XML API.
func gcsOnTrial(t *testing.T) *fileServer {
	t.Helper()
	type object struct {
		bytes      []byte
		generation string
	}
	var mu sync.Mutex
	objects := map[string]object{}
	describe := func(key string) map[string]string {
		o := objects[key]
		return map[string]string{"kind": "storage#object", "bucket": "bucket", "name": key, "generation": o.generation,
			"size": fmt.Sprint(len(o.bytes)), "updated": start.Format(time.RFC3339)}
	}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		key, meta := strings.CutPrefix(r.URL.Path, "/storage/v1/b/bucket/o/")
		switch {
		case r.URL.Path == "/storage/v1/b/bucket/o":
			list := []map[string]string{}
			for _, key := range slices.Sorted(maps.Keys(objects)) {
				if strings.HasPrefix(key, r.URL.Query().Get("prefix")) {
					list = append(list, describe(key))
				}
			}
			_ = json.NewEncoder(w).Encode(map[string]any{"kind": "storage#objects", "items": list})
			return
		case !meta:
			key = strings.TrimPrefix(r.URL.Path, "/bucket/")
		}
		o, ok := objects[key]
		switch {
		case !ok:
			w.WriteHeader(http.StatusNotFound)
		case meta:
			_ = json.NewEncoder(w).Encode(describe(key))
		case !slices.Contains([]string{"", o.generation}, r.Header.Get("X-Goog-If-Generation-Match")):
			w.WriteHeader(http.StatusPreconditionFailed)
		default:
			w.Header().Set("X-Goog-Generation", o.generation)
			http.ServeContent(w, r, "", start, bytes.NewReader(o.bytes))
		}
	}))
	t.Cleanup(web.Close)
	s := &fileServer{at: "gs://bucket/exports/", slack: 8 << 10}
	s.way = wayTo(t, "127.0.0.1", &s.read)
	s.way.Settings = map[string]string{"anonymous": "true", "endpoint": web.URL}
	versions := 0
	s.put = func(name string, b []byte) {
		mu.Lock()
		defer mu.Unlock()
		versions++
		objects["exports/"+name] = object{b, fmt.Sprint(versions)}
	}
	return s
}
