package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

// aFile writes a file into a folder of the test's own.
func aFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func aWorkbook(t *testing.T, password string) string {
	t.Helper()
	f := excelize.NewFile()
	for cell, v := range map[string]string{"A1": "Email", "A2": "ana@example.com"} {
		if err := f.SetCellValue("Sheet1", cell, v); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "leads.xlsx")
	if err := f.SaveAs(path, excelize.Options{Password: password}); err != nil {
		t.Fatal(err)
	}
	return path
}

const goodCSV = "Email,Name\nana@example.com,Ana\n"

// refused runs an import that must not begin: one line, exit code 2, no data
// directory, nothing on standard output.
func refused(t *testing.T, stdin, says string, args ...string) {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	code, out, err := runHere(t, stdin, append([]string{"import", "--source", "newsletter", "--data-dir", data}, args...)...)
	t.Log(err)
	if code != exitUsage || out != "" || strings.Count(err, "\n") != 1 || !strings.HasPrefix(err, "starter: ") {
		t.Errorf("exit %d, stdout %q, stderr %q; want 2 and one line", code, out, err)
	}
	if !strings.Contains(err, says) || strings.Contains(err, "invalid: ") {
		t.Errorf("stderr %q does not say %q plainly", err, says)
	}
	if _, err := os.Stat(data); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the data directory was made: %v", err)
	}
}

func TestBadFilesAreRefusedBeforeAnythingStarts(t *testing.T) {
	good := aFile(t, "leads.csv", goodCSV)
	for _, c := range []struct {
		name, says string
		args       []string
	}{
		{"no such file", "no such file", []string{filepath.Join(t.TempDir(), "absent.csv")}},
		{"a directory", "is a directory", []string{t.TempDir()}},
		{"an empty file", "is empty", []string{aFile(t, "empty.csv", "")}},
		{"an address with a password", "credentials belong into the settings", []string{"https://user:secret@example.com/leads.csv"}},
		{"an address of no kind", "only https, s3", []string{"gopher://example.com/leads.csv"}},
		{"a header only", "no rows", []string{aFile(t, "header.csv", "Email,Name\n")}},
		{"a picture called csv", "leads.csv: ", []string{aFile(t, "leads.csv", "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00")}},
		{"an old workbook", "leads.xls: ", []string{aFile(t, "leads.xls", "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"+strings.Repeat("\x00", 600))}},
		{"an encrypted workbook", "leads.xlsx: ", []string{aWorkbook(t, "secret")}},
		{"a sheet that is not there", "2024", []string{aWorkbook(t, ""), "--sheet", "2024"}},
		{"two columns of one name", "columns 1 and 2", []string{aFile(t, "twice.csv", "Email,Email\na@example.com,b@example.com\n")}},
		{"a header of nothing known", "unknown.csv: ", []string{aFile(t, "unknown.csv", "qwx,zzy\n1,2\n")}},
		{"the second file of two", "no such file", []string{good, filepath.Join(t.TempDir(), "absent.csv")}},
		{"a source name that cannot be", "1 to 64", []string{good, "--source", "News Letter"}},
		{"no such mapping", "no such file", []string{good, "--mapping", filepath.Join(t.TempDir(), "absent.yaml")}},
		{"a mapping that is no YAML", "line 1", []string{good, "--mapping", aFile(t, "m.yaml", "columns: [\n")}},
		{"a mapping with a fault", "line 2", []string{good, "--mapping", aFile(t, "m.yaml", "version: 1\ncolums: {}\n")}},
		{"a mapping of another file", "Mail", []string{good, "--mapping", aFile(t, "m.yaml", "columns: {Mail: customer.email}\n")}},
	} {
		t.Run(c.name, func(t *testing.T) { refused(t, "", c.says, c.args...) })
	}
	t.Run("empty standard input", func(t *testing.T) { refused(t, "", "stdin: is empty", "-") })
	t.Run("standard input that is no table", func(t *testing.T) { refused(t, "\x89PNG\r\n\x1a\n\x00\x00", "stdin: ", "-") })
}

func TestAFileThatCannotBeReadIsRefused(t *testing.T) {
	path := aFile(t, "secret.csv", goodCSV)
	if err := os.Chmod(path, 0); err != nil {
		t.Fatal(err)
	}
	if f, err := os.Open(path); err == nil {
		_ = f.Close()
		t.Skip("this user may read everything; run the test as another one")
	}
	refused(t, "", "permission denied", path)
}

func TestPasswordsInAddressesAreNotRepeated(t *testing.T) {
	_, _, err := runHere(t, "", "import", "--source", "x", "--data-dir", t.TempDir(), "https://user:secret@example.com/leads.csv")
	if strings.Contains(err, "secret") {
		t.Errorf("stderr %q holds the password", err)
	}
}

func TestErrorsAreJSONWhereJSONWasAskedFor(t *testing.T) {
	code, out, err := runHere(t, "", "import", "--source", "newsletter", "--data-dir", t.TempDir(), "-o", "json", "absent.csv")
	if want := "{\"error\":\"absent.csv: no such file\",\"exit\":2}\n"; code != 2 || out != "" || err != want {
		t.Errorf("exit %d, stdout %q, stderr %q; want 2, nothing and %q", code, out, err, want)
	}
}

func TestMappingCheckNamesEveryFaultWithItsLine(t *testing.T) {
	bad := aFile(t, "m.yaml", "version: 2\nmode: replace\ncolumns:\n  Email: customer.mail\n")
	code, _, err := runHere(t, "", "mapping", "check", bad, "--data-dir", t.TempDir())
	if code != exitUsage {
		t.Errorf("exit %d, want 2", code)
	}
	for _, line := range []string{"line 1", "line 2", "line 4"} {
		if !strings.Contains(err, line) {
			t.Errorf("stderr %q does not name %s", err, line)
		}
	}
}

func TestSuggestedMappingFitsItsFile(t *testing.T) {
	file := aFile(t, "leads.csv", goodCSV)
	code, out, err := runHere(t, "", "mapping", "suggest", file, "--data-dir", t.TempDir())
	if code != 0 || err != "" || !strings.HasPrefix(out, "# ") {
		t.Fatalf("suggest: exit %d, stderr %q, stdout %q", code, err, out)
	}
	code, out, err = runHere(t, "", "mapping", "check", aFile(t, "m.yaml", out), file, "--data-dir", t.TempDir())
	if code != 0 || !strings.Contains(out, "leads.csv fits it") {
		t.Errorf("check: exit %d, stderr %q, stdout %q", code, err, out)
	}
}

func TestImportOfAListOfRejectedRowsPointsToRetry(t *testing.T) {
	path := aFile(t, "fix.csv", "line,column,reason,how to fix,Phone\n2,,,,+49 30 1234\n")
	code, _, err := runHere(t, "", "import", path, "--source", "newsletter", "--data-dir", t.TempDir())
	if code != exitUsage || !strings.Contains(err, "fix.csv is a list of rejected rows; starter imports retry is meant for it\n") {
		t.Errorf("exit %d, stderr %q; want 2, since no row says who it is, and a note", code, err)
	}
}
