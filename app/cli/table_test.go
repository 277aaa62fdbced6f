package cli

import (
	"testing"
	"time"
)

func TestTheDayIsLeftOutWhereItIsToday(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 24, 0, 30, 0, 0, time.Local)
	for _, c := range []struct {
		at   time.Time
		want string
	}{
		{now.Add(-10 * time.Minute), "00:20:00"},
		{now.Add(-40 * time.Minute), "2026-11-23 23:50:00"},
		{now.AddDate(-1, 0, 0), "2025-11-24 00:30:00"},
		{time.Time{}, ""},
	} {
		if got := clockOf(c.at, now); got != c.want {
			t.Errorf("clockOf(%v) = %q, want %q", c.at, got, c.want)
		}
	}
}
