package crm_test

import (
	"bytes"
	"testing"
	"time"

	"sluice/internal/crm"
)

// benchValues are a contact's, as an export of leads has them.
var benchValues = []string{"", "1", "Zoë", "Müller", "CEO", "zoe.mueller.1a@gmail.com", "+493301234567",
	"https://www.linkedin.com/in/u-1a", "@u1a", "met at conference\nasked for pricing", "", ""}

func BenchmarkAppendCopy(b *testing.B) {
	b.ReportAllocs()
	var line []byte
	for b.Loop() {
		line = crm.AppendCopy(line[:0], benchValues...)
	}
	b.SetBytes(int64(len(line)))
}

func BenchmarkAppendRecord(b *testing.B) {
	b.ReportAllocs()
	started := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	var line []byte
	var identity []string
	for b.Loop() {
		identity = crm.AppendIdentity(identity[:0], crm.Contact, benchValues)
		line = crm.AppendRecord(line[:0], started, crm.Contact, crm.At(0, 12345), "cus_0abcdefghijkl", identity, benchValues)
	}
	b.SetBytes(int64(len(line)))
}

func BenchmarkClaimKey(b *testing.B) {
	b.ReportAllocs()
	secret := bytes.Repeat([]byte{7}, 32)
	for b.Loop() {
		crm.ClaimKey(secret, crm.Contact, "cus_0abcdefghijkl", "email", "zoe.mueller.1a@gmail.com")
	}
}

func BenchmarkRecordID(b *testing.B) {
	b.ReportAllocs()
	started := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for b.Loop() {
		crm.RecordID(started, crm.Contact, crm.At(0, 12345))
	}
}
