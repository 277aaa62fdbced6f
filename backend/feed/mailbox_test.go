package feed

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"telltale/backend/job"
)

// The invariant of the package: whatever a reader takes, and whenever, its order
// is that of Seq, and of each job it ends with the newest change. It is walked
// at random over topics, paces and slow readers.
func TestWhatWaitsIsNewerThanWhatWasDelivered(t *testing.T) {
	t.Parallel()
	for walk := range uint64(300) {
		t.Run(strconv.FormatUint(walk, 10), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { walkMailbox(t, rand.New(rand.NewPCG(walk, 1))) })
		})
	}
}

func walkMailbox(t *testing.T, dice *rand.Rand) {
	t.Helper()
	h, l := New(Options{Feed: feedName}), &ledger{}
	defer h.Shutdown(t.Context())
	var jobs []string
	for i := range 1 + dice.IntN(8) {
		jobs = append(jobs, fmt.Sprintf("%s-%d", []string{"push", "pull"}[i%2], i))
	}
	interest := Interest{Jobs: dice.IntN(4) > 0, Job: map[job.ID]bool{}}
	for _, j := range jobs {
		interest.Job[job.ID(j)] = dice.IntN(3) == 0
	}
	if dice.IntN(3) == 0 {
		interest.Actions = map[string]bool{"push": true}
	}
	m := h.Subscribe(interest)
	var last uint64
	seen := map[job.ID]uint64{}
	take := func() {
		i, ok := m.Take()
		if !ok {
			return
		}
		if i.Event.Seq <= last {
			t.Fatalf("seq %d after %d", i.Event.Seq, last)
		}
		last = i.Event.Seq
		seen[i.Job] = last
	}
	newest := map[job.ID]uint64{}
	for range 200 {
		switch dice.IntN(6) {
		case 0:
			take()
		case 1:
			time.Sleep(time.Duration(dice.IntN(700)) * time.Millisecond)
		default:
			e := l.add(jobs[dice.IntN(len(jobs))], job.Running, dice.IntN(4) > 0)
			h.Publish(e)
			newest[e.Job.ID] = e.Seq
		}
	}
	time.Sleep(2 * time.Second) // whatever was held back is out now
	for range jobs {
		take()
	}
	if i, ok := m.Take(); ok {
		t.Errorf("more than one change of a job waited: %+v", i)
	}
	for id, seq := range newest {
		asked := interest.Job[id] || interest.wants(string(id[:4]))
		if asked && seen[id] != seq {
			t.Errorf("the last change of %s seen is %d, want %d", id, seen[id], seq)
		}
		if !asked && seen[id] != 0 {
			t.Errorf("%s was not asked for", id)
		}
	}
}

func TestTopicJobsHearsMinorChangesOnceASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h, l := New(Options{Feed: feedName}), &ledger{}
		defer h.Shutdown(t.Context())
		all, one := h.Subscribe(Interest{Jobs: true}), h.Subscribe(Interest{Job: map[job.ID]bool{"push-1": true}})
		h.Publish(l.add("push-1", job.Running, false))
		began, heard, every := time.Now(), 0, 0
		for range 100 { // ten seconds
			time.Sleep(100 * time.Millisecond)
			h.Publish(l.add("push-1", job.Running, true))
			synctest.Wait()
			for _, ok := all.Take(); ok; _, ok = all.Take() {
				heard++
			}
			for _, ok := one.Take(); ok; _, ok = one.Take() {
				every++
			}
		}
		time.Sleep(time.Second)
		i, ok := all.Take()
		if !ok || i.Event.Seq != 101 {
			t.Errorf("the last change is %v %v", i.Event.Seq, ok)
		}
		if every != 100 { // the first was taken over before it was taken
			t.Errorf("%d of 100 changes on the job's own topic", every)
		}
		if most := int(time.Since(began)/time.Second) + 2; heard+1 > most || heard < 10 {
			t.Errorf("%d changes on topic jobs, want 10 to %d", heard+1, most)
		}
	})
}

func TestAChangeThatMattersIsNotHeldBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h, l := New(Options{Feed: feedName}), &ledger{}
		defer h.Shutdown(t.Context())
		m := h.Subscribe(Interest{Jobs: true})
		h.Publish(l.add("push-1", job.Running, true)) // at once: the first for a second
		h.Publish(l.add("push-1", job.Running, true)) // held
		h.Publish(l.add("pull-1", job.Running, true)) // held
		h.Publish(l.add("push-1", job.Running, true)) // takes the second one over
		h.Publish(l.add("test-1", job.Queued, false)) // at once, and nothing is overtaken
		h.Publish(l.add("push-1", job.Running, true)) // held, and never told:
		h.Publish(l.add("push-1", job.Failed, false)) // at once
		for _, want := range []uint64{3, 5, 7} {
			if i, _ := m.Take(); i.Event.Seq != want {
				t.Errorf("got seq %d, want %d", i.Event.Seq, want)
			}
		}
	})
}

func TestLogLinesThatWaitAreBounded(t *testing.T) {
	t.Parallel()
	h := New(Options{Feed: feedName})
	defer h.Shutdown(t.Context())
	m := h.Subscribe(Interest{Log: map[job.ID]bool{"a": true}})
	text := string(make([]byte, 1000))
	for n := range int64(10_000) {
		h.PublishLines("a", []job.Line{{N: n + 1, Text: text}})
	}
	var kept, first, last int64
	for i, ok := m.Take(); ok; i, ok = m.Take() {
		for _, l := range i.Lines {
			if first == 0 {
				first = l.N
			}
			if last > 0 && l.N != last+1 {
				t.Errorf("a hole in the middle: %d after %d", l.N, last)
			}
			last = l.N
			kept++
		}
	}
	if kept == 0 || kept*1000 > maxPendingLog || last != 10_000 || first != last-kept+1 {
		t.Errorf("kept %d lines, %d to %d", kept, first, last)
	}
}

func TestAReaderThatFellTooFarBehindIsTold(t *testing.T) {
	t.Parallel()
	h, l := New(Options{Feed: feedName}), &ledger{}
	defer h.Shutdown(t.Context())
	m := h.Subscribe(Interest{Jobs: true})
	for i := range maxPendingJobs + 1 {
		h.Publish(l.add(fmt.Sprintf("push-%d", i), job.Queued, false))
	}
	if _, err := m.Next(t.Context()); !errors.Is(err, ErrOverrun) {
		t.Errorf("got %v", err)
	}
}

func TestNextEndsWithItsContextAndWithTheHub(t *testing.T) {
	t.Parallel()
	h := New(Options{Feed: feedName})
	m := h.Subscribe(Interest{}) // also one that asked for nothing
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	if _, err := m.Next(ctx); !errors.Is(err, why) {
		t.Errorf("got %v", err)
	}
	go h.Shutdown(context.Background())
	if _, err := m.Next(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v", err)
	}
	m.Close()
	if _, err := h.Subscribe(Interest{Jobs: true}).Next(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v", err)
	}
}

func TestSkipForgetsThePast(t *testing.T) {
	t.Parallel()
	h, l := New(Options{Feed: feedName}), &ledger{}
	defer h.Shutdown(t.Context())
	m := h.Subscribe(Interest{Jobs: true})
	for i := range 5 {
		h.Publish(l.add(fmt.Sprintf("push-%d", i), job.Queued, false))
	}
	m.Skip(3)
	if i, ok := m.Take(); !ok || i.Event.Seq != 4 {
		t.Errorf("got %d", i.Event.Seq)
	}
}

func TestManyMailboxesAtOnce(t *testing.T) {
	t.Parallel()
	h, l := New(Options{Feed: feedName}), &ledger{}
	var readers sync.WaitGroup
	for range 20 {
		readers.Go(func() {
			for range 20 {
				m := h.Subscribe(Interest{Jobs: true})
				ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
				var last uint64
				for {
					i, err := m.Next(ctx)
					if err != nil {
						break
					}
					if i.Event.Seq <= last {
						t.Errorf("seq %d after %d", i.Event.Seq, last)
					}
					last = i.Event.Seq
				}
				cancel()
				m.Close()
			}
		})
	}
	for i := range 5000 {
		h.Publish(l.add(fmt.Sprintf("push-%d", i%50), job.Running, i%3 > 0))
	}
	readers.Wait()
	if s := h.Stats(); s.Mailboxes != 0 {
		t.Errorf("%d mailboxes left", s.Mailboxes)
	}
	h.Shutdown(t.Context())
}
