package store

import (
	"encoding/binary"
	"fmt"
	"maps"
	"reflect"
	"time"

	"github.com/dgraph-io/badger/v4"

	"telltale/backend/job"
)

// batch is one transaction in the making. What it has decided is visible to the
// decisions after it, and to nobody else until it is committed.
type batch struct {
	w       *writer
	txn     *badger.Txn
	state   state // as it will be
	was     state
	counts  map[string]int64 // copied before the first change
	touched map[string]bool  // actions whose count changed
	staged  []*staged
	entries map[rawID]*entry     // of jobs this batch accepted or changed
	events  map[rawID]*job.Event // newest event of each of them
	keys    map[keyHash]*first   // idempotency keys this batch used
	chunk   []byte               // events not yet under an e/ key
	looked  time.Time            // when state.Believed was moved
	dirty   bool                 // there is something to write
	size    int64                // about what it takes in the write-ahead log and memory
	asked   bool                 // the guard was asked whether there is room for new jobs
	room    error                // what it said
	broken  error                // the transaction cannot be written
}

// staged is a change that was decided and not yet shown.
type staged struct {
	entry *entry
	event *job.Event
}

// decide checks a change against what is true and stages it.
func (b *batch) decide(c *change) answer {
	if c.want == 0 {
		return b.accept(c)
	}
	e, have, err := b.current(c.id)
	switch {
	case err != nil:
		return b.refuse(err)
	case have == nil:
		return answer{err: &job.NotFoundError{ID: c.event.Job.ID}}
	case have.Job.Rev != c.want:
		return answer{err: &job.ConflictError{ID: c.event.Job.ID, Want: c.want, Have: have.Job.Rev}}
	}
	next := &c.event.Job
	if err := job.Check(next.ID, have.Job.State, next.State); err != nil {
		return answer{err: err}
	}
	if next.State == job.Running && have.Job.State != job.Running {
		if err := b.w.s.guard.mayStart(); err != nil {
			return answer{err: err}
		}
	}
	if next.Action != have.Job.Action || next.Target != have.Job.Target || !next.CreatedAt.Equal(have.Job.CreatedAt) {
		return answer{err: fmt.Errorf("job %s: its action, target and time of creation cannot change", next.ID)}
	}
	c.event.Minor = minor(&have.Job, next)
	return b.stage(e, c.event)
}

// accept stages the first event of a job, unless its key was used before.
func (b *batch) accept(c *change) answer {
	j := &c.event.Job
	if c.key != (keyHash{}) {
		f, err := b.usedKey(c.key)
		if err != nil {
			return b.refuse(err)
		}
		if f != nil {
			return b.repeat(c, f)
		}
	}
	if err := job.Check(j.ID, job.New, j.State); err != nil {
		return answer{err: err}
	}
	_, have, err := b.current(c.id)
	switch {
	case err != nil:
		return b.refuse(err)
	case have != nil:
		return answer{err: &job.ConflictError{ID: j.ID, Want: 0, Have: have.Job.Rev}}
	}
	if !b.asked {
		b.asked, b.room = true, b.w.s.guard.mayAccept()
	}
	if b.room != nil {
		return answer{err: b.room}
	}
	skew := j.CreatedAt.Sub(j.ID.Time()).Abs().Milliseconds()
	b.state.Skew = max(b.state.Skew, skew)
	if c.key != (keyHash{}) {
		c.event.Seq = b.state.Seq + 1
		f, err := newFirst(c.event, c.id, c.fingerprint)
		if err != nil {
			return b.refuse(err)
		}
		b.keys[c.key] = &f
		b.set(append([]byte(prefixKey), c.key[:]...), f.encode())
	}
	return b.stage(&entry{id: c.id, born: b.state.Seq + 1, key: c.key, lane: j.Lane()}, c.event)
}

// repeat answers a key that was used before.
func (b *batch) repeat(c *change, f *first) answer {
	_, have, err := b.current(f.id)
	if err != nil {
		return b.refuse(err)
	}
	if have == nil {
		return answer{err: &job.NotFoundError{ID: f.id.id()}}
	}
	e, err := f.event(have.Job)
	if err != nil {
		return answer{err: err}
	}
	if f.print != hashOf(c.fingerprint) {
		return answer{err: &job.KeyReusedError{Key: c.name, First: e}}
	}
	return answer{event: e, repeated: true}
}

// stage gives an event its number and writes it into the transaction.
func (b *batch) stage(e *entry, ev *job.Event) answer {
	b.state.Seq++
	ev.Seq = b.state.Seq
	b.entries[e.id], b.events[e.id] = e, ev
	b.staged = append(b.staged, &staged{entry: e, event: ev})
	b.addToFeed(ev)
	if !ev.Job.State.Final() {
		b.set(idKey(prefixLive, e.id), record{seq: ev.Seq, born: e.born, key: e.key, minor: ev.Minor}.encode())
		return answer{event: *ev}
	}
	if e.born != ev.Seq {
		b.delete(idKey(prefixLive, e.id))
	}
	b.set(idKey(prefixJob, e.id), record{seq: ev.Seq, key: e.key, data: ev.Data}.encode())
	for _, k := range indexKeys(&ev.Job, e.id) {
		b.set(k, nil)
	}
	b.state.Records++
	b.count(ev.Job.Action, 1)
	return answer{event: *ev}
}

func (b *batch) addToFeed(ev *job.Event) {
	if len(b.chunk)+len(ev.Data) > maxChunk {
		b.endChunk(ev.Seq - 1)
	}
	b.chunk = appendEvent(b.chunk, ev)
}

func (b *batch) endChunk(last uint64) {
	if len(b.chunk) > 0 {
		b.set(seqKey(last), packEvents(b.chunk))
		b.chunk = b.chunk[:0]
	}
}

// finish writes what a transaction has once.
func (b *batch) finish() error {
	b.endChunk(b.state.Seq)
	for action := range b.touched {
		if b.counts[action] == 0 {
			delete(b.counts, action)
			b.delete(append([]byte(prefixCount), action...))
			continue
		}
		b.set(append([]byte(prefixCount), action...), binary.AppendUvarint(nil, uint64(b.counts[action])))
	}
	s, err := b.state.encode()
	if err != nil {
		return err
	}
	b.set([]byte(keyState), s)
	return b.broken
}

// look moves the believed time on to now.
func (b *batch) look(now time.Time) {
	t := time.Now()
	b.state.believe(now, t.Sub(b.looked))
	b.looked, b.dirty = t, true
}

// count changes the number of final jobs of an action.
func (b *batch) count(action string, by int64) {
	if len(b.touched) == 0 {
		b.counts = maps.Clone(b.counts)
	}
	b.touched[action] = true
	b.counts[action] += by
}

// current is a job as this batch sees it: staged, live, or final on disk. The
// event is nil when nobody knows the job; the entry of a final job is nil.
func (b *batch) current(id rawID) (*entry, *job.Event, error) {
	if ev, ok := b.events[id]; ok {
		return b.entries[id], ev, nil
	}
	if e, ok := b.w.s.now.live[id]; ok {
		return e, e.event, nil
	}
	ev, err := readFinal(b.txn, id)
	return nil, ev, err
}

func (b *batch) usedKey(k keyHash) (*first, error) {
	if f, ok := b.keys[k]; ok {
		return f, nil
	}
	return readKey(b.txn, k)
}

// entryCost is what Badger adds to a key and its value in memory.
const entryCost = 128

func (b *batch) set(key, value []byte) {
	b.dirty = true
	b.size += int64(len(key)+len(value)) + entryCost
	if b.broken == nil {
		b.broken = b.txn.Set(key, value)
	}
}

func (b *batch) delete(key []byte) {
	b.dirty = true
	b.size += int64(len(key)) + entryCost
	if b.broken == nil {
		b.broken = b.txn.Delete(key)
	}
}

// refuse answers a request whose present could not be read. The others of the
// batch are not concerned.
func (b *batch) refuse(err error) answer { return answer{err: err} }

// minor reports whether only what a running job says of itself moved: phase,
// progress, steps, warnings, log.
func minor(was, next *job.Job) bool {
	return was.State == next.State && was.Attempt == next.Attempt && was.Attempts == next.Attempts &&
		was.Summary == next.Summary && was.NotBefore.Equal(next.NotBefore) &&
		same(was.Error, next.Error) && same(was.Cancel, next.Cancel) && same(was.Approval, next.Approval) &&
		same(was.Queue, next.Queue) && same(was.Expected, next.Expected)
}

func same[T any](a, b *T) bool { return a == b || (a != nil && b != nil && reflect.DeepEqual(a, b)) }
