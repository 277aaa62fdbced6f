//go:build linux && (amd64 || arm64)

package feed

import (
	"time"

	"golang.org/x/sys/unix"
)

// reader is a stream on a shard: no goroutine, no buffer, no channel of its own.
// Its fields belong to the shard's writer.
type reader struct {
	stream   *Stream
	shard    *shard
	interest Interest
	last     uint64 // the greatest Seq taken for it
	fd       int
	slot     int32 // its place in shard.slots
	life     int32 // tells it from an earlier reader of the same slot

	first, run int32 // frames of this round it is to get: run of them from first on

	held    bool // collects and sends nothing, until Go
	ending  bool // is closed once the backlog is out
	closed  bool
	quiet   uint8 // beats since it heard a heartbeat
	backlog *backlog
}

// backlog is what a reader holds while it cannot be sent to.
type backlog struct {
	rest    []byte // what is left of a frame that was begun, or of the preamble
	pending pending
	since   time.Time // when the socket last took something
}

func (r *reader) begin(preamble []byte, after uint64) {
	r.shard.order(func() { r.shard.begin(r, preamble, after) })
}

func (r *reader) change(from, to Interest) {
	hub := r.shard.hub
	hub.fleet.count(r.shard, from, -1)
	hub.fleet.count(r.shard, to, +1)
	r.shard.order(func() { r.shard.change(r, to) })
}

func (r *reader) show(f *frame) { r.shard.order(func() { r.shard.show(r, f) }) }

func (r *reader) end(farewell []byte) {
	r.shard.order(func() { r.shard.end(r, farewell) })
}

func (r *reader) cut() { r.shard.order(func() { r.shard.leave(r) }) }

// keep lets a frame wait. It reports false when the reader is overrun.
func (r *reader) keep(f *frame) bool {
	if r.backlog == nil {
		r.backlog = &backlog{since: time.Now()}
		r.shard.hub.count.backlogs.Add(1)
	}
	dropped, fits := r.backlog.pending.push(f)
	if dropped > 0 {
		r.shard.hub.count.conflated.Add(uint64(dropped))
	}
	return fits
}

// waits reports whether new frames must queue up behind others.
func (r *reader) waits() bool { return r.held || r.backlog != nil }

func (r *reader) settle() {
	if r.backlog != nil {
		r.backlog = nil
		r.shard.hub.count.backlogs.Add(-1)
	}
}

func (r *reader) events(out uint32) *unix.EpollEvent {
	return &unix.EpollEvent{Events: unix.EPOLLRDHUP | unix.EPOLLET | out, Fd: r.slot, Pad: r.life}
}
