package api

import (
	"bufio"
	"context"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp/fasthttputil"

	"telltale/backend/feed"
	"telltale/backend/job"
)

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
