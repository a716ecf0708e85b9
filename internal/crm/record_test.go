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
		{crm.MatchKey(crm.Note, "note", "", long), "1dc9fe7a-06b0-7cdd-b029-8e39a07f5e5e"},
		{crm.MatchKey(crm.Contact, "name", "Zoë", "", "+49301"), "b5d81b02-5938-72aa-41a8-eb23b9db3510"},
		{crm.MatchKey(crm.Note), "ab13bedf-42e8-4bae-0f7c-62c7dd6a8ada"},
		{fmt.Sprintf("%x", crm.ClaimKey(secret, crm.Customer, "cus_1")), "cfabddd753eae08ebedad18456aeda36"},
		{fmt.Sprintf("%x", crm.ClaimKey(secret, crm.Note, "cus_1", "note", "", long)), "ca5850cc56852e5cf89a45b02c5723c2"},
		{crm.RecordID(time.UnixMilli(1_700_000_000_123), crm.Contact, crm.At(2, 99)), "018bcfe5-687b-7000-a000-00063a791667"},
	} {
		if c.got != c.want {
			t.Errorf("%s, want %s: the rule is frozen", c.got, c.want)
		}
	}
}
