//go:build linux && (amd64 || arm64)

package feed

import (
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// enter begins to own a reader.
func (s *shard) enter(r *reader) {
	if len(s.free) == 0 {
		s.slots = append(s.slots, nil)
		s.free = append(s.free, int32(len(s.slots)-1))
	}
	r.slot = s.free[len(s.free)-1]
	s.free = s.free[:len(s.free)-1]
	s.life++
	r.life = s.life
	s.slots[r.slot] = r
	s.index.add(r, r.interest)
	if s.count++; s.count == 1 {
		s.ticker.Reset(s.hub.options.Beat / beats)
	}
	if err := s.control(unix.EPOLL_CTL_ADD, r, 0); err != nil {
		s.leave(r)
	}
}

// leave closes a reader, once.
func (s *shard) leave(r *reader) {
	if r.closed {
		return
	}
	r.closed, r.run = true, 0
	r.settle()
	s.index.remove(r, r.interest)
	s.slots[r.slot] = nil
	s.free = append(s.free, r.slot)
	if s.count--; s.count == 0 {
		s.ticker.Stop()
	}
	_ = unix.Close(r.fd) // also takes it out of the epoll set
	s.hub.gone(r.stream)
}

// begin lets a held reader go.
func (s *shard) begin(r *reader, preamble []byte, after uint64) {
	if r.closed || r.ending || !r.held {
		return
	}
	r.held = false
	r.last = max(r.last, after)
	if r.backlog == nil {
		s.write(r, preamble)
		return
	}
	r.backlog.pending.skip(after)
	r.backlog.rest, r.backlog.since = preamble, time.Now()
	s.drain(r)
}

func (s *shard) change(r *reader, to Interest) {
	if r.closed {
		return
	}
	s.index.remove(r, r.interest)
	r.interest = to
	s.index.add(r, to)
}

func (s *shard) show(r *reader, f *frame) {
	switch {
	case r.closed || r.ending:
	case r.waits():
		s.keep(r, f)
	default:
		s.write(r, f.wire)
	}
}

func (s *shard) end(r *reader, farewell []byte) {
	switch {
	case r.closed:
		return
	case r.held: // nothing was said yet, so there is nothing to say goodbye to
		s.leave(r)
		return
	case r.backlog == nil:
		s.write(r, farewell)
	default: // what waits is missed, not lost: the reader resumes before it
		r.backlog.pending = pending{}
		r.backlog.pending.push(&frame{wire: farewell})
	}
	r.ending = true
	if r.backlog == nil {
		s.leave(r)
	}
}

// write sends a block that is nobody else's; nothing waits for the reader.
func (s *shard) write(r *reader, block []byte) {
	n, err := send(r.fd, block)
	if err != nil {
		s.leave(r)
		return
	}
	if n < len(block) {
		s.owe(r, block[n:])
		s.arm(r)
	}
}

// owe notes the rest of a block that was begun.
func (s *shard) owe(r *reader, rest []byte) {
	r.backlog = &backlog{rest: rest, since: time.Now()}
	s.hub.count.backlogs.Add(1)
}

// arm asks the poller to say when the socket takes more.
func (s *shard) arm(r *reader) {
	if r.closed {
		return
	}
	if err := s.control(unix.EPOLL_CTL_MOD, r, unix.EPOLLOUT); err != nil {
		s.leave(r)
	}
}

// drain sends what waits for a reader, as much as its socket takes.
func (s *shard) drain(r *reader) {
	b := r.backlog
	if r.closed || r.held || b == nil {
		return
	}
	for {
		if len(b.rest) == 0 {
			b.rest = s.next(b)
		}
		if len(b.rest) == 0 {
			break
		}
		n, err := send(r.fd, b.rest)
		if err != nil {
			s.leave(r)
			return
		}
		if n > 0 {
			b.since = time.Now()
		}
		if b.rest = b.rest[n:]; len(b.rest) > 0 {
			s.arm(r)
			return
		}
	}
	r.settle()
	if r.ending {
		s.leave(r)
		return
	}
	if err := s.control(unix.EPOLL_CTL_MOD, r, 0); err != nil {
		s.leave(r)
	}
}

// next is the block that goes out next: one frame, or several joined.
func (s *shard) next(b *backlog) []byte {
	var block []byte
	for len(block) < gather {
		f := b.pending.pop()
		if f == nil {
			break
		}
		s.sent++
		if block == nil {
			block = slices.Clip(f.wire) // shared: append copies
			continue
		}
		block = append(block, f.wire...)
	}
	return block
}

// beat is run for each tick; it serves a tenth of the readers: those that stall
// are closed, those whose turn it is hear a heartbeat.
func (s *shard) beat() {
	var block []byte
	rest := uint8(max(1, min(200, s.hub.options.Rest/s.hub.options.Beat)))
	for _, r := range s.turn() {
		switch {
		case r.held:
		case r.backlog != nil:
			if time.Since(r.backlog.since) > s.hub.options.Stall {
				s.hub.count.stalled.Add(1)
				s.leave(r)
			}
		case r.quiet >= rest:
			r.quiet = 0
			if block == nil {
				block = AppendHeartbeat(nil, s.hub.options.Clock())
			}
			s.write(r, block)
		}
	}
}

// turn is the readers of this tick; those that watch something that runs are due.
func (s *shard) turn() []*reader {
	s.tick = (s.tick + 1) % beats
	var turn []*reader
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	for i := s.tick; i < len(s.slots); i += beats {
		r := s.slots[i]
		if r == nil {
			continue
		}
		r.quiet++
		if s.hub.watches(&r.interest) {
			r.quiet = 255
		}
		turn = append(turn, r)
	}
	return turn
}

// watch hands on what the poller says: who left, and whose socket takes more.
func (s *shard) watch() {
	defer s.group.Done()
	defer s.hub.recovered("poll")
	raw, err := s.poll.SyscallConn()
	if err != nil {
		return
	}
	events := make([]unix.EpollEvent, 256)
	_ = raw.Read(func(fd uintptr) bool {
		for {
			n, err := unix.EpollWait(int(fd), events, 0)
			if n <= 0 && err != unix.EINTR {
				return false // parks until the set has something to say
			}
			for _, e := range events[:max(n, 0)] {
				s.order(func() { s.happened(e) })
			}
		}
	})
}

func (s *shard) happened(e unix.EpollEvent) {
	r := s.slots[e.Fd]
	if r == nil || r.life != e.Pad {
		return
	}
	if e.Events&(unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
		s.leave(r)
		return
	}
	s.drain(r)
}

func (s *shard) control(op int, r *reader, out uint32) error {
	return unix.EpollCtl(s.set, op, r.fd, r.events(out))
}
