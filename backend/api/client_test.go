package api

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/valyala/fasthttp/fasthttputil"

	"telltale/backend/job"
)

// hurry makes a client less patient than it is with people.
func hurry(c *Client) *Client {
	c.pace = pace{silence: 300 * time.Millisecond, hold: 2 * time.Second, backoff: 5 * time.Millisecond, slowest: 20 * time.Millisecond, attempts: 5}
	return c
}

func TestTheClientDoesEverythingAPersonCan(t *testing.T) {
	t.Parallel()
	h := open(t)
	c, ctx := h.client, t.Context()
	e, started, err := c.Trigger(ctx, Trigger{Action: "targeted", Target: "oslo", Reason: "why not", Via: job.ViaCLI, Key: "k"})
	if err != nil || !started || e.Job.Trigger.Via != job.ViaCLI || e.Job.Rev != 1 {
		t.Fatalf("%+v, %v, %v", e.Job, started, err)
	}
	if again, started, err := c.Trigger(ctx, Trigger{Action: "targeted", Target: "oslo", Reason: "why not", Via: job.ViaCLI, Key: "k"}); err != nil || started || again.Job.ID != e.Job.ID {
		t.Errorf("same key: %v, %v", started, err)
	}
	p := h.next()
	p.say("a", "b")
	p.succeed()
	var states []job.State
	done, err := c.Follow(ctx, e.Job.ID, Follower{Changed: func(e job.Event) error {
		if len(states) == 0 || states[len(states)-1] != e.Job.State {
			states = append(states, e.Job.State)
		}
		return nil
	}})
	if err != nil || done.Job.State != job.Succeeded || states[len(states)-1] != job.Succeeded || !slices.IsSortedFunc(states, order) {
		t.Errorf("followed to %s over %v: %v", done.Job.State, states, err)
	}
	var lines []string
	next, err := c.FollowLog(ctx, e.Job.ID, 1, func(l job.Line) error { lines = append(lines, l.Text); return nil })
	if err != nil || next != 3 || !slices.Equal(lines, []string{"a", "b"}) {
		t.Errorf("log %v, next %d: %v", lines, next, err)
	}
	part, err := c.Log(ctx, e.Job.ID, 2, 10)
	if err != nil || len(part.Lines) != 1 || part.Next != 3 {
		t.Errorf("%+v, %v", part, err)
	}
	retried, started, err := c.Retry(ctx, e.Job.ID, "")
	if err != nil || !started || retried.Job.Trigger.RetryOf != e.Job.ID {
		t.Errorf("retry: %v", err)
	}
	h.next()
	if asked, err := c.Cancel(ctx, retried.Job.ID); err != nil || asked.Job.Cancel == nil {
		t.Errorf("cancel: %v", err)
	}
	if waited, err := c.Wait(ctx, retried.Job.ID, 1, 20*time.Second); err != nil || waited.Job.Rev < 2 {
		t.Errorf("wait: %+v, %v", waited.Job, err)
	}
	all, err := c.Actions(ctx)
	if err != nil || len(all.Actions) != 5 || all.Actions[1].ID != "targeted" || len(all.Actions[1].Recent) != 2 || all.Actions[1].Targets[1].Last == nil || all.Actions[1].Targets[0].Last != nil {
		t.Errorf("actions: %+v, %v", all, err)
	}
	inventory, err := c.Catalog(ctx)
	if err != nil || len(inventory.Rows) != 5 || inventory.Rows[1].Last == nil || inventory.Rows[1].Endpoint != "POST /api/v1/actions/targeted/jobs" {
		t.Errorf("catalog: %+v, %v", inventory, err)
	}
	if v, err := c.Version(ctx); err != nil || v.Version != "1.2.3" || v.Feed == "" {
		t.Errorf("version: %+v, %v", v, err)
	}
	var problem *Problem
	if _, err := c.Job(ctx, "01939f6e-7c1e-7a5e-8000-000000000001"); !errors.As(err, &problem) || problem.Code != "not_found" || problem.Hint == "" {
		t.Errorf("no job: %v", err)
	}
	if _, err := c.Follow(ctx, "01939f6e-7c1e-7a5e-8000-000000000001", Follower{}); !errors.As(err, &problem) {
		t.Errorf("following no job: %v", err)
	}
}

func order(a, b job.State) int { return slices.Index(job.States(), a) - slices.Index(job.States(), b) }

func TestAServerThatIsNotThereIsToldApart(t *testing.T) {
	t.Parallel()
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := "http://" + ln.Addr().String()
	_ = ln.Close()
	for _, server := range []string{gone, "unix:" + filepath.Join(t.TempDir(), "no.sock"), filepath.Join(t.TempDir(), "no.sock")} {
		c, err := NewClient(ClientOptions{Server: server})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Version(t.Context()); !errors.Is(err, ErrUnreachable) {
			t.Errorf("%s: %v", server, err)
		}
		if _, _, err := c.Trigger(t.Context(), Trigger{Action: "x"}); !errors.Is(err, ErrUnreachable) {
			t.Errorf("%s: %v", server, err)
		}
		if _, err := hurry(c).Follow(t.Context(), "x", Follower{Patience: 50 * time.Millisecond}); !errors.Is(err, ErrUnreachable) {
			t.Errorf("%s: %v", server, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := c.Version(ctx); !errors.Is(err, context.Canceled) || errors.Is(err, ErrUnreachable) {
			t.Errorf("%s: %v", server, err)
		}
	}
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "hello", http.StatusTeapot) }))
	t.Cleanup(other.Close)
	c, err := NewClient(ClientOptions{Server: other.URL})
	if err != nil {
		t.Fatal(err)
	}
	var problem *Problem
	if _, err := c.Version(t.Context()); !errors.As(err, &problem) || problem.Code != "not_telltale" || problem.Status != http.StatusTeapot {
		t.Errorf("something else: %v", err)
	}
	for _, bad := range []string{"", "localhost:8080", "ftp://x", "http://", "http://ada:secret@localhost"} {
		if _, err := NewClient(ClientOptions{Server: bad}); err == nil {
			t.Errorf("%q is taken for a server", bad)
		}
	}
}

func TestTheClientTalksOverASocketAndInMemory(t *testing.T) {
	t.Parallel()
	h := open(t)
	path := filepath.Join(t.TempDir(), "s.sock")
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", path)
	if err != nil {
		t.Fatal(err)
	}
	h.serve(ln)
	memory := fasthttputil.NewInmemoryListener()
	h.serve(memory)
	inside, err := NewClient(ClientOptions{Dial: func(context.Context) (net.Conn, error) { return memory.Dial() }})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []*Client{h.dial("unix://" + path), inside} {
		e, _, err := c.Trigger(t.Context(), Trigger{Action: "many"})
		if err != nil {
			t.Fatal(err)
		}
		h.next().succeed()
		if done, err := c.Follow(t.Context(), e.Job.ID, Follower{}); err != nil || done.Job.State != job.Succeeded {
			t.Errorf("%s, %v", done.Job.State, err)
		}
		if e.Job.Trigger.By == "" {
			t.Error("nobody asked")
		}
	}
}

// proxy stands between client and server and may cut or hold back streams.
func (h *house) proxy(stream func(http.ResponseWriter, *http.Request, http.Handler)) *Client {
	h.t.Helper()
	to, err := url.Parse("http://" + h.addr)
	if err != nil {
		h.t.Fatal(err)
	}
	through := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(to) },
		FlushInterval: -1, ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept") == streamType {
			stream(w, r, through)
			return
		}
		through.ServeHTTP(w, r)
	}))
	h.t.Cleanup(func() { front.CloseClientConnections(); front.Close() })
	return hurry(h.dial(front.URL))
}

func TestFollowGoesOnWhenStreamsAreCut(t *testing.T) {
	t.Parallel()
	h := open(t)
	var cuts atomic.Int32
	cut := make(chan struct{}, 1)
	c := h.proxy(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		go func() {
			select {
			case <-cut:
				cuts.Add(1)
				cancel()
			case <-ctx.Done():
			}
		}()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
	e, p := h.start("one")
	var revs []job.Rev
	var losses, returns int
	percent := 0.0
	done, err := c.Follow(t.Context(), e.Job.ID, Follower{
		Changed: func(e job.Event) error {
			revs = append(revs, e.Job.Rev)
			if percent < 50 && e.Job.State == job.Running {
				percent += 10
				at := percent
				p.Progress(job.Progress{Percent: &at})
				cut <- struct{}{}
			} else if e.Job.State == job.Running {
				p.succeed()
			}
			return nil
		},
		Link: func(lost error) {
			if lost != nil {
				losses++
				return
			}
			returns++
		},
	})
	if err != nil || done.Job.State != job.Succeeded {
		t.Fatalf("%s, %v", done.Job.State, err)
	}
	if !slices.IsSorted(revs) || len(slices.Compact(slices.Clone(revs))) != len(revs) {
		t.Errorf("revisions %v", revs)
	}
	if losses == 0 || losses < returns {
		t.Errorf("lost %d times, back %d times, cut %d times", losses, returns, cuts.Load())
	}
}

func TestFollowPollsBehindAProxyThatHoldsStreamsBack(t *testing.T) {
	t.Parallel()
	h := open(t)
	c := h.proxy(func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		w.Header().Set("Content-Type", streamType)
		w.WriteHeader(http.StatusOK) // and not a byte more
		<-r.Context().Done()
	})
	e, p := h.start("one")
	h.becomes(e.Job.ID, job.Running)
	var states []job.State
	done, err := c.Follow(t.Context(), e.Job.ID, Follower{Changed: func(e job.Event) error {
		states = append(states, e.Job.State)
		if e.Job.State == job.Running {
			p.succeed()
		}
		return nil
	}})
	if err != nil || done.Job.State != job.Succeeded {
		t.Errorf("%v, %v", states, err)
	}
	if diff := cmp.Diff([]job.State{job.Running, job.Succeeded}, states); diff != "" {
		t.Error(diff)
	}
}

// TestR104_ATriggerCutInTheMiddleMakesOneJob cuts the connection after the
// server got the request and before the client got the answer.
func TestR104_ATriggerCutInTheMiddleMakesOneJob(t *testing.T) {
	t.Parallel()
	h := open(t)
	var posts atomic.Int32
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		a := h.do(r.Method, r.URL.Path, string(body), "Idempotency-Key", r.Header.Get("Idempotency-Key")) //nolint:contextcheck // what the server got, it does
		if posts.Add(1) < 3 {
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(a.StatusCode)
		_, _ = w.Write(a.body)
	}))
	t.Cleanup(front.Close)
	c := hurry(h.dial(front.URL))
	e, started, err := c.Trigger(t.Context(), Trigger{Action: "many"})
	if err != nil || started {
		t.Fatalf("started %v, %v", started, err)
	}
	h.next().succeed()
	h.becomes(e.Job.ID, job.Succeeded)
	if page, err := h.client.Jobs(t.Context(), job.Filter{}, "", 10); err != nil || len(page.Events) != 1 {
		t.Errorf("%d jobs, %v", len(page.Events), err)
	}
}

func TestAFollowerMayStop(t *testing.T) {
	t.Parallel()
	h := open(t)
	e, _ := h.start("one")
	enough := errors.New("enough")
	if _, err := h.client.Follow(t.Context(), e.Job.ID, Follower{Changed: func(job.Event) error { return enough }}); !errors.Is(err, enough) {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(enough)
	if _, err := h.client.Follow(ctx, e.Job.ID, Follower{}); !errors.Is(err, enough) {
		t.Errorf("%v", err)
	}
}
