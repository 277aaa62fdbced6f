package api

import (
	"context"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"telltale/backend/feed"
	"telltale/backend/job"
)

// brokenRecords panic once they are told to.
type brokenRecords struct {
	job.Records
	broken atomic.Bool
}

func (b *brokenRecords) Live(ctx context.Context) ([]job.Event, job.Cursor, error) {
	if b.broken.Load() {
		panic("live")
	}
	return b.Records.Live(ctx)
}

func (b *brokenRecords) ReadLog(ctx context.Context, id job.ID, from int64, limit int) (job.LogPart, error) {
	if b.broken.Load() {
		panic("log")
	}
	return b.Records.ReadLog(ctx, id, from, limit)
}

func (b *brokenRecords) OpenLog(ctx context.Context, id job.ID) (io.ReadSeekCloser, int64, error) {
	text, size, err := b.Records.OpenLog(ctx, id)
	if b.broken.Load() && err == nil {
		return brokenText{text}, size, nil
	}
	return text, size, err
}

// brokenText panics while the answer is written, where no handler is any more.
type brokenText struct{ io.ReadSeekCloser }

func (brokenText) Read([]byte) (int, error) { panic("text") }

func TestR85_APanicInAStreamEndsThatStreamOnly(t *testing.T) {
	t.Parallel()
	records := &brokenRecords{}
	h := open(t, func(o *Options, _ *feed.Options) {
		records.Records = o.Records
		o.Records = records
	})
	e, p := h.start("one")
	p.say("a line")
	h.logged(e.Job.ID, 1)
	healthy := h.listen("")
	healthy.hello()
	records.broken.Store(true)

	// A browser gives up on anything but 200: it is told to come back.
	if b := h.listen("").next(); b.event != "bye" || decoded[Bye](t, b.data).Reason != "error" {
		t.Errorf("%s %s", b.event, b.data)
	}
	in := h.streamOf(e.Job.ID, "")
	if b, err := in.next(); err == nil {
		t.Errorf("log stream goes on with %s %s", b.event, b.data)
	}
	raw := h.raw("GET /api/v1/jobs/"+string(e.Job.ID)+"/log HTTP/1.1\r\nHost: localhost\r\nAccept: text/plain\r\n\r\n", time.Second)
	if strings.Contains(raw, "a line") {
		t.Errorf("text: %q", raw)
	}
	h.mustAnswer(t)
	for _, what := range []string{"panic: live", "panic: log"} {
		if !h.log.tells(what) {
			t.Errorf("the log does not tell of %q", what)
		}
	}
	// Who was there is served on, and who comes when all is well again, too.
	p.succeed()
	for {
		if e, _ := healthy.job(); e.Job.State == job.Succeeded {
			break
		}
	}
	records.broken.Store(false)
	h.listen("").hello()
}

func TestR74_ManyUnfinishedRequestsKeepNobodyWaiting(t *testing.T) {
	t.Parallel()
	h := open(t)
	for range 500 {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", h.addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		if _, err := io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: local"); err != nil {
			t.Fatal(err)
		}
	}
	h.mustAnswer(t)
	h.listen("").hello()
}
