// Package internal_test holds the tests of what no single package answers for:
// who may import whom, the compose file, and the examples.
package internal_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "sluice/"

// layers is the dependency rule: what the code of each package, tests aside,
// may import of this module. A new package is a new line. A room imports
// internal/crm and libraries, never another room; activities and wiring put
// rooms together. Tests put together what they like.
var layers = map[string][]string{
	"workflows":  {"internal/crm"},
	"activities": {"internal/crm", "internal/tabular", "internal/mapping", "internal/source"},
	"worker":     {"internal/wiring", "internal/crm"},
	"starter": {"internal/wiring", "internal/launch", "internal/crm",
		"internal/tabular", "internal/mapping", "internal/store", "internal/stage", "internal/source", "internal/secret", "internal/fakesaas"},

	"internal/crm":               {},
	"internal/stage":             {"internal/crm"},
	"internal/tabular":           {"internal/crm"},
	"internal/mapping":           {"internal/crm"},
	"internal/dedupe":            {"internal/crm"},
	"internal/store":             {"internal/crm"},
	"internal/notify":            {"internal/crm"},
	"internal/egress":            {"internal/crm"},
	"internal/source":            {"internal/crm"},
	"internal/limit":             {},
	"internal/secret":            {"internal/crm"},
	"internal/embedded":          {"internal/crm"},
	"internal/embedded/prebuild": {"internal/embedded"},
	"internal/launch":            {"internal/crm", "workflows"},
	"internal/wiring": {"workflows", "activities", "internal/crm", "internal/launch",
		"internal/stage", "internal/tabular", "internal/mapping", "internal/dedupe",
		"internal/store", "internal/notify", "internal/embedded",
		"internal/source", "internal/egress", "internal/limit", "internal/secret"},

	"internal/servertest": {},
	"internal/fakesaas":   {},
	"internal/endtoend":   {},
	"internal/histories":  {"internal/crm", "internal/embedded", "internal/fakesaas", "internal/launch", "internal/wiring", "workflows"},
	"internal/honesty":    {"internal/crm"},
	"internal/bench":      {"internal/crm", "internal/embedded", "internal/servertest", "internal/store", "workflows"},

	"internal/bench/fleet": {"workflows", "internal/crm", "internal/embedded"},

	"internal/fakesaas/peers": {"internal/crm", "internal/fakesaas", "internal/source"},

	"internal/fault": {"workflows", "internal/embedded", "internal/servertest", "internal/store"},
}

// helpers serve tests and measurements. They may import any library, and never
// become part of the programs.
var helpers = []string{"internal/servertest", "internal/endtoend", "internal/histories", "internal/honesty",
	"internal/bench", "internal/bench/fleet", "internal/fault", "internal/fakesaas", "internal/fakesaas/peers"}

// owners says which packages a library belongs to, by the beginning of its
// import path.
var owners = map[string][]string{
	"go.temporal.io/":             {"workflows", "activities", "internal/launch", "internal/wiring", "worker", "starter"},
	"github.com/uptrace/bun":      {"internal/store"},
	"github.com/jackc/pgx/":       {"internal/store", "internal/source"},
	"modernc.org/sqlite":          {"internal/store", "internal/source"},
	"github.com/go-sql-driver/":   {"internal/source"},
	"github.com/mattn/go-sqlite3": {"internal/store"},
	"github.com/redis/go-redis/":  {"internal/dedupe", "internal/limit"},
	"github.com/alicebob/":        {"internal/embedded"},
	"github.com/xuri/excelize/":   {"internal/tabular"},
	"gocloud.dev":                 {"internal/stage", "internal/source"},
	"github.com/wneessen/go-mail": {"internal/notify"},
	"github.com/alecthomas/kong":  {"internal/wiring", "worker", "starter"},
}

func TestLayers(t *testing.T) {
	all := packages(t)
	for pkg, imports := range all {
		allowed, listed := layers[pkg]
		if !listed {
			t.Errorf("package %s is not in the map layers; add a line there that says what it may import", pkg)
			continue
		}
		for _, imp := range imports {
			own, ours := strings.CutPrefix(imp, module)
			switch {
			case ours && !slices.Contains(allowed, own):
				t.Errorf("%s imports %s; of this module it may import only %v. "+
					"Take what it needs through a small interface, and let activities or wiring put the two together", pkg, own, allowed)
			case pkg == "internal/crm" && strings.Contains(strings.Split(imp, "/")[0], "."):
				t.Errorf("%s imports %s; the hub imports the standard library only, so move the code to the room that needs it", pkg, imp)
			}
			for library, of := range owners {
				if strings.HasPrefix(imp, library) && !slices.Contains(of, pkg) && !slices.Contains(helpers, pkg) {
					t.Errorf("%s imports %s, which only %v may; ask that package for what it needs", pkg, imp, of)
				}
			}
		}
	}
}

// TestHelpersAreNotLinked walks from the programs through what they import.
func TestHelpersAreNotLinked(t *testing.T) {
	all := packages(t)
	for _, main := range []string{"worker", "starter"} {
		via := map[string]string{main: ""}
		for queue := []string{main}; len(queue) > 0; queue = queue[1:] {
			for _, imp := range all[queue[0]] {
				own, ours := strings.CutPrefix(imp, module)
				if _, seen := via[own]; !ours || seen {
					continue
				}
				via[own] = queue[0]
				queue = append(queue, own)
			}
		}
		for _, h := range helpers {
			if h == "internal/fakesaas" && main == "starter" {
				continue // starter demo saas
			}
			if from, linked := via[h]; linked {
				t.Errorf("%s is linked into %s, because %s imports it; import it from _test.go files only", h, main, from)
			}
		}
	}
}

// packages returns the imports of every package of the module, tests aside, by
// the package's path below the module's. Nested modules keep their own rules.
func packages(t *testing.T) map[string][]string {
	t.Helper()
	found := make(map[string][]string)
	root := os.DirFS("..")
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			_, nested := fs.Stat(root, path.Join(name, "go.mod"))
			skip := nested == nil || d.Name() == "testdata" || strings.ContainsAny(d.Name()[:1], "._")
			if name != "." && skip {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		disk := filepath.Join("..", filepath.FromSlash(name))
		file, err := parser.ParseFile(token.NewFileSet(), disk, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		pkg := path.Dir(name)
		found[pkg] = append(found[pkg], []string{}...)
		for _, s := range file.Imports {
			imp, err := strconv.Unquote(s.Path.Value)
			if err != nil {
				return err
			}
			if !slices.Contains(found[pkg], imp) {
				found[pkg] = append(found[pkg], imp)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
