package feed

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"telltale/backend/job"
)

const feedName = "test"

// ledger is what a journal is to these tests: every change in order, kept before
// it is told.
type ledger struct {
	mu     sync.Mutex
	events []job.Event
	revs   map[job.ID]job.Rev
}

// add keeps the next change of a job.
func (l *ledger) add(id string, state job.State, minor bool) job.Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.revs == nil {
		l.revs = map[job.ID]job.Rev{}
	}
	j := job.Job{ID: job.ID(id), Action: "act", Title: "Act", State: state}
	j.Action, _, _ = strings.Cut(id, "-")
	l.revs[j.ID]++
	j.Rev = l.revs[j.ID]
	data, err := j.Encode()
	if err != nil {
		panic(err)
	}
	e := job.Event{Seq: uint64(len(l.events) + 1), Job: j, Data: data, Minor: minor}
	l.events = append(l.events, e)
	return e
}

// since is every change after seq, and the newest place.
func (l *ledger) since(seq uint64) ([]job.Event, uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.events[min(seq, uint64(len(l.events))):]), uint64(len(l.events))
}

// present is the newest change of each job, in order, and the newest place.
func (l *ledger) present() ([]job.Event, uint64) {
	all, head := l.since(0)
	newest := map[job.ID]uint64{}
	for _, e := range all {
		newest[e.Job.ID] = e.Seq
	}
	return slices.DeleteFunc(all, func(e job.Event) bool { return newest[e.Job.ID] != e.Seq }), head
}

// desk is a hub behind a real server on loopback that speaks just enough HTTP.
type desk struct {
	hub    *Hub
	ledger *ledger
	net.Listener

	mu   sync.Mutex
	gate func()                  // called between Attach and Go
	wrap func(net.Conn) net.Conn // what Attach is given
}

// rig changes what the server does with the connections to come.
func (d *desk) rig(change func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change()
}

func openDesk(t *testing.T, o Options) *desk {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return openDeskOn(t, o, l)
}

func openDeskOn(t *testing.T, o Options, l net.Listener) *desk {
	t.Helper()
	o.Feed = feedName
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.MaxPerRemote == 0 {
		o.MaxPerRemote = math.MaxInt
	}
	d := &desk{hub: New(o), ledger: &ledger{}, Listener: l, wrap: func(c net.Conn) net.Conn { return c }, gate: func() {}}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go d.serve(c)
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		serving.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		d.hub.Shutdown(ctx)
	})
	return d
}

// serve does what the API does: read the request, take over, answer.
func (d *desk) serve(c net.Conn) {
	request, err := http.ReadRequest(bufio.NewReader(c))
	if err != nil {
		_ = c.Close()
		return
	}
	interest := interestOf(request.URL.Query().Get("topics"))
	d.mu.Lock()
	wrap, gate := d.wrap, d.gate
	d.mu.Unlock()
	s, err := d.hub.Attach(wrap(c), StreamOptions{Interest: interest})
	if err != nil {
		_, _ = fmt.Fprintf(c, "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n%v", err)
		_ = c.Close()
		return
	}
	gate()
	from, _ := job.ParseCursor(request.Header.Get("Last-Event-ID"))
	read := func(uint64) ([]job.Event, uint64) { return d.ledger.present() }
	if from != (job.Cursor{}) {
		read = d.ledger.since
	}
	told, head := read(from.Seq)
	b := []byte("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store, no-transform\r\nConnection: close\r\n\r\n")
	b = AppendRetry(AppendPadding(b), d.hub.RetryDelay())
	b = AppendHello(b, Hello{Stream: s.ID(), Now: time.Now(), Head: job.Cursor{Feed: feedName, Seq: head}, ResumedFrom: from})
	for _, e := range told {
		if interest.wants(e.Job.Action) || interest.Job[e.Job.ID] {
			b = AppendJobEvent(b, feedName, e)
		}
	}
	s.Go(b, head)
}

// tell keeps a change, then publishes it.
func (d *desk) tell(id string, state job.State) job.Event {
	e := d.ledger.add(id, state, false)
	d.hub.Publish(e)
	return e
}

// murmur is tell for a Minor change of a running job.
func (d *desk) murmur(id string) { d.hub.Publish(d.ledger.add(id, job.Running, true)) }

func interestOf(topics string) Interest {
	i := Interest{Job: map[job.ID]bool{}, Log: map[job.ID]bool{}, Actions: map[string]bool{}}
	for topic := range strings.SplitSeq(topics, ",") {
		kind, name, _ := strings.Cut(topic, ":")
		switch kind {
		case "jobs", "":
			i.Jobs = true
		case "job":
			i.Job[job.ID(name)] = true
		case "log":
			i.Log[job.ID(name)] = true
		case "action":
			i.Jobs, i.Actions[name] = true, true
		}
	}
	return i
}

// client is a reader of the desk.
type client struct {
	t *testing.T
	net.Conn
	strict *strictReader
	hello  block
	id     string // of the last event that had one
}

// connect opens a stream and reads up to and including hello.
func (d *desk) connect(t *testing.T, topics, lastID string) *client {
	t.Helper()
	c, err := d.dial(t, topics, lastID)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.greet(); err != nil {
		t.Fatal(err)
	}
	return c
}

func (d *desk) dial(t *testing.T, topics, lastID string) (*client, error) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), d.Addr().Network(), d.Addr().String())
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = conn.Close() })
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(64 << 10) // so that a reader that does not read is soon full
	}
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return nil, err
	}
	if lastID != "" {
		lastID = "Last-Event-ID: " + lastID + "\r\n"
	}
	_, err = fmt.Fprintf(conn, "GET /events?topics=%s HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n%s\r\n", topics, lastID)
	return &client{t: t, Conn: conn}, err
}

// head reads the head of the answer; what follows is the stream.
func (c *client) head(r io.Reader) error {
	text := textproto.NewReader(bufio.NewReader(r))
	status, err := text.ReadLine()
	if err != nil {
		return err
	}
	head, err := text.ReadMIMEHeader()
	if err != nil {
		return err
	}
	if status != "HTTP/1.1 200 OK" || head.Get("Content-Type") != "text/event-stream" {
		return fmt.Errorf("answer %q", status)
	}
	c.strict = newStrictReader(text.R)
	return nil
}

func (c *client) greet() error {
	err := c.head(c.Conn)
	if err != nil {
		return err
	}
	if c.hello, err = c.strict.next(); err != nil {
		return err
	}
	if c.hello.Event != "hello" {
		return fmt.Errorf("first event is %q", c.hello.Event)
	}
	return nil
}

// told is a job event as a client sees it.
type told struct {
	Seq uint64  `json:"seq"`
	Job job.Job `json:"job"`
}

// next is the next event that is not a heartbeat.
func (c *client) next() (block, error) {
	for {
		b, err := c.strict.next()
		if err != nil || b.Event != "heartbeat" {
			if b.ID != "" {
				c.id = b.ID
			}
			return b, err
		}
	}
}

// collect reads job events up to the first that is the last one wanted.
func (c *client) collect(last func(told) bool) ([]told, error) {
	var all []told
	for {
		b, err := c.next()
		if err != nil {
			return all, err
		}
		if b.Event != "job" {
			continue
		}
		all = append(all, decode(c.t, b))
		if last(all[len(all)-1]) {
			return all, nil
		}
	}
}

// job reads on to the next job event.
func (c *client) job() told {
	c.t.Helper()
	return c.until(0)[0]
}

// until reads job events until the one with the given seq, and returns them all.
func (c *client) until(seq uint64) []told {
	c.t.Helper()
	all, err := c.collect(func(e told) bool { return e.Seq >= seq })
	if err != nil {
		c.t.Fatal(err)
	}
	return all
}

func decode(t *testing.T, b block) told {
	t.Helper()
	var d told
	if err := json.Unmarshal([]byte(b.Data), &d); err != nil {
		t.Error(err)
	}
	return d
}

// stream is the server's side of a client.
func (d *desk) streamOf(c *client) *Stream {
	c.t.Helper()
	var hello struct{ Stream string }
	if err := json.Unmarshal([]byte(c.hello.Data), &hello); err != nil {
		c.t.Fatal(err)
	}
	s, ok := d.hub.Stream(hello.Stream)
	if !ok {
		c.t.Fatalf("no stream %q", hello.Stream)
	}
	return s
}
