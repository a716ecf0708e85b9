package source

import (
	"errors"
	"strings"
	"testing"

	"sluice/internal/crm"
)

func TestSQLQueriesThatAreRefused(t *testing.T) {
	t.Parallel()
	everywhere := map[string]string{
		"":                                    "begin with SELECT",
		"   -- nothing":                       "begin with SELECT",
		"DELETE FROM t":                       "begin with SELECT",
		"(SELECT 1)":                          "begin with SELECT",
		"'select'":                            "begin with SELECT",
		"selection":                           "begin with SELECT",
		"EXPLAIN SELECT 1":                    "begin with SELECT",
		"SELECT 1; DELETE FROM t":             "semicolon",
		"SELECT 1;":                           "semicolon",
		"SELECT 'a'';' ; DROP TABLE t":        "semicolon",
		"SELECT 1 /* ; */ ;":                  "semicolon",
		"SELECT 1) AS q; DROP TABLE t":        "parenthesis",
		"SELECT 1) AS q -- ":                  "parenthesis",
		"SELECT (1":                           "parenthesis",
		"SELECT ')' || (1":                    "parenthesis",
		"SELECT 'a":                           "no end",
		"SELECT \"a":                          "no end",
		"SELECT 1 /* ":                        "no end",
		"SELECT 1 /*/":                        "no end",
		"SELECT 1 -- a\n; SELECT 2":           "semicolon",
		"SELECT '\x00'":                       "",
		"SELECT 1 \x00":                       "NUL",
		"WITH x AS (SELECT 1)) SELECT 1":      "parenthesis",
		"with x as (select ';') select ';'":   "",
		"\n\t/* a */ Select 1 -- ;":           "",
		"SELECT a, \"b;\"\"c\" FROM t":        "",
		"SELECT 1 - - 1, 'it''s;', 2 / 3 * 4": "",
	}
	for name, more := range map[string]map[string]string{
		"postgres": {
			"SELECT $1": "place for a value", "SELECT a$1 FROM t": "", "SELECT $$;$$, $a$;$$;$a$": "", "SELECT $a$;$b$": "no end",
			`SELECT E'\';', e'\\'`: "", `SELECT E'\'; SELECT 1`: "no end", `SELECT '\'; SELECT 1`: "semicolon", `SELECT name'\'; SELECT '`: "semicolon",
			"SELECT 1 /* /* */ ; */": "", "SELECT 1 /* /* */ ;": "no end", "SELECT 1 -- a\r; SELECT 2": "semicolon",
			"SELECT 1 # 2; SELECT 1": "semicolon", "SELECT a[1], '{}'::jsonb ? 'a'": "",
		},
		"mysql": {
			"SELECT ?": "place for a value", "SELECT `;`": "", "SELECT `a``;`": "", `SELECT '\';', "\";"`: "", "SELECT `\\`; SELECT 1": "semicolon",
			"SELECT 1 # ;\n": "", "SELECT 1 #\n;": "semicolon", "SELECT 1--1;": "semicolon", "SELECT 1 --\t;": "", "SELECT 1 --": "",
			"SELECT 1 /*! ; DROP TABLE t */": "carries out", "SELECT 1 /*M!100100 , 2 */": "carries out", "SELECT /*+ MAX_EXECUTION_TIME(1) ; */ 1": "", "SELECT 1 /* /* */ ;": "semicolon",
			"SELECT @a, $1": "",
		},
		"sqlite": {
			"SELECT ?": "place for a value", "SELECT ?1": "place for a value", "SELECT :a": "place for a value", "SELECT @a": "place for a value", "SELECT $a": "place for a value",
			"SELECT [;], [a'], `;` FROM t": "", "SELECT [a": "no end", "SELECT a$b FROM t": "", `SELECT '\'; SELECT 1`: "semicolon", "SELECT 1 # 2;": "semicolon",
		},
	} {
		for _, queries := range []map[string]string{everywhere, more} {
			for query, want := range queries {
				err := sqlDialects[name].syntax().check(query)
				switch {
				case want == "" && err != nil:
					t.Errorf("%s: %q: %v", name, query, err)
				case want != "" && (!errors.Is(err, crm.ErrInvalid) || !strings.Contains(err.Error(), want)):
					t.Errorf("%s: %q: %v, want one that says %q", name, query, err, want)
				}
			}
		}
	}
}

// FuzzSQLQuery: whatever is written, the check ends, and what it lets pass has
// no semicolon left once what is quoted is gone.
func FuzzSQLQuery(f *testing.F) {
	for _, seed := range []string{"SELECT 1", "SELECT $$;$$", "SELECT E'\\'' -- x", "SELECT [a] /* /* */ */", "SELECT '", "SELECT $a", "SELECT /*", "SELECT --", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		for _, name := range []string{"postgres", "mysql", "sqlite"} {
			x := sqlDialects[name].syntax()
			if x.check(query) != nil {
				continue
			}
			for rest := query; rest != ""; {
				n, is := x.token(rest)
				if n <= 0 || n > len(rest) {
					t.Fatalf("a token of %d bytes", n)
				}
				if is == "" && strings.HasPrefix(rest, ";") {
					t.Errorf("%s lets %q pass", name, query)
				}
				rest = rest[n:]
			}
		}
	})
}
