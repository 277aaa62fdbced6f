package job_test

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"telltale/backend/job"
)

var update = flag.Bool("update", false, "write generated files instead of comparing them")

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("%s is stale; run go test ./backend/job -update", file)
	}
}

func TestOnlyTheTableMovesAJob(t *testing.T) {
	t.Parallel()
	listed := map[[2]job.State]bool{}
	for _, tr := range job.Lifecycle() {
		listed[[2]job.State{tr.From, tr.To}] = true
	}
	for _, from := range append(job.States(), job.New) {
		for _, to := range append(job.States(), job.New, "nonsense") {
			err := job.Check("x", from, to)
			stays := from == to && from.Live()
			if want := listed[[2]job.State{from, to}] || stays; (err == nil) != want {
				t.Errorf("%q to %q: error %v, allowed by the table: %v", from, to, err, want)
			}
			var wrong *job.TransitionError
			if err != nil && !errors.As(err, &wrong) {
				t.Errorf("%q to %q: %T, want a *TransitionError", from, to, err)
			}
		}
	}
}

func TestEveryStateIsEitherLiveOrFinal(t *testing.T) {
	t.Parallel()
	for _, s := range job.States() {
		if s.Live() == s.Final() {
			t.Errorf("%s: live %v, final %v", s, s.Live(), s.Final())
		}
	}
	if job.New.Final() || job.State("nonsense").Final() {
		t.Error("what is no state is final")
	}
}

// Every method is tried in a random order; whatever happens, the promises hold.
func TestRandomWalksKeepTheLifecycle(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 1))
		j := job.Accept(job.Job{ID: "x", Attempts: 3}, noon)
		at := noon
		for step := range 40 {
			at = at.Add(time.Duration(r.IntN(5000)-1000) * time.Millisecond) // clocks are set back, too
			next, op, err := move(r, j, at)
			name := fmt.Sprintf("seed %d step %d %s", seed, step, op)
			if err != nil {
				if next.Rev != j.Rev || next.State != j.State {
					t.Fatalf("%s: refused (%v), yet the job changed", name, err)
				}
				continue
			}
			if j.State.Final() {
				t.Fatalf("%s: %s was final and became %s", name, j.State, next.State)
			}
			if job.Check(j.ID, j.State, next.State) != nil {
				t.Fatalf("%s: %s to %s is not in the table", name, j.State, next.State)
			}
			if next.Rev != j.Rev && next.Rev != j.Rev+1 {
				t.Fatalf("%s: revision %d after %d", name, next.Rev, j.Rev)
			}
			if next.Attempt == j.Attempt && next.State == job.Running && j.State == job.Running && percent(next) < percent(j) {
				t.Fatalf("%s: percent fell from %v to %v", name, percent(j), percent(next))
			}
			if next.State.Final() != !next.FinishedAt.IsZero() {
				t.Fatalf("%s: %s with finished_at %v", name, next.State, next.FinishedAt)
			}
			for _, early := range []time.Time{next.CreatedAt, next.StartedAt, j.UpdatedAt} {
				if next.UpdatedAt.Before(early) || (next.State.Final() && next.FinishedAt.Before(early)) {
					t.Fatalf("%s: updated %v, finished %v, before %v", name, next.UpdatedAt, next.FinishedAt, early)
				}
			}
			j = next
		}
	}
}

func percent(j job.Job) float64 {
	if j.Progress == nil || j.Progress.Percent == nil {
		return -1
	}
	return *j.Progress.Percent
}

func move(r *rand.Rand, j job.Job, at time.Time) (job.Job, string, error) {
	p := float64(r.IntN(140) - 20)
	switch r.IntN(7) {
	case 0:
		n, err := j.Start(at, "host", "boot")
		return n, "start", err
	case 1:
		n, err := j.Note(at, job.Report{Phase: "p", Progress: &job.Progress{Percent: &p}})
		return n, "note", err
	case 2:
		n, err := j.Note(at, job.Report{Progress: &job.Progress{Done: int64(p)}})
		return n, "note without percent", err
	case 3:
		n, err := j.AskCancel(at, "ada")
		return n, "ask", err
	case 4:
		n, err := j.Requeue(at, at.Add(time.Second), &job.Error{Code: "x"})
		return n, "requeue", err
	case 5:
		n, err := j.Stand(at, &job.Place{Position: 1})
		return n, "stand", err
	}
	s := append(job.States(), job.New)[r.IntN(10)]
	n, err := j.Finish(at, job.Outcome{State: s})
	return n, "finish " + string(s), err
}

func TestTheDiagramInTheDocsIsTheTable(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("# The lifecycle of a job\n\nGenerated from the table in `backend/job` by `go test ./backend/job -update`.\n\n```mermaid\nstateDiagram-v2\n")
	name := func(s job.State) string {
		if s == job.New {
			return "[*]"
		}
		return string(s)
	}
	for _, tr := range job.Lifecycle() {
		fmt.Fprintf(&b, "    %s --> %s: %s\n", name(tr.From), name(tr.To), tr.MovedBy)
	}
	for _, s := range job.States() {
		if s.Final() {
			fmt.Fprintf(&b, "    %s --> [*]\n", s)
		}
	}
	b.WriteString("```\n\n| from | to | moved by |\n|---|---|---|\n")
	for _, tr := range job.Lifecycle() {
		from := "`" + string(tr.From) + "`"
		if tr.From == job.New {
			from = "*(new)*"
		}
		fmt.Fprintf(&b, "| %s | `%s` | %s |\n", from, tr.To, tr.MovedBy)
	}
	b.WriteString("\nA final state is final: running something again makes a new job that names the old one in `trigger.retry_of`.\n")
	golden(t, "../../docs/reference/states.md", b.String())
}
