package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"telltale/backend/action"
	"telltale/backend/engine"
	"telltale/backend/feed"
	"telltale/backend/job"
	"telltale/backend/runner"
	"telltale/backend/store"
)

// house is a server on a real engine, store and hub, listening on loopback. Only
// the runner is scripted: what a job does is up to the test.
type house struct {
	*Server
	t      testing.TB
	store  *store.Store
	engine *engine.Engine
	stage  *stage
	addr   string // host:port
	client *Client
	log    *logBook

	serving sync.WaitGroup // listeners
}

const houseCatalog = `
actions:
  one:      {title: One, command: {argv: ["true"]}, on_busy: join, timeout: 10m}
  targeted: {command: {argv: ["true"]}, targets: {berlin: {}, oslo: {}}}
  reject:   {command: {argv: ["true"]}, on_busy: reject}
  many:     {command: {argv: ["true"]}, on_busy: parallel}
  form:
    command: {argv: ["true"]}
    on_busy: parallel
    params:
      name:  {type: text, required: true, pattern: "[a-z]+"}
      count: {type: number, min: 1, max: 9, integer: true}
      deep:  {type: boolean}
      key:   {type: secret}
`

// stage is a runner whose every run is handed to the test.
type stage struct{ runs chan *play }

// play is one run on the stage.
type play struct {
	runner.Task
	runner.Watcher
	end chan job.Outcome
}

// Run implements runner.Runner.
func (s *stage) Run(ctx context.Context, t runner.Task, w runner.Watcher) job.Outcome {
	p := &play{Task: t, Watcher: w, end: make(chan job.Outcome, 1)}
	s.runs <- p
	select {
	case o := <-p.end:
		return o
	case <-ctx.Done():
		return runner.Stopped(context.Cause(ctx), t.Action.Timeout)
	}
}

func (p *play) succeed() { p.end <- job.Outcome{State: job.Succeeded, Summary: "Finished."} }

func (p *play) say(lines ...string) {
	for _, text := range lines {
		p.Lines(job.Line{At: time.Now().UTC().Truncate(time.Millisecond), Stream: job.Stdout, Text: text})
	}
}

type noSecrets struct{}

func (noSecrets) Secret(string) (string, bool) { return "", false }

// logBook collects what the server logs.
type logBook struct {
	mu   sync.Mutex // guards what follows
	b    bytes.Buffer
	more chan struct{} // closed by the next write
}

func (l *logBook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.more != nil {
		close(l.more)
		l.more = nil
	}
	return l.b.Write(p)
}

// tells waits until what was logged holds the text, ten seconds at most.
func (l *logBook) tells(text string) bool {
	late := time.After(10 * time.Second)
	for {
		l.mu.Lock()
		if l.more == nil {
			l.more = make(chan struct{})
		}
		more, found := l.more, strings.Contains(l.b.String(), text)
		l.mu.Unlock()
		if found {
			return true
		}
		select {
		case <-more:
		case <-late:
			return false
		}
	}
}

func (l *logBook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// open builds a house; adjust may change what the server and hub are made of.
func open(tb testing.TB, adjust ...func(*Options, *feed.Options)) *house {
	tb.Helper()
	quiet := slog.New(slog.DiscardHandler)
	s, err := store.Open(store.Options{Log: quiet})
	if err != nil {
		tb.Fatal(err)
	}
	path := filepath.Join(tb.TempDir(), "telltale.yaml")
	if err := os.WriteFile(path, []byte(houseCatalog), 0o600); err != nil {
		tb.Fatal(err)
	}
	catalog, err := action.Load(path)
	if err != nil {
		tb.Fatal(err)
	}
	head, err := s.Head(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	h := &house{t: tb, store: s, stage: &stage{runs: make(chan *play, 4096)}, log: &logBook{}}
	o := Options{
		Journal: s, Records: s, Catalog: func() *action.Catalog { return catalog }, User: "ada",
		Version: Version{Version: "1.2.3", Go: "go1.26"}, Log: slog.New(slog.NewJSONHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	fo := feed.Options{Feed: head.Feed, Log: quiet, MaxPerRemote: 10_000}
	for _, a := range adjust {
		a(&o, &fo)
	}
	hub := feed.New(fo)
	h.engine = engine.New(engine.Options{
		Journal: s, Queue: s, Records: s, Runner: h.stage, Catalog: o.Catalog, Secrets: noSecrets{}, Told: hub.PublishLines,
		Leftovers: func(context.Context, []job.ID) (map[job.ID]int, error) { return nil, nil },
		Host:      "atlas", Boot: "m1-l1", Log: quiet, Jobs: 64,
	})
	if err := h.engine.Recover(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	o.Hub = hub
	if o.Engine == nil {
		o.Engine = h.engine
	}
	if o.Ready == nil {
		o.Ready = h.engine.Ready
	}
	if h.Server, err = New(o); err != nil {
		tb.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var tail sync.WaitGroup
	tail.Go(func() {
		_ = s.Tail(ctx, head, func(e job.Event) error { hub.Publish(e); return nil })
	})
	ln, err := (&net.ListenConfig{}).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	h.addr = ln.Addr().String()
	h.serve(ln)
	tb.Cleanup(func() {
		end, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		hub.Shutdown(end)
		if err := h.Shutdown(end); err != nil {
			tb.Errorf("shutdown: %v", err)
		}
		h.serving.Wait()
		now, hurry := context.WithCancel(context.Background())
		hurry()
		h.engine.Drain(now)
		stop()
		tail.Wait()
		_ = s.Close()
	})
	h.client = h.dial("http://" + h.addr)
	return h
}

func (h *house) serve(ln net.Listener) {
	h.t.Helper()
	h.serving.Go(func() {
		if err := h.Serve(ln); err != nil {
			h.t.Errorf("serve: %v", err)
		}
	})
}

func (h *house) dial(server string) *Client {
	h.t.Helper()
	c, err := NewClient(ClientOptions{Server: server})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(c.Close)
	return c
}

// page is a built page.
func page() fs.FS {
	return fstest.MapFS{
		"index.html":           {Data: []byte("<!doctype html><title>Telltale</title>")},
		"assets/index-1a2b.js": {Data: []byte("export {}")},
		"favicon.svg":          {Data: []byte("<svg xmlns='http://www.w3.org/2000/svg'/>")},
		".gitkeep":             {},
	}
}

// start presses a button and returns the run it began.
func (h *house) start(name string) (job.Event, *play) {
	h.t.Helper()
	ask := Trigger{Action: name, Via: job.ViaButton}
	if name == "targeted" {
		ask.Target = "berlin"
	}
	e, started, err := h.client.Trigger(h.t.Context(), ask)
	if err != nil || !started {
		h.t.Fatalf("start %s: started %v, %v", name, started, err)
	}
	return e, h.next()
}

func (h *house) next() *play {
	h.t.Helper()
	select {
	case p := <-h.stage.runs:
		return p
	case <-time.After(20 * time.Second):
		h.t.Fatal("nothing was run")
		return nil
	}
}

// finish runs one job of the action to its end and returns it.
func (h *house) finish(name string) job.Event {
	h.t.Helper()
	e, p := h.start(name)
	p.succeed()
	return h.becomes(e.Job.ID, job.Succeeded)
}

// becomes waits until the job is in the state.
func (h *house) becomes(id job.ID, s job.State) job.Event {
	h.t.Helper()
	return h.until(id, string(s), func(j job.Job) bool { return j.State == s })
}

func (h *house) until(id job.ID, what string, fits func(job.Job) bool) job.Event {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), 20*time.Second)
	defer cancel()
	head, err := h.store.Head(ctx)
	if err != nil {
		h.t.Fatal(err)
	}
	var found job.Event
	err = h.store.Tail(ctx, job.Cursor{Feed: head.Feed}, func(e job.Event) error {
		if e.Job.ID == id && fits(e.Job) {
			found = e
			return io.EOF
		}
		return nil
	})
	if found.Job.ID == "" {
		h.t.Fatalf("job never %s: %v", what, err)
	}
	return found
}

// reply is a response with its body read.
type reply struct {
	*http.Response
	body []byte
}

// do sends a request; header are pairs of name and value.
func (h *house) do(method, path, body string, header ...string) reply {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, "http://"+h.addr+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
			continue
		}
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		h.t.Fatalf("%s %.80s: %v", method, path, err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return reply{res, b}
}

func (a reply) problem(tb testing.TB) Problem {
	tb.Helper()
	var p Problem
	if kind := a.Header.Get("Content-Type"); kind != problemType {
		tb.Fatalf("%d %s, not a problem: %.200s", a.StatusCode, kind, a.body)
	}
	if err := json.Unmarshal(a.body, &p); err != nil {
		tb.Fatal(err)
	}
	return p
}

// raw sends bytes and returns everything that comes back until the server
// closes, or says nothing more for a while.
func (h *house) raw(request string, quiet time.Duration) string {
	h.t.Helper()
	conn, err := (&net.Dialer{}).DialContext(h.t.Context(), "tcp", h.addr)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, request); err != nil {
		h.t.Logf("write: %v", err)
	}
	var out bytes.Buffer
	b := make([]byte, 4096)
	for {
		_ = conn.SetReadDeadline(time.Now().Add(quiet))
		n, err := conn.Read(b)
		out.Write(b[:n])
		if err != nil {
			return out.String()
		}
	}
}

func decoded[T any](tb testing.TB, b []byte) T {
	tb.Helper()
	var v T
	if err := json.Unmarshal(b, &v); err != nil {
		tb.Fatalf("%v in %.300s", err, b)
	}
	return v
}
