package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"regexp"
	"strings"
)

// slashed is a pattern as other languages write it, with slashes around: to JSON
// Schema they are a part of it.
var slashed = regexp.MustCompile(`(pattern: ")/(.*)/i?"`)

// mendRecurly copies Recurly's description with its patterns mended: nothing
// matches them as they are. Those that told no cases apart are made to know both.
func mendRecurly(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	lines := strings.Split(string(text), "\n")
	for i, line := range lines {
		mended := slashed.ReplaceAllString(line, `$1$2"`)
		if strings.HasSuffix(line, `/i"`) {
			mended = strings.ReplaceAll(mended, "a-z", "a-zA-Z")
		}
		lines[i] = mended
	}
	return os.WriteFile(to, []byte(strings.Join(lines, "\n")), 0o644)
}

// withoutNulls leaves out of a handler's JSON what is null. Recurly writes null
// for what is not there, and its description knows no null.
func withoutNulls(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		whole := &buffer{header: http.Header{}, status: http.StatusOK}
		h.ServeHTTP(whole, r)
		var v any
		body := whole.body.Bytes()
		if json.Unmarshal(body, &v) == nil {
			strip(v)
			body, _ = json.Marshal(v) // it was read from JSON
		}
		maps.Copy(w.Header(), whole.header)
		w.WriteHeader(whole.status)
		_, _ = w.Write(body)
	})
}

// strip takes the members out of objects that are null.
func strip(v any) {
	switch v := v.(type) {
	case map[string]any:
		maps.DeleteFunc(v, func(_ string, value any) bool { return value == nil })
		for _, value := range v {
			strip(value)
		}
	case []any:
		for _, value := range v {
			strip(value)
		}
	}
}

// A buffer keeps an answer.
type buffer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (b *buffer) Header() http.Header         { return b.header }
func (b *buffer) WriteHeader(status int)      { b.status = status }
func (b *buffer) Write(p []byte) (int, error) { return b.body.Write(p) }
