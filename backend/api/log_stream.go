package api

import (
	"context"
	"encoding/json"
	"net"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"telltale/backend/feed"
	"telltale/backend/job"
)

// streamLog takes the connection over and sends the log line by line. Logs are
// read by few at a time, so each has a goroutine of its own.
func (s *Server) streamLog(c *fiber.Ctx, id job.ID, from int64) error {
	ctx, cancel := s.work()
	defer cancel()
	if _, err := s.Records.Get(ctx, id); err != nil {
		return err
	}
	if s.open.Add(1) > maxLogStreams {
		s.open.Add(-1)
		r := refuse("too_many_streams", "There are too many open log streams.")
		r.header = map[string]string{"Retry-After": "10"}
		return r
	}
	s.streams.Add(1)
	request := s.requestID(c)
	c.Context().HijackSetNoResponse(true)
	c.Context().Hijack(func(conn net.Conn) {
		defer s.streams.Done()
		defer s.open.Add(-1)
		defer s.caught(request, conn)
		defer func() { _ = conn.Close() }()
		l := &logStream{server: s, conn: conn, id: id, next: from, request: request}
		if err := l.run(); err != nil && l.faulty {
			s.logFault(request, err, faultOf("internal"))
		}
	})
	return nil
}

// logStream is one reader of one log.
type logStream struct {
	server  *Server
	conn    net.Conn
	id      job.ID
	next    int64
	request string
	faulty  bool // the error that ended it is ours
}

func (l *logStream) run() error {
	s := l.server
	ctx, cancel := context.WithCancel(s.life)
	defer cancel()
	go ended(l.conn, cancel)
	box := s.Hub.Subscribe(feed.Interest{Job: map[job.ID]bool{l.id: true}, Log: map[job.ID]bool{l.id: true}})
	defer box.Close()
	retry := s.Hub.RetryDelay()
	if err := l.write(feed.AppendRetry(feed.AppendPadding(appendHead(nil, l.request)), retry)); err != nil {
		return err
	}
	for {
		final, err := l.catchUp()
		if err != nil {
			return err
		}
		if final {
			return l.write(appendData(nil, "end", "", LogEnd{Next: l.next}))
		}
		wait, done := context.WithTimeout(ctx, beat)
		_, err = box.Next(wait)
		done()
		for more := err == nil; more; {
			_, more = box.Take() // what it says is read from the log
		}
		switch {
		case err == nil:
		case s.life.Err() != nil:
			return l.write(feed.AppendBye(nil, "shutdown", retry))
		case ctx.Err() != nil:
			return nil // the reader left
		case wait.Err() != nil:
			if err := l.write(feed.AppendHeartbeat(nil, s.now())); err != nil {
				return err
			}
		default: // the mailbox is closed or overrun: the reader comes back for the rest
			return l.write(feed.AppendBye(nil, "closed", retry))
		}
	}
}

// catchUp sends every line that is kept. final reports that the job had ended
// before the log was read, so that nothing more will come.
func (l *logStream) catchUp() (final bool, err error) {
	s := l.server
	ctx, cancel := s.work()
	defer cancel()
	e, err := s.Records.Get(ctx, l.id)
	if err != nil {
		l.faulty = !missing(err)
		return false, err
	}
	for {
		part, err := s.Records.ReadLog(ctx, l.id, l.next, 200)
		if err != nil {
			l.faulty = !missing(err)
			return false, err
		}
		var out []byte
		for _, line := range part.Lines {
			out = appendData(out, "line", strconv.FormatInt(line.N, 10), line)
		}
		if len(out) > 0 {
			if err := l.write(out); err != nil {
				return false, err
			}
		}
		if part.Next <= l.next {
			return e.Job.State.Final(), nil
		}
		l.next = part.Next
	}
}

func (l *logStream) write(b []byte) error {
	if err := l.conn.SetWriteDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return err
	}
	_, err := l.conn.Write(b)
	return err
}

// appendData appends one block of a text/event-stream. JSON has no line ends.
func appendData(b []byte, event, id string, data any) []byte {
	b = append(b, "event: "+event+"\n"...)
	if id != "" {
		b = append(b, "id: "+id+"\n"...)
	}
	encoded, err := json.Marshal(data)
	if err != nil {
		encoded = []byte("{}") // lines and numbers always encode
	}
	b = append(append(b, "data: "...), encoded...)
	return append(b, "\n\n"...)
}
