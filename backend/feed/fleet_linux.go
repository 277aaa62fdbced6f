//go:build linux && (amd64 || arm64)

package feed

import (
	"log/slog"
	"net"
	"runtime"

	"telltale/backend/job"
)

// maxShards bounds the writers: beyond this the kernel is the limit.
const maxShards = 8

// fleet are the shards of a hub, one for each processor, started with the first
// stream. Its methods are called with Hub.mu held.
type fleet struct {
	shards []*shard
	next   int
	census []census // what the readers of each shard asked for
}

// census counts readers by topic, so that a shard nobody of which asked is not
// woken.
type census struct {
	jobs  int
	mixed int // readers of jobs that also asked for more
	job   map[job.ID]int
	log   map[job.ID]int
}

// take puts the stream on a shard if its connection has a socket.
func (f *fleet) take(h *Hub, s *Stream, conn net.Conn) bool {
	raw, ok := socketOf(conn)
	if !ok || (f.shards == nil && !f.start(h)) {
		return false
	}
	fd, ok := takeSocket(raw, 2*h.options.Stall)
	if !ok {
		return false
	}
	_ = conn.Close() // the stream lives on in the duplicate
	n := f.next % len(f.shards)
	f.next++
	r := &reader{stream: s, shard: f.shards[n], interest: s.interest, fd: fd, held: true}
	s.via = r
	f.census[n].count(s.interest, +1)
	r.shard.order(func() { r.shard.enter(r) })
	return true
}

func (f *fleet) start(h *Hub) bool {
	for range min(runtime.GOMAXPROCS(0), maxShards) {
		s, err := newShard(h)
		if err != nil {
			h.options.Log.Error("feed writer not started", slog.Any("error", err))
			f.stop()
			return false
		}
		f.shards = append(f.shards, s)
		f.census = append(f.census, census{job: map[job.ID]int{}, log: map[job.ID]int{}})
	}
	return true
}

// post hands a delivery to the shards with a reader for it.
func (f *fleet) post(d delivery, feed string) {
	for n, s := range f.shards {
		c := &f.census[n]
		if !c.wants(d) {
			continue
		}
		mine := d
		if c.mixed == 0 {
			mine.before = nil
		}
		for _, b := range mine.before {
			b.encode(feed)
		}
		mine.frame.encode(feed)
		s.deliver(mine)
	}
}

// logs reports whether a reader wants the job's log.
func (f *fleet) logs(id job.ID) bool {
	for n := range f.census {
		if f.census[n].log[id] > 0 {
			return true
		}
	}
	return false
}

func (f *fleet) forget(s *Stream) {
	if r, ok := s.via.(*reader); ok {
		f.count(r.shard, s.interest, -1)
	}
}

func (f *fleet) count(of *shard, i Interest, by int) {
	for n, s := range f.shards {
		if s == of {
			f.census[n].count(i, by)
		}
	}
}

func (f *fleet) stop() {
	for _, s := range f.shards {
		s.stop()
	}
	f.shards, f.census = nil, nil
}

func (c *census) wants(d delivery) bool {
	return (d.to&toJobs != 0 && c.jobs > 0) ||
		(d.to&toJob != 0 && c.job[d.frame.job] > 0) ||
		(d.to&toLog != 0 && c.log[d.frame.job] > 0)
}

func (c *census) count(i Interest, by int) {
	if i.Jobs {
		c.jobs += by
		if len(i.Job) > 0 {
			c.mixed += by
		}
	}
	for id := range i.Job {
		tally(c.job, id, by)
	}
	for id := range i.Log {
		tally(c.log, id, by)
	}
}

func tally(of map[job.ID]int, id job.ID, by int) {
	if of[id] += by; of[id] <= 0 {
		delete(of, id)
	}
}
