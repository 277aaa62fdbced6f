package feed

import (
	"fmt"
	"net"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"telltale/backend/job"
)

// carriers are the two ways a stream is carried; both keep the same promises.
func carriers() map[string]func(net.Conn) net.Conn {
	return map[string]func(net.Conn) net.Conn{
		"shard": func(c net.Conn) net.Conn { return c },
		"courier": func(c net.Conn) net.Conn {
			_ = c.(*net.TCPConn).SetWriteBuffer(16 << 10)
			return struct{ net.Conn }{c} // hides the socket
		},
	}
}

func eachCarrier(t *testing.T, o Options, promise func(t *testing.T, d *desk)) {
	t.Helper()
	for name, wrap := range carriers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := openDesk(t, o)
			d.rig(func() { d.wrap = wrap })
			promise(t, d)
		})
	}
}

func jobIDs(n int) []string {
	var ids []string
	for i := range n {
		ids = append(ids, fmt.Sprintf("push-%d", i))
	}
	return ids
}

func ended(s *Stream) bool {
	select {
	case <-s.Done():
		return true
	default:
		return false
	}
}

// swell fills the reader's socket with changes of many jobs until some wait for
// it, and returns the ids of the jobs.
func (d *desk) swell(t *testing.T, stop func() bool) []string {
	t.Helper()
	ids := jobIDs(20)
	for n := 0; !stop(); n++ {
		if n > 5_000_000 {
			t.Fatal("the socket never filled")
		}
		d.tell(ids[n%len(ids)], job.Running)
		if n%100 == 0 {
			runtime.Gosched()
		}
	}
	return ids
}

func TestASlowReaderMissesTheMiddleNeverTheEnd(t *testing.T) {
	t.Parallel()
	eachCarrier(t, Options{Stall: time.Minute}, func(t *testing.T, d *desk) {
		t.Helper()
		slow := d.connect(t, "jobs", "")
		ids := d.swell(t, func() bool { return d.hub.Stats().Conflated > 1000 })
		for _, id := range ids {
			d.tell(id, job.Succeeded)
		}
		end := d.tell("end-1", job.Skipped)
		all := slow.until(end.Seq)
		if s := seqs(all); !slices.IsSorted(s) || len(s) >= int(end.Seq) {
			t.Errorf("%d of %d changes, sorted: %v", len(s), end.Seq, slices.IsSorted(s))
		}
		final := map[job.ID]job.State{}
		for _, e := range all {
			final[e.Job.ID] = e.Job.State
		}
		for _, id := range ids {
			if final[job.ID(id)] != job.Succeeded {
				t.Errorf("%s ended %q", id, final[job.ID(id)])
			}
		}
		after := d.tell("end-2", job.Skipped) // and it is live again
		if got := slow.job(); got.Seq != after.Seq {
			t.Errorf("got seq %d, want %d", got.Seq, after.Seq)
		}
	})
}

func TestR86_StalledReaderIsFreedAndTheOthersLoseNothing(t *testing.T) {
	t.Parallel()
	o := Options{Stall: time.Second, Beat: 50 * time.Millisecond}
	eachCarrier(t, o, func(t *testing.T, d *desk) {
		t.Helper()
		stalled := d.streamOf(d.connect(t, "jobs", ""))
		good := d.connect(t, "jobs", "")
		var all []told
		var failed error
		var reading sync.WaitGroup
		reading.Go(func() {
			all, failed = good.collect(func(e told) bool { return e.Job.ID == "end-1" })
		})
		ids, pace, late := jobIDs(20), time.NewTicker(time.Millisecond), time.After(20*time.Second)
		defer pace.Stop()
		for n := 0; !ended(stalled); n++ {
			select {
			case <-pace.C:
				for _, id := range ids {
					d.tell(id, job.Running)
				}
			case <-stalled.Done():
			case <-late:
				t.Fatal("the stalled reader was kept")
			}
		}
		for _, id := range append(ids, "end-1") {
			d.tell(id, job.Succeeded)
		}
		reading.Wait()
		final := map[job.ID]job.State{}
		for _, e := range all {
			final[e.Job.ID] = e.Job.State
		}
		for _, id := range ids {
			if final[job.ID(id)] != job.Succeeded {
				t.Errorf("%s ended %q", id, final[job.ID(id)])
			}
		}
		if failed != nil || !slices.IsSorted(seqs(all)) {
			t.Errorf("the good reader: sorted %v, %v", slices.IsSorted(seqs(all)), failed)
		}
		if s := d.hub.Stats(); s.Stalled != 1 || s.Streams != 1 {
			t.Errorf("stalled %d, streams %d", s.Stalled, s.Streams)
		}
	})
}

func TestReaderThatLeavesIsNoticedWhileNothingHappens(t *testing.T) {
	t.Parallel()
	eachCarrier(t, Options{}, func(t *testing.T, d *desk) {
		t.Helper()
		best := time.Hour
		for range 20 {
			c := d.connect(t, "jobs", "")
			s := d.streamOf(c)
			left := time.Now()
			_ = c.Close()
			select {
			case <-s.Done():
			case <-time.After(10 * time.Second):
				t.Fatal("not noticed")
			}
			best = min(best, time.Since(left))
		}
		if best > 50*time.Millisecond {
			t.Errorf("noticed after %v at best", best)
		}
		if s := d.hub.Stats(); s.Streams != 0 {
			t.Errorf("%d streams left", s.Streams)
		}
	})
}
