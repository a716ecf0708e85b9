package loop

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/google/uuid"

	"sluice/internal/crm"
	"sluice/internal/servertest"
)

// prepareElsewhere imports the rows of one file by its address on the web, and
// of those in a bucket that a pattern stands for. The same once more is found to
// be imported already.
func prepareElsewhere(w *world) course {
	there := w.bring(before)
	address, err := w.stage.PutContent(w.t.Context(), "addresses", strings.NewReader("http://files.example.com/first.csv?signature=1"))
	if err != nil {
		w.t.Fatal(err)
	}
	r := w.request(asCSV(brought))
	r.Asked = "these"
	r.Files = []crm.FileRef{{Name: "first.csv", Place: "http://files.example.com", Address: address}, {Name: "*.csv", Place: "s3://bucket/more/*.csv", Many: true}}
	// What another attempt read of another version of the first file.
	parts := "imports/" + r.ID + "/parts/0"
	for _, n := range []string{"1", "2"} {
		if _, err := w.stage.Put(w.t.Context(), parts+"/"+n, strings.NewReader("half a row")); err != nil {
			w.t.Fatal(err)
		}
	}
	want := read(there, brought, crm.Upsert)
	return func(w *world) (any, []string) {
		var v verdict
		w.serveFiles()
		first, err := w.run(r)
		if err != nil {
			return nil, []string{err.Error()}
		}
		w.check(first, want, true, &v)
		for range w.stage.List(w.t.Context(), parts) {
			v.fail("a part of a file is left")
		}
		again := r
		again.ID, again.AskedAt = uuid.Must(uuid.NewV7()).String(), r.AskedAt.Add(time.Hour)
		second, err := w.run(again)
		if err != nil {
			return nil, []string{err.Error()}
		}
		if second.State != crm.AlreadyImported || second.Earlier != first.ImportID {
			v.fail("the second time it is %s, by %q; want by %q", second.State, second.Earlier, first.ImportID)
		}
		row, err := w.store.Import(w.t.Context(), again.ID)
		if err != nil || row.State != crm.AlreadyImported {
			v.fail("the row of the second import says %s, %v", row.State, err)
		}
		w.checkTables(want, &v)
		w.checkPost(1, &v)
		return w.result(first), v
	}
}

// serveFiles serves the first two batches of the rows on the web, and each of
// the others from a bucket, with something that is no file of rows.
func (w *world) serveFiles() {
	w.t.Helper()
	bucket := servertest.StartS3()
	endpoint := bucket.URL[strings.Index(bucket.URL, "endpoint=")+len("endpoint="):]
	put(bucket, "more/a.csv", asCSV(brought[2*batchRows:3*batchRows]))
	put(bucket, "more/b.csv", asCSV(brought[3*batchRows:]))
	put(bucket, "more/readme.txt", "Rows of two months.")
	web := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		out.Header().Set("ETag", `"first"`)
		http.ServeContent(out, r, "first.csv", time.Time{}, strings.NewReader(asCSV(brought[:2*batchRows])))
	}))
	w.other.hosts = map[string]string{"files.example.com": web.Listener.Addr().String()}
	w.other.settings = map[string]string{"endpoint": endpoint, "anonymous": "true", "region": "us-east-1"}
	w.other.ends = append(w.other.ends, web.Close, bucket.Stop)
}

func put(bucket *servertest.S3, key, text string) {
	bucket.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPut, "/bucket/"+key, strings.NewReader(text)))
}
