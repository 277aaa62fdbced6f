package api

import (
	"bytes"
	"context"
	"math/rand/v2"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tmaxmax/go-sse"

	"telltale/backend/auth"
	"telltale/backend/engine"
	"telltale/backend/job"
)

// cutConn breaks after a number of bytes. It hides the server's retry time, so
// that a client that obeys it comes back at once.
type cutConn struct {
	net.Conn
	left int
	cuts *atomic.Int64
	stop *atomic.Bool // no more cuts
}

func (c *cutConn) Read(p []byte) (int, error) {
	if !c.stop.Load() {
		if c.left <= 0 {
			c.cuts.Add(1)
			_ = c.Close()
			return 0, net.ErrClosed
		}
		p = p[:min(len(p), c.left)]
	}
	n, err := c.Conn.Read(p)
	c.left -= n
	copy(p[:n], bytes.ReplaceAll(p[:n], []byte("retry: "), []byte("later: ")))
	return n, err
}

// TestEveryEndIsSeenThroughAThousandCuts reads with a client that nobody here
// wrote while jobs run and its connection is cut, also in the middle of events.
// Of every job it must see the end, and nothing out of order.
func TestEveryEndIsSeenThroughAThousandCuts(t *testing.T) {
	t.Parallel()
	h := open(t)
	cuts, changes := int64(1000), uint64(10_000)
	if testing.Short() {
		cuts, changes = 100, 1000
	}
	begin, err := h.store.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 4*time.Minute)
	defer stop()
	var done atomic.Int64
	var calm atomic.Bool

	// The work: a few jobs at a time, a new one for each whose end was read, until
	// there were enough cuts and changes.
	var mu sync.Mutex // guards started
	started := map[job.ID]bool{}
	enough := func() bool {
		head, err := h.store.Head(ctx)
		return err != nil || (done.Load() >= cuts && head.Seq >= changes) || ctx.Err() != nil
	}
	const atOnce = 8
	room := make(chan struct{}, atOnce)
	for range atOnce {
		room <- struct{}{}
	}
	var work sync.WaitGroup
	for range 2 {
		work.Go(func() {
			for range room {
				if enough() {
					return
				}
				r, err := h.engine.Submit(ctx, auth.Principal{Name: "ada"}, engine.Request{Action: "many", Via: job.ViaAPI})
				if err != nil {
					t.Errorf("start: %v", err)
					return
				}
				mu.Lock()
				started[r.Event.Job.ID] = true
				mu.Unlock()
				p, percent := <-h.stage.runs, 50.0
				p.Progress(job.Progress{Percent: &percent})
				p.succeed()
			}
		})
	}

	// The reader.
	var last uint64
	var final atomic.Uint64 // the last change there will be, once it is known
	read, end := context.WithCancel(ctx)
	defer end()
	seen := map[job.ID]job.State{}
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		return &cutConn{Conn: conn, left: 2700 + rand.IntN(9000), cuts: &done, stop: &calm}, err
	}}
	client := sse.Client{
		HTTPClient: &http.Client{Transport: transport},
		Backoff:    sse.Backoff{InitialInterval: time.Millisecond, Multiplier: 1, Jitter: -1},
	}
	req, err := http.NewRequestWithContext(read, http.MethodGet, "http://"+h.addr+"/api/v1/events?since="+begin.String(), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	conn := client.NewConnection(req)
	conn.SubscribeToAll(func(e sse.Event) {
		switch e.Type {
		case "hello":
			if hello := decoded[Hello](t, []byte(e.Data)); hello.Lost {
				t.Errorf("something was lost: %+v", hello)
			}
		case "reset":
			t.Error("reset")
		case "job":
			c := decoded[JobEvent](t, []byte(e.Data))
			if c.Seq <= last {
				t.Errorf("change %d after %d", c.Seq, last)
			}
			last = c.Seq
			event, err := c.Job.Event()
			if err != nil {
				t.Error(err)
			}
			if was := seen[event.Job.ID]; was.Final() {
				t.Errorf("job %s was %s, then %s", event.Job.ID, was, event.Job.State)
			}
			seen[event.Job.ID] = event.Job.State
			if event.Job.State.Final() {
				room <- struct{}{}
			}
		}
		if n := final.Load(); n > 0 && last >= n {
			end()
		}
	})
	var ending sync.WaitGroup
	ending.Go(func() {
		work.Wait()
		calm.Store(true)
		// The last jobs may still be on their way to their end.
		left := len(started)
		_ = h.store.Tail(ctx, begin, func(e job.Event) error {
			if e.Job.State.Final() {
				left--
			}
			if left == 0 {
				return context.Canceled
			}
			return nil
		})
		// One more job, so that something is told after the last change is known.
		r, err := h.engine.Submit(ctx, auth.Principal{Name: "ada"}, engine.Request{Action: "one", Via: job.ViaAPI})
		if err != nil {
			t.Error(err)
			end()
			return
		}
		final.Store(r.Event.Seq)
		(<-h.stage.runs).succeed()
	})
	_ = conn.Connect()
	ending.Wait()
	if ctx.Err() != nil {
		t.Fatalf("not done in time: %d cuts, change %d", done.Load(), last)
	}
	for id := range started {
		if s := seen[id]; s != job.Succeeded {
			t.Errorf("the end of job %s was missed; last seen %q", id, s)
		}
	}
	t.Logf("%d cuts, %d jobs, %d changes", done.Load(), len(started), final.Load())
	if done.Load() < cuts || final.Load() < changes {
		t.Error("too little happened")
	}
}

// TestCurlReadsTheStream uses a program nobody here wrote.
func TestCurlReadsTheStream(t *testing.T) {
	t.Parallel()
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("curl is not installed")
	}
	h := open(t)
	e := h.finish("one")
	head, err := h.store.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	begin := job.Cursor{Feed: head.Feed}
	out, err := exec.CommandContext(t.Context(), curl, "-sN", "--max-time", "1", "http://"+h.addr+"/api/v1/events?since="+begin.String()).Output()
	if err == nil {
		t.Error("the stream ended by itself")
	}
	if s := string(out); !strings.Contains(s, "event: hello\n") || !strings.Contains(s, "id: "+head.String()+"\n") || !strings.Contains(s, string(e.Data)) {
		t.Errorf("curl read %q", out)
	}
}
