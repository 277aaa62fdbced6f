package feed

import "sync/atomic"

// Stats is what a hub has done and holds, for metrics. The counts only rise.
type Stats struct {
	Streams   int // open now
	Mailboxes int // open now, without those of streams
	Backlogs  int // streams whose socket is full now (Linux sockets only)

	Events    uint64 // changes published
	Delivered uint64 // frames handed to sockets
	Conflated uint64 // frames a newer one took out before a reader had taken them
	Attached  uint64 // streams opened
	Refused   uint64 // streams refused for want of room
	Stalled   uint64 // streams closed because they took nothing
	Overrun   uint64 // readers closed because they fell too far behind
	Faults    uint64 // panics caught
}

type counters struct {
	backlogs                               atomic.Int64
	events, delivered, conflated, attached atomic.Uint64
	refused, stalled, overrun, faults      atomic.Uint64
}

// Stats counts.
func (h *Hub) Stats() Stats {
	h.mu.Lock()
	streams, boxes := len(h.streams), 0
	for _, courier := range h.open {
		if courier == nil {
			boxes++
		}
	}
	h.mu.Unlock()
	c := &h.count
	return Stats{
		Streams:   streams,
		Mailboxes: boxes,
		Backlogs:  int(c.backlogs.Load()),
		Events:    c.events.Load(),
		Delivered: c.delivered.Load(),
		Conflated: c.conflated.Load(),
		Attached:  c.attached.Load(),
		Refused:   c.refused.Load(),
		Stalled:   c.stalled.Load(),
		Overrun:   c.overrun.Load(),
		Faults:    c.faults.Load(),
	}
}
