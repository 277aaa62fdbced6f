package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"telltale/backend/job"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func pushing(percent float64) job.Job {
	return job.Job{
		ID: "01939f6e-7c1e-7a5e-8000-000000000001", Title: "Push", Action: "push", Target: "berlin",
		State: job.Running, Phase: "Writing objects",
		Progress:  &job.Progress{Percent: &percent, Done: 250, Total: 400, Unit: "objects"},
		CreatedAt: noon, StartedAt: noon, UpdatedAt: noon,
	}
}

func TestTheLiveLineSaysLampNamePhaseProgressAndTime(t *testing.T) {
	t.Parallel()
	got := liveLine(pushing(62.5), noon.Add(3*time.Second), 0, 100, false, "")
	want := "⠋ Push → berlin  Writing objects  ━━━━━━━━━━━━────────  62%  250/400 objects  0:03"
	if got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestTheLiveLineFitsEveryTerminal(t *testing.T) {
	t.Parallel()
	j := pushing(99.9)
	j.Phase = "Schreibe Objekte 東京 \x1b[2J und noch viel mehr davon, damit es nie auf eine Zeile geht"
	for columns := range 140 {
		for _, p := range []paint{false, true} {
			line := liveLine(j, noon.Add(90*time.Minute), columns, columns, p, "")
			if w := ansi.StringWidth(line); w > columns {
				t.Fatalf("%d columns: the line takes %d: %q", columns, w, line)
			}
			if strings.ContainsAny(line, "\n\r") || strings.Contains(line, "\x1b[2J") {
				t.Fatalf("%d columns: the line breaks out: %q", columns, line)
			}
		}
	}
}

func TestTheLiveLineGivesUpTheLeastImportantFirst(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		columns int
		want    string
	}{
		{82, "⠋ Push → berlin  Writing objects  ━━━━━━━━━━━━────────  62%  250/400 objects  0:03"},
		{70, "⠋ Push → berlin  Writing objects  ━━━━━━━━━━━━────────  62%  0:03"},
		{44, "⠋ Push → berlin  Writing objects  62%  0:03"},
	} {
		if got := liveLine(pushing(62.5), noon.Add(3*time.Second), 0, c.columns, false, ""); got != c.want {
			t.Errorf("%d columns:\ngot  %q\nwant %q", c.columns, got, c.want)
		}
	}
}

func TestALostLinkIsSaidInPlaceOfAStaleBar(t *testing.T) {
	t.Parallel()
	got := liveLine(pushing(62.5), noon.Add(3*time.Second), 0, 100, false, "no word from the server, trying again")
	if strings.Contains(got, "62") || !strings.Contains(got, "no word from the server") {
		t.Errorf("the line pretends to know: %q", got)
	}
}

func TestTheOutcomeIsOneSentence(t *testing.T) {
	t.Parallel()
	j := pushing(100)
	j.State, j.Summary, j.FinishedAt = job.Succeeded, "3 commits pushed to berlin/main.", noon.Add(4200*time.Millisecond)
	if got, want := outcome(j, noon, false), "✔ Push → berlin  3 commits pushed to berlin/main.  4.2 s"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if got := outcome(j, noon, true); !strings.Contains(got, "\x1b[32m✔"+reset) {
		t.Errorf("the lamp has no colour: %q", got)
	}
}

func TestEveryStateHasALampOfItsOwn(t *testing.T) {
	t.Parallel()
	seen := map[string]job.State{}
	for _, s := range job.States() {
		if other, ok := seen[mark(s)]; ok || mark(s) == "?" {
			t.Errorf("%s and %s look the same: %s", s, other, mark(s))
		}
		seen[mark(s)] = s
	}
}

func TestSpansReadLikeAClock(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		d     time.Duration
		exact bool
		want  string
	}{
		{0, false, "0:00"},
		{59*time.Second + 900*time.Millisecond, false, "0:59"},
		{61 * time.Second, false, "1:01"},
		{3*time.Hour + 5*time.Minute + 9*time.Second, false, "3:05:09"},
		{431 * time.Millisecond, true, "431 ms"},
		{4200 * time.Millisecond, true, "4.2 s"},
		{75 * time.Second, true, "1:15"},
	} {
		if got := span(c.d, c.exact); got != c.want {
			t.Errorf("span(%v, %v) is %q, want %q", c.d, c.exact, got, c.want)
		}
	}
}

func TestPlainLinesCountInTens(t *testing.T) {
	t.Parallel()
	if got, want := change(pushing(68)), "Push → berlin: running: Writing objects 60%"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
