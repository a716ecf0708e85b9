package crm_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"sluice/internal/crm"
)

// outcomes draws a batch: rows with up to three records each, and an outcome
// for every record.
func outcomes(t *rapid.T) (crm.RowTally, crm.Outcomes, [3][]crm.Address) {
	kinds := []crm.Outcome{crm.Created, crm.Updated, crm.Unchanged, crm.Duplicate, crm.Held, crm.Exists, crm.Absent, crm.Refused}
	var o crm.Outcomes
	var at [3][]crm.Address
	n := rapid.IntRange(0, 40).Draw(t, "rows")
	rejected := int64(0)
	for line := range n {
		if rapid.Bool().Draw(t, "rejected by parse") {
			rejected++
			continue
		}
		for e := range at {
			if rapid.Bool().Draw(t, "has record") {
				at[e] = append(at[e], crm.At(0, int64(line+2)))
				o[e] = append(o[e], rapid.SampledFrom(kinds).Draw(t, "outcome"))
			}
		}
	}
	return crm.RowTally{Read: int64(n), Rejected: rejected}, o, at
}

func TestInvariant1EveryRowOfABatchIsAccountedFor(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rows, o, at := outcomes(t)
		c := o.Tally(rows, at)
		if !c.Balanced() || c.Read != rows.Read {
			t.Fatalf("tally %+v of %+v does not add up", c, rows)
		}
		if again := o.Tally(rows, at); !cmp.Equal(c, again) {
			t.Fatalf("tally of completed outcomes = %+v, want %+v", again, c)
		}
		if !c.Minus(c).Balanced() || c.Minus(c) != (crm.Counts{}) {
			t.Fatalf("counts less themselves = %+v", c.Minus(c))
		}
	})
}

func TestRejectedRecordSparesItsRowAndNoOther(t *testing.T) {
	t.Parallel()
	at := [3][]crm.Address{{2, 3, 4}, {2, 4}, {4}}
	o := crm.Outcomes{{crm.Created, crm.Created, crm.Duplicate}, {crm.Exists, crm.Created}, {crm.Created}}
	got := o.Tally(crm.RowTally{Read: 5, Rejected: 1}, at)
	want := crm.Counts{Read: 5, Rejected: 2, Accepted: 3,
		Customers: crm.Tally{Records: 2, Created: 1, Duplicate: 1},
		Contacts:  crm.Tally{Records: 1, Created: 1}, Notes: crm.Tally{Records: 1, Created: 1}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if o[crm.Customer][0] != crm.Spared || o[crm.Customer][1] != crm.Created {
		t.Errorf("customers = %q, want the first spared", o[crm.Customer])
	}
}

func TestUnbalancedCountsAreSeen(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]crm.Counts{
		"row lost":      {Read: 3, Accepted: 2},
		"row doubled":   {Read: 1, Accepted: 1, Duplicate: 1},
		"record lost":   {Contacts: crm.Tally{Records: 2, Created: 1}},
		"record gained": {Notes: crm.Tally{Created: 1}},
	} {
		if c.Balanced() {
			t.Errorf("%s: balanced", name)
		}
	}
}

func TestCopyTextGivesBackWhatItWasGiven(t *testing.T) {
	t.Parallel()
	value := rapid.StringOf(rapid.SampledFrom([]rune{'a', '\\', 'N', '\t', '\n', '\r', '.', 'é', '"', ' '}))
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(rapid.SliceOfN(value, 1, 6), 0, 20).Draw(t, "rows")
		var b []byte
		for _, r := range rows {
			b = crm.AppendCopy(b, r...)
		}
		if got := bytes.Count(b, []byte("\n")); got != len(rows) {
			t.Fatalf("%d lines for %d rows", got, len(rows))
		}
		r := crm.NewCopyReader(bytes.NewReader(b))
		for _, want := range rows {
			got, err := r.Read()
			if err != nil || !cmp.Equal(got, want) {
				t.Fatalf("Read = %q, %v; want %q", got, err, want)
			}
		}
		if _, err := r.Read(); !errors.Is(err, io.EOF) {
			t.Fatalf("after the last row: %v", err)
		}
	})
}

func TestCopyReaderTakesLinesLongerThanItsBufferAndRefusesHalfOnes(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 1<<20)
	r := crm.NewCopyReader(bytes.NewReader(crm.AppendCopy(nil, "7", long)))
	if got, err := r.Read(); err != nil || got[1] != long {
		t.Fatalf("long line: %d cells, %v", len(got), err)
	}
	r = crm.NewCopyReader(strings.NewReader("1\ta"))
	if _, err := r.Read(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("half a line: %v, want unexpected EOF", err)
	}
}

func TestBatchKeysRoundTripAndDamageIsAnError(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var k crm.BatchKeys
		for range rapid.IntRange(0, 30).Draw(t, "rows") {
			var keys [3]*crm.Key
			for e := range keys {
				if rapid.Bool().Draw(t, "has") {
					key := crm.Key(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "key"))
					keys[e] = &key
				}
			}
			k.AddRow(keys)
		}
		b := k.Encode()
		got, err := crm.DecodeBatchKeys(b)
		if err != nil || !bytes.Equal(got.Encode(), b) {
			t.Fatalf("decoded to %+v, %v", got, err)
		}
		if cut := rapid.IntRange(0, len(b)-1).Draw(t, "cut"); len(b) > 2 {
			if _, err := crm.DecodeBatchKeys(b[:cut]); err == nil {
				t.Fatalf("%d of %d bytes decode without an error", cut, len(b))
			}
		}
	})
}

func TestVerdictsRoundTripAndDamageIsAnError(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		v := crm.BatchVerdict{Keys: crm.Object{Key: "a/b", Size: rapid.Int64Min(0).Draw(t, "size"), BLAKE3: "00"}}
		for e := range v.Outcomes {
			v.Outcomes[e] = rapid.SliceOfN(rapid.SampledFrom([]crm.Outcome{crm.ToWrite, crm.Duplicate}), 0, 20).Draw(t, "outcomes")
		}
		b := v.Encode()
		got, err := crm.DecodeBatchVerdict(b)
		if err != nil || !bytes.Equal(got.Encode(), b) || got.Keys != v.Keys {
			t.Fatalf("decoded to %+v, %v", got, err)
		}
		if _, err := crm.DecodeBatchVerdict(b[:rapid.IntRange(0, len(b)-1).Draw(t, "cut")]); err == nil {
			t.Fatal("a part of it decodes without an error")
		}
	})
}

func TestRecordIDsAreUUIDv7InRowOrderWithinTheirRange(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 22, 10, 0, 0, 123e6, time.UTC)
	least, greatest := crm.IDRange(start)
	addresses := []crm.Address{crm.At(0, 1), crm.At(0, 2), crm.At(0, 1<<31), crm.At(1, 1), crm.At(700, 9), crm.At(crm.MaxFiles-1, 1<<32-1)}
	var ids []string
	for _, a := range addresses {
		id := crm.RecordID(start, crm.Contact, a)
		u, err := uuid.Parse(id)
		if err != nil || u.Version() != 7 || u.Variant() != uuid.RFC4122 {
			t.Errorf("%v: %s is no UUID of version 7: %v", a, id, err)
		}
		sec, nsec := u.Time().UnixTime()
		if got := time.Unix(sec, nsec).UTC(); !got.Truncate(time.Millisecond).Equal(start) {
			t.Errorf("%s has time %v, want %v", id, got, start)
		}
		if id < least || id > greatest {
			t.Errorf("%s is outside %s … %s", id, least, greatest)
		}
		ids = append(ids, id)
	}
	if !sort.StringsAreSorted(ids) {
		t.Errorf("ids do not ascend with their rows: %v", ids)
	}
	if crm.RecordID(start, crm.Contact, 5) == crm.RecordID(start, crm.Customer, 5) {
		t.Error("two entities of one row share an id")
	}
	if _, next := crm.IDRange(start.Add(-time.Millisecond)); next >= least {
		t.Error("the ranges of two imports touch")
	}
}

func TestKeysDependOnSecretEntityAndPartBorders(t *testing.T) {
	t.Parallel()
	base := crm.ClaimKey([]byte("s"), crm.Contact, "ab", "c")
	for name, other := range map[string]crm.Key{
		"secret": crm.ClaimKey([]byte("t"), crm.Contact, "ab", "c"),
		"entity": crm.ClaimKey([]byte("s"), crm.Note, "ab", "c"),
		"border": crm.ClaimKey([]byte("s"), crm.Contact, "a", "bc"),
	} {
		if other == base {
			t.Errorf("%s makes no difference", name)
		}
	}
	// Frozen: a change makes every contact and note a stranger to its next import.
	if got := crm.MatchKey(crm.Contact, "email", "ana@example.com"); got != "28ab8fee-4878-bfc6-ff14-2f0ea1cad37b" {
		t.Errorf("match key = %s: the rule is frozen", got)
	}
}

func TestFailureTypesSurviveWrapping(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want crm.FailureType
	}{
		{crm.ErrInvalid, crm.FailInvalid}, {crm.ErrDenied, crm.FailDenied}, {crm.ErrNotFound, crm.FailNotFound},
		{crm.ErrFenced, crm.FailFenced}, {crm.ErrUnbalanced, crm.FailUnbalanced}, {crm.ErrSourceChanged, crm.FailSourceChanged},
		{io.EOF, ""},
	} {
		wrapped := errors.Join(errors.New("step"), c.err)
		if got := crm.TypeOf(wrapped); got != c.want {
			t.Errorf("TypeOf(%v) = %q, want %q", wrapped, got, c.want)
		}
	}
	if !errors.Is(crm.ErrFenced, crm.ErrInvalid) {
		t.Error("a fenced step would be tried again")
	}
}

func TestReportKeysAreTheContract(t *testing.T) {
	t.Parallel()
	b, err := json.Marshal(crm.Report{})
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"import_id", "source", "state", "read", "blank", "rejected", "duplicate", "accepted", "unprocessed",
		"warnings", "customers", "contacts", "notes", "rejects", "seconds", "rows_per_second"} {
		if _, ok := m[key]; !ok {
			t.Errorf("report has no %q", key)
		}
	}
	tally := m["customers"].(map[string]any)
	for _, key := range []string{"records", "created", "updated", "unchanged", "duplicate"} {
		if _, ok := tally[key]; !ok {
			t.Errorf("customers have no %q", key)
		}
	}
}
