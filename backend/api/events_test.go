package api

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/valyala/fasthttp/fasthttputil"

	"telltale/backend/feed"
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

func TestTopicsChooseWhatAStreamTells(t *testing.T) {
	t.Parallel()
	h := open(t)
	watched, p := h.start("many")
	other, q := h.start("one")
	h.becomes(watched.Job.ID, job.Running)
	h.becomes(other.Job.ID, job.Running)
	past := h.finish("targeted")

	// A named job is told whatever its state; no other is.
	l := h.listen("topics=job:" + string(past.Job.ID) + ",log:" + string(watched.Job.ID) + "&job=" + string(watched.Job.ID))
	hello := l.hello()
	got := map[job.ID]bool{}
	for range 2 {
		e, _ := l.job()
		got[e.Job.ID] = true
	}
	if want := map[job.ID]bool{past.Job.ID: true, watched.Job.ID: true}; !cmp.Equal(got, want) {
		t.Errorf("told of %v", got)
	}
	q.succeed()
	h.becomes(other.Job.ID, job.Succeeded)
	p.say("hello", "world")
	lines := decoded[LogLines](t, l.nextOf("log").data)
	if lines.Job != watched.Job.ID || len(lines.Lines) == 0 || lines.Lines[0].Text != "hello" || lines.Lines[0].N != 1 {
		t.Errorf("log: %+v", lines)
	}
	// Topics are replaced while it is open; what is named now is shown as it stands.
	put := func(stream, body string) reply { return h.do("PUT", "/api/v1/events/"+stream+"/topics", body) }
	if a := put(hello.Stream, `{"topics":["job:`+string(other.Job.ID)+`"]}`); a.StatusCode != http.StatusNoContent {
		t.Fatalf("PUT: %d %s", a.StatusCode, a.body)
	}
	for {
		e, id := l.job()
		if e.Job.ID == other.Job.ID {
			if id != "" || e.Job.State != job.Succeeded {
				t.Errorf("shown with id %q in state %s", id, e.Job.State)
			}
			break
		}
	}
	p.succeed()
	h.becomes(watched.Job.ID, job.Succeeded)
	if a := put(hello.Stream, `{"topics":["jobs"]}`); a.StatusCode != http.StatusNoContent {
		t.Fatalf("PUT: %d %s", a.StatusCode, a.body)
	}
	fresh := h.finish("reject")
	if e, _ := l.job(); e.Job.ID != fresh.Job.ID {
		t.Errorf("told of %s %s", e.Job.Action, e.Job.State)
	}
	for body, code := range map[string]string{`{"topics":["job:x"]}`: "bad_topic", `{"topics":"jobs"}`: "bad_json", `{"topic":[]}`: "bad_json"} {
		if p := put(hello.Stream, body).problem(t); p.Status != 400 || p.Code != code {
			t.Errorf("%s: %+v", body, p)
		}
	}
	if p := put("nosuchstream", `{"topics":[]}`).problem(t); p.Status != 404 {
		t.Errorf("unknown stream: %+v", p)
	}
}

func TestAnActionFilterNarrowsTheStream(t *testing.T) {
	t.Parallel()
	h := open(t)
	l := h.listen("action=many&action=reject")
	l.hello()
	h.finish("one")
	h.finish("many")
	if e, _ := l.job(); e.Job.Action != "many" {
		t.Errorf("told of %s", e.Job.Action)
	}
}

func TestLongPollTellsTheSameAndHolds(t *testing.T) {
	t.Parallel()
	h := open(t)
	poll := func(query string) Changes {
		return decoded[Changes](t, h.do("GET", "/api/v1/events?"+query, "", "Accept", "application/json").body)
	}
	begin := poll("wait=20") // without a place nothing is waited for
	if begin.Head == "" || len(begin.Events) != 0 || begin.Reset {
		t.Errorf("%+v", begin)
	}
	held := make(chan Changes, 1)
	go func() { held <- poll("since=" + begin.Head + "&wait=20&action=many") }()
	h.finish("one") // of no interest
	_, p := h.start("many")
	c := <-held
	if len(c.Events) == 0 || c.Reset {
		t.Fatalf("%+v", c)
	}
	for _, e := range c.Events {
		if j, err := e.Job.Event(); err != nil || j.Job.Action != "many" || e.Seq > mustCursor(t, c.Head).Seq {
			t.Errorf("told of %s at %d, head %s", j.Job.Action, e.Seq, c.Head)
		}
	}
	p.succeed()
	h.becomes(p.Job, job.Succeeded)
	// Walking on by head misses nothing.
	var states []job.State
	for at := begin.Head; ; {
		c := poll("since=" + at + "&action=many")
		for _, e := range c.Events {
			j, err := e.Job.Event()
			if err != nil {
				t.Fatal(err)
			}
			states = append(states, j.Job.State)
		}
		if at = c.Head; len(c.Events) == 0 {
			break
		}
	}
	if diff := cmp.Diff([]job.State{job.Queued, job.Running, job.Succeeded}, states); diff != "" {
		t.Error(diff)
	}
	if c := poll("since=" + c.Head + "&wait=1&action=reject"); len(c.Events) != 0 || c.Reset || c.Head == "" {
		t.Errorf("nothing happened: %+v", c)
	}
}

func TestHeartbeatsAndGoodbye(t *testing.T) {
	t.Parallel()
	h := open(t, func(_ *Options, o *feed.Options) { o.Beat, o.Rest = 20*time.Millisecond, 20*time.Millisecond })
	l := h.listen("")
	l.hello()
	for {
		b, err := l.in.next()
		if err != nil {
			t.Fatal(err)
		}
		if b.event == "heartbeat" {
			if at := decoded[Heartbeat](t, b.data).At; time.Since(at).Abs() > time.Minute || b.hasID {
				t.Errorf("%s with id %q", b.data, b.id)
			}
			break
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	h.Hub.Shutdown(ctx)
	if b := l.nextOf("bye"); decoded[Bye](t, b.data).Reason != "shutdown" {
		t.Errorf("%s", b.data)
	}
	if _, err := l.in.next(); err == nil {
		t.Error("something follows the goodbye")
	}
	// Who comes meanwhile is told to come back, not that it failed.
	late := h.listen("")
	if b := late.next(); b.event != "bye" {
		t.Errorf("late: %s", b.event)
	}
}

func TestTooManyStreamsAreTurnedAway(t *testing.T) {
	t.Parallel()
	h := open(t, func(_ *Options, o *feed.Options) { o.MaxStreams = 1 })
	h.listen("").hello()
	a := h.do("GET", "/api/v1/events", "", "Accept", "text/event-stream")
	if p := a.problem(t); p.Status != 503 || p.Code != "too_many_streams" || a.Header.Get("Retry-After") == "" {
		t.Errorf("%+v", p)
	}
	h.mustAnswer(t)
}

func TestStreamsWorkOverAListenerInMemory(t *testing.T) {
	t.Parallel()
	h := open(t)
	ln := fasthttputil.NewInmemoryListener()
	h.serve(ln)
	conn, err := ln.Dial()
	if err != nil {
		t.Fatal(err)
	}
	l := listenOn(t, conn, "")
	l.hello()
	e := h.finish("one")
	for {
		got, _ := l.job()
		if got.Job.ID == e.Job.ID && got.Job.State == job.Succeeded {
			break
		}
	}
}

// TestTheWireFollowsTheRulesForServers reads bytes, not events: rules 4, 7 to
// 10, 12, 14 to 17 and 20 of the list for servers.
func TestTheWireFollowsTheRulesForServers(t *testing.T) {
	t.Parallel()
	h := open(t)
	e, _ := h.start("one")
	h.becomes(e.Job.ID, job.Running)
	l := h.listen("")
	var raw strings.Builder
	in := bufio.NewReader(io.TeeReader(l.in.in, &raw))
	for !strings.Contains(raw.String(), "event: job") || !strings.HasSuffix(raw.String(), "\n\n") {
		if _, err := in.ReadByte(); err != nil {
			t.Fatal(err)
		}
	}
	s := raw.String()
	if strings.ContainsAny(s, "\r\x00") || strings.HasPrefix(s, "\xef\xbb\xbf") {
		t.Errorf("CR, NUL or BOM in %q", s)
	}
	if !strings.HasPrefix(s, ":") || strings.Index(s, "\n") < 2048 {
		t.Error("no padding at the beginning")
	}
	retries := 0
	for part := range strings.SplitSeq(strings.TrimSuffix(s, "\n\n"), "\n\n") {
		fields := map[string]int{}
		for line := range strings.SplitSeq(part, "\n") {
			name, value, _ := strings.Cut(line, ": ")
			fields[name]++
			if n, err := strconv.Atoi(value); name == "retry" && (err != nil || n < 1000) {
				t.Errorf("retry %q", value)
			}
		}
		retries += fields["retry"]
		if (fields["id"] > 0 || fields["event"] > 0) && fields["data"] != 1 {
			t.Errorf("an event without one line of data: %q", part)
		}
	}
	if retries != 1 {
		t.Errorf("retry is set %d times", retries)
	}
}

func TestManyMissedChangesAreToldOnceForEachJob(t *testing.T) {
	t.Parallel()
	var events []job.Event
	for i := range 100 {
		j := job.ID(fmt.Sprint(i % 4))
		events = append(events, job.Event{Seq: uint64(i + 1), Job: job.Job{ID: j}, Minor: i%10 != 0})
	}
	got := newest(events, func(e job.Event) bool { return !e.Minor })
	var seqs []uint64
	for _, e := range got {
		seqs = append(seqs, e.Seq)
	}
	if diff := cmp.Diff([]uint64{1, 11, 21, 31, 41, 51, 61, 71, 81, 91, 97, 98, 99, 100}, seqs); diff != "" {
		t.Error(diff)
	}
}
