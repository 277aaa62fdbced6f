package api

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tmaxmax/go-sse"

	"telltale/backend/job"
)

// Four readers with a client nobody here wrote are cut off a thousand times in
// all, at any byte, while jobs make ten thousand changes. Each must see every
// job's final state and nothing out of order, and must never be told to forget.
func TestAForeignClientLosesNothingOverAThousandForcedDisconnects(t *testing.T) {
	t.Parallel()
	const readers, cuts, jobs = 4, 250, 3400
	h := open(t)
	ctx, done := context.WithCancel(t.Context())
	defer done()
	var reading sync.WaitGroup
	var foreign [readers]*stranger
	for i := range foreign {
		foreign[i] = &stranger{t: t, network: &badNetwork{dice: rand.New(rand.NewPCG(uint64(i), 1)), cuts: cuts},
			live: make(chan struct{}), all: make(chan struct{}), want: jobs, last: map[job.ID]job.Job{}}
		reading.Go(func() { foreign[i].read(ctx, "http://"+h.addr+"/api/v1/events") })
	}
	for _, f := range foreign {
		await(t, f.live, "a reader to be live")
	}
	var working sync.WaitGroup
	var started atomic.Int64
	for range 8 {
		working.Go(func() {
			for started.Add(1) <= jobs {
				if _, _, err := h.client.Trigger(ctx, Trigger{Action: "many"}); err != nil {
					t.Errorf("trigger: %v", err)
					return
				}
			}
		})
	}
	for range jobs {
		p := h.next()
		p.Phase("Working")
		p.succeed()
	}
	working.Wait()
	for _, f := range foreign {
		select {
		case <-f.all:
		case <-time.After(20 * time.Second):
			hd, _ := h.store.Head(t.Context())
			t.Logf("DBG final %d seq %d cut %d events %d hellos %d head %v  stats %+v", f.final, f.seq, f.network.cut, f.events, f.hellos, hd, h.Hub.Stats())
		}
	}
	done()
	reading.Wait()
	head, err := h.store.Head(t.Context())
	if err != nil || head.Seq < 3*jobs {
		t.Errorf("the feed is at %v, %v", head, err)
	}
	for i, f := range foreign {
		if f.network.cut < cuts {
			t.Errorf("reader %d was cut off %d times", i, f.network.cut)
		}
		t.Logf("reader %d: %d job events in %d streams", i, f.events, f.network.cut+1)
	}
}

func await(t *testing.T, c <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(2 * time.Minute):
		t.Fatalf("waited in vain for %s", what)
	}
}

// stranger is a reader that uses somebody else's client.
type stranger struct {
	t       *testing.T
	network *badNetwork
	live    chan struct{} // closed with the first hello
	all     chan struct{} // closed when want jobs were seen to end
	want    int

	last   map[job.ID]job.Job
	seq    uint64
	final  int
	events int
	hellos int
}

func (s *stranger) read(ctx context.Context, url string) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		s.t.Error(err)
		return
	}
	client := sse.Client{
		HTTPClient: &http.Client{Transport: s.network},
		Backoff:    sse.Backoff{InitialInterval: time.Millisecond, Multiplier: 1, Jitter: -1},
	}
	stream := client.NewConnection(request)
	stream.SubscribeToAll(s.hear)
	if err := stream.Connect(); !errors.Is(err, context.Canceled) {
		s.t.Errorf("the client gave up: %v", err)
	}
}

func (s *stranger) hear(e sse.Event) {
	switch e.Type {
	case "hello":
		var hello Hello
		if err := json.Unmarshal([]byte(e.Data), &hello); err != nil || hello.Lost {
			s.t.Errorf("hello %s: %v", e.Data, err)
		}
		if s.hellos++; s.hellos == 1 {
			close(s.live)
		}
	case "heartbeat":
	case "job":
		s.told(e)
	default:
		s.t.Errorf("event %q %s", e.Type, e.Data)
	}
}

func (s *stranger) told(e sse.Event) {
	var change struct {
		Seq uint64
		Job job.Job
	}
	if err := json.Unmarshal([]byte(e.Data), &change); err != nil {
		s.t.Errorf("%v in %s", err, e.Data)
		return
	}
	s.events++
	id, was := change.Job.ID, s.last[change.Job.ID]
	if place, err := job.ParseCursor(e.LastEventID); err != nil || place.Seq != change.Seq {
		s.t.Errorf("event %d has id %q", change.Seq, e.LastEventID)
	}
	if change.Seq <= s.seq || change.Job.Rev <= was.Rev || was.State.Final() {
		s.t.Errorf("seq %d after %d; %s rev %d after %d", change.Seq, s.seq, id, change.Job.Rev, was.Rev)
	}
	s.seq, s.last[id] = change.Seq, change.Job
	if change.Job.State.Final() {
		if s.final++; s.final == s.want {
			close(s.all)
		}
	}
}

// badNetwork cuts streams off after a random number of bytes, as often as it
// should. It also makes the time to reconnect a millisecond, or a thousand cuts
// would take half an hour.
type badNetwork struct {
	dice *rand.Rand
	cuts int
	cut  int
}

// RoundTrip implements http.RoundTripper.
func (n *badNetwork) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body := &badBody{ReadCloser: answer.Body, in: bufio.NewReader(answer.Body), left: 1 << 40}
	if n.cut < n.cuts {
		n.cut++
		body.left = 1000 + n.dice.IntN(12_000)
	}
	answer.Body = body
	return answer, nil
}

type badBody struct {
	io.ReadCloser

	in   *bufio.Reader
	line []byte
	left int
}

// Read hands out the stream line by line until it is cut.
func (b *badBody) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	if len(b.line) == 0 {
		line, err := b.in.ReadString('\n')
		if err != nil {
			return 0, err
		}
		if strings.HasPrefix(line, "retry: ") {
			line = "retry: 1\n"
		}
		b.line = []byte(line)
	}
	n := copy(p, b.line[:min(len(b.line), b.left)])
	b.line, b.left = b.line[n:], b.left-n
	return n, nil
}
