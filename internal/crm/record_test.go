package crm_test

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"sluice/internal/crm"
)

func TestLineOfARecordHasTheColumnsOfABatch(t *testing.T) {
	t.Parallel()
	started := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	a := crm.At(3, 17)
	for _, e := range crm.Entities {
		values := make([]string, len(crm.Fields(e)))
		for i := range values {
			values[i] = strconv.Itoa(i) + "\t\\"
		}
		identity := crm.Identity(e, values)
		want := []string{strconv.FormatInt(int64(a), 10), crm.RecordID(started, e, a)}
		if e != crm.Customer {
			want = append(want, "cus\t1", crm.MatchKey(e, identity...))
		}
		want = append(want, values...)
		line := crm.AppendRecord([]byte("before\n"), started, e, a, "cus\t1", identity, values)
		got, err := crm.NewCopyReader(bytes.NewReader(line[len("before\n"):])).Read()
		if err != nil || strings.Join(got, "|") != strings.Join(want, "|") || len(got) != len(crm.BatchColumns(e)) {
			t.Errorf("%v: %q, %v; want %q", e, got, err, want)
		}
	}
}

// TestKeysOfLongAndShortIdentitiesAreFrozen holds values that databases keep
// and that imports in flight have claimed.
func TestKeysOfLongAndShortIdentitiesAreFrozen(t *testing.T) {
	t.Parallel()
	secret := bytes.Repeat([]byte{9}, 32)
	long := strings.Repeat("é", 5000)
	for _, c := range []struct {
		got, want string
	}{
		{crm.MatchKey(crm.Note, "note", "", long), "5466bdb2-e2bc-f6d9-0233-a4835bb43456"},
		{crm.MatchKey(crm.Contact, "name", "Zoë", "", "+49301"), "63f71390-690a-4ac0-54d8-dab24f5a7689"},
		{crm.MatchKey(crm.Note), "dbc1b4c9-00ff-e48d-575b-5da5c6380401"},
		{fmt.Sprintf("%x", crm.ClaimKey(secret, crm.Customer, "cus_1")), "7ae0a5baeb1941e361265e018d6cb982"},
		{fmt.Sprintf("%x", crm.ClaimKey(secret, crm.Note, "cus_1", "note", "", long)), "f085c52cb62f579aa853eaef0b9a4dc4"},
		{crm.RecordID(time.UnixMilli(1_700_000_000_123), crm.Contact, crm.At(2, 99)), "018bcfe5-687b-7000-a000-00063a791667"},
	} {
		if c.got != c.want {
			t.Errorf("%s, want %s: the rule is frozen", c.got, c.want)
		}
	}
}
