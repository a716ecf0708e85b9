package main

import (
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/internal/fakesaas"
)

func TestEveryProviderHasAPeer(t *testing.T) {
	t.Parallel()
	have := []string{"sheets"} // no peer: its one request is a part of its connector's tests
	for _, v := range vendors {
		have = append(have, v.script)
		if (v.mock == nil) == (v.same == nil) {
			t.Errorf("%s needs either a mock or a library that is told to ask for the same", v.title)
		}
	}
	slices.Sort(have)
	if want := fakesaas.Providers(); !slices.Equal(have, want) {
		t.Errorf("there are peers for %v, want %v", have, want)
	}
}

func TestWorldsHaveManyPagesAndSomeoneGone(t *testing.T) {
	t.Parallel()
	w := worlds()[0]
	gone := w.Len() - len(w.Customers(nil))
	if w.Len() < 1000 || gone == 0 {
		t.Errorf("%d customers, %d of them deleted", w.Len(), gone)
	}
}

func TestWhatIsCountedOtherwiseDiffers(t *testing.T) {
	t.Parallel()
	want := map[string][]string{"customers": {"a", "b", "c"}}
	for name, c := range map[string]struct {
		read    map[string][]string
		differs string
	}{
		"the same in another order": {map[string][]string{"customers": {"c", "a", "b"}}, ""},
		"one twice":                 {map[string][]string{"customers": {"a", "b", "c", "c"}}, "4 were read"},
		"one missing":               {map[string][]string{"customers": {"a", "b"}}, "2 were read"},
		"another one":               {map[string][]string{"customers": {"a", "b", "d"}}, "but others"},
		"one twice for another":     {map[string][]string{"customers": {"a", "b", "b"}}, "but others"},
		"no list":                   {nil, "not read"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := map[string]tally{}
			for list, ids := range c.read {
				got[list] = tallyOf(ids)
			}
			differs := strings.Join(compare(got, want), "\n")
			if !strings.Contains(differs, c.differs) || (c.differs == "") != (differs == "") {
				t.Errorf("got %q, want %q", differs, c.differs)
			}
		})
	}
}

func TestTableStandsBetweenItsMarkers(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "sources.md")
	for range 2 { // the second time over the first
		if err := insert(name, "a table\n"); err != nil {
			t.Fatal(err)
		}
	}
	const want = "# Sources\n\n" + begin + "\na table\n" + end + "\n"
	if got, err := os.ReadFile(name); err != nil || string(got) != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
	if err := os.WriteFile(name, []byte("no place\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := insert(name, "a table\n"); err == nil {
		t.Error("a file without markers takes a table")
	}
}

func TestTableSaysWhatIsToMend(t *testing.T) {
	t.Parallel()
	r := row{title: "Stripe", software: "stripe-mock", did: "judged"}
	r.judge(request{Method: "GET", Path: "/v1/customers/cus_01"}, "")
	r.judge(request{Method: "GET", Path: "/v1/customers/cus_02", raw: "a=b"}, "400")
	const want = "| Stripe | stripe-mock | judged; **1 to mend** |  | 1 / 2<br>`GET /v1/customers/{id}` 1 / 2 |\n"
	if got := table([]row{r}, time.Now()); !strings.HasSuffix(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
	if want := []string{"GET /v1/customers/{id}?a=b: 400"}; !slices.Equal(r.differs, want) {
		t.Errorf("got %q, want %q", r.differs, want)
	}
}

func TestRequestIsReadAndStaysWhole(t *testing.T) {
	t.Parallel()
	r, err := http.NewRequest("POST", "http://127.0.0.1/search?types[]=a&types[]=b&limit=1", strings.NewReader(`{"limit":200}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	for range 2 {
		got, err := requestOf(r)
		const want = `{"method":"POST","path":"/search","query":{"limit":"1","types[]":"a,b"},"body":{"limit":200}}`
		if err != nil || got.text() != want {
			t.Errorf("got %s, %v; want %s", got.text(), err, want)
		}
	}
}

func TestNullsAreLeftOut(t *testing.T) {
	t.Parallel()
	v := map[string]any{"next": nil, "data": []any{map[string]any{"id": "a", "company": nil}}}
	strip(v)
	if want := map[string]any{"data": []any{map[string]any{"id": "a"}}}; !reflect.DeepEqual(v, want) {
		t.Errorf("got %v, want %v", v, want)
	}
}

func TestPatternsAreMended(t *testing.T) {
	t.Parallel()
	from, to := filepath.Join(t.TempDir(), "from.yaml"), filepath.Join(t.TempDir(), "to.yaml")
	if err := os.WriteFile(from, []byte("pattern: \"/^[a-z0-9_-]+$/i\"\n  pattern: \"/^[a-z]+$/\"\npattern: \"^a/b$\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := mendRecurly(from, to); err != nil {
		t.Fatal(err)
	}
	const want = "pattern: \"^[a-zA-Z0-9_-]+$\"\n  pattern: \"^[a-z]+$\"\npattern: \"^a/b$\"\n"
	if got, err := os.ReadFile(to); err != nil || string(got) != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}
