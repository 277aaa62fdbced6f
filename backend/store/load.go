package store

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/dgraph-io/badger/v4"
)

// load reads what is kept in memory, counters and live jobs, and checks that
// what the database says of itself agrees.
func (s *Store) load() (state, map[string]int64, error) {
	var st state
	counts := map[string]int64{}
	damaged := func(what string, err error) error { return &DamagedError{Dir: s.o.Dir, What: what, Err: err} }
	err := s.view(func(txn *badger.Txn) (err error) {
		if st, err = readState(txn); err != nil {
			return damaged("its counters cannot be read", err)
		}
		if err := readCounts(txn, counts); err != nil {
			return damaged("its counters cannot be read", err)
		}
		sum := int64(0)
		for _, n := range counts {
			sum += n
		}
		if sum != st.Records {
			return damaged(fmt.Sprintf("it counts %d records in all but %d by action", st.Records, sum), nil)
		}
		if last := lastEvent(txn); last != st.Seq {
			return damaged(fmt.Sprintf("its feed ends at %d, not at %d", last, st.Seq), nil)
		}
		s.now = newPresent(st)
		if err := s.loadLive(txn); err != nil {
			return damaged("its live jobs cannot be read", err)
		}
		return nil
	})
	return st, counts, err
}

func readCounts(txn *badger.Txn, counts map[string]int64) error {
	it := txn.NewIterator(badger.IteratorOptions{Prefix: []byte(prefixCount), PrefetchValues: true, PrefetchSize: 100})
	defer it.Close()
	for it.Rewind(); it.Valid(); it.Next() {
		action := string(it.Item().Key()[len(prefixCount):])
		err := it.Item().Value(func(b []byte) error {
			n, size := binary.Uvarint(b)
			if size <= 0 {
				return errBadValue
			}
			counts[action] = int64(n)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// lastEvent is the number of the newest event in the feed, 0 when it is empty.
func lastEvent(txn *badger.Txn) uint64 {
	it := txn.NewIterator(badger.IteratorOptions{Prefix: []byte(prefixEvents), Reverse: true})
	defer it.Close()
	it.Seek(append([]byte(prefixEvents), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff))
	if !it.Valid() {
		return 0
	}
	seq, _ := keySeq(it.Item().Key())
	return seq
}

// loadLive fills the table of live jobs from the l/ keys.
func (s *Store) loadLive(txn *badger.Txn) error {
	type found struct {
		id rawID
		record
	}
	var all []found
	it := txn.NewIterator(badger.IteratorOptions{Prefix: []byte(prefixLive), PrefetchValues: true, PrefetchSize: 100})
	for it.Rewind(); it.Valid(); it.Next() {
		f := found{}
		if copy(f.id[:], it.Item().Key()[len(prefixLive):]) != len(f.id) {
			it.Close()
			return errBadValue
		}
		value, err := it.Item().ValueCopy(nil)
		if err == nil {
			f.record, err = decodeRecord(value)
		}
		if err != nil {
			it.Close()
			return err
		}
		all = append(all, f)
	}
	it.Close()
	slices.SortFunc(all, func(a, b found) int { return cmp.Compare(a.seq, b.seq) })
	chunks := newChunkReader(txn)
	defer chunks.close()
	for _, f := range all {
		stored := storedEvent{seq: f.seq, minor: f.minor, data: f.data}
		if f.data == nil {
			var err error
			if stored, err = chunks.event(f.seq); err != nil {
				return fmt.Errorf("live job %s: %w", f.id.id(), err)
			}
		}
		e, err := stored.event()
		if err != nil {
			return err
		}
		if e.Job.ID != f.id.id() || e.Job.State.Final() {
			return fmt.Errorf("live job %s: event %d is of job %s, %s", f.id.id(), f.seq, e.Job.ID, e.Job.State)
		}
		s.now.put(&entry{id: f.id, born: f.born, key: f.key, lane: e.Job.Lane()}, &e)
	}
	return nil
}

// chunkReader finds single events of the feed; asked in rising order it reads
// each e/ key once.
type chunkReader struct {
	it     *badger.Iterator
	events []storedEvent
}

func newChunkReader(txn *badger.Txn) *chunkReader {
	return &chunkReader{it: txn.NewIterator(badger.IteratorOptions{Prefix: []byte(prefixEvents)})}
}

func (c *chunkReader) close() { c.it.Close() }

func (c *chunkReader) event(seq uint64) (storedEvent, error) {
	if n := len(c.events); n == 0 || c.events[n-1].seq < seq {
		c.it.Seek(seqKey(seq))
		if !c.it.Valid() {
			return storedEvent{}, fmt.Errorf("event %d is missing", seq)
		}
		value, err := c.it.Item().ValueCopy(nil)
		if err != nil {
			return storedEvent{}, err
		}
		if c.events, err = decodeEvents(value); err != nil {
			return storedEvent{}, err
		}
	}
	at, ok := slices.BinarySearchFunc(c.events, seq, func(e storedEvent, seq uint64) int { return cmp.Compare(e.seq, seq) })
	if !ok {
		return storedEvent{}, fmt.Errorf("event %d is missing", seq)
	}
	return c.events[at], nil
}
