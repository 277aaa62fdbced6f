package api

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"telltale/backend/job"
)

func (l *listener) hello() Hello {
	l.t.Helper()
	b := l.next()
	if b.event != "hello" {
		l.t.Fatalf("first event is %s %s", b.event, b.data)
	}
	return decoded[Hello](l.t, b.data)
}

// job is the next job event.
func (l *listener) job() (job.Event, string) {
	l.t.Helper()
	b := l.nextOf("job")
	e := decoded[JobEvent](l.t, b.data)
	out, err := e.Job.Event()
	if err != nil {
		l.t.Fatal(err)
	}
	out.Seq = e.Seq
	return out, b.id
}

func TestAStreamBeginsWithHelloAndThePresent(t *testing.T) {
	t.Parallel()
	h := open(t)
	first, p1 := h.start("one")
	second, _ := h.start("many")
	h.becomes(first.Job.ID, job.Running)
	h.becomes(second.Job.ID, job.Running)
	h.finish("targeted")

	l := h.listen("")
	for name, want := range map[string]string{
		"Content-Type": "text/event-stream", "Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no",
		"X-Content-Type-Options": "nosniff", "Content-Length": "", "Content-Encoding": "", "Access-Control-Allow-Origin": "",
	} {
		if got := l.head.Get(name); got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
	hello := l.hello()
	if hello.Stream == "" || hello.Lost || hello.ResumedFrom != "" || time.Since(hello.Now).Abs() > time.Minute {
		t.Errorf("%+v", hello)
	}
	a, idA := l.job()
	b, idB := l.job()
	if a.Job.ID != first.Job.ID || b.Job.ID != second.Job.ID || a.Seq >= b.Seq {
		t.Errorf("the present is %s (%d), %s (%d)", a.Job.ID, a.Seq, b.Job.ID, b.Seq)
	}
	for id, seq := range map[string]uint64{idA: a.Seq, idB: b.Seq} {
		if c, err := job.ParseCursor(id); err != nil || c.Seq != seq {
			t.Errorf("id %q of change %d", id, seq)
		}
	}
	p1.succeed()
	for {
		e, _ := l.job()
		if e.Job.ID == first.Job.ID && e.Job.State == job.Succeeded {
			break
		}
		if e.Seq <= b.Seq {
			t.Errorf("change %d after %d", e.Seq, b.Seq)
		}
	}
}

func TestAStreamThatComesBackGetsWhatItMissed(t *testing.T) {
	t.Parallel()
	h := open(t)
	e, p := h.start("one")
	l := h.listen("")
	l.hello()
	_, id := l.job()
	_ = l.conn.Close()
	p.succeed()
	done := h.becomes(e.Job.ID, job.Succeeded)
	h.finish("many")

	back := h.listen("", "Last-Event-ID", id)
	hello := back.hello()
	if hello.ResumedFrom != id || hello.Lost {
		t.Errorf("%+v", hello)
	}
	var last uint64
	seen := map[string]bool{}
	for !seen["many succeeded"] {
		e, _ := back.job()
		if e.Seq <= mustCursor(t, id).Seq || e.Seq <= last {
			t.Errorf("change %d again", e.Seq)
		}
		last = e.Seq
		seen[e.Job.Action+" "+string(e.Job.State)] = true
		if e.Job.ID == done.Job.ID && e.Job.State == job.Succeeded && string(e.Data) != string(done.Data) {
			t.Error("what is replayed is not what was stored")
		}
	}
	for _, want := range []string{"one succeeded", "many queued", "many running"} {
		if !seen[want] {
			t.Errorf("missed %s; saw %v", want, seen)
		}
	}
	// The query works for those who cannot set headers, and the header wins.
	q := h.listen("last_event_id="+hello.Head, "Last-Event-ID", id).hello()
	if q.ResumedFrom != id {
		t.Errorf("resumed from %s", q.ResumedFrom)
	}
	if q := h.listen("last_event_id=" + id).hello(); q.ResumedFrom != id {
		t.Errorf("resumed from %s", q.ResumedFrom)
	}
}

func mustCursor(t *testing.T, s string) job.Cursor {
	t.Helper()
	c, err := job.ParseCursor(s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestR86_AForgedOrForeignPlaceMeansForgetAndBeginAnew(t *testing.T) {
	t.Parallel()
	h := open(t)
	e, _ := h.start("one")
	h.becomes(e.Job.ID, job.Running)
	head, err := h.store.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"foreignfeed.1", head.Feed + ".999999", head.Feed + ".-1", "x", "'; drop table jobs", strings.Repeat("9", 500), "ü"} {
		l := h.listen("", "Last-Event-ID", id)
		hello := l.hello()
		if !hello.Lost {
			t.Errorf("%q: %+v", id, hello)
		}
		if b := l.next(); b.event != "reset" || string(b.data) != "{}" {
			t.Errorf("%q: then %s %s", id, b.event, b.data)
		}
		if now, _ := l.job(); now.Job.ID != e.Job.ID {
			t.Errorf("%q: the present is %s", id, now.Job.ID)
		}
	}
	for path, code := range map[string]string{
		"/api/v1/events?since=x": "bad_cursor", "/api/v1/events?since=" + head.Feed + ".01": "bad_cursor",
		"/api/v1/events?topics=everything": "bad_topic", "/api/v1/events?topics=job:..%2Fetc": "bad_topic", "/api/v1/events?topics=jobs:": "bad_topic",
		"/api/v1/events?topics=" + strings.Repeat("jobs,", 300): "bad_topic", "/api/v1/events?wait=100": "bad_request", "/api/v1/events?x=1": "bad_request",
	} {
		for _, accept := range []string{"text/event-stream", "application/json"} {
			if p := h.do("GET", path, "", "Accept", accept).problem(t); p.Status != 400 || p.Code != code {
				t.Errorf("%.60s: %+v", path, p)
			}
		}
	}
	// since= is given by our own client on purpose, so a foreign one is no mistake of a browser, but the answer is the same.
	if hello := h.listen("since=foreignfeed.7").hello(); !hello.Lost {
		t.Errorf("%+v", hello)
	}
	p := decoded[Changes](t, h.do("GET", "/api/v1/events?since=foreignfeed.7", "", "Accept", "application/json").body)
	if !p.Reset || len(p.Events) != 1 {
		t.Errorf("%+v", p)
	}
}

func TestAStreamIsOnlyRead(t *testing.T) {
	t.Parallel()
	h := open(t)
	for _, method := range []string{"HEAD", "POST", "PUT", "DELETE", "OPTIONS"} {
		a := h.do(method, "/api/v1/events", "", "Content-Type", "application/json")
		if a.StatusCode != http.StatusMethodNotAllowed || a.Header.Get("Allow") != "GET" {
			t.Errorf("%s: %d, Allow %q", method, a.StatusCode, a.Header.Get("Allow"))
		}
	}
	if a := h.do("GET", "/api/v1/events", "", "Accept", "image/png"); a.StatusCode != http.StatusNotAcceptable {
		t.Errorf("as a picture: %d", a.StatusCode)
	}
}
