package cli

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"telltale/backend/api"
	"telltale/backend/job"
)

func TestParametersGetTheTypeTheyAreDeclaredWith(t *testing.T) {
	t.Parallel()
	known := []api.ParamView{
		{Name: "n", Type: "number"},
		{Name: "sure", Type: "boolean"},
		{Name: "text", Type: "text"},
		{Name: "pick", Type: "select"},
		{Name: "key", Type: "secret"},
	}
	s := &shell{Streams: Streams{In: strings.NewReader("hunter2\nnot this\n")}, secrets: map[string]string{}}
	got, err := s.values([]string{"n=2.5", "sure=true", "text=a=b; rm -rf /", "pick=", "key=-", "what=1"}, known)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"n": 2.5, "sure": true, "text": "a=b; rm -rf /", "pick": "", "key": "hunter2", "what": "1"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("values (-want +got):\n%s", d)
	}
	for _, bad := range [][]string{{"n=x"}, {"sure=yes"}, {"text"}, {"=x"}, {"text=1", "text=2"}} {
		var usage *usageError
		if _, err := s.values(bad, known); !errors.As(err, &usage) {
			t.Errorf("%q: %v, want a usage error", bad, err)
		}
	}
}

func TestSinceIsALengthOfTimeOrAnInstant(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Time{
		"24h": noon.Add(-24 * time.Hour), "7d": noon.AddDate(0, 0, -7), "90m": noon.Add(-90 * time.Minute),
		"2026-11-24T02:00:00Z": time.Date(2026, 11, 24, 2, 0, 0, 0, time.UTC),
		"2026-11-24":           time.Date(2026, 11, 24, 0, 0, 0, 0, time.Local),
	} {
		if got, err := ago(text, noon); err != nil || !got.Equal(want) {
			t.Errorf("%s is %v (%v), want %v", text, got, err, want)
		}
	}
	for _, bad := range []string{"", "yesterday", "-3h", "-1d", "d", "2026-13-01"} {
		if at, err := ago(bad, noon); err == nil {
			t.Errorf("%q is taken for %v", bad, at)
		}
	}
}

func TestTheExitCodeIsTheOutcome(t *testing.T) {
	t.Parallel()
	for state, want := range map[job.State]int{
		job.Succeeded: 0, job.Skipped: 0, job.Failed: 1, job.Warning: 3, job.Canceled: 4, job.Interrupted: 5,
	} {
		if got := exitFor(state); got != want {
			t.Errorf("%s exits with %d, want %d", state, got, want)
		}
	}
}

func TestAnErrorIsASentenceAHintAndTheFields(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	code := tell(&out, &api.Problem{
		Code: "bad_parameters", Detail: "Two parameters are \x1b[2Jnot right.", Hint: "Correct them.",
		Errors: []api.FieldFault{{Field: "params.n", Message: "must be at most 3"}},
	})
	want := "telltale: Two parameters are not right.\n  Correct them.\n  params.n: must be at most 3\n"
	if code != exitUsage || out.String() != want {
		t.Errorf("exit %d, said %q", code, out.String())
	}
}

func TestATableLinesUpWhateverItHolds(t *testing.T) {
	t.Parallel()
	tab := table{head: []string{"state", "title", "by"}}
	tab.add(paint(true).state(job.Failed, "✖ failed"), "東京 | push", "ada")
	tab.add("✔ succeeded", "x", "")
	var plain, cut bytes.Buffer
	tab.print(&plain, false, 0)
	want := "STATE        TITLE        BY\n\x1b[1;31m✖ failed\x1b[0m     東京 | push  ada\n✔ succeeded  x\n"
	if plain.String() != want {
		t.Errorf("got:\n%q\nwant:\n%q", plain.String(), want)
	}
	tab.print(&cut, false, 16)
	if !strings.Contains(cut.String(), "✔ succeeded  x\n") || strings.Contains(cut.String(), "ada") {
		t.Errorf("not cut to 16 columns:\n%s", cut.String())
	}
}
