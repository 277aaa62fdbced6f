//go:build linux && (amd64 || arm64)

package feed

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// beats is over how many ticks the heartbeats of a shard are spread, so that
	// ten thousand readers are not written to at one instant.
	beats = 10
	// politeness is after how many sends other goroutines get a turn.
	politeness = 128
	// gather is how many bytes of a backlog are joined for one send.
	gather = 64 << 10
	// queueLimit is how many deliveries may wait for a shard before those a newer
	// one takes over are dropped.
	queueLimit = 1024
	// keptScratch is the largest buffer a shard keeps between rounds.
	keptScratch = 1 << 20
)

// shard writes to the readers it owns. One goroutine writes, one waits for the
// poller; what they are asked to do stands in one queue, in order.
type shard struct {
	hub   *Hub
	wake  chan struct{}
	set   int      // the epoll set of its sockets
	poll  *os.File // the same, watched by Go's own poller
	group sync.WaitGroup

	mu    sync.Mutex // guards what follows; taken after Hub.mu
	queue []task
	limit int
	quit  bool

	// What follows belongs to the writer.
	index  index[*reader]
	slots  []*reader
	free   []int32
	life   int32
	count  int
	ticker *time.Ticker
	tick   int

	round  []*frame // of the deliveries worked on
	dirty  []*reader
	joined []byte // frames from..from+n of the round
	from   int32
	n      int32
	sends  int
	sent   uint64
}

// task is one thing in the queue: a delivery, or something to do.
type task struct {
	delivery

	do func()
}

func newShard(h *Hub) (*shard, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll set: %w", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("epoll set: %w", err)
	}
	s := &shard{
		hub:   h,
		wake:  make(chan struct{}, 1),
		set:   fd,
		poll:  os.NewFile(uintptr(fd), "epoll"),
		limit: queueLimit,
		index: newIndex[*reader](),
	}
	s.ticker = time.NewTicker(h.options.Beat / beats)
	s.ticker.Stop()
	s.group.Add(2)
	go s.run()
	go s.watch()
	return s, nil
}

// stop ends the shard after what is in its queue. It does not wait.
func (s *shard) stop() {
	s.mu.Lock()
	s.quit = true
	s.mu.Unlock()
	s.kick()
}

func (s *shard) order(do func()) { s.put(task{do: do}) }

func (s *shard) deliver(d delivery) { s.put(task{delivery: d}) }

func (s *shard) put(t task) {
	s.mu.Lock()
	s.queue = append(s.queue, t)
	if len(s.queue) > s.limit {
		s.queue = conflate(s.queue)
		s.limit = max(queueLimit, 2*len(s.queue))
	}
	s.mu.Unlock()
	s.kick()
}

func (s *shard) kick() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// run is the writer.
func (s *shard) run() {
	defer s.group.Done()
	var tasks []task
	for {
		select {
		case <-s.wake:
		case <-s.ticker.C:
			s.guard("heartbeat", s.beat)
			continue
		}
		s.mu.Lock()
		tasks, s.queue = s.queue, tasks[:0]
		quit := s.quit
		s.mu.Unlock()
		s.work(tasks)
		clear(tasks)
		if quit {
			_ = s.poll.Close()
			s.ticker.Stop()
			return
		}
	}
}

// work does what stands in the queue; deliveries that follow one another are one
// round, in which each reader is written to once if it can be.
func (s *shard) work(tasks []task) {
	for len(tasks) > 0 {
		if do := tasks[0].do; do != nil {
			s.guard("serve a stream", do)
			tasks = tasks[1:]
			continue
		}
		n := 1
		for n < len(tasks) && tasks[n].do == nil {
			n++
		}
		s.guard("fan out", func() { s.fanOut(tasks[:n]) })
		s.guard("fan out", s.flush)
		tasks = tasks[n:]
	}
	s.hub.count.delivered.Add(s.sent)
	s.sent = 0
}

// guard keeps a fault from ending the shard.
func (s *shard) guard(doing string, do func()) {
	defer s.hub.recovered(doing)
	do()
}

// fanOut notes for each reader which frames it is to get.
func (s *shard) fanOut(tasks []task) {
	for i := range tasks {
		d := &tasks[i].delivery
		before := int32(len(s.round))
		s.round = append(append(s.round, d.before...), d.frame)
		at := int32(len(s.round) - 1)
		if d.to&toJobs != 0 {
			action := d.frame.event.Job.Action
			for r := range s.index.jobs {
				if r.interest.wants(action) {
					s.take(r, at)
				}
			}
		}
		if d.to&toJob != 0 {
			for r := range s.index.job[d.frame.job] {
				for b := before; b < at; b++ {
					if r.interest.wants(s.round[b].event.Job.Action) {
						s.take(r, b)
					}
				}
				s.take(r, at)
			}
		}
		if d.to&toLog != 0 {
			for r := range s.index.log[d.frame.job] {
				s.take(r, at)
			}
		}
	}
}

// take gives a reader the frame at a place of the round, unless it had it.
func (s *shard) take(r *reader, at int32) {
	defer s.spare(r)
	f := s.round[at]
	if f.seq != 0 {
		if f.seq <= r.last {
			return
		}
		r.last = f.seq
	}
	switch {
	case r.closed || r.ending:
	case r.waits():
		s.keep(r, f)
	case r.run > 0 && r.first+r.run == at:
		r.run++
	case r.run > 0: // not the next frame: what it has so far goes out first
		s.send(r)
		if r.waits() {
			s.keep(r, f)
			return
		}
		r.first, r.run = at, 1
	default:
		s.dirty = append(s.dirty, r)
		r.first, r.run = at, 1
	}
}

func (s *shard) keep(r *reader, f *frame) {
	if !r.closed && !r.keep(f) {
		s.hub.count.overrun.Add(1)
		s.leave(r)
	}
}

// flush writes to every reader of the round.
func (s *shard) flush() {
	for _, r := range s.dirty {
		s.send(r)
		if s.sends++; s.sends%politeness == 0 {
			runtime.Gosched()
		}
	}
	clear(s.dirty)
	clear(s.round)
	s.dirty, s.round, s.n = s.dirty[:0], s.round[:0], 0
	if cap(s.joined) > keptScratch {
		s.joined = nil
	}
}

// spare is deferred wherever one reader is served: a fault closes that reader,
// and the others get what is theirs.
func (s *shard) spare(r *reader) {
	if fault := recover(); fault != nil {
		s.hub.fault("serve a stream", fault)
		s.leave(r)
	}
}

// send writes a reader's run of frames; what the socket does not take waits.
func (s *shard) send(r *reader) {
	defer s.spare(r)
	first, run := r.first, r.run
	if run == 0 {
		return
	}
	r.run = 0
	n, err := send(r.fd, s.join(first, run))
	if err != nil {
		s.leave(r)
		return
	}
	for at := first; at < first+run; at++ {
		f := s.round[at]
		switch {
		case n >= len(f.wire):
			n -= len(f.wire)
			s.sent++
		case n > 0:
			s.owe(r, f.wire[n:])
			n = 0
		default:
			s.keep(r, f)
		}
	}
	if r.backlog != nil {
		s.arm(r)
	}
}

// join is the blocks of a run in one piece. Readers that get the same run share
// it, which is nearly all of them.
func (s *shard) join(first, run int32) []byte {
	if run == 1 {
		return s.round[first].wire
	}
	if s.n != run || s.from != first {
		s.joined = s.joined[:0]
		for _, f := range s.round[first : first+run] {
			s.joined = append(s.joined, f.wire...)
		}
		s.from, s.n = first, run
	}
	return s.joined
}
