package engine_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"telltale/backend/engine"
	"telltale/backend/job"
	"telltale/backend/runner"
)

func TestRejectRefusesAndNamesTheLiveJob(t *testing.T) {
	t.Parallel()
	h := open(t)
	id := h.press("reject")
	var busy *engine.BusyError
	if _, err := h.Submit(t.Context(), ada, engine.Request{Action: "reject"}); !errors.As(err, &busy) || busy.Live.Job.ID != id {
		t.Fatalf("got %v", err)
	}
	h.next().succeed()
	h.becomes(id, job.Succeeded)
	if again := h.press("reject"); again == id {
		t.Error("same job again")
	}
}

func TestQueuedJobsRunOneAfterAnotherInOrderAndKnowTheirPlace(t *testing.T) {
	t.Parallel()
	h := open(t)
	first := h.press("queue")
	p := h.next()
	var line []job.ID
	for i := range 4 {
		j := h.submit(engine.Request{Action: "queue"}).Event.Job
		if j.Queue == nil || j.Queue.Position != i+1 || j.Queue.Behind == "" {
			t.Fatalf("number %d stands at %+v", i, j.Queue)
		}
		line = append(line, j.ID)
	}
	p.succeed()
	h.becomes(first, job.Succeeded)
	for _, id := range line {
		p := h.next()
		if p.Job != id {
			t.Fatalf("%s runs before its turn, want %s", p.Job, id)
		}
		select {
		case other := <-h.stage.runs:
			t.Fatalf("%s runs beside %s", other.Job, id)
		default:
		}
		p.succeed()
		h.becomes(id, job.Succeeded)
	}
	last := line[3]
	h.until(last, "moved up to the first place", func(j job.Job) bool { return j.Queue != nil && j.Queue.Position == 1 })
}

func TestReplaceStopsTheLiveJobAndThenRuns(t *testing.T) {
	t.Parallel()
	h := open(t)
	first := h.press("replace")
	h.next() // ends by being stopped
	second := h.press("replace")
	if j := h.becomes(first, job.Canceled); j.Cancel == nil || j.Cancel.By != "ada" {
		t.Errorf("canceled by %+v", j.Cancel)
	}
	p := h.next()
	if p.Job != second {
		t.Fatalf("%s runs, want %s", p.Job, second)
	}
	third := h.press("replace")
	fourth := h.press("replace") // replaces one that has not started as well
	h.becomes(second, job.Canceled)
	h.becomes(third, job.Canceled)
	h.next().succeed()
	h.becomes(fourth, job.Succeeded)
}

func TestAReplacementStandsBehindWhatStillRuns(t *testing.T) {
	t.Parallel()
	h := open(t)
	stubborn := newDeaf(h)
	first := h.press("replace")
	<-stubborn.begun
	second := h.press("replace") // waits, because the first takes its time to stop
	third := h.submit(engine.Request{Action: "replace"}).Event.Job
	h.becomes(second, job.Canceled)
	if third.Queue == nil || third.Queue.Position != 1 || third.Queue.Behind != first {
		t.Errorf("it stands at %+v, want 1 behind %s (the replaced one was %s)", third.Queue, first, second)
	}
	stubborn.let()
	h.becomes(third.ID, job.Succeeded)
}

// deaf is a runner whose work does not stop until it may.
type deaf struct {
	begun chan struct{}
	stop  <-chan struct{}
	let   context.CancelFunc
}

func newDeaf(h *house) *deaf {
	ctx, let := context.WithCancel(context.Background())
	d := &deaf{begun: make(chan struct{}, 1024), stop: ctx.Done(), let: let}
	h.Engine = h.with(func(o *engine.Options) { o.Runner = d })
	h.t.Cleanup(let)
	return d
}

func (d *deaf) Run(context.Context, runner.Task, runner.Watcher) job.Outcome {
	d.begun <- struct{}{}
	<-d.stop
	return job.Outcome{State: job.Succeeded}
}

func TestAReplacementThatCannotBeKeptReplacesNothing(t *testing.T) {
	t.Parallel()
	h := open(t)
	journal := &refusing{Journal: h.store}
	h.Engine = h.with(func(o *engine.Options) { o.Journal = journal })
	first := h.press("replace")
	p := h.next()
	journal.full.Store(true)
	var full *job.FullError
	if _, err := h.Submit(t.Context(), ada, engine.Request{Action: "replace"}); !errors.As(err, &full) {
		t.Fatalf("got %v", err)
	}
	if now, err := h.store.Get(t.Context(), first); err != nil || now.Job.Cancel != nil || p.ctx.Err() != nil {
		t.Errorf("it was stopped for nothing: %+v, %v", now.Job.Cancel, err)
	}
}

// refusing is a journal that accepts no new job while it is full.
type refusing struct {
	job.Journal
	full atomic.Bool
}

func (r *refusing) Append(ctx context.Context, c job.Change) (job.Event, bool, error) {
	if c.Want == 0 && r.full.Load() {
		return job.Event{}, false, &job.FullError{}
	}
	return r.Journal.Append(ctx, c)
}

func TestParallelRunsSideBySideUpToTheLimits(t *testing.T) {
	t.Parallel()
	h := open(t)
	for range 5 {
		h.press("few")
	}
	running := []*play{h.next(), h.next()}
	for range 3 {
		select {
		case p := <-h.stage.runs:
			t.Fatalf("%s runs beside two others", p.Job)
		default:
		}
		running[0].succeed()
		h.becomes(running[0].Job, job.Succeeded)
		running = append(running[1:], h.next())
	}
	// Another action is not held up by those that wait for their own.
	h.press("one")
	if p := h.next(); p.Action.ID != "one" {
		t.Errorf("%s runs", p.Action.ID)
	}
}

func TestNoMoreJobsRunAtOnceThanTelltaleAllows(t *testing.T) {
	t.Parallel()
	h := open(t)
	var ids []job.ID
	for range 20 {
		ids = append(ids, h.press("many"))
	}
	var running []*play
	for range h.jobs {
		running = append(running, h.next())
	}
	select {
	case p := <-h.stage.runs:
		t.Fatalf("%s runs beside %d others", p.Job, h.jobs)
	default:
	}
	for i := range ids {
		running[i].succeed()
		if len(running) < len(ids) {
			running = append(running, h.next())
		}
	}
	for _, id := range ids {
		h.becomes(id, job.Succeeded)
	}
}
