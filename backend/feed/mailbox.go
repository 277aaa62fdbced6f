package feed

import (
	"context"
	"errors"
	"sync"

	"telltale/backend/job"
)

// ErrClosed says that the hub or the reader's own subscription was closed.
var ErrClosed = errors.New("the feed is closed")

// ErrOverrun says that a reader fell so far behind that even the newest change
// of each job did not fit. It must take the present anew and subscribe again.
var ErrOverrun = errors.New("the reader fell too far behind the feed")

// Item is one thing a reader is told: a change of a job, or lines of its log.
type Item struct {
	// Event is the change; its Seq is 0 when the item is of log lines.
	Event job.Event
	// Job is whose change or lines they are.
	Job job.ID
	// Lines are log lines in the order of N. A gap in N is lines this reader was
	// too slow for; they can be read from the log. Do not change them.
	Lines []job.Line
}

// Mailbox holds what one reader in this process has yet to be told. Of each job
// only the newest change waits; see the package comment. One goroutine reads it
// at a time; Close may be called by any, more than once.
type Mailbox struct {
	hub      *Hub
	interest Interest // guarded by Hub.mu
	ready    chan struct{}
	done     chan struct{}

	mu      sync.Mutex // guards what follows; taken after Hub.mu
	pending pending
	last    uint64 // the greatest Seq that was put in or skipped
	err     error  // why nothing more is put in
}

func newMailbox(h *Hub, i Interest) *Mailbox {
	return &Mailbox{hub: h, interest: i, ready: make(chan struct{}, 1), done: make(chan struct{})}
}

// Next waits for the next item. When ctx ends it returns its cause; when the
// mailbox is closed and empty ErrClosed; when the reader fell too far behind
// ErrOverrun.
func (m *Mailbox) Next(ctx context.Context) (Item, error) {
	for {
		if i, ok := m.Take(); ok {
			return i, nil
		}
		select {
		case <-m.ready:
		case <-m.done:
			if i, ok := m.Take(); ok { // put in just before it was closed
				return i, nil
			}
			m.mu.Lock()
			defer m.mu.Unlock()
			return Item{}, m.err
		case <-ctx.Done():
			return Item{}, context.Cause(ctx)
		}
	}
}

// Take is the next item if one waits.
func (m *Mailbox) Take() (Item, bool) {
	f := m.pop()
	if f == nil {
		return Item{}, false
	}
	return Item{Event: f.event, Job: f.job, Lines: f.lines}, true
}

// Skip forgets every change up to and including seq, waiting or still to come:
// the reader has the present as it was at seq.
func (m *Mailbox) Skip(seq uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pending.skip(seq)
	m.last = max(m.last, seq)
}

// Close ends the subscription. What waits can still be taken.
func (m *Mailbox) Close() {
	m.hub.mu.Lock()
	defer m.hub.mu.Unlock()
	m.hub.drop(m, ErrClosed)
}

func (m *Mailbox) pop() *frame {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.pending.pop()
}

// put is called with Hub.mu held. It reports false when the reader is overrun.
func (m *Mailbox) put(f *frame) (fits bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil || (f.seq != 0 && f.seq <= m.last) {
		return true
	}
	m.last = max(m.last, f.seq)
	dropped, fits := m.pending.push(f)
	m.hub.count.conflated.Add(uint64(dropped))
	select {
	case m.ready <- struct{}{}:
	default:
	}
	return fits
}

// end is called with Hub.mu held. It reports false when that was done before.
func (m *Mailbox) end(why error) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return false
	}
	m.err = why
	if errors.Is(why, ErrOverrun) {
		m.pending = pending{} // what is left has holes: the reader starts anew
	}
	close(m.done)
	return true
}
