package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"telltale/backend/job"
	"telltale/backend/store"
)

// The feed forgets, the jobs do not: also those that are live and did nothing
// for so long that their last event is gone.
func TestFeedIsBoundedAndLiveJobsOutliveIt(t *testing.T) {
	t.Parallel()
	const limit = 100
	o := store.Options{Dir: t.TempDir(), FeedLimit: limit}
	s := open(t, o)
	var m maker
	var old []job.Job
	for range 3 {
		life := m.life(time.Now())
		for _, j := range life[:3] {
			if _, _, err := s.Append(t.Context(), job.Change{Want: j.Rev - 1, Next: j}); err != nil {
				t.Fatal(err)
			}
		}
		old = append(old, life[3])
	}
	var h store.Health
	for h.Oldest < 2000 { // the feed is cut beside the writing
		for _, j := range m.life(time.Now()) {
			if _, _, err := s.Append(t.Context(), job.Change{Want: j.Rev - 1, Next: j}); err != nil {
				t.Fatal(err)
			}
		}
		if h = s.Health(); h.Head > 100_000 {
			t.Fatalf("the feed is never cut: %+v", h)
		}
	}
	if h.Head-h.Oldest < limit-1 {
		t.Errorf("only %d events are kept", h.Head-h.Oldest+1)
	}
	check := func() {
		t.Helper()
		gone := job.Cursor{Feed: s.Feed(), Seq: 5}
		_, err := s.Since(t.Context(), gone, 10)
		var g *job.GoneError
		if !errors.As(err, &g) || g.Oldest.Seq+1 < h.Oldest {
			t.Fatalf("since the beginning: %v", err)
		}
		if _, err := s.Since(t.Context(), job.Cursor{}, 10); !errors.As(err, &g) {
			t.Fatalf("since the zero cursor: %v", err)
		}
		events, err := s.Since(t.Context(), g.Oldest, 1000)
		if err != nil || len(events) == 0 || events[0].Seq != g.Oldest.Seq+1 || events[len(events)-1].Seq != s.Health().Head {
			t.Fatalf("since the oldest: %d events, %v", len(events), err)
		}
		live, _, err := s.Live(t.Context())
		if err != nil || len(live) != 3 {
			t.Fatalf("%d live jobs, %v", len(live), err)
		}
		for i, e := range live {
			if e.Job.ID != old[i].ID || e.Job.State != job.Running || e.Job.Phase == "" {
				t.Errorf("live job is %+v", e.Job)
			}
		}
	}
	check()
	for range 2 {
		closeStore(t, s)
		s = open(t, o)
		check()
	}
	for _, j := range old {
		if _, _, err := s.Append(t.Context(), job.Change{Want: j.Rev - 1, Next: j}); err != nil {
			t.Fatal(err)
		}
	}
	closeStore(t, s)
	s = openFor(t, o)
	if h := s.Health(); h.Live != 0 {
		t.Errorf("health is %+v", h)
	}
}

func TestCloseEndsReadersAndRefusesWriters(t *testing.T) {
	t.Parallel()
	s := open(t, store.Options{Dir: t.TempDir()})
	var m maker
	later := m.accept(time.Now())
	later.NotBefore = time.Now().Add(time.Hour)
	if _, _, err := s.Append(t.Context(), job.Change{Next: later}); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 2)
	reading := make(chan struct{})
	go func() {
		ended <- s.Tail(context.Background(), job.Cursor{}, func(job.Event) error {
			close(reading)
			return nil
		})
	}()
	go func() {
		_, err := s.Claim(context.Background(), later.Lane())
		ended <- err
	}()
	<-reading
	closeStore(t, s)
	closeStore(t, s) // twice is once
	for range 2 {
		if err := <-ended; !errors.Is(err, store.ErrClosed) {
			t.Errorf("ended with %v", err)
		}
	}
	_, _, err1 := s.Append(t.Context(), job.Change{Next: m.accept(time.Now())})
	_, err2 := s.Get(t.Context(), later.ID)
	_, err3 := s.List(t.Context(), job.Filter{}, "", 1)
	_, err4 := s.Since(t.Context(), job.Cursor{}, 1)
	_, _, err5 := s.Live(t.Context())
	_, err6 := s.Claim(t.Context(), "push/")
	_, _, err7 := s.Keyed(t.Context(), job.Key{Name: "k"})
	_, err8 := s.Prune(t.Context(), time.Now(), func(string) job.Keep { return job.Keep{} })
	for i, err := range []error{err1, err2, err3, err4, err5, err6, err7, err8} {
		if !errors.Is(err, store.ErrClosed) {
			t.Errorf("call %d on a closed store: %v", i+1, err)
		}
	}
}
