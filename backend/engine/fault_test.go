package engine_test

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"telltale/backend/action"
	"telltale/backend/engine"
	"telltale/backend/job"
	"telltale/backend/store"
)

// faulty is a journal whose n-th change, counted from 1, is refused.
type faulty struct {
	job.Journal
	n     int64
	count atomic.Int64
}

var errFault = errors.New("no")

func (f *faulty) Append(ctx context.Context, c job.Change) (job.Event, bool, error) {
	if f.count.Add(1) == f.n {
		return job.Event{}, false, errFault
	}
	return f.Journal.Append(ctx, c)
}

// Whichever write fails, what the record says is true: a job that was not
// accepted does not run, one that is not running on disk was not started, and
// an end is kept as soon as it can be.
func TestR19_WhicheverWriteFailsNoFalseStateIsShown(t *testing.T) {
	t.Parallel()
	for n := range int64(8) {
		synctest.Test(t, func(t *testing.T) {
			h := open(t)
			e := engine.New(engine.Options{
				Journal: &faulty{Journal: h.store, n: n + 1}, Queue: h.store, Records: h.store, Runner: h.stage,
				Catalog: func() *action.Catalog { return h.file }, Secrets: none{}, Host: "atlas", Boot: "m1-l9",
				Leftovers: func(context.Context, []job.ID) (map[job.ID]int, error) { return nil, nil },
				Log:       slog.New(slog.DiscardHandler),
			})
			defer stop(e, h.store)
			r, err := e.Submit(t.Context(), ada, engine.Request{Action: "one"})
			if n == 0 {
				if !errors.Is(err, errFault) || len(records(t, h.store)) != 0 {
					t.Errorf("refused with %v, %d records", err, len(records(t, h.store)))
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			id := r.Event.Job.ID
			p := <-h.stage.runs // after a failed start it is tried again
			if now, _ := h.store.Last(t.Context(), id); now.Job.State != job.Running {
				t.Errorf("write %d fails: it runs while the record says %s", n+1, now.Job.State)
			}
			percent := 50.0
			p.Progress(job.Progress{Percent: &percent})
			time.Sleep(time.Second)
			p.succeed()
			time.Sleep(2 * time.Second)
			if now, _ := h.store.Last(t.Context(), id); now.Job.State != job.Succeeded {
				t.Errorf("write %d fails: the record says %s in the end", n+1, now.Job.State)
			}
		})
	}
}

// down is a journal that keeps nothing while it is down.
type down struct {
	job.Journal
	now atomic.Bool
}

func (d *down) Append(ctx context.Context, c job.Change) (job.Event, bool, error) {
	if d.now.Load() {
		return job.Event{}, false, errFault
	}
	return d.Journal.Append(ctx, c)
}

func TestR19_AnEndThatCannotBeKeptAtOnceIsKeptWhileTelltaleStops(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := open(t)
		journal := &down{Journal: h.store}
		h.Engine = h.with(func(o *engine.Options) { o.Journal = journal })
		id := h.press("one")
		p := <-h.stage.runs
		journal.now.Store(true)
		go func() {
			p.succeed()
			time.Sleep(3 * time.Second)
			journal.now.Store(false)
		}()
		patient, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		h.Drain(patient)
		if now, _ := h.store.Last(t.Context(), id); now.Job.State != job.Succeeded {
			t.Errorf("the record says %s", now.Job.State)
		}
	})
}

func records(t *testing.T, s *store.Store) []job.Event {
	t.Helper()
	page, err := s.List(t.Context(), job.Filter{}, "", 100)
	if err != nil {
		t.Fatal(err)
	}
	return page.Events
}
