package store

import (
	"testing"
	"time"

	"sluice/internal/crm"
)

func TestTheEndOfASyncIsNotedOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		if err := s.SaveSchedule(t.Context(), crm.Schedule{Source: "crm", Every: time.Hour}); err != nil {
			t.Fatal(err)
		}
		begun := time.Date(2026, time.March, 1, 8, 0, 0, 123_456_789, time.UTC) // finer than it is kept
		for _, tt := range []struct {
			at   time.Time
			want int
		}{{begun, 1}, {begun, 1}, {begun.Add(time.Hour), 2}, {begun, 2}} {
			row, err := s.EndScheduled(t.Context(), crm.EndScheduledInput{Source: "crm", At: tt.at, Failure: &crm.Failure{Type: crm.FailDenied}})
			if err != nil || row.Failures != tt.want {
				t.Errorf("the end of the sync of %v makes %d failures, %v; want %d", tt.at, row.Failures, err, tt.want)
			}
		}
	})
}
