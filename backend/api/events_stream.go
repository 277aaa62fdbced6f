package api

import (
	"context"
	"errors"
	"net"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"telltale/backend/feed"
	"telltale/backend/job"
)

// streamEvents takes the connection away from the HTTP server and gives it to
// the hub. Nothing of the request is used afterwards but what is in a.
func (s *Server) streamEvents(c *fiber.Ctx, a ask) error {
	request := s.requestID(c)
	c.Context().HijackSetNoResponse(true)
	c.Context().Hijack(func(conn net.Conn) {
		defer s.caught(request, conn)
		s.openStream(conn, a, request)
	})
	return nil
}

// openStream subscribes, reads the past and goes live, in this order.
func (s *Server) openStream(conn net.Conn, a ask, request string) {
	stream, err := s.Hub.Attach(conn, feed.StreamOptions{Interest: a.interest})
	if err != nil {
		s.turnAway(conn, err, request)
		return
	}
	begun := false
	defer func() {
		if !begun { // also on a panic
			stream.Go(farewell(request, "error", s.Hub.RetryDelay()), 0)
			stream.Close("")
		}
	}()
	ctx, cancel := s.work()
	defer cancel()
	p, err := s.past(ctx, a)
	if err != nil {
		s.logFault(request, err, faultOf(refusalOf(err).code))
		return
	}
	begun = true
	stream.Go(s.preamble(stream.ID(), a, p, request), p.head.Seq)
	if a.from != (job.Cursor{}) && !p.lost {
		// A reader that comes back may name jobs it did not name before; nothing that
		// it missed tells how they stand.
		if err := s.show(stream, a.interest); err != nil {
			s.logFault(request, err, faultOf("internal"))
		}
	}
}

// preamble is the answer's head and everything up to going live.
func (s *Server) preamble(stream string, a ask, p past, request string) []byte {
	size := 4 << 10
	for _, e := range p.events {
		size += len(e.Data) + 128
	}
	b := appendHead(make([]byte, 0, size), request)
	b = feed.AppendPadding(b)
	b = feed.AppendRetry(b, s.Hub.RetryDelay())
	// The first events carry an id only when no job follows that has one: a cut
	// before the last job of the present must not look like a cut after it.
	id := ""
	if len(p.events) == 0 {
		id = "id: " + p.head.String() + "\n"
	}
	if !p.lost {
		b = append(b, id...)
	}
	b = feed.AppendHello(b, feed.Hello{Stream: stream, Now: s.now(), Head: p.head, ResumedFrom: a.from, Lost: p.lost})
	if p.lost {
		b = append(b, id...)
		b = feed.AppendReset(b)
	}
	for _, e := range p.events {
		b = feed.AppendJobEvent(b, p.head.Feed, e)
	}
	return b
}

// appendHead is the head of a stream's answer. The end of the stream is the end
// of the connection.
func appendHead(b []byte, request string) []byte {
	b = append(b, "HTTP/1.1 200 OK\r\nContent-Type: "+streamType+"\r\n"+
		"Cache-Control: no-store, no-transform\r\nX-Accel-Buffering: no\r\nVary: Accept\r\n"+
		"X-Content-Type-Options: nosniff\r\nCross-Origin-Resource-Policy: same-origin\r\nConnection: close\r\n"...)
	b = append(b, fiber.HeaderXRequestID+": "+request+"\r\nDate: "...)
	b = time.Now().UTC().AppendFormat(b, http.TimeFormat)
	return append(b, "\r\n\r\n"...)
}

// farewell is a whole stream that only says when to come back. A browser gives
// up for ever on any other status, so trouble that passes is told like this.
func farewell(request, reason string, retry time.Duration) []byte {
	return feed.AppendBye(appendHead(nil, request), reason, retry)
}

// turnAway answers a reader that the hub did not take.
func (s *Server) turnAway(conn net.Conn, err error, request string) {
	answer := farewell(request, "shutdown", s.Hub.RetryDelay())
	if errors.Is(err, feed.ErrTooMany) {
		r := refuse("too_many_streams", "There are too many open streams.")
		r.header = map[string]string{"Retry-After": "10"}
		answer = rawProblem(r, request)
	} else if !errors.Is(err, feed.ErrClosed) {
		s.logFault(request, err, faultOf("internal"))
		answer = rawProblem(refusalOf(err), request)
	}
	_ = conn.SetWriteDeadline(time.Now().Add(writeTimeout))
	_, _ = conn.Write(answer)
	_ = conn.Close()
}

// rawProblem is a problem for a connection that was taken away from the server.
func rawProblem(r *refusal, request string) []byte {
	f := faultOf(r.code)
	body := problemBody(r, f, request)
	b := []byte("HTTP/1.1 " + strconv.Itoa(f.status) + " " + http.StatusText(f.status) + "\r\nContent-Type: " + problemType +
		"\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n")
	for name, value := range r.header {
		b = append(b, name+": "+value+"\r\n"...)
	}
	b = append(b, "Content-Length: "+strconv.Itoa(len(body))+"\r\n\r\n"...)
	return append(b, body...)
}

// caught ends a stream's goroutine that panicked without ending the process.
func (s *Server) caught(request string, conn net.Conn) {
	if r := recover(); r != nil {
		s.logFault(request, &panicError{value: r, stack: debug.Stack()}, faultOf("internal"))
		_ = conn.Close()
	}
}

// ended calls cancel when the client closes its side; what it sends is ignored.
func ended(conn net.Conn, cancel context.CancelFunc) {
	defer cancel()
	var b [256]byte
	for {
		if _, err := conn.Read(b[:]); err != nil {
			return
		}
	}
}
