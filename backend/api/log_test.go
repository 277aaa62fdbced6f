package api

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"telltale/backend/job"
)

// logged waits until the store keeps so many lines of the job.
func (h *house) logged(id job.ID, lines int64) {
	h.t.Helper()
	h.until(id, "logged", func(j job.Job) bool { return j.Log.Lines >= lines })
}

func TestALogIsReadInPartsAsTextAndByRange(t *testing.T) {
	t.Parallel()
	h := open(t)
	e, p := h.start("one")
	for i := range 250 {
		p.say(fmt.Sprintf("line %d <b>ü</b>\x1b[31m", i+1))
	}
	p.succeed()
	h.becomes(e.Job.ID, job.Succeeded)
	path := "/api/v1/jobs/" + string(e.Job.ID) + "/log"

	part := decoded[job.LogPart](t, h.do("GET", path+"?from=100&limit=2", "").body)
	if len(part.Lines) != 2 || part.Lines[0].N != 100 || part.Lines[0].Text != "line 100 <b>ü</b>\x1b[31m" || part.Next != 102 {
		t.Errorf("%+v", part)
	}
	if past := h.do("GET", path+"?from=1000", ""); !strings.HasPrefix(string(past.body), `{"lines":[],`) {
		t.Errorf("past the end: %s", past.body)
	}
	whole := h.do("GET", path, "", "Accept", "text/plain")
	text := string(whole.body)
	if whole.StatusCode != http.StatusOK || whole.Header.Get("Content-Type") != "text/plain; charset=utf-8" || strings.Count(text, "\n") != 250 {
		t.Fatalf("%d %v: %.100s", whole.StatusCode, whole.Header, text)
	}
	size := len(text)
	for _, c := range []struct {
		header   string
		status   int
		from, to int
	}{
		{"bytes=0-4", 206, 0, 5},
		{"bytes=5-", 206, 5, size},
		{"bytes=-7", 206, size - 7, size},
		{"bytes=0-999999", 206, 0, size},
		{"bytes=-999999", 206, 0, size},
		{fmt.Sprintf("bytes=%d-%d", size-1, size-1), 206, size - 1, size},
		{fmt.Sprintf("bytes=%d-", size), 416, 0, 0},
		{"bytes=99999999999999999999-", 416, 0, 0},
		{"bytes=-0", 416, 0, 0},
		{"bytes=5-1", 200, 0, size},
		{"lines=1-2", 200, 0, size},
		{"bytes=1-2,4-5", 200, 0, size},
		{"bytes=a-b", 200, 0, size},
	} {
		a := h.do("GET", path, "", "Accept", "text/plain", "Range", c.header)
		if a.StatusCode != c.status {
			t.Errorf("%s: %d, want %d", c.header, a.StatusCode, c.status)
			continue
		}
		switch c.status {
		case 416:
			if a.problem(t).Code != "bad_range" || a.Header.Get("Content-Range") != "bytes */"+strconv.Itoa(size) {
				t.Errorf("%s: %v", c.header, a.Header)
			}
		case 206:
			if want := fmt.Sprintf("bytes %d-%d/%d", c.from, c.to-1, size); a.Header.Get("Content-Range") != want {
				t.Errorf("%s: %q, want %q", c.header, a.Header.Get("Content-Range"), want)
			}
			fallthrough
		default:
			if string(a.body) != text[c.from:c.to] {
				t.Errorf("%s: %d bytes", c.header, len(a.body))
			}
		}
	}
	for query, code := range map[string]string{"?from=0": "bad_request", "?from=-1": "bad_request", "?limit=1001": "bad_request", "?x=": "bad_request"} {
		if p := h.do("GET", path+query, "").problem(t); p.Status != 400 || p.Code != code {
			t.Errorf("%s: %+v", query, p)
		}
	}
	for _, accept := range []string{"application/json", "text/plain", "text/event-stream"} {
		if p := h.do("GET", "/api/v1/jobs/01939f6e-7c1e-7a5e-8000-000000000001/log", "", "Accept", accept).problem(t); p.Status != 404 {
			t.Errorf("%s of no job: %+v", accept, p)
		}
	}
}

func TestAnEmptyLogIsEmpty(t *testing.T) {
	t.Parallel()
	h := open(t)
	path := "/api/v1/jobs/" + string(h.finish("one").Job.ID) + "/log"
	if a := h.do("GET", path, "", "Accept", "text/plain"); a.StatusCode != http.StatusOK || len(a.body) != 0 {
		t.Errorf("%d %q", a.StatusCode, a.body)
	}
	if part := decoded[job.LogPart](t, h.do("GET", path, "").body); len(part.Lines) != 0 || part.Next != 1 {
		t.Errorf("%+v", part)
	}
}

// streamOf opens the log's stream.
func (h *house) streamOf(id job.ID, last string) *blockReader {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.t.Context(), http.MethodGet, "http://"+h.addr+"/api/v1/jobs/"+string(id)+"/log", nil)
	if err != nil {
		h.t.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = res.Body.Close() })
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" {
		b, _ := io.ReadAll(res.Body)
		h.t.Fatalf("%d %v %s", res.StatusCode, res.Header, b)
	}
	return newBlockReader(res.Body)
}

func TestALogStreamGoesOnWhereItWasCut(t *testing.T) {
	t.Parallel()
	h := open(t)
	e, p := h.start("one")
	p.say("1", "2", "3")
	h.logged(e.Job.ID, 3)
	in := h.streamOf(e.Job.ID, "")
	for n := int64(1); n <= 3; n++ {
		b, err := in.next()
		if err != nil {
			t.Fatal(err)
		}
		if l := decoded[job.Line](t, b.data); b.event != "line" || l.N != n || b.id != strconv.FormatInt(n, 10) {
			t.Errorf("%s %s %s", b.event, b.id, b.data)
		}
	}
	p.say("4")
	b, err := in.next()
	for err == nil && b.event == "heartbeat" {
		b, err = in.next()
	}
	if err != nil || b.id != "4" {
		t.Fatalf("live line: %s %s, %v", b.event, b.data, err)
	}
	p.say("5")
	p.succeed()
	h.becomes(e.Job.ID, job.Succeeded)

	for last, want := range map[string]string{"": "1 2 3 4 5 end", "3": "4 5 end", "5": "end", "99": "end", "abc": "1 2 3 4 5 end", "-4": "1 2 3 4 5 end"} {
		in, got := h.streamOf(e.Job.ID, last), []string{}
		for {
			b, err := in.next()
			if err != nil {
				break // the end of the stream is the end of the connection
			}
			if b.event == "line" {
				got = append(got, decoded[job.Line](t, b.data).Text)
			}
			if b.event == "end" {
				got = append(got, "end")
				if next := decoded[LogEnd](t, b.data).Next; next < 6 {
					t.Errorf("after %q: next is %d", last, next)
				}
			}
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("after %q: %s", last, s)
		}
	}
}

func TestALogStreamSaysGoodbyeWhenTheServerStops(t *testing.T) {
	t.Parallel()
	h := open(t)
	e, _ := h.start("one")
	h.becomes(e.Job.ID, job.Running)
	in := h.streamOf(e.Job.ID, "")
	h.endLife(errShutdown)
	for {
		b, err := in.next()
		if err != nil {
			t.Fatal(err)
		}
		if b.event == "bye" {
			break
		}
	}
	stopped := make(chan struct{})
	go func() { h.streams.Wait(); close(stopped) }()
	select {
	case <-stopped:
	case <-time.After(10 * time.Second):
		t.Error("the stream's goroutine is still there")
	}
}
