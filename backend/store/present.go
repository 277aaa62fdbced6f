package store

import (
	"bytes"
	"cmp"
	"slices"
	"sync"

	"telltale/backend/job"
)

// ringSize is how many of the newest events are kept in memory for readers that
// are nearly up to date.
const ringSize = 2048

// entry is a live job in memory. The writer replaces event, born never changes;
// claimed belongs to the queue.
type entry struct {
	id      rawID
	event   *job.Event
	born    uint64
	key     keyHash
	lane    string
	claimed bool
	left    bool // no longer live; the entry waits to be swept out of order
}

// present is what is true now, in memory: live jobs, the newest events, the
// lanes. Only the writer changes jobs and events, by fold, so the writer may
// read them without the lock.
type present struct {
	mu      sync.RWMutex // guards everything below
	live    map[rawID]*entry
	order   []*entry // by id; may hold entries that left
	leaving int      // how many in order left
	ring    [ringSize]*job.Event
	head    uint64 // seq of the newest event
	oldest  uint64 // seq of the oldest event kept on disk
	lanes   map[string]*lane
	changed chan struct{} // closed when head moves
}

func newPresent(s state) *present {
	return &present{
		live: map[rawID]*entry{}, lanes: map[string]*lane{}, changed: make(chan struct{}),
		head: s.Seq, oldest: s.Oldest,
	}
}

// fold shows what the writer has put on disk: events in order, each with the
// entry it belongs to.
func (p *present) fold(all []*staged) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range all {
		p.head = c.event.Seq
		p.ring[p.head%ringSize] = c.event
		switch {
		case c.event.Job.State.Final():
			p.leave(c.entry)
		default:
			p.put(c.entry, c.event)
		}
	}
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *present) put(e *entry, ev *job.Event) {
	was := e.event
	e.event = ev
	if _, known := p.live[e.id]; !known {
		was = nil
		p.live[e.id] = e
		at, _ := slices.BinarySearchFunc(p.order, e.id, compareEntry)
		p.order = slices.Insert(p.order, at, e)
	}
	if ev.Job.State == job.Queued || (was != nil && was.Job.State == job.Queued) {
		p.line(e)
	}
}

// line puts an entry into its lane or takes it out, as its state says.
func (p *present) line(e *entry) {
	l := p.lanes[e.lane]
	if l == nil {
		l = &lane{wake: make(chan struct{})}
		p.lanes[e.lane] = l
	}
	if e.event.Job.State == job.Queued && !e.left {
		l.insert(e)
	} else {
		l.remove(e)
	}
	l.stir()
	if len(l.jobs) == 0 {
		delete(p.lanes, e.lane)
	}
}

func (p *present) leave(e *entry) {
	if p.live[e.id] != e {
		return // accepted as final: it was never live
	}
	delete(p.live, e.id)
	e.left = true
	if e.event.Job.State == job.Queued {
		p.line(e)
	}
	p.leaving++
	if p.leaving > 64 && p.leaving > len(p.order)/2 {
		p.order = slices.DeleteFunc(p.order, func(e *entry) bool { return e.left })
		p.leaving = 0
	}
}

// get is the newest event of a live job.
func (p *present) get(id rawID) (*job.Event, bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	e, ok := p.live[id]
	if !ok {
		return nil, false
	}
	return e.event, true
}

// all is every live job in the order of Seq, and the head at that moment.
func (p *present) all() ([]job.Event, uint64) {
	p.mu.RLock()
	events := make([]job.Event, 0, len(p.live))
	for _, e := range p.live {
		events = append(events, *e.event)
	}
	head := p.head
	p.mu.RUnlock()
	slices.SortFunc(events, func(a, b job.Event) int { return cmp.Compare(a.Seq, b.Seq) })
	return events, head
}

// before lists live jobs with an id below limit, newest first, that match.
func (p *present) before(limit rawID, match func(*job.Job) bool) ([]*entryView, uint64) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	var found []*entryView
	end, _ := slices.BinarySearchFunc(p.order, limit, compareEntry)
	for _, e := range slices.Backward(p.order[:end]) {
		if !e.left && match(&e.event.Job) {
			found = append(found, &entryView{id: e.id, event: e.event})
		}
	}
	return found, p.head
}

// entryView is an entry as it was when the lock was held.
type entryView struct {
	id    rawID
	event *job.Event
}

// since copies at most limit events after seq from the ring. It is false when
// the ring does not reach back that far.
func (p *present) since(seq uint64, limit int) (events []*job.Event, head uint64, changed <-chan struct{}, ok bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if seq >= p.head {
		return nil, p.head, p.changed, true
	}
	if e := p.ring[(seq+1)%ringSize]; e == nil || e.Seq != seq+1 {
		return nil, p.head, p.changed, false
	}
	n := min(p.head-seq, uint64(limit))
	for i := range n {
		events = append(events, p.ring[(seq+1+i)%ringSize])
	}
	return events, p.head, p.changed, true
}

// bounds is the newest seq and the oldest one still kept.
func (p *present) bounds() (oldest, head uint64) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.oldest, p.head
}

func compareEntry(e *entry, id rawID) int { return bytes.Compare(e.id[:], id[:]) }
