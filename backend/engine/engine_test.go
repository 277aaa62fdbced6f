package engine_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"telltale/backend/action"
	"telltale/backend/auth"
	"telltale/backend/engine"
	"telltale/backend/job"
	"telltale/backend/runner"
	"telltale/backend/store"
)

var ada = auth.Principal{Name: "ada"}

// house is an engine on a real store, with a runner that does what the test says.
type house struct {
	*engine.Engine
	t     *testing.T
	dir   string // "" is in memory
	store *store.Store
	stage *stage
	boot  string
	ended map[job.ID]int // leftovers the next Recover finds
	jobs  int
	file  *action.Catalog
}

// stage is a runner whose every run is handed to the test.
type stage struct{ runs chan *play }

// play is one run on the stage. It ends when the test says how, or with its
// context, as a good runner does.
type play struct {
	runner.Task
	runner.Watcher
	ctx context.Context //nolint:containedctx // what Run was given, for the test to look at
	end chan job.Outcome
}

// Run implements runner.Runner.
func (s *stage) Run(ctx context.Context, t runner.Task, w runner.Watcher) job.Outcome {
	p := &play{Task: t, Watcher: w, ctx: ctx, end: make(chan job.Outcome, 1)}
	s.runs <- p
	select {
	case o := <-p.end:
		if o.State == "panic" {
			panic("on stage")
		}
		return o
	case <-ctx.Done():
		return runner.Stopped(context.Cause(ctx), t.Action.Timeout)
	}
}

func (p *play) succeed() { p.end <- job.Outcome{State: job.Succeeded, Summary: "done"} }
func (p *play) fail() {
	p.end <- job.Outcome{State: job.Failed, Error: &job.Error{Code: "exit_status", Message: "no"}}
}

const catalog = `
actions:
  one:      {command: {argv: ["true"]}, on_busy: join, timeout: 10m}
  targeted: {command: {argv: ["true"]}, targets: {berlin: {}, oslo: {}}}
  queue:    {command: {argv: ["true"]}, on_busy: queue}
  replace:  {command: {argv: ["true"]}, on_busy: replace}
  reject:   {command: {argv: ["true"]}, on_busy: reject}
  many:     {command: {argv: ["true"]}, on_busy: parallel}
  few:      {command: {argv: ["true"]}, on_busy: parallel, concurrency: 2}
  again:    {command: {argv: ["true"]}, attempts: 3, backoff: 10s}
  safe:     {command: {argv: ["true"]}, attempts: 2, backoff: 1s, idempotent: true}
  secret:   {command: {argv: ["true"]}, on_busy: queue, params: {key: {type: secret}, note: {type: text}}}
`

func load(tb testing.TB, text string) *action.Catalog {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "telltale.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
	c, err := action.Load(path)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// open builds a house in memory; onDisk one that reopen can bring back.
func open(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, boot: "m1-l1", jobs: 8, file: load(t, catalog)}
	h.start()
	return h
}

func onDisk(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, dir: t.TempDir(), boot: "m1-l1", jobs: 8, file: load(t, catalog)}
	h.start()
	return h
}

func (h *house) start() {
	h.t.Helper()
	s, err := store.Open(store.Options{Dir: h.dir, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		h.t.Fatal(err)
	}
	h.store, h.stage = s, &stage{runs: make(chan *play, 1024)}
	h.Engine = engine.New(h.options())
	if err := h.Recover(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
	var once sync.Once
	e := h.Engine
	h.t.Cleanup(func() { once.Do(func() { stop(e, s) }) })
}

func (h *house) options() engine.Options {
	return engine.Options{
		Journal: h.store, Queue: h.store, Records: h.store, Runner: h.stage,
		Catalog: func() *action.Catalog { return h.file }, Secrets: none{},
		Leftovers: func(context.Context, []job.ID) (map[job.ID]int, error) { return h.ended, nil },
		Host:      "atlas", Boot: h.boot, Log: slog.New(slog.DiscardHandler), Jobs: h.jobs,
	}
}

// with is another engine on the same store, made otherwise.
func (h *house) with(change func(*engine.Options)) *engine.Engine {
	o := h.options()
	change(&o)
	e := engine.New(o)
	h.t.Cleanup(func() { stop(e, h.store) })
	return e
}

func stop(e *engine.Engine, s *store.Store) {
	now, cancel := context.WithCancel(context.Background())
	cancel()
	e.Drain(now)
	_ = s.Close()
}

// die ends the life of the house as a crash does: nothing more is written.
func (h *house) die() {
	h.t.Helper()
	if err := h.store.Close(); err != nil {
		h.t.Fatal(err)
	}
}

type none struct{}

func (none) Secret(string) (string, bool) { return "", false }

func (h *house) submit(r engine.Request) engine.Receipt {
	h.t.Helper()
	receipt, err := h.Submit(h.t.Context(), ada, r)
	if err != nil {
		h.t.Fatal(err)
	}
	return receipt
}

func (h *house) press(action string) job.ID {
	h.t.Helper()
	return h.submit(engine.Request{Action: action, Via: job.ViaButton}).Event.Job.ID
}

// next is the next run to begin.
func (h *house) next() *play {
	h.t.Helper()
	select {
	case p := <-h.stage.runs:
		return p
	case <-time.After(10 * time.Second):
		h.t.Fatal("nothing was run")
		return nil
	}
}

// until follows the journal until the job's change fits, and returns it.
func (h *house) until(id job.ID, what string, fits func(job.Job) bool) job.Job {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), 10*time.Second)
	defer cancel()
	var found job.Job
	err := h.store.Tail(ctx, h.beginning(), func(e job.Event) error {
		if e.Job.ID == id && fits(e.Job) {
			found = e.Job
			return context.Canceled
		}
		return nil
	})
	if found.ID == "" {
		now, _ := h.store.Last(context.Background(), id)
		h.t.Fatalf("job never %s: %v; it is %s (%+v)", what, err, now.Job.State, now.Job.Error)
	}
	return found
}

func (h *house) becomes(id job.ID, s job.State) job.Job {
	h.t.Helper()
	return h.until(id, string(s), func(j job.Job) bool { return j.State == s })
}

func (h *house) beginning() job.Cursor {
	h.t.Helper()
	head, err := h.store.Head(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	head.Seq = 0
	return head
}

// history is every change of a job, in order.
func (h *house) history(id job.ID) []job.Job {
	h.t.Helper()
	events, err := h.store.Since(h.t.Context(), h.beginning(), 100_000)
	if err != nil {
		h.t.Fatal(err)
	}
	var all []job.Job
	for _, e := range events {
		if e.Job.ID == id {
			all = append(all, e.Job)
		}
	}
	return all
}

func states(all []job.Job) []job.State {
	var s []job.State
	for _, j := range all {
		if len(s) == 0 || s[len(s)-1] != j.State {
			s = append(s, j.State)
		}
	}
	return s
}

func (h *house) wantStates(id job.ID, want ...job.State) {
	h.t.Helper()
	if got := states(h.history(id)); !slices.Equal(got, want) {
		h.t.Errorf("job went %v, want %v", got, want)
	}
}
