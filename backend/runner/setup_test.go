package runner

import (
	"context"
	"crypto/rand"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"telltale/backend/action"
	"telltale/backend/job"
	"telltale/backend/runner/output"
)

// bench is a place to run one task.
type bench struct {
	t       testing.TB
	runners *Runners
	action  *action.Action
	params  map[string]any
	secrets secrets
	target  string
	id      job.ID
	*watch
}

type secrets map[string]string

func (s secrets) Secret(name string) (string, bool) { v, ok := s[name]; return v, ok }

func setup(tb testing.TB, argv ...string) *bench {
	tb.Helper()
	id, err := job.NewID(time.Now(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return &bench{
		t:       tb,
		runners: New(Options{Environ: os.Environ()}),
		action: &action.Action{
			ID: "act", Timeout: time.Hour, Grace: 100 * time.Millisecond, Attempts: 1,
			Command: &action.Command{Argv: argv, Dir: tb.TempDir()},
		},
		id:    id,
		watch: newWatch(),
	}
}

// self is a program: this test binary, doing what the words say.
func self(words ...string) []string { return append([]string{os.Args[0], "child"}, words...) }

// script makes the action a shell script.
func (b *bench) script(text string) *bench {
	b.action.Command.Argv, b.action.Command.Shell = nil, text
	return b
}

func (b *bench) task() Task {
	bound, err := b.action.Bind(b.target, b.params, b.secrets)
	if err != nil {
		b.t.Fatal(err)
	}
	return Task{Job: b.id, Attempt: 1, Action: b.action, Bound: bound}
}

func (b *bench) run() job.Outcome { return b.runners.Run(b.t.Context(), b.task(), b.watch) }

// start runs the task beside the test; stop ends it with a cause and returns
// the outcome.
func (b *bench) start() (stop func(cause error) job.Outcome) {
	ctx, cancel := context.WithCancelCause(b.t.Context())
	done := make(chan job.Outcome, 1)
	go func() { done <- b.runners.Run(ctx, b.task(), b.watch) }()
	return func(cause error) job.Outcome {
		cancel(cause)
		return <-done
	}
}

// watch keeps what a task said.
type watch struct {
	mu       sync.Mutex
	changed  chan struct{}
	lines    []job.Line
	batches  int
	largest  int // bytes of a batch
	phases   []string
	progress []job.Progress
	warnings []job.Notice
	steps    []job.Step
}

func newWatch() *watch { return &watch{changed: make(chan struct{})} }

func (w *watch) note(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
	close(w.changed)
	w.changed = make(chan struct{})
}

func (w *watch) Lines(lines ...job.Line) {
	w.note(func() {
		size := 0
		for _, l := range lines {
			size += len(l.Text)
		}
		w.batches++
		w.largest = max(w.largest, size)
		w.lines = append(w.lines, lines...)
	})
}
func (w *watch) Phase(name string)       { w.note(func() { w.phases = append(w.phases, name) }) }
func (w *watch) Progress(p job.Progress) { w.note(func() { w.progress = append(w.progress, p) }) }
func (w *watch) Warn(n job.Notice)       { w.note(func() { w.warnings = append(w.warnings, n) }) }
func (w *watch) Steps(s []job.Step)      { w.note(func() { w.steps = append([]job.Step(nil), s...) }) }

// text is the log so far.
func (w *watch) text() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var b strings.Builder
	for _, l := range w.lines {
		b.WriteString(l.Text + "\n")
	}
	return b.String()
}

// await returns the first log line that contains words.
func (w *watch) await(t *testing.T, words string) string {
	t.Helper()
	for {
		w.mu.Lock()
		changed := w.changed
		for _, l := range w.lines {
			if strings.Contains(l.Text, words) {
				w.mu.Unlock()
				return l.Text
			}
		}
		w.mu.Unlock()
		select {
		case <-changed:
		case <-time.After(30 * time.Second):
			t.Fatalf("no line with %q; the log is:\n%s", words, w.text())
		}
	}
}

// faulty is a reader of output with a fault.
type faulty struct{}

func (faulty) each() bool                                    { return true }
func (faulty) line(*voice, job.Stream, output.Line) []string { panic("a fault") }

// canceled stops the task and fails unless it is canceled.
func canceled(t *testing.T, stop func(error) job.Outcome) {
	t.Helper()
	if o := stop(ErrCanceled); o.State != job.Canceled || o.Error != nil {
		t.Errorf("outcome %+v %+v", o, o.Error)
	}
}
