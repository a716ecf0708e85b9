package mapping

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	yaml "go.yaml.in/yaml/v3"
)

const schemaFile = "../../docs/mapping.schema.json"

// TestTheSchemaInTheDocumentsIsThePrograms compares the two; with -update it
// writes the file.
func TestTheSchemaInTheDocumentsIsThePrograms(t *testing.T) {
	t.Parallel()
	golden(t, schemaFile, string(Schema()))
}

// goodSpecs are mapping files that both the schema and ParseSpec take, badSpecs
// are those that both refuse, and subtleSpecs those that only ParseSpec does.
var (
	goodSpecs = []string{
		"", "version: 1", wholeSpec, everySpec,
		"columns: {a: ignore, b: customer.email, c: [customer.name, contact.custom.größe]}",
		"columns: {a: {to: customer.custom.x, type: choice, values: [red, 5]}}",
		"columns: {a: {to: ignore, values: {x: }}}\nfields: {customer.name: {join: a}}",
		"header: none\nfooter: 3\nquote: \"'\"\ncomment: '#'\ndelimiter: '||'", "header: 3\nfooter: '2'\ndelimiter: \"\\t\"", "delimiter: ' '",
		"only: contacts", "fields: {customer.custom: {collision: never}, contact.name: {first_of: [a, b], required: yes}}",
		"fields: {customer.status: {value: New Lead}, customer.zip: {default: 1067}, customer.external_id: {join: [a, b], with: '-'}}",
	}
	badSpecs = []string{
		"version: 2", "mode: insert", "colums: {}", "only: []", "only: [leads]", "match: phone", "bad_cells: drop", "unknown: maybe", "date_order: ydm",
		"delimiter: ''", "delimiter: '\"'", "delimiter: ';;;;;;;;;'", "quote: ab", "quote: x", "escape: none", "header: 0", "header: first", "footer: -1", "footer: 1001", "footer: 1.5",
		"comment: ''", "comment: 'a b'", "short_rows: drop", "hidden: show", "sheet: ''", "sheet: [a]",
		"columns: [a]", "columns: {'': ignore}", "columns: {a: customer.nam}", "columns: {a: []}", "columns: {a: {required: true}}", "columns: {a: {to: customer.name, typ: string}}",
		"columns: {a: {to: customer.custom.x, type: text}}", "columns: {a: {to: customer.custom.x, type: choice}}", "columns: {a: {to: customer.name, required: maybe}}",
		"columns: {a: {to: customer.tags, separator: ''}}", "columns: {a: {to: customer.custom.x, type: decimal, decimal: ';'}}", "columns: {a: customer.custom}", "columns: {a: note.custom.x}",
		"columns: {a: {to: customer.name, required: true, bad_cells: blank}}", "columns: {a: [customer.email, customer.email]}", "columns: {a: {to: customer.name, values: x}}",
		"fields: {note.txt: {}}", "fields: {customer.name: {colision: never}}", "fields: {customer.name: {collision: ask}}", "fields: {customer.name: {value: ''}}", "fields: {customer.name: {first_of: []}}",
		"fields: {customer.name: {value: a, join: [b]}}", "fields: {customer.name: {first_of: [a], join: [b]}}", "fields: {customer.name: {with: ','}}", "fields: {customer.name: {join: [a, a]}}",
		"fields: {customer.name: {join: [a, b], with: ''}}", "fields: {customer.name: {required: true, default: x}}", "fields: {customer.name: {erase: true, default: x}}", "fields: {customer.name: {erase: true, collision: never}}",
		"fields: {customer.name: customer.email}", "- a", "hello",
	}
	subtleSpecs = map[string]string{
		"an encoding nobody knows":                "encoding: ebcdic-x",
		"a type of what has one":                  "columns: {a: {to: customer.name, type: integer}}",
		"an order of what is no date":             "columns: {a: {to: customer.name, date_order: dmy}}",
		"a separator of what is no list":          "columns: {a: {to: customer.name, separator: '/'}}",
		"a fraction of what is no number":         "columns: {a: {to: customer.name, decimal: ','}}",
		"settings of what goes nowhere":           "columns: {a: {to: ignore, values: {x: y}}}",
		"a choice of blanks":                      "columns: {a: {to: customer.custom.x, type: choice, values: {x: }}}",
		"names that differ in white space alone":  "columns: {a: ignore, ' a ': ignore}",
		"a value that stands there twice":         "columns: {a: {to: customer.name, values: {x: a, X: b}}}",
		"what customers are known by and erased":  "fields: {customer.external_id: {erase: true}}",
		"one attribute's rule":                    "fields: {customer.custom.x: {collision: never}}",
		"all attributes' default":                 "fields: {customer.custom: {default: x}}",
		"a whole name's default":                  "fields: {contact.name: {default: x}}",
		"the name of an attribute over 255 bytes": "columns: {a: customer.custom." + strings.Repeat("x", 300) + "}",
	}
)

// schemaJudge returns what holds a mapping file against the schema.
func schemaJudge(t testing.TB) func(text string) error {
	t.Helper()
	c := jsonschema.NewCompiler()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.AddResource("mapping.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("mapping.json")
	if err != nil {
		t.Fatal(err)
	}
	return func(text string) error {
		var v any
		if err := yaml.Unmarshal([]byte(text), &v); err != nil {
			return err
		}
		b, err := json.Marshal(plainKeys(v))
		if err != nil {
			return err
		}
		v, err = jsonschema.UnmarshalJSON(bytes.NewReader(b))
		if err != nil {
			return err
		}
		return schema.Validate(v)
	}
}

func TestTheSchemaJudgesAsParseSpecDoes(t *testing.T) {
	t.Parallel()
	judge := schemaJudge(t)
	for _, text := range goodSpecs {
		if err := judge(text); err != nil {
			t.Errorf("the schema refuses %q: %v", text, err)
		}
		if _, err := ParseSpec([]byte(text)); err != nil {
			t.Errorf("ParseSpec refuses %q: %v", text, err)
		}
	}
	for _, text := range badSpecs {
		if judge(text) == nil {
			t.Errorf("the schema takes %q", text)
		}
		if _, err := ParseSpec([]byte(text)); err == nil {
			t.Errorf("ParseSpec takes %q", text)
		}
	}
	for name, text := range subtleSpecs {
		if err := judge(text); err != nil {
			t.Errorf("%s: the schema refuses it, so it belongs to badSpecs: %v", name, err)
		}
		if _, err := ParseSpec([]byte(text)); err == nil {
			t.Errorf("%s: ParseSpec takes it", name)
		}
	}
}

// plainKeys makes the keys of YAML mappings texts, as JSON needs them.
func plainKeys(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = plainKeys(v[k])
		}
	case map[any]any:
		out := make(map[string]any, len(v))
		for k, item := range v {
			out[fmt.Sprint(k)] = plainKeys(item)
		}
		return out
	case []any:
		for i := range v {
			v[i] = plainKeys(v[i])
		}
	}
	return v
}

// TestTheSchemaHasEveryKey takes the keys that ParseSpec knows from what it
// says of one that it does not.
func TestTheSchemaHasEveryKey(t *testing.T) {
	t.Parallel()
	for text, schema := range map[string]object{
		"zzzzzz: 1": rootSchema(),
		"columns: {a: {to: customer.name, zzzzzz: 1}}": columnSchema()["anyOf"].([]object)[1]["properties"].(object),
		"fields: {customer.name: {zzzzzz: 1}}":         fieldSchema()["properties"].(object),
	} {
		_, err := ParseSpec([]byte(text))
		found := regexp.MustCompile(`known are (.*)`).FindStringSubmatch(fmt.Sprint(err))
		if found == nil {
			t.Fatalf("ParseSpec(%q): %v", text, err)
		}
		var keys []string
		for k, v := range schema {
			keys = append(keys, k)
			if v.(object)["description"] == nil {
				t.Errorf("the schema says nothing of %s", k)
			}
		}
		slices.Sort(keys)
		if diff := cmp.Diff(strings.Split(found[1], ", "), keys); diff != "" {
			t.Errorf("keys of ParseSpec and of the schema for %q (-ParseSpec +schema):\n%s", text, diff)
		}
	}
}
