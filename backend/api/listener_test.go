package api

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// listener is an open event stream.
type listener struct {
	t    testing.TB
	conn net.Conn
	head http.Header
	in   *blockReader
}

// listen opens a stream over a socket of its own.
func (h *house) listen(query string, header ...string) *listener {
	h.t.Helper()
	conn, err := (&net.Dialer{}).DialContext(h.t.Context(), "tcp", h.addr)
	if err != nil {
		h.t.Fatal(err)
	}
	return listenOn(h.t, conn, query, header...)
}

func listenOn(tb testing.TB, conn net.Conn, query string, header ...string) *listener {
	tb.Helper()
	tb.Cleanup(func() { _ = conn.Close() })
	request := []byte("GET /api/v1/events?" + query + " HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n")
	for i := 0; i+1 < len(header); i += 2 {
		request = append(request, header[i]+": "+header[i+1]+"\r\n"...)
	}
	if _, err := conn.Write(append(request, "\r\n"...)); err != nil {
		tb.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	in := bufio.NewReader(conn)
	res, err := http.ReadResponse(in, nil) //nolint:bodyclose // the connection is closed, and the body is read raw
	if err != nil {
		tb.Fatal(err)
	}
	if res.StatusCode != http.StatusOK {
		b, _ := io.ReadAll(res.Body)
		tb.Fatalf("stream answered %d: %s", res.StatusCode, b)
	}
	return &listener{t: tb, conn: conn, head: res.Header, in: newBlockReader(in)}
}

// next is the next event that is no heartbeat.
func (l *listener) next() block {
	l.t.Helper()
	for {
		b, err := l.in.next()
		if err != nil {
			l.t.Fatalf("stream: %v", err)
		}
		if b.event != "heartbeat" {
			return b
		}
	}
}

// nextOf is the next event of the kind.
func (l *listener) nextOf(event string) block {
	l.t.Helper()
	for {
		if b := l.next(); b.event == event {
			return b
		}
	}
}
