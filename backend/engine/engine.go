package engine

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"telltale/backend/action"
	"telltale/backend/job"
	"telltale/backend/runner"
)

// Options is what an Engine is made of. Every field is needed, but for those
// with a default.
type Options struct {
	Journal job.Journal
	Queue   job.Queue
	Records job.Records
	Runner  runner.Runner
	Catalog func() *action.Catalog
	Secrets action.Secrets

	// Leftovers ends what processes of an earlier life still run for these jobs
	// and says how many there were. Defaults to runner.EndLeftovers.
	Leftovers func(ctx context.Context, jobs []job.ID) (map[job.ID]int, error)
	// Told hears of log lines once they are kept. Defaults to nobody.
	Told func(id job.ID, lines []job.Line)

	Host  string
	Boot  string           // "<life of the machine>-<life of the process>"
	Clock func() time.Time // defaults to time.Now
	Rand  io.Reader        // for ids; defaults to crypto/rand.Reader
	Log   *slog.Logger     // defaults to slog.Default()
	Jobs  int              // how many jobs run at once; defaults to 16
}

// Engine decides what happens to jobs. All methods may be called at once.
type Engine struct {
	Options
	gate   *gate
	joined joins

	work    context.Context //nolint:containedctx // the life of running jobs: ends when they must, with the cause
	endWork context.CancelCauseFunc
	take    context.Context //nolint:containedctx // the life of the workers: ends when no further job is started
	endTake context.CancelFunc
	workers sync.WaitGroup

	mu       sync.Mutex // guards what follows; taken after lane.mu and entry.mu
	entries  map[job.ID]*entry
	lanes    map[string]*lane
	pace     map[string]*pace
	draining bool
}

// New makes an engine that does nothing yet; call Recover, then use it.
func New(o Options) *Engine {
	if o.Leftovers == nil {
		o.Leftovers = runner.EndLeftovers
	}
	if o.Told == nil {
		o.Told = func(job.ID, []job.Line) {}
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Jobs == 0 {
		o.Jobs = 16
	}
	e := &Engine{
		Options: o, gate: newGate(o.Jobs),
		entries: map[job.ID]*entry{}, lanes: map[string]*lane{}, pace: map[string]*pace{},
	}
	e.work, e.endWork = context.WithCancelCause(context.Background())
	e.take, e.endTake = context.WithCancel(context.Background())
	return e
}

// Drain accepts nothing new, lets running jobs go on until ctx ends, then stops
// them, and returns when all have ended. Queued jobs stay queued on disk.
// It may be called twice; a second call with an ended ctx hurries the first.
func (e *Engine) Drain(ctx context.Context) {
	e.mu.Lock()
	e.draining = true
	e.mu.Unlock()
	e.endTake()
	idle := make(chan struct{})
	go func() { e.workers.Wait(); close(idle) }()
	select {
	case <-idle:
	case <-ctx.Done():
	}
	e.endWork(runner.ErrShutdown)
	<-idle
}

// StopRunning ends every job that is being carried out, for the given cause
// (see runner.Stopped), and accepts new ones as before.
func (e *Engine) StopRunning(cause error) {
	e.mu.Lock()
	live := slices.Collect(maps.Values(e.entries))
	e.mu.Unlock()
	for _, n := range live {
		n.mu.Lock()
		if n.cancel != nil {
			n.cancel(cause)
		}
		n.mu.Unlock()
	}
}

// begin runs f as one of the workers that Drain waits for, unless it has begun.
func (e *Engine) begin(f func()) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.draining {
		return false
	}
	e.workers.Go(f)
	return true
}

// Ready returns nil while work is accepted.
func (e *Engine) Ready() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.draining {
		return ErrDraining
	}
	return nil
}

func (e *Engine) now() time.Time { return e.Clock().UTC().Truncate(time.Millisecond) }
