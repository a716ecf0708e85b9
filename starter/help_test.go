package main

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

func runHere(t *testing.T, stdin string, args ...string) (code int, out, err string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(context.Background(), args, streams{strings.NewReader(stdin), &o, &e})
	return code, o.String(), e.String()
}

func TestHelpLeadsWithExamples(t *testing.T) {
	for path := range examples {
		args := append(strings.Fields(path), "--help")
		code, out, err := runHere(t, "", args...)
		if code != 0 || err != "" || !strings.HasPrefix(out, "Examples:\n  starter ") {
			t.Errorf("starter %s: exit %d, stderr %q, stdout begins %.40q", strings.Join(args, " "), code, err, out)
		}
	}
}

func TestHelpOfImport(t *testing.T) {
	_, out, _ := runHere(t, "", "import", "--help")
	own, rest, _ := strings.Cut(out, "\nInstallation")
	_, reading, _ := strings.Cut(rest, "\nHow the file")
	golden(t, "help_import.txt", own+"\nHow the file"+reading)
}

func TestEveryCommandHasExamplesAndEveryFlagItsVariable(t *testing.T) {
	var c commands
	k, err := newParser(&c, streams{}, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	for _, leaf := range k.Model.Leaves(true) {
		path := strings.TrimPrefix(leaf.FullPath(), "starter ")
		if examples[path] == nil && path != "version" {
			t.Errorf("%s has no examples", path)
		}
	}
	err = kong.Visit(k.Model, func(node kong.Visitable, next kong.Next) error {
		if f, ok := node.(*kong.Flag); ok && f.Name != "help" && len(f.Tag.Envs) == 0 {
			t.Errorf("--%s has no variable", f.Name)
		}
		return next(nil)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestWrongUsageIsOneLineAndExitCode2(t *testing.T) {
	for _, args := range [][]string{
		{"import", "leads.csv"}, {"import", "--source", "newsletter"}, {"import", "leads.csv", "--source", "newsletter", "--mode", "replace"},
		{"imprt"}, {"imports"}, {"imports", "show"}, {"export", "leads", "--source", "newsletter"}, {"import", "leads.csv", "--no-such-flag"},
		{"imports", "rejects", "12", "-o", "yaml"}, {"mapping", "template", "leads"}, {"mapping", "template", "customers", "--to", "x.json"},
	} {
		code, out, err := runHere(t, "", args...)
		if code != exitUsage || out != "" || strings.Count(err, "\n") != 1 || !strings.HasPrefix(err, "starter: ") {
			t.Errorf("starter %s: exit %d, stdout %q, stderr %q; want 2 and one line", strings.Join(args, " "), code, out, err)
		}
	}
}
