//go:build azure

package source

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

func init() { fileServers["azure"] = azureOnTrial }

// azureOnTrial answers the part of Azure Blob Storage that is read.
func azureOnTrial(t *testing.T) *fileServer {
	t.Helper()
	type object struct {
		bytes []byte
		tag   string
	}
	type properties struct {
		Modified string `xml:"Last-Modified"`
		Tag      string `xml:"Etag"`
		Size     int    `xml:"Content-Length"`
	}
	type listed struct {
		Name       string
		Properties properties
	}
	var mu sync.Mutex
	objects := map[string]object{}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.URL.Query().Get("comp") == "list" {
			out := struct {
				XMLName xml.Name `xml:"EnumerationResults"`
				Blobs   []listed `xml:"Blobs>Blob"`
			}{}
			for _, key := range slices.Sorted(maps.Keys(objects)) {
				if o := objects[key]; strings.HasPrefix(key, r.URL.Query().Get("prefix")) {
					out.Blobs = append(out.Blobs, listed{key, properties{start.Format(http.TimeFormat), o.tag, len(o.bytes)}})
				}
			}
			w.Header().Set("Content-Type", "application/xml")
			_ = xml.NewEncoder(w).Encode(out)
			return
		}
		o, ok := objects[strings.TrimPrefix(r.URL.Path, "/bucket/")]
		if !ok {
			w.Header().Set("X-Ms-Error-Code", "BlobNotFound")
			w.WriteHeader(http.StatusNotFound)
			return
		}
		if want := r.Header.Get("If-Match"); want != "" && want != o.tag {
			w.Header().Set("X-Ms-Error-Code", "ConditionNotMet")
			w.WriteHeader(http.StatusPreconditionFailed)
			return
		}
		if span := r.Header.Get("X-Ms-Range"); span != "" {
			r.Header.Set("Range", span)
		}
		w.Header().Set("ETag", o.tag)
		w.Header().Set("X-Ms-Creation-Time", start.Format(http.TimeFormat))
		http.ServeContent(w, r, "", start, bytes.NewReader(o.bytes))
	}))
	t.Cleanup(web.Close)
	s := &fileServer{at: "azblob://bucket/exports/", slack: 8 << 10}
	s.way = wayTo(t, "127.0.0.1", &s.read)
	s.way.Settings = map[string]string{"account": "example", "endpoint": web.URL,
		"account_key": base64.StdEncoding.EncodeToString([]byte("very-secret"))}
	versions := 0
	s.put = func(name string, b []byte) {
		mu.Lock()
		defer mu.Unlock()
		versions++
		objects["exports/"+name] = object{b, fmt.Sprintf(`"0x8D%d"`, versions)}
	}
	return s
}
