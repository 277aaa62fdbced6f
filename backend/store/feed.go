package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/dgraph-io/badger/v4"

	"telltale/backend/job"
)

// step is how many events Tail takes at a time.
const step = 256

// Last implements job.Journal.
func (s *Store) Last(ctx context.Context, id job.ID) (job.Event, error) { return s.Get(ctx, id) }

// Head implements job.Journal.
func (s *Store) Head(context.Context) (job.Cursor, error) {
	_, head := s.now.bounds()
	return s.cursor(head), s.closed()
}

func (s *Store) cursor(seq uint64) job.Cursor { return job.Cursor{Feed: s.identity.Feed, Seq: seq} }

// Tail implements job.Journal. It returns fn's error, ctx's cause, a
// *job.GoneError (also when fn is so slow that the feed was cut behind it) or
// ErrClosed.
func (s *Store) Tail(ctx context.Context, from job.Cursor, fn func(job.Event) error) error {
	at := from
	for {
		events, changed, err := s.after(at, step)
		if err != nil {
			return err
		}
		for _, e := range events {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if err := fn(*e); err != nil {
				return err
			}
			at = s.cursor(e.Seq)
		}
		if len(events) > 0 {
			continue
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-s.written:
			if _, head := s.now.bounds(); head == at.Seq || (at == job.Cursor{} && head == 0) {
				return ErrClosed
			}
		}
	}
}

// Since implements job.Journal.
func (s *Store) Since(ctx context.Context, from job.Cursor, limit int) ([]job.Event, error) {
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	if err := s.closed(); err != nil {
		return nil, err
	}
	out := []job.Event{}
	for len(out) < limit {
		events, _, err := s.after(from, limit-len(out))
		if err != nil {
			return nil, err
		}
		if len(events) == 0 {
			break
		}
		for _, e := range events {
			out = append(out, *e)
		}
		from = s.cursor(out[len(out)-1].Seq)
	}
	return out, nil
}

// after is at most limit events after a cursor, none at the head; changed is
// closed when the head moves.
func (s *Store) after(from job.Cursor, limit int) ([]*job.Event, <-chan struct{}, error) {
	if err := s.check(from); err != nil {
		return nil, nil, err
	}
	events, _, changed, ok := s.now.since(from.Seq, limit)
	if ok {
		return events, changed, nil
	}
	events, err := s.readFeed(from.Seq, limit)
	if err != nil {
		return nil, nil, err
	}
	if len(events) == 0 || events[0].Seq != from.Seq+1 {
		if err := s.check(from); err != nil { // cut while we read
			return nil, nil, err
		}
		err := &DamagedError{Dir: s.o.Dir, What: fmt.Sprintf("event %d of the feed is missing", from.Seq+1)}
		s.guard.damaged(err)
		return nil, nil, err
	}
	return events, nil, nil
}

// check returns a *job.GoneError unless everything after the cursor is kept.
func (s *Store) check(from job.Cursor) error {
	oldest, head := s.now.bounds()
	foreign := from.Feed != s.identity.Feed && from != (job.Cursor{})
	if foreign || from.Seq > head || from.Seq+1 < oldest {
		return &job.GoneError{Asked: from, Oldest: s.cursor(oldest - 1)}
	}
	return nil
}

// readFeed reads at most limit events after seq from disk.
func (s *Store) readFeed(seq uint64, limit int) ([]*job.Event, error) {
	var events []*job.Event
	err := s.view(func(txn *badger.Txn) error {
		it := txn.NewIterator(badger.IteratorOptions{Prefix: []byte(prefixEvents), PrefetchValues: false})
		defer it.Close()
		for it.Seek(seqKey(seq + 1)); it.Valid() && len(events) < limit; it.Next() {
			err := it.Item().Value(func(b []byte) error {
				stored, err := decodeEvents(b)
				for _, st := range stored {
					if err != nil || len(events) == limit {
						return err
					}
					if st.seq <= seq {
						continue
					}
					if st.seq != seq+1 {
						return nil // a hole: the caller finds out why
					}
					var e job.Event
					e, err = st.event()
					events = append(events, &e)
					seq = st.seq
				}
				return err
			})
			if err != nil {
				return fmt.Errorf("read feed: %w", err)
			}
		}
		return nil
	})
	return events, err
}

// view runs fn in a read transaction. It must not be nested.
func (s *Store) view(fn func(txn *badger.Txn) error) error {
	s.readers.RLock()
	defer s.readers.RUnlock()
	err := s.db.View(fn)
	if errors.Is(err, badger.ErrDBClosed) {
		return ErrClosed
	}
	return err
}

// trimFeed keeps the feed near its limit until the store closes.
func (s *Store) trimFeed() {
	for {
		select {
		case <-s.closing:
			return
		case <-s.trim:
			if err := s.trimOnce(); err != nil && !errors.Is(err, ErrClosed) {
				s.o.Log.Error("feed not trimmed", errAttr(err))
			}
		}
	}
}

func (s *Store) wantTrim() {
	select {
	case s.trim <- struct{}{}:
	default:
	}
}

// maxTrim is how many e/ keys one removal takes.
const maxTrim = 1000

func (s *Store) trimOnce() error {
	oldest, head := s.now.bounds()
	if head < uint64(s.o.FeedLimit) {
		return nil
	}
	r := &removal{feedTo: oldest - 1}
	err := s.view(func(txn *badger.Txn) error {
		it := txn.NewIterator(badger.IteratorOptions{Prefix: []byte(prefixEvents), PrefetchValues: false})
		defer it.Close()
		for it.Seek(seqKey(oldest)); it.Valid() && len(r.keys) < maxTrim; it.Next() {
			last, ok := keySeq(it.Item().Key())
			if !ok || last+uint64(s.o.FeedLimit) > head {
				break
			}
			r.keys = append(r.keys, it.Item().KeyCopy(nil))
			r.feedTo = last
		}
		return nil
	})
	if err != nil || len(r.keys) == 0 {
		return err
	}
	_, err = s.askRemoval(context.Background(), r)
	return err
}

// forget notes that events before oldest are no longer kept.
func (p *present) forget(oldest uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.oldest = oldest
}

// decodeJob reads a record's JSON.
func decodeJob(data []byte) (job.Job, error) {
	var j job.Job
	if err := json.Unmarshal(data, &j); err != nil {
		return job.Job{}, fmt.Errorf("decode job: %w", err)
	}
	return j, nil
}
