package engine_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

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
// three events each and no process, with 128 in flight; beside a bare log that
// keeps three records for each, measured right after.
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
	jobs := float64(b.N) / b.Elapsed().Seconds()
	b.StopTimer()
	floor := groupedAppends(b, inFlight) / 3
	b.ReportMetric(jobs, "jobs/s")
	b.ReportMetric(floor, "floor/s")
	b.ReportMetric(jobs/floor, "of_floor")
	e.Drain(ctx)
}

// groupedAppends is the floor: how many records of 512 bytes a second a bare log
// keeps when writers wait for one another's fdatasync.
func groupedAppends(b *testing.B, writers int) float64 {
	b.Helper()
	f, err := os.Create(filepath.Join(b.TempDir(), "floor"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	in := make(chan chan struct{}, writers)
	stop := make(chan struct{})
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			safe := make(chan struct{}, 1)
			for {
				select {
				case in <- safe:
					<-safe
				case <-stop:
					return
				}
			}
		})
	}
	kept, began := 0, time.Now()
	for time.Since(began) < time.Second {
		group := []chan struct{}{<-in}
		for range len(in) {
			group = append(group, <-in)
		}
		if _, err := f.Write(make([]byte, 512*len(group))); err != nil {
			b.Fatal(err)
		}
		if err := syscall.Fdatasync(int(f.Fd())); err != nil {
			b.Fatal(err)
		}
		kept += len(group)
		for _, safe := range group {
			safe <- struct{}{}
		}
	}
	took := time.Since(began)
	close(stop)
	idle := make(chan struct{})
	go func() { all.Wait(); close(idle) }()
	for {
		select {
		case safe := <-in:
			safe <- struct{}{}
		case <-idle:
			return float64(kept) / took.Seconds()
		}
	}
}
