package engine_test

import (
	"context"
	"log/slog"
	"runtime"
	"sync"
	"testing"

	"telltale/backend/action"
	"telltale/backend/engine"
	"telltale/backend/job"
	"telltale/backend/runner"
	"telltale/backend/store"
)

// nothing is a runner whose work is done at once.
type nothing struct{}

func (nothing) Run(context.Context, runner.Task, runner.Watcher) job.Outcome {
	return job.Outcome{State: job.Succeeded, Summary: "done"}
}

// BenchmarkJobs measures jobs a second from trigger to a final record on disk,
// three events each and no process, with 128 in flight.
func BenchmarkJobs(b *testing.B) {
	s, err := store.Open(store.Options{Dir: b.TempDir(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	file := load(b, catalog)
	e := engine.New(engine.Options{
		Journal: s, Queue: s, Records: s, Runner: nothing{}, Secrets: none{},
		Catalog:   func() *action.Catalog { return file },
		Leftovers: func(context.Context, []job.ID) (map[job.ID]int, error) { return nil, nil },
		Host:      "atlas", Boot: "m1-l1", Log: slog.New(slog.DiscardHandler), Jobs: 128,
	})
	if err := e.Recover(b.Context()); err != nil {
		b.Fatal(err)
	}
	head, err := s.Head(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	waiting := sync.Map{} // job id → chan struct{}, closed when its end is told
	ended := func(id job.ID) chan struct{} {
		c, _ := waiting.LoadOrStore(id, make(chan struct{}))
		return c.(chan struct{})
	}
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	go func() {
		_ = s.Tail(ctx, head, func(ev job.Event) error {
			if ev.Job.State.Final() {
				close(ended(ev.Job.ID))
			}
			return nil
		})
	}()
	const inFlight = 128
	b.SetParallelism(inFlight / runtime.GOMAXPROCS(0))
	b.ResetTimer()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			r, err := e.Submit(ctx, ada, engine.Request{Action: "many"})
			if err != nil {
				b.Error(err)
				return
			}
			<-ended(r.Event.Job.ID)
			waiting.Delete(r.Event.Job.ID)
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "jobs/s")
	e.Drain(ctx)
}
