package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sluice/internal/crm"
	"sluice/internal/mapping"
)

func readText(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// reasons returns every reason there is.
func reasons(t *testing.T) []crm.Reason {
	t.Helper()
	found := regexp.MustCompile(`(?m)^\sReason\w+\s+Reason = "(\w+)"`).FindAllStringSubmatch(readText(t, "../internal/crm/reason.go"), -1)
	if len(found) < 35 {
		t.Fatalf("found %d reasons in internal/crm, want all", len(found))
	}
	var list []crm.Reason
	for _, m := range found {
		list = append(list, crm.Reason(m[1]))
	}
	return list
}

// TestDocsSayWhatMendsEveryReason keeps docs/rejects.md complete and of one
// mind with the reject file and the report.
func TestDocsSayWhatMendsEveryReason(t *testing.T) {
	t.Parallel()
	rows := map[string][]string{}
	for _, line := range strings.Split(readText(t, "../docs/rejects.md"), "\n") {
		cells := strings.Split(line, " | ")
		if len(cells) == 5 {
			plain := strings.ReplaceAll(strings.TrimSuffix(strings.TrimSuffix(cells[4], "|"), " "), "`", "")
			rows[strings.Trim(cells[0], "| `")] = []string{cells[1], strings.ReplaceAll(cells[2], "`", ""), strings.ReplaceAll(cells[3], "`", ""), plain}
		}
	}
	list := reasons(t)
	for _, r := range list {
		doc, say := rows[string(r)], remedies[r]
		if say.wrong == "" || say.row == "" {
			t.Errorf("remedy.go has no remedy for %s", r)
		}
		switch {
		case doc == nil:
			t.Errorf("docs/rejects.md has no row for %s", r)
		case doc[0] == "":
			t.Errorf("docs/rejects.md has no example of %s", r)
		case doc[1] != say.wrong || doc[2] != say.row || doc[3] != say.all:
			t.Errorf("docs/rejects.md says of %s\n%q, want\n%q", r, doc[1:], []string{say.wrong, say.row, say.all})
		}
	}
	if len(remedies) != len(list) {
		t.Errorf("remedy.go has remedies for %d reasons, and there are %d", len(remedies), len(list))
	}
}

// TestDocsNameEveryFailureType keeps docs/troubleshooting.md complete.
func TestDocsNameEveryFailureType(t *testing.T) {
	t.Parallel()
	doc := readText(t, "../docs/troubleshooting.md")
	found := regexp.MustCompile(`(?m)^\sFail\w+\s+FailureType = "(\w+)"`).FindAllStringSubmatch(readText(t, "../internal/crm/errors.go"), -1)
	if len(found) < 10 {
		t.Fatalf("found %d failure types in internal/crm, want all", len(found))
	}
	for _, m := range found {
		if !strings.Contains(doc, "\n| `"+m[1]+"` |") {
			t.Errorf("docs/troubleshooting.md has no row for %s; add what it means and what to do", m[1])
		}
	}
}

// TestDocsNameEveryKeyAndFlag keeps docs/mapping.md and docs/files.md complete.
func TestDocsNameEveryKeyAndFlag(t *testing.T) {
	t.Parallel()
	keys := readText(t, "../docs/mapping.md")
	flags := readText(t, "../docs/files.md")
	type properties struct {
		Properties map[string]json.RawMessage `json:"properties"`
	}
	var schema struct {
		properties
		Defs struct {
			Column struct {
				AnyOf []properties `json:"anyOf"`
			} `json:"column"`
			Field properties `json:"field"`
		} `json:"$defs"`
	}
	if err := json.Unmarshal(mapping.Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	parts := append(schema.Defs.Column.AnyOf, schema.properties, schema.Defs.Field)
	seen := 0
	for _, p := range parts {
		for key := range p.Properties {
			seen++
			if !strings.Contains(keys, "`"+key+"`") {
				t.Errorf("docs/mapping.md does not say what %s is", key)
			}
		}
	}
	if seen < 30 {
		t.Errorf("the schema has %d keys, want all", seen)
	}
	k, err := newParser(&commands{}, streams{}, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	for _, leaf := range k.Model.Leaves(true) {
		for _, f := range leaf.Flags {
			if f.Group != nil && f.Group.Key == "reading" && !strings.Contains(keys+flags, f.Name) && !strings.Contains(keys, strings.ReplaceAll(f.Name, "-", "_")) {
				t.Errorf("no document says what --%s is", f.Name)
			}
		}
	}
}

func TestTheExampleOfAMappingFileIsOne(t *testing.T) {
	t.Parallel()
	_, rest, _ := strings.Cut(readText(t, "../docs/mapping.md"), "```yaml\n")
	text, _, _ := strings.Cut(rest, "```")
	spec, err := mapping.ParseSpec([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if len(spec.Columns) < 9 || len(spec.Fields) < 5 {
		t.Errorf("the example has %d columns and %d fields", len(spec.Columns), len(spec.Fields))
	}
}

func TestTemplatesMapThemselves(t *testing.T) {
	t.Parallel()
	for _, kind := range mapping.TemplateKinds {
		for _, ext := range []string{"csv", "xlsx"} {
			path := filepath.Join(t.TempDir(), kind+"."+ext)
			if code, out, err := runHere(t, "", "mapping", "template", kind, "--to", path); code != 0 || out != "" {
				t.Fatalf("%s: exit %d, stdout %q, stderr %q", path, code, out, err)
			}
			code, out, err := runHere(t, "", "mapping", "suggest", path)
			if code != 0 || strings.Contains(out, ": ignore") || !strings.Contains(out, "customer.external_id") {
				t.Errorf("%s: exit %d, stderr %q, stdout\n%s", path, code, err, out)
			}
		}
	}
}
