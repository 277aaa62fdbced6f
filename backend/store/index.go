package store

import (
	"bytes"
	"slices"

	"github.com/dgraph-io/badger/v4"

	"telltale/backend/job"
)

// maxID is above every id.
var maxID = rawID(bytes.Repeat([]byte{0xff}, 16))

// source yields ids of final jobs, newest first.
type source interface {
	// id is where the source stands; false when it has no more.
	id() (rawID, bool)
	// next goes on to the id before.
	next()
	// seek goes on to the greatest id at or below limit; it never goes back.
	seek(limit rawID)
	close()
}

// keySource reads ids from the ends of the keys with one prefix.
type keySource struct {
	it     *badger.Iterator
	prefix []byte
	at     rawID
	valid  bool
}

func newKeySource(txn *badger.Txn, prefix []byte, limit rawID) *keySource {
	s := &keySource{
		prefix: prefix,
		it:     txn.NewIterator(badger.IteratorOptions{Prefix: prefix, Reverse: true}),
	}
	s.jump(limit)
	return s
}

func (s *keySource) id() (rawID, bool) { return s.at, s.valid }

func (s *keySource) next() {
	s.it.Next()
	s.read()
}

// hops is how many steps are tried before a seek, which costs as much as a few.
const hops = 8

func (s *keySource) seek(limit rawID) {
	for range hops {
		if !s.valid || compareID(s.at, limit) <= 0 {
			return
		}
		s.next()
	}
	if s.valid && compareID(s.at, limit) > 0 {
		s.jump(limit)
	}
}

func (s *keySource) jump(limit rawID) {
	s.it.Seek(append(slices.Clip(s.prefix), limit[:]...))
	s.read()
}

func (s *keySource) read() {
	s.valid = s.it.Valid()
	if s.valid {
		key := s.it.Item().Key()
		s.valid = len(key) == len(s.prefix)+len(s.at)
		copy(s.at[:], key[len(s.prefix):])
	}
}

func (s *keySource) close() { s.it.Close() }

// anyOf yields what one of its sources yields.
type anyOf []source

func (a anyOf) id() (best rawID, found bool) {
	for _, s := range a {
		if id, ok := s.id(); ok && (!found || compareID(id, best) > 0) {
			best, found = id, true
		}
	}
	return best, found
}

func (a anyOf) next() {
	at, ok := a.id()
	if !ok {
		return
	}
	for _, s := range a {
		if id, ok := s.id(); ok && id == at {
			s.next()
		}
	}
}

func (a anyOf) seek(limit rawID) {
	for _, s := range a {
		s.seek(limit)
	}
}

func (a anyOf) close() {
	for _, s := range a {
		s.close()
	}
}

// allOf yields what all of its sources yield: each one that is ahead waits for
// the others to seek to where it stands, so that the rarest sets the pace.
type allOf []source

func (a allOf) id() (rawID, bool) {
	low, ok := a[0].id()
	if !ok {
		return low, false
	}
	for agreed := 1; agreed < len(a); {
		agreed = 0
		for _, s := range a {
			s.seek(low)
			id, ok := s.id()
			if !ok {
				return low, false
			}
			if id == low {
				agreed++
			} else {
				low = id
			}
		}
	}
	return low, true
}

func (a allOf) next() { a[0].next() }

func (a allOf) seek(limit rawID) { anyOf(a).seek(limit) }

func (a allOf) close() { anyOf(a).close() }

// candidates is the source of the final jobs that a filter's indexed fields
// allow, from limit down; nil when there can be none.
func candidates(txn *badger.Txn, f job.Filter, limit rawID) source {
	var finals []string
	for _, st := range f.States {
		if st.Final() {
			finals = append(finals, string(st))
		}
	}
	if len(f.States) > 0 && len(finals) == 0 {
		return nil
	}
	var all allOf
	for _, field := range []struct {
		prefix string
		values []string
	}{
		{prefixTarget, f.Targets},
		{prefixAction, f.Actions},
		{prefixBy, f.By},
		{prefixState, finals},
	} {
		var alternatives anyOf
		for i, v := range field.values {
			if !slices.Contains(field.values[:i], v) {
				alternatives = append(alternatives, newKeySource(txn, indexPrefix(field.prefix, v), limit))
			}
		}
		switch len(alternatives) {
		case 0:
		case 1:
			all = append(all, alternatives[0])
		default:
			all = append(all, alternatives)
		}
	}
	switch len(all) {
	case 0:
		return newKeySource(txn, []byte(prefixJob), limit)
	case 1:
		return all[0]
	default:
		return all
	}
}

func compareID(a, b rawID) int { return bytes.Compare(a[:], b[:]) }
