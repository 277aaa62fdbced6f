package feed

import (
	"errors"
	"net"
	"os"
	"slices"
	"sync"
	"time"
)

// parcel is how many bytes a courier writes at once, at least one frame.
const parcel = 32 << 10

// courier carries a stream with a goroutine that writes and one that notices
// when the reader leaves. It serves every connection a shard cannot.
type courier struct {
	hub    *Hub
	stream *Stream
	conn   net.Conn
	box    *Mailbox
	start  chan start    // holds what Go was given
	orders chan struct{} // closed by end
	left   chan struct{} // closed when the reader left, or by cut

	once, leave sync.Once // guard the closing of orders and left
	farewell    []byte    // set before orders is closed
}

type start struct {
	preamble []byte
	after    uint64
}

// newCourier is called with Hub.mu held.
func newCourier(h *Hub, s *Stream, conn net.Conn) {
	c := &courier{
		hub: h, stream: s, conn: conn, box: newMailbox(h, s.interest),
		start: make(chan start, 1), orders: make(chan struct{}), left: make(chan struct{}),
	}
	s.via = c
	h.open[c.box] = c
	h.boxes.add(c.box, c.box.interest)
	go c.write()
	go c.watch()
}

func (c *courier) begin(preamble []byte, after uint64) {
	select {
	case c.start <- start{preamble, after}:
	default: // it counts once
	}
}

func (c *courier) change(_, to Interest) {
	c.hub.boxes.remove(c.box, c.box.interest)
	c.box.interest = to
	c.hub.boxes.add(c.box, to)
}

func (c *courier) show(f *frame) { c.hub.put(c.box, f) }

func (c *courier) end(farewell []byte) {
	c.once.Do(func() {
		c.farewell = farewell
		close(c.orders)
	})
}

func (c *courier) cut() {
	c.leave.Do(func() {
		close(c.left)
		_ = c.conn.SetDeadline(time.Unix(1, 0)) // ends a write that hangs; Close could hang itself
	})
}

// watch reads, which is the only way to hear that the reader left. What it sends
// is of no interest.
func (c *courier) watch() {
	defer c.hub.recovered("watch a stream")
	defer c.cut()
	var b [64]byte
	for {
		if _, err := c.conn.Read(b[:]); err != nil {
			return
		}
	}
}

func (c *courier) write() {
	defer c.close()
	defer c.hub.recovered("write a stream")
	select {
	case s := <-c.start:
		c.box.Skip(s.after)
		if !c.send(s.preamble) {
			return
		}
	case <-c.orders:
		return // nothing was said yet, so there is nothing to say goodbye to
	case <-c.left:
		return
	}
	beat := time.NewTicker(c.hub.options.Beat)
	defer beat.Stop()
	c.carry(beat.C)
}

func (c *courier) carry(beat <-chan time.Time) {
	quiet := time.Duration(0)
	for {
		if !c.empty() {
			return
		}
		select {
		case <-c.box.ready:
		case <-beat:
			quiet += c.hub.options.Beat
			if quiet+c.hub.options.Beat > c.hub.options.Rest || c.watches() {
				quiet = 0
				if !c.send(AppendHeartbeat(nil, c.hub.options.Clock())) {
					return
				}
			}
		case <-c.orders:
			if c.empty() {
				c.send(c.farewell)
			}
			return
		case <-c.box.done:
			return
		case <-c.left:
			return
		}
	}
}

// empty writes what waits and reports whether the connection took it.
func (c *courier) empty() bool {
	var block []byte
	for {
		f := c.box.pop()
		switch {
		case f == nil:
			return c.send(block)
		case len(block) > 0 && len(block)+len(f.wire) > parcel:
			if !c.send(block) {
				return false
			}
			block = nil
		}
		c.hub.count.delivered.Add(1)
		if block == nil {
			block = slices.Clip(f.wire) // shared: append copies
			continue
		}
		block = append(block, f.wire...)
	}
}

func (c *courier) watches() bool {
	c.hub.mu.Lock()
	defer c.hub.mu.Unlock()
	return c.hub.watches(&c.box.interest)
}

// send writes b as long as the connection takes any of it.
func (c *courier) send(b []byte) bool {
	for len(b) > 0 {
		if err := c.conn.SetWriteDeadline(time.Now().Add(c.hub.options.Stall)); err != nil {
			return false
		}
		select {
		case <-c.left: // cut may have come just before the deadline was moved
			return false
		default:
		}
		n, err := c.conn.Write(b)
		b = b[n:]
		switch {
		case err == nil || (n > 0 && errors.Is(err, os.ErrDeadlineExceeded)):
		case errors.Is(err, os.ErrDeadlineExceeded):
			c.hub.count.stalled.Add(1)
			return false
		default:
			return false
		}
	}
	return true
}

func (c *courier) close() {
	c.hub.mu.Lock()
	c.hub.drop(c.box, ErrClosed)
	c.hub.mu.Unlock()
	_ = c.conn.Close() // also ends watch
	c.hub.gone(c.stream)
}
