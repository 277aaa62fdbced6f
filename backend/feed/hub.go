package feed

import (
	"crypto/rand"
	"io"
	"log/slog"
	mathrand "math/rand/v2"
	"sync"
	"time"

	"telltale/backend/job"
)

// Options say how a hub behaves. The zero value of every field but Feed is a
// sensible default.
type Options struct {
	// Feed is the name of the feed, the first part of every event's id.
	Feed string
	// Clock tells the time that heartbeats carry. Defaults to time.Now.
	Clock func() time.Time
	// Random gives stream ids and spreads reconnection. Defaults to crypto/rand.
	Random io.Reader
	// Log hears of faults. Defaults to slog.Default().
	Log *slog.Logger

	// MaxStreams is how many streams may be open at once. Defaults to 10,000.
	MaxStreams int
	// MaxPerRemote is how many of them one remote address may have. Defaults to
	// 32. Connections without an address (Unix sockets, pipes) are not counted.
	MaxPerRemote int

	// Pace is the least time between two Minor changes of one job on the topic
	// jobs. Defaults to one second.
	Pace time.Duration
	// Beat is how often a stream hears a heartbeat while a job it watches is
	// running. Defaults to 2.5 s, so that no reader waits longer than 3 s.
	Beat time.Duration
	// Rest is the same for a stream that watches nothing that runs. Defaults to
	// five times Beat. It is rounded down to a multiple of Beat.
	Rest time.Duration
	// Stall is how long a stream may take nothing of what waits for it before it
	// is closed. Defaults to 10 s; the closing comes at most Beat later.
	Stall time.Duration
}

func (o Options) withDefaults() Options {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	or(&o.MaxStreams, 10_000)
	or(&o.MaxPerRemote, 32)
	or(&o.Pace, time.Second)
	or(&o.Beat, 2500*time.Millisecond)
	or(&o.Rest, 5*o.Beat)
	or(&o.Stall, 10*time.Second)
	return o
}

func or[T int | time.Duration](value *T, otherwise T) {
	if *value <= 0 {
		*value = otherwise
	}
}

// Hub hands every change to the readers that asked for it. All methods may be
// called at once, but Publish only by one goroutine at a time. New starts
// nothing; what Attach starts ends with Shutdown.
type Hub struct {
	options Options
	count   counters

	mu      sync.Mutex // guards what follows; taken before any other lock of the package
	closed  bool
	dice    *mathrand.Rand
	seq     uint64 // the last change published
	running map[job.ID]string
	busy    map[string]int // running jobs by action
	held    held
	boxes   index[*Mailbox]
	open    map[*Mailbox]*courier // nil for a mailbox that is not a courier's
	fleet   fleet                 // the shards, where the system has them
	streams map[string]*Stream
	remotes map[string]int
}

// New makes a hub for the named feed.
func New(o Options) *Hub {
	o = o.withDefaults()
	h := &Hub{
		options: o,
		running: map[job.ID]string{},
		busy:    map[string]int{},
		boxes:   newIndex[*Mailbox](),
		open:    map[*Mailbox]*courier{},
		streams: map[string]*Stream{},
		remotes: map[string]int{},
	}
	h.dice = mathrand.New(mathrand.NewPCG(seed(o.Random), seed(o.Random)))
	return h
}

// Publish tells of a change. Changes come in the order of Seq; one that is not
// newer than the last is ignored, so a tail may be started over.
func (h *Hub) Publish(e job.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if e.Seq <= h.seq || h.closed {
		return
	}
	h.seq = e.Seq
	h.count.events.Add(1)
	h.note(e.Job)
	f := &frame{event: e, job: e.Job.ID, seq: e.Seq}
	if !e.Minor {
		h.held.forget(f.job) // this change takes it over
		h.release()
		h.deliver(delivery{frame: f, to: toJobs | toJob})
		return
	}
	h.hold(f)
}

// PublishLines tells of lines added to a job's log, in the order of N. The
// caller must not change them afterwards.
func (h *Hub) PublishLines(id job.ID, lines []job.Line) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || !h.asked(id) {
		return
	}
	for len(lines) > 0 {
		n := batch(lines)
		h.deliver(delivery{frame: &frame{lines: lines[:n:n], job: id}, to: toLog})
		lines = lines[n:]
	}
}

// Subscribe opens a mailbox that collects from now on.
func (h *Hub) Subscribe(i Interest) *Mailbox {
	h.mu.Lock()
	defer h.mu.Unlock()
	m := newMailbox(h, i.clone())
	if h.closed {
		m.end(ErrClosed)
		return m
	}
	h.open[m] = nil
	h.boxes.add(m, m.interest)
	return m
}

// drop takes a mailbox out. Hub.mu is held.
func (h *Hub) drop(m *Mailbox, why error) {
	if !m.end(why) {
		return
	}
	delete(h.open, m)
	h.boxes.remove(m, m.interest)
}

// note keeps the running jobs, which is what the pace of heartbeats hangs on.
func (h *Hub) note(j job.Job) {
	_, was := h.running[j.ID]
	is := j.State == job.Running
	switch {
	case is && !was:
		h.running[j.ID] = j.Action
		h.busy[j.Action]++
	case was && !is:
		delete(h.running, j.ID)
		if h.busy[j.Action]--; h.busy[j.Action] <= 0 {
			delete(h.busy, j.Action)
		}
	}
}

// watches reports whether a job the reader watches is running. Hub.mu is held.
func (h *Hub) watches(i *Interest) bool {
	if len(h.running) == 0 {
		return false
	}
	if i.Jobs && len(i.Actions) == 0 {
		return true
	}
	for action := range i.Actions {
		if h.busy[action] > 0 {
			return true
		}
	}
	for id := range i.Job {
		if _, runs := h.running[id]; runs {
			return true
		}
	}
	for id := range i.Log {
		if _, runs := h.running[id]; runs {
			return true
		}
	}
	return false
}

const (
	batchLines = 200
	batchBytes = 32 << 10
)

// batch is how many of the lines go into one frame, at least one.
func batch(lines []job.Line) int {
	size := 0
	for i, l := range lines {
		size += len(l.Text)
		if i == batchLines || (i > 0 && size > batchBytes) {
			return i
		}
	}
	return len(lines)
}
