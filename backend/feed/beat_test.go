package feed

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"telltale/backend/job"
)

// arrivals reads a pipe and notes when each block came.
type arrivals struct {
	mu     sync.Mutex
	blocks []block
	at     []time.Time
	err    error
}

func (a *arrivals) read(c net.Conn) {
	strict := newStrictReader(c)
	for {
		b, err := strict.next()
		a.mu.Lock()
		if err != nil {
			a.err = err
			a.mu.Unlock()
			return
		}
		a.blocks, a.at = append(a.blocks, b), append(a.at, time.Now())
		a.mu.Unlock()
	}
}

// silence is the longest time nothing named event came, from since until now.
func (a *arrivals) silence(event string, since time.Time) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	longest := time.Duration(0)
	for i, at := range a.at {
		if a.blocks[i].Event == event && at.After(since) {
			longest, since = max(longest, at.Sub(since)), at
		}
	}
	return max(longest, time.Since(since))
}

func TestSilenceIsShortWhileAWatchedJobRuns(t *testing.T) {
	t.Parallel()
	for _, topics := range []string{"jobs", "action:push", "job:push-1", "log:push-1"} {
		t.Run(topics, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h, l := New(Options{Feed: feedName}), &ledger{}
				ours, theirs := net.Pipe()
				var a arrivals
				go a.read(theirs)
				s, err := h.Attach(ours, StreamOptions{Interest: interestOf(topics)})
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Minute) // nothing before Go
				if len(a.blocks) != 0 {
					t.Errorf("sent before Go: %v", a.blocks)
				}
				s.Go(AppendHello(nil, Hello{Stream: s.ID()}), 0)
				expect := func(running bool, most time.Duration) {
					t.Helper()
					began := time.Now()
					time.Sleep(5 * time.Minute)
					got := a.silence("heartbeat", began)
					if got > most || (!running && got < 5*time.Second) {
						t.Errorf("silence of %v, running %v", got, running)
					}
				}
				expect(false, 15*time.Second)
				h.Publish(l.add("pull-1", job.Running, false)) // watched by topic jobs only
				expect(topics == "jobs", 15*time.Second)
				h.Publish(l.add("push-1", job.Running, false))
				expect(true, 3*time.Second)
				h.Publish(l.add("push-1", job.Succeeded, false))
				h.Publish(l.add("pull-1", job.Succeeded, false))
				time.Sleep(3 * time.Second)
				expect(false, 15*time.Second)
				h.Shutdown(t.Context())
				synctest.Wait()
				if last := a.blocks[len(a.blocks)-1]; last.Event != "bye" {
					t.Errorf("last block is %+v", last)
				}
			})
		})
	}
}

func TestHeartbeatsComeOnSocketsToo(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 1, 2, 3, 456_789_000, time.FixedZone("", 3600))
	d := openDesk(t, Options{Beat: 20 * time.Millisecond, Clock: func() time.Time { return at }})
	c := d.connect(t, "jobs", "")
	for {
		b, err := c.strict.next()
		if err != nil {
			t.Fatal(err)
		}
		if b.Event != "heartbeat" {
			continue
		}
		if want := `{"at":"2026-11-23T00:02:03.456Z"}`; b.Data != want {
			t.Errorf("got %s, want %s", b.Data, want)
		}
		return
	}
}

func TestGoodbyeSpreadsTheReturn(t *testing.T) {
	t.Parallel()
	eachCarrier(t, Options{}, func(t *testing.T, d *desk) {
		t.Helper()
		var clients []*client
		for range 20 {
			clients = append(clients, d.connect(t, "jobs", ""))
		}
		d.tell("push-1", job.Running)
		d.murmur("push-1")
		d.murmur("push-1") // held back, and told before the goodbye
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		d.hub.Shutdown(ctx)
		delays := map[int]bool{}
		for _, c := range clients {
			c.until(3)
			b, err := c.next()
			if err != nil || b.Event != "bye" || b.Data != `{"reason":"shutdown"}` || b.Retry < 1000 || b.Retry > 10_000 {
				t.Fatalf("got %+v, %v", b, err)
			}
			delays[b.Retry] = true
			if b, err := c.next(); err == nil {
				t.Errorf("%+v after the goodbye", b)
			}
		}
		if len(delays) < 10 {
			t.Errorf("all come back at %v", delays)
		}
		if _, err := d.hub.Attach(nil, StreamOptions{Remote: "x"}); err == nil {
			t.Error("attached after the shutdown")
		}
	})
}

func TestShutdownDoesNotWaitForAStalledReader(t *testing.T) {
	t.Parallel()
	eachCarrier(t, Options{Stall: time.Hour}, func(t *testing.T, d *desk) {
		t.Helper()
		c := d.connect(t, "jobs", "")
		full := false
		pace := time.NewTicker(time.Millisecond)
		defer pace.Stop()
		for range 200 { // much more than the buffers take
			<-pace.C
			for range 100 {
				d.tell("push-1", job.Running)
			}
			full = d.hub.Stats().Conflated > 10_000
		}
		if !full {
			t.Fatal("the socket never filled")
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		began := time.Now()
		d.hub.Shutdown(ctx)
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("took %v", took)
		}
		_ = c
	})
}

func TestInterestChangesOnARunningStream(t *testing.T) {
	t.Parallel()
	eachCarrier(t, Options{}, func(t *testing.T, d *desk) {
		t.Helper()
		c := d.connect(t, "job:push-1", "")
		s := d.streamOf(c)
		d.tell("push-1", job.Running)
		now := d.tell("pull-1", job.Running)
		s.SetInterest(interestOf("job:pull-1"))
		d.tell("push-1", job.Succeeded)
		s.Show(now)
		if all := seqs(c.until(now.Seq)); len(all) != 2 || all[0] != 1 || c.id != "test.1" {
			t.Errorf("got %v, want 1 2, last id %s", all, c.id)
		}
		d.murmur("pull-1")
		if got := c.job(); got.Seq != 4 {
			t.Errorf("got seq %d, want 4", got.Seq)
		}
		if c.id != "test.4" {
			t.Errorf("last id %s", c.id)
		}
		s.Close("signed-out")
		b, err := c.next()
		if err != nil || b.Event != "bye" || !strings.Contains(b.Data, "signed-out") {
			t.Errorf("got %+v, %v", b, err)
		}
		<-s.Done()
		if _, ok := d.hub.Stream(s.ID()); ok {
			t.Error("the stream is still there")
		}
		s.SetInterest(interestOf("jobs")) // all of these are harmless now
		s.Show(now)
		s.Go(nil, 0)
		s.Close("again")
	})
}

// brokenConn faults when it is written to, like a bug in a wrapper would.
type brokenConn struct{ net.Conn }

func (brokenConn) Write([]byte) (int, error) { panic("a bug") }

func TestR85_PanicWhileServingAStreamClosesThatStreamOnly(t *testing.T) {
	t.Parallel()
	var logged bytes.Buffer
	var mu sync.Mutex
	log := slog.New(slog.NewTextHandler(lockedWriter{&mu, &logged}, nil))
	d := openDesk(t, Options{Log: log})
	good := d.connect(t, "jobs", "")
	d.rig(func() { d.wrap = func(c net.Conn) net.Conn { return brokenConn{c} } })
	broken, err := d.dial(t, "jobs", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := broken.greet(); err == nil {
		t.Error("the broken stream was served")
	}
	d.rig(func() { d.wrap = func(c net.Conn) net.Conn { return c } })
	if r := breakShard(d.streamOf(d.connect(t, "jobs", ""))); r != nil {
		d.tell("push-1", job.Running)
		<-r.Done()
	} else {
		d.tell("push-1", job.Running)
	}
	d.tell("push-1", job.Succeeded)
	if got := good.until(2); len(got) != 2 {
		t.Errorf("the good reader saw %v", seqs(got))
	}
	mu.Lock()
	defer mu.Unlock()
	if d.hub.Stats().Faults == 0 || !strings.Contains(logged.String(), "a bug") {
		t.Errorf("%d faults, log %s", d.hub.Stats().Faults, logged.String())
	}
}

type lockedWriter struct {
	mu *sync.Mutex
	b  *bytes.Buffer
}

func (w lockedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Write(p)
}
