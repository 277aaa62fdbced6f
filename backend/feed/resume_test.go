package feed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"telltale/backend/job"
)

// A reader is cut off a thousand times, at any byte, while ten thousand changes
// happen, also between taking over and answering. It must see every final state
// and nothing out of order.
func TestAThousandForcedDisconnectsLoseNothing(t *testing.T) {
	t.Parallel()
	eachCarrier(t, Options{Pace: 5 * time.Millisecond}, func(t *testing.T, d *desk) {
		t.Helper()
		const cuts, changes, jobs = 1000, 10_000, 100
		w := &wanderer{desk: d, dice: rand.New(rand.NewPCG(7, 7)), last: map[job.ID]told{}}
		turns := make(chan int, 1)
		published := make(chan struct{})
		go func() { // publishes a share for each connection, half of it in the gate
			defer close(published)
			for n := range turns {
				for range n {
					w.publish(jobs)
				}
			}
		}()
		d.rig(func() {
			d.gate = func() {
				select {
				case turns <- changes / cuts / 2:
				default:
				}
			}
		})
		for range cuts {
			turns <- changes / cuts
			w.visit(t)
		}
		d.rig(func() { d.gate = func() {} })
		turns <- 0 // no gate is open any more
		close(turns)
		<-published
		for i := range jobs {
			d.tell(fmt.Sprintf("push-%d", i), job.Succeeded)
		}
		_, head := d.ledger.since(1 << 60)
		for w.seq < head {
			w.read(t, math32)
		}
		for i := range jobs {
			id := job.ID(fmt.Sprintf("push-%d", i))
			if got := w.last[id]; got.Job.State != job.Succeeded {
				t.Errorf("%s was last seen %q at seq %d", id, got.Job.State, got.Seq)
			}
		}
		t.Logf("%d changes, %d cuts, %d of them inside a block", head, w.cuts, w.inside)
	})
}

const math32 = 1 << 30

// wanderer is a reader that keeps losing its connection.
type wanderer struct {
	desk    *desk
	dice    *rand.Rand
	counter atomic.Uint64
	id      string
	seq     uint64
	last    map[job.ID]told
	cuts    int
	inside  int
}

func (w *wanderer) publish(jobs int) {
	n := int(w.counter.Add(1))
	id := fmt.Sprintf("push-%d", n*7%jobs)
	if n%3 == 0 {
		w.desk.tell(id, job.Running)
		return
	}
	w.desk.murmur(id)
}

// visit reads some bytes and goes, politely or not.
func (w *wanderer) visit(t *testing.T) {
	t.Helper()
	w.read(t, 2500+w.dice.Int64N(15000))
}

func (w *wanderer) read(t *testing.T, bytes int64) {
	t.Helper()
	c, err := w.desk.dial(t, "jobs", w.id)
	if err != nil {
		t.Fatal(err)
	}
	if tcp, ok := c.Conn.(*net.TCPConn); ok && w.dice.IntN(2) == 0 {
		_ = tcp.SetLinger(0) // a reset instead of an end
	}
	defer c.Close()
	if err := c.head(io.LimitReader(c.Conn, bytes)); err != nil {
		t.Fatal(err)
	}
	w.cuts++
	_, head := w.desk.ledger.since(1 << 60)
	for w.seq < head {
		b, err := c.strict.next()
		switch {
		case errors.Is(err, errCut):
			w.inside++
			return
		case err != nil:
			return
		case b.ID == "":
			continue
		}
		e := decode(t, b)
		if e.Seq <= w.seq {
			t.Fatalf("seq %d after %d", e.Seq, w.seq)
		}
		if was := w.last[e.Job.ID]; e.Job.Rev <= was.Job.Rev {
			t.Fatalf("%s at rev %d after %d", e.Job.ID, e.Job.Rev, was.Job.Rev)
		}
		w.id, w.seq, w.last[e.Job.ID] = b.ID, e.Seq, e
	}
}

func TestR22_FinalStateKeptButNotToldBeforeARestartIsSeenAfterwards(t *testing.T) {
	t.Parallel()
	d := openDesk(t, Options{})
	c := d.connect(t, "jobs", "")
	d.tell("push-1", job.Running)
	c.until(1)
	d.ledger.add("push-1", job.Failed, false) // on disk, and then the power goes
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	d.hub.Shutdown(ctx)

	again := openDesk(t, Options{})
	again.ledger = d.ledger
	got := again.connect(t, "jobs", c.id).job()
	if got.Seq != 2 || got.Job.State != job.Failed {
		t.Errorf("after the restart: %+v", got)
	}
}

func TestAUnixSocketIsCarriedByAShard(t *testing.T) {
	t.Parallel()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	d := openDeskOn(t, Options{MaxPerRemote: 1, Stall: time.Minute}, l)
	c, other := d.connect(t, "jobs", ""), d.connect(t, "jobs", "") // no address, no limit
	if _, ok := d.streamOf(other).via.(*courier); ok {
		t.Error("carried by a courier")
	}
	d.swell(t, func() bool { return d.hub.Stats().Conflated > 100 })
	c.until(d.tell("end-1", job.Skipped).Seq)
}

func TestNothingIsSentToTooManyReaders(t *testing.T) {
	t.Parallel()
	d := openDesk(t, Options{MaxStreams: 3, MaxPerRemote: 2, Log: slog.New(slog.DiscardHandler)})
	first := d.connect(t, "jobs", "")
	d.connect(t, "jobs", "")
	c, err := d.dial(t, "jobs", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.greet(); err == nil || d.hub.Stats().Refused != 1 {
		t.Errorf("the third was let in: %v", err)
	}
	s := d.streamOf(first)
	_ = first.Close()
	<-s.Done()
	d.connect(t, "jobs", "")
}
