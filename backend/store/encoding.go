package store

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/klauspost/compress/s2"

	"telltale/backend/job"
)

// encodingVersion is the first byte of every value with a binary head.
const encodingVersion = 1

var errBadValue = errors.New("value is not what was written")

// Flags of a stored event.
const (
	flagMinor  = 1 << iota // the event is Minor
	flagKey                // a keyHash follows
	flagInline             // the JSON is here, not in the feed
	flagPacked             // of an e/ value: what follows is compressed
)

// record is a final job under j/, or a live one under l/ (then data is nil
// unless the feed has forgotten its newest event).
type record struct {
	seq   uint64
	born  uint64 // seq of the first event; only of live jobs
	key   keyHash
	minor bool
	data  []byte
}

func (r record) encode() []byte {
	var flags byte
	if r.minor {
		flags |= flagMinor
	}
	if r.key != (keyHash{}) {
		flags |= flagKey
	}
	if r.data != nil {
		flags |= flagInline
	}
	b := make([]byte, 0, 2+2*binary.MaxVarintLen64+len(r.key)+len(r.data))
	b = append(b, encodingVersion, flags)
	b = binary.AppendUvarint(b, r.seq)
	b = binary.AppendUvarint(b, r.born)
	if flags&flagKey != 0 {
		b = append(b, r.key[:]...)
	}
	return append(b, r.data...)
}

// decodeRecord reads what encode wrote; data of the result is part of b.
func decodeRecord(b []byte) (record, error) {
	d := decoder{b: b}
	flags := d.head()
	r := record{seq: d.uvarint(), born: d.uvarint(), minor: flags&flagMinor != 0}
	if flags&flagKey != 0 {
		copy(r.key[:], d.take(len(r.key)))
	}
	if flags&flagInline != 0 {
		r.data = d.rest()
	}
	return r, d.end()
}

// first is how a job looked when its key was used: everything that changes
// later. What never changes is taken from the record, which keeps it small.
type first struct {
	id    rawID
	seq   uint64
	print keyHash // of the fingerprint
	data  []byte  // JSON of a job without its lasting fields
}

func newFirst(e *job.Event, r rawID, fingerprint string) (first, error) {
	j := e.Job
	j.ID, j.Action, j.Title, j.Target = "", "", "", ""
	j.Trigger, j.Params = job.Trigger{}, nil
	data, err := json.Marshal(j)
	return first{id: r, seq: e.Seq, print: hashOf(fingerprint), data: data}, err
}

// event rebuilds the first event with the help of any later one.
func (f first) event(later job.Job) (job.Event, error) {
	var j job.Job
	if err := json.Unmarshal(f.data, &j); err != nil {
		return job.Event{}, fmt.Errorf("first event of job %s: %w", later.ID, err)
	}
	j.ID, j.Action, j.Title, j.Target = later.ID, later.Action, later.Title, later.Target
	j.Trigger, j.Params = later.Trigger, later.Params
	data, err := j.Encode()
	return job.Event{Seq: f.seq, Job: j, Data: data}, err
}

func (f first) encode() []byte {
	b := append(make([]byte, 0, 64+len(f.data)), encodingVersion, 0)
	b = append(b, f.id[:]...)
	b = binary.AppendUvarint(b, f.seq)
	b = append(b, f.print[:]...)
	return append(b, f.data...)
}

func decodeFirst(b []byte) (first, error) {
	d := decoder{b: b}
	d.head()
	var f first
	copy(f.id[:], d.take(len(f.id)))
	f.seq = d.uvarint()
	copy(f.print[:], d.take(len(f.print)))
	f.data = d.rest()
	return f, d.end()
}

// appendEvent adds an event to the value of an e/ key.
func appendEvent(b []byte, e *job.Event) []byte {
	if len(b) == 0 {
		b = append(b, encodingVersion, 0)
	}
	var flags byte
	if e.Minor {
		flags |= flagMinor
	}
	b = append(b, flags)
	b = binary.AppendUvarint(b, e.Seq)
	b = binary.AppendUvarint(b, uint64(len(e.Data)))
	return append(b, e.Data...)
}

// storedEvent is an event as it stands in the feed; data is part of the value.
type storedEvent struct {
	seq   uint64
	minor bool
	data  []byte
}

func (s storedEvent) event() (job.Event, error) {
	e := job.Event{Seq: s.seq, Minor: s.minor, Data: append([]byte(nil), s.data...)}
	if err := json.Unmarshal(e.Data, &e.Job); err != nil {
		return job.Event{}, fmt.Errorf("event %d: %w", s.seq, err)
	}
	return e, nil
}

// packAbove is the size from which events are compressed: one alone gains little.
const packAbove = 2 << 10

// packEvents compresses what appendEvent made into a value of its own. Whole jobs that follow one
// another are much alike, and every byte less is one that need not be synced
// and moved from level to level until the feed forgets it. The S2 block format
// has no state that is shared between stores.
func packEvents(b []byte) []byte {
	if len(b) < packAbove {
		return bytes.Clone(b)
	}
	return append([]byte{encodingVersion, flagPacked}, s2.Encode(nil, b[2:])...)
}

// maxUnpacked bounds what a packed value may claim to hold.
const maxUnpacked = 8 << 20

// decodeEvents reads the value of an e/ key; the result shares no memory with b
// when it was packed.
func decodeEvents(b []byte) ([]storedEvent, error) {
	d := decoder{b: b}
	if d.head()&flagPacked != 0 {
		if n, err := s2.DecodedLen(d.b); err != nil || n > maxUnpacked {
			return nil, errBadValue
		}
		plain, err := s2.Decode(nil, d.b)
		if err != nil {
			return nil, errBadValue
		}
		d.b = plain
	}
	var all []storedEvent
	for d.err == nil && len(d.b) > 0 {
		flags := d.take(1)
		s := storedEvent{seq: d.uvarint()}
		n := d.uvarint()
		if n > uint64(len(d.b)) || len(flags) == 0 {
			return nil, errBadValue
		}
		s.minor = flags[0]&flagMinor != 0
		s.data = d.take(int(n))
		all = append(all, s)
	}
	return all, d.end()
}

// decoder reads a value front to back and remembers the first fault.
type decoder struct {
	b   []byte
	err error
}

// head checks the version and returns the flags.
func (d *decoder) head() byte {
	h := d.take(2)
	if d.err != nil || h[0] != encodingVersion {
		d.err = errBadValue
		return 0
	}
	return h[1]
}

func (d *decoder) take(n int) []byte {
	if d.err != nil || len(d.b) < n {
		d.err = errBadValue
		return nil
	}
	head := d.b[:n:n]
	d.b = d.b[n:]
	return head
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.b)
	if d.err != nil || n <= 0 {
		d.err = errBadValue
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) rest() []byte { return d.take(len(d.b)) }

// end is the first fault, or one for bytes that nobody asked for.
func (d *decoder) end() error {
	if d.err == nil && len(d.b) > 0 {
		return errBadValue
	}
	return d.err
}
