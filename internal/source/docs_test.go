package source

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"sluice/internal/crm"
)

var update = flag.Bool("update", false, "write the tables of docs/sources.md anew")

const docs = "../../docs/sources.md"

// The document says of each connector what the code does, in tables made from
// it; go test ./internal/source -run Docs -update makes them anew.
func TestDocsSayWhatEveryConnectorReads(t *testing.T) {
	text, err := os.ReadFile(docs)
	if err != nil {
		t.Fatal(err)
	}
	want := string(text)
	for name, made := range map[string]string{"connectors": connectorTable(), "settings": settingTables(), "traps": trapLists(t)} {
		from, to := "<!-- "+name+" -->\n", "<!-- /"+name+" -->"
		i, j := strings.Index(want, from), strings.Index(want, to)
		if i < 0 || j < i {
			t.Fatalf("%s has no place for %s: %q and then %q", docs, name, from, to)
		}
		want = want[:i+len(from)] + "\n" + made + "\n" + want[j:]
	}
	if *update {
		if err := os.WriteFile(docs, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want != string(text) {
		t.Errorf("%s is not what the code makes: go test ./internal/source -run Docs -update", docs)
	}
}

func connectorTable() string {
	var b strings.Builder
	b.WriteString("| kind | reads | what a sync finds | stops short of now by | asks at most | rows/s at most |\n| --- | --- | --- | --- | --- | ---: |\n")
	for _, kind := range Kinds() {
		a := MustOf(kind).About()
		finds := map[Increments]string{AllChanges: "created, changed, deleted", NoDeletes: "created, changed",
			CreatesOnly: "created; changes need `--full`", FullReading: "all there is, every time"}[a.Increments]
		if a.Reach > 0 {
			finds += fmt.Sprintf("; of the last %d days", int(a.Reach.Hours()/24))
		}
		ceiling := "not known"
		if a.Ceiling > 0 {
			ceiling = fmt.Sprint(a.Ceiling)
		}
		fmt.Fprintf(&b, "| `%s` | %s: %s | %s | %s | %s | %s |\n", kind, a.Title, a.Reads, finds, shortly(a.Lag), quotas(a.Quotas), ceiling)
	}
	return b.String()
}

func shortly(d time.Duration) string {
	if d == 0 {
		return "nothing"
	}
	return strings.Replace(strings.Replace(d.String(), "m0s", "m", 1), "h0m", "h", 1)
}

func quotas(all map[string]Quota) string {
	var parts []string
	for _, class := range slices.Sorted(maps.Keys(all)) {
		q := all[class]
		if q.Requests == 0 {
			continue
		}
		text := fmt.Sprintf("%g in %s", q.Requests, shortly(q.Per))
		if class != "" {
			text = class + " " + text
		}
		parts = append(parts, text)
	}
	if len(parts) == 0 {
		return "nothing is said"
	}
	return strings.Join(parts, "; ")
}

func settingTables() string {
	var b strings.Builder
	for _, kind := range append([]string{crm.KindFile}, Kinds()...) {
		settings, _ := SettingsOf(kind)
		fmt.Fprintf(&b, "`%s`:\n\n| setting | | |\n| --- | --- | --- |\n", kind)
		for _, s := range settings {
			var what []string
			if s.Required {
				what = append(what, "required")
			}
			if s.Secret {
				what = append(what, "secret")
			}
			if s.Default != "" {
				what = append(what, "`"+s.Default+"`")
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", s.Name, strings.Join(what, ", "), s.Help)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// trapLists names the tests that a connector has of its own: each is named for
// what it holds the connector to.
func trapLists(t *testing.T) string {
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	of := map[string][]string{}
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Recv != nil {
				continue
			}
			for _, kind := range Kinds() {
				prefix := "Test" + named(kind)
				rest, ok := strings.CutPrefix(fn.Name.Name, prefix)
				switch {
				case !ok || rest == "":
				case unicode.IsLower(rune(rest[0])): // it goes on within the word, as SQLite does
					of[kind] = append(of[kind], kind+said(rest))
				default:
					of[kind] = append(of[kind], said(rest))
				}
			}
		}
	}
	var b strings.Builder
	for _, kind := range Kinds() {
		fmt.Fprintf(&b, "- `%s`: %s.\n", kind, strings.Join(of[kind], "; "))
	}
	return b.String()
}

// named is how the tests of a connector begin.
func named(kind string) string {
	switch kind {
	case "hubspot":
		return "HubSpot"
	case "sql":
		return "SQL"
	}
	return strings.ToUpper(kind[:1]) + kind[1:]
}

// said parts a name such as ListThatEndsTooEarly into its words.
func said(name string) string {
	var b strings.Builder
	for i, r := range name {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
