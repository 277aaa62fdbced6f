package cli

import (
	"strings"
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

func TestATableTooWideForTheTerminalIsReadAsParagraphs(t *testing.T) {
	t.Parallel()
	tab := table{head: []string{"action", "title", "last job"}}
	tab.add("push", "Push", "")
	tab.add("tests", "Run tests", "01a20e93")
	if w := tab.width(); w != len("action  Run tests  01a20e93") {
		t.Errorf("it takes %d columns", w)
	}
	var b strings.Builder
	tab.list(&b, painter(&b))
	if want := "push\n  title     Push\n\ntests\n  title     Run tests\n  last job  01a20e93\n"; b.String() != want {
		t.Errorf("got\n%s", b.String())
	}
}
