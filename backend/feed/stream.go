package feed

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"runtime/debug"
	"time"

	"telltale/backend/job"
)

// ErrTooMany says that there is no room for another stream, in all or from the
// same remote address. Ask the reader to come back later.
var ErrTooMany = errors.New("too many streams")

// StreamOptions say what a stream carries, and for whom.
type StreamOptions struct {
	// Interest is what the reader asked for.
	Interest Interest
	// Remote is the address streams are counted by. Defaults to the host of the
	// connection's remote address; a proxy's address should be replaced here by
	// that of its client.
	Remote string
}

// Stream is one reader of server-sent events. All methods may be called at
// once, and after the stream has ended.
type Stream struct {
	hub      *Hub
	id       string
	remote   string
	interest Interest // guarded by Hub.mu
	via      carrier
	done     chan struct{}
}

// carrier brings what a stream is told to its connection. Its methods are
// called with Hub.mu held and do not block.
type carrier interface {
	begin(preamble []byte, after uint64)
	change(from, to Interest)
	show(f *frame)
	// end sends a farewell if the connection takes it soon, and closes.
	end(farewell []byte)
	// cut closes at once.
	cut()
}

// Attach takes over a connection whose request was read and whose answer was
// not begun, and collects for it from now on; nothing is sent before Go. The
// caller must call Go or Close. Connections of fasthttp need the server's
// KeepHijackedConns.
//
// On Linux the socket of a TCP or Unix connection is taken out of conn, and conn
// is closed: whoever counts connections counts it as gone, the hub's own limits
// hold from here. Anything else (TLS, pipes, other systems) is served by a
// goroutine. Wrappers are seen through when they have a method SyscallConn or
// UnsafeConn.
//
// On an error, ErrTooMany or ErrClosed, conn is untouched and stays the caller's.
func (h *Hub) Attach(conn net.Conn, o StreamOptions) (*Stream, error) {
	s := &Stream{hub: h, interest: o.Interest.clone(), remote: o.Remote, done: make(chan struct{})}
	if s.remote == "" {
		s.remote = host(conn.RemoteAddr())
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.admit(s); err != nil {
		h.count.refused.Add(1)
		return nil, err
	}
	if !h.fleet.take(h, s, conn) {
		newCourier(h, s, conn)
	}
	h.streams[s.id] = s
	if s.remote != "" {
		h.remotes[s.remote]++
	}
	h.count.attached.Add(1)
	return s, nil
}

func (h *Hub) admit(s *Stream) error {
	if h.closed {
		return ErrClosed
	}
	if len(h.streams) >= h.options.MaxStreams || h.remotes[s.remote] >= h.options.MaxPerRemote {
		return ErrTooMany
	}
	var b [15]byte
	if _, err := io.ReadFull(h.options.Random, b[:]); err != nil {
		return fmt.Errorf("random bits for a stream id: %w", err)
	}
	s.id = base64.RawURLEncoding.EncodeToString(b[:])
	return nil
}

// Stream finds an open stream by its id.
func (h *Hub) Stream(id string) (*Stream, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s, ok := h.streams[id]
	return s, ok
}

// ID names the stream: 20 characters of A-Z a-z 0-9 - and _, not to be guessed.
func (s *Stream) ID() string { return s.id }

// Done is closed when the stream has ended, whoever ended it.
func (s *Stream) Done() <-chan struct{} { return s.done }

// Go sends the preamble (the answer's head, hello, and the present or what was
// missed up to the place after), then whatever was collected with a greater
// Seq, and from then on what happens. It counts once; the preamble must not be
// changed afterwards.
func (s *Stream) Go(preamble []byte, after uint64) {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	s.via.begin(preamble, after)
}

// SetInterest replaces what the reader asked for, from the next change on. What
// happened to a newly named job before is not told: read it afterwards, and
// Show it if the reader cannot read it itself.
func (s *Stream) SetInterest(i Interest) {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	if s.hub.streams[s.id] != s {
		return
	}
	i = i.clone()
	s.via.change(s.interest, i)
	s.interest = i
}

// Show tells the present of a job out of turn. The event has no id, so the
// place the reader resumes after stays where it was.
func (s *Stream) Show(e job.Event) {
	f := &frame{event: e, job: e.Job.ID}
	f.wire = appendShown(nil, e)
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	s.via.show(f)
}

// Close ends the stream, after saying goodbye with the reason if it is not "".
func (s *Stream) Close(reason string) {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	var farewell []byte
	if reason != "" {
		farewell = AppendBye(nil, reason, s.hub.spread(1))
	}
	s.via.end(farewell)
}

// RetryDelay is a reconnection time to send once at the beginning of a stream:
// 2 s, give or take half a second, so that readers do not return as one.
func (h *Hub) RetryDelay() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return 1500*time.Millisecond + time.Duration(h.dice.Int64N(int64(time.Second)))
}

// spread is when one of n readers should come back: at least after a second,
// and a thousand of them a second at most. Hub.mu is held.
func (h *Hub) spread(n int) time.Duration {
	over := 2*time.Second + time.Duration(n)*time.Millisecond
	return minRetry + time.Duration(h.dice.Int64N(int64(over)))
}

// Shutdown says goodbye to every reader, with a spread of times to come back
// after, and closes what is open. Readers that have not taken the goodbye when
// ctx ends are cut off. What was published before is still told to mailboxes.
// Nothing can be attached or published afterwards.
func (h *Hub) Shutdown(ctx context.Context) {
	h.mu.Lock()
	if !h.closed {
		h.release()
		h.closed = true
		for m, courier := range h.open {
			if courier == nil {
				h.drop(m, ErrClosed)
			}
		}
		for _, s := range h.streams {
			s.via.end(AppendBye(nil, "shutdown", h.spread(len(h.streams))))
		}
	}
	open := make([]*Stream, 0, len(h.streams))
	for _, s := range h.streams {
		open = append(open, s)
	}
	h.mu.Unlock()
	for _, s := range open {
		select {
		case <-s.done:
			continue
		case <-ctx.Done():
		}
		h.mu.Lock()
		s.via.cut()
		h.mu.Unlock()
		<-s.done
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fleet.stop()
}

// gone takes a stream out of the books, once. Hub.mu is not held.
func (h *Hub) gone(s *Stream) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.streams[s.id] != s {
		return
	}
	delete(h.streams, s.id)
	if h.remotes[s.remote]--; h.remotes[s.remote] <= 0 {
		delete(h.remotes, s.remote)
	}
	h.fleet.forget(s)
	close(s.done)
}

// recovered keeps a fault in one goroutine from ending the process.
func (h *Hub) recovered(doing string) {
	if r := recover(); r != nil {
		h.fault(doing, r)
	}
}

func (h *Hub) fault(doing string, r any) {
	h.count.faults.Add(1)
	h.options.Log.Error("feed fault",
		slog.String("doing", doing), slog.Any("panic", r), slog.String("stack", string(debug.Stack())))
}

func host(a net.Addr) string {
	if a == nil {
		return ""
	}
	name, _, err := net.SplitHostPort(a.String())
	if err != nil {
		return "" // a Unix socket or a pipe
	}
	return name
}

func seed(random io.Reader) uint64 {
	var b [8]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return 0 // it only spreads reconnection; Attach reports the same error
	}
	return binary.LittleEndian.Uint64(b[:])
}
