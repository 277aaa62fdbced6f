package job_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"telltale/backend/job"
)

type source struct{ *rand.Rand }

func (s source) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(s.Uint32())
	}
	return len(p), nil
}

func random(seed uint64) source { return source{rand.New(rand.NewPCG(seed, seed))} }

func TestIDsSortByTheTimeTheyWereMade(t *testing.T) {
	t.Parallel()
	r := random(1)
	var ids []job.ID
	for i := range 1000 {
		id, err := job.NewID(noon.Add(time.Duration(i)*700*time.Nanosecond), r)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := job.ParseID(string(id)); err != nil || back != id {
			t.Fatalf("%s reads back as %s: %v", id, back, err)
		}
		ids = append(ids, id)
	}
	if !slices.IsSorted(ids) {
		t.Error("ids made one after the other do not sort that way")
	}
	if !ids[0].Time().Equal(noon) {
		t.Errorf("time of the first id is %v", ids[0].Time())
	}
}

func TestAnIDIsWrittenOneWayOnly(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{
		"", "x", "../../etc/passwd", "01939f6e-7c1e-7a5e-8000-00000000000", "01939F6E-7C1E-7A5E-8000-000000000001",
		"01939f6e-7c1e-4a5e-8000-000000000001", "01939f6e-7c1e-7a5e-0000-000000000001", "01939f6e7c1e7a5e8000000000000001",
		"01939f6e-7c1e-7a5e-8000-00000000000\x00", "{1939f6e-7c1e-7a5e-8000-00000000000}", "01939f6e-7c1e-7a5e-8000-0000000000+1",
	} {
		var invalid *job.InvalidIDError
		if _, err := job.ParseID(bad); !errors.As(err, &invalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzParseID(f *testing.F) {
	f.Add("01939f6e-7c1e-7a5e-8000-000000000001")
	f.Fuzz(func(t *testing.T, s string) {
		if id, err := job.ParseID(s); err == nil && string(id) != s {
			t.Errorf("%q was read as %q", s, id)
		}
	})
}

func FuzzParseCursor(f *testing.F) {
	for _, s := range []string{"", "abc.1", "abc.01", "abc.-1", ".1", "a.18446744073709551616", "a\n.1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if c, err := job.ParseCursor(s); err == nil && c.String() != s {
			t.Errorf("%q was read as %q", s, c)
		}
	})
}

// The files are the contract between Go and TypeScript: one job in each state.
func TestFixturesOfEveryStateAreCurrentAndRoundTrip(t *testing.T) {
	t.Parallel()
	for _, j := range fixtures(t) {
		b, err := json.MarshalIndent(j, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "testdata/status/"+string(j.State)+".json", string(b)+"\n")
		var back job.Job
		d := json.NewDecoder(bytes.NewReader(b))
		d.DisallowUnknownFields()
		if err := d.Decode(&back); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(j, back); diff != "" {
			t.Errorf("%s does not round-trip:\n%s", j.State, diff)
		}
	}
}

func fixtures(t *testing.T) []job.Job {
	t.Helper()
	must := func(j job.Job, err error) job.Job {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	at := func(s int) time.Time { return noon.Add(time.Duration(s) * time.Second) }
	percent, one := 62.5, 1
	id, err := job.NewID(noon, random(7))
	if err != nil {
		t.Fatal(err)
	}
	base := job.Job{
		ID: id, Action: "push", Title: "Push", Target: "berlin", Attempts: 3,
		Trigger:  job.Trigger{Via: job.ViaButton, By: "ada", Reason: "release 1.2"},
		Params:   map[string]any{"allow_unsigned": false, "branch": "main", "depth": 3.0},
		Expected: &job.Expected{P50: 41000, P95: 66000},
	}
	queued := job.Accept(base, at(0))
	running := must(must(queued.Start(at(1), "atlas", "boot-1")).Note(at(3), job.Report{
		Phase:    "Writing objects",
		Progress: &job.Progress{Percent: &percent, Done: 250, Total: 400, Unit: "objects", Rate: 118.2},
		Steps: []job.Step{
			{ID: "check", Title: "Check", State: job.Succeeded, StartedAt: at(1), FinishedAt: at(2)},
			{ID: "send", Title: "Send", State: job.Running, Needs: []string{"check"}, StartedAt: at(2), Phase: "Writing objects"},
			{ID: "verify", Title: "Verify", State: job.Queued, Needs: []string{"send"}},
		},
		Warnings: []job.Notice{{Message: "large file", File: "video.mp4", Line: 3}}, WarningCount: 1,
		Log: job.LogStat{Lines: 381, Bytes: 20481},
	}))
	waiting := queued
	waiting.State, waiting.Rev, waiting.Approval = job.Waiting, 2, &job.Approval{Prompt: "Publish to oslo?"}
	place := must(queued.Stand(at(0), &job.Place{Position: 2, Behind: id}))
	asked := must(running.AskCancel(at(4), "grace"))
	failure := &job.Error{Code: "non_fast_forward", Message: "berlin has commits you do not have.", Hint: "Pull from berlin first, then push again.", ExitCode: &one}
	return []job.Job{
		place, running, waiting,
		must(running.Finish(at(9), job.Outcome{State: job.Succeeded, Summary: "3 commits pushed to berlin/main."})),
		must(running.Finish(at(9), job.Outcome{State: job.Warning, Summary: "3 commits pushed, 1 warning."})),
		must(running.Finish(at(9), job.Outcome{State: job.Failed, Summary: "The push was refused.", Error: failure})),
		must(asked.Finish(at(9), job.Outcome{State: job.Canceled, Summary: "Stopped on request."})),
		must(running.Finish(at(9), job.Outcome{State: job.Interrupted, Summary: "The outcome is unknown.", Error: &job.Error{Code: "crash", Message: "Telltale died while this was running."}})),
		job.Skip(base, at(0), "The run before it was still going."),
	}
}

func TestAJobNeverTakesMoreThan16KiB(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ä\"\\\n", 3000)
	j := job.Accept(job.Job{ID: "x", Title: "T", Summary: long, Phase: long, Trigger: job.Trigger{Reason: long}}, noon)
	j.Error = &job.Error{Code: "x", Message: long, Hint: long}
	for range 500 {
		j.Warnings = append(j.Warnings, job.Notice{Message: long, File: long})
		j.Steps = append(j.Steps, job.Step{ID: "s", Title: long, Phase: long, Error: &job.Error{Message: long}})
	}
	j.WarningCount = 500
	fit := j.Fit()
	b, err := fit.Encode()
	if err != nil || len(b) > job.MaxSize {
		t.Fatalf("%d bytes, %v", len(b), err)
	}
	if fit.WarningCount != 500 || fit.Error.Code != "x" || len(fit.Warnings) == 0 {
		t.Errorf("lost more than it had to: %d of %d warnings", len(fit.Warnings), fit.WarningCount)
	}
	if small := job.Accept(job.Job{ID: "x"}, noon); !cmp.Equal(small, small.Fit()) {
		t.Error("a small job was changed")
	}
}

func TestPercentNeverFallsWithinAnAttemptAndStartsAnewWithTheNext(t *testing.T) {
	t.Parallel()
	p := func(v float64) *job.Progress { return &job.Progress{Percent: &v} }
	j, _ := job.Accept(job.Job{ID: "x", Attempts: 2}, noon).Start(noon, "h", "b")
	for _, v := range []float64{40, 30, 250, -5} {
		j, _ = j.Note(noon, job.Report{Progress: p(v)})
	}
	if got := *j.Progress.Percent; got != 100 {
		t.Errorf("percent is %v after 40, 30, 250, -5", got)
	}
	j, _ = j.Requeue(noon, noon, nil)
	j, _ = j.Start(noon, "h", "b")
	if j.Progress != nil || j.Attempt != 2 {
		t.Errorf("attempt %d starts with progress %v", j.Attempt, j.Progress)
	}
}

func TestAMethodNeverChangesTheJobItIsCalledOn(t *testing.T) {
	t.Parallel()
	all := fixtures(t)
	before, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	for _, j := range all {
		for op := range uint64(200) {
			r := rand.New(rand.NewPCG(op, 3))
			n, _, err := move(r, j, noon.Add(time.Hour))
			if err == nil {
				n.Fit()
			}
		}
	}
	after, _ := json.Marshal(all)
	if !bytes.Equal(after, before) {
		t.Error("a value was changed in place")
	}
}
