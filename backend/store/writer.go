package store

import (
	"fmt"
	"runtime"
	"time"

	"telltale/backend/job"
)

// Bounds of one transaction. Bytes stay far below the 15 % of a memtable at
// which Badger refuses.
const (
	maxBatch      = 512
	maxBatchBytes = 512 << 10
	maxChunk      = 128 << 10 // events under one e/ key
)

// request is one thing the writer is asked to do: a change, or a removal.
type request struct {
	change   *change
	removal  *removal
	answered chan answer // capacity 1
}

type answer struct {
	event    job.Event
	repeated bool
	believed time.Time // only for a removal
	err      error
}

// change is a job.Change ready to be written, encoded by its caller.
type change struct {
	id          rawID
	want        job.Rev
	event       *job.Event
	key         keyHash
	name        string // of the key, for errors
	fingerprint string
}

// writer is the one goroutine that writes. Its fields are its own.
type writer struct {
	s      *Store
	state  state
	counts map[string]int64 // final jobs by action
	looked time.Time        // when state.Believed was moved, with monotonic part
	chunk  []byte           // memory for the next batch's events
	failed error            // not nil: nothing is written any more
}

// run writes until the store closes; what was taken in before is answered.
func (w *writer) run() {
	defer close(w.s.written)
	for {
		select {
		case r := <-w.s.in:
			w.write(w.gather(r))
		case <-w.s.closing:
			for {
				select {
				case r := <-w.s.in:
					w.write(w.gather(r))
				default:
					return
				}
			}
		}
	}
}

// gather takes what is waiting. It never waits for more: an idle store answers
// at the speed of one sync, a busy one fills its batches by itself.
func (w *writer) gather(r *request) []*request {
	batch := []*request{r}
	size := r.size()
	runtime.Gosched() // let callers that are about to ask do so
	for len(batch) < maxBatch && size < maxBatchBytes {
		select {
		case r := <-w.s.in:
			batch = append(batch, r)
			size += r.size()
		default:
			return batch
		}
	}
	return batch
}

func (r *request) size() int {
	if r.change != nil {
		return len(r.change.event.Data)
	}
	return r.removal.size
}

// write decides a batch, commits it as one transaction, shows it and answers.
func (w *writer) write(requests []*request) {
	if w.failed != nil {
		for _, r := range requests {
			r.answered <- answer{err: w.failed}
		}
		return
	}
	b := w.begin()
	defer func() {
		w.chunk = b.chunk
		b.txn.Discard()
	}()
	answers := make([]answer, len(requests))
	for i, r := range requests {
		if r.change != nil {
			answers[i] = b.decide(r.change)
		} else {
			answers[i] = b.remove(r.removal)
		}
		if b.broken != nil {
			break
		}
	}
	if err := w.s.guard.mayWrite(b.size); err != nil {
		for _, r := range requests {
			r.answered <- answer{err: err}
		}
		return
	}
	if err := w.commit(b); err != nil {
		w.failed = &StoppedError{Err: err}
		w.s.guard.stopped(err)
		for _, r := range requests {
			r.answered <- answer{err: w.failed}
		}
		return
	}
	w.state, w.counts = b.state, b.counts
	w.s.records.Store(b.state.Records)
	w.s.skew.Store(b.state.Skew)
	w.looked = b.looked
	if len(b.staged) > 0 {
		w.s.now.fold(b.staged)
	}
	if b.state.Oldest != b.was.Oldest {
		w.s.now.forget(b.state.Oldest)
	}
	for i, r := range requests {
		r.answered <- answers[i]
	}
	if b.state.Seq-b.state.Oldest > uint64(w.s.o.FeedLimit)+uint64(w.s.o.FeedLimit/8) {
		w.s.wantTrim()
	}
}

func (w *writer) begin() *batch {
	return &batch{
		w: w, txn: w.s.db.NewTransaction(true), state: w.state, was: w.state, counts: w.counts,
		entries: map[rawID]*entry{}, events: map[rawID]*job.Event{}, keys: map[keyHash]*first{},
		touched: map[string]bool{}, looked: w.looked, chunk: w.chunk[:0],
	}
}

// commit finishes the transaction and waits until it is on disk.
func (w *writer) commit(b *batch) error {
	if b.broken != nil {
		return b.broken
	}
	if !b.dirty {
		return nil
	}
	b.look(w.s.o.Clock())
	if err := b.finish(); err != nil {
		return err
	}
	if err := w.s.o.fault("commit"); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	if err := b.txn.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}
