package store

import (
	"errors"
	"fmt"
	"time"

	"github.com/dgraph-io/badger/v4"
)

// verify looks once, in the background, whether everything is there: a table
// that was damaged on disk makes Badger's iterators end early without an error,
// which would look like a shorter history.
func (s *Store) verify() {
	defer close(s.verified)
	if s.o.Dir == "" {
		return
	}
	err := s.sums.check(s.o.Dir, s.closing)
	if err == nil {
		err = s.view(s.verifyCounts)
	}
	if err != nil && !errors.Is(err, ErrClosed) {
		s.guard.damaged(err)
	}
}

// verifyCounts compares the counter with the records. After an orderly end the
// sums of all tables were noted, so that counting by the small index is enough.
func (s *Store) verifyCounts(txn *badger.Txn) error {
	st, err := readState(txn)
	if err != nil {
		return err
	}
	prefixes := []string{prefixAction}
	if s.unclean {
		prefixes = append(prefixes, prefixJob, prefixState)
	}
	for _, prefix := range prefixes {
		n, err := s.countKeys(txn, prefix)
		if err != nil {
			return err
		}
		if n != st.Records {
			return fmt.Errorf("%d records can be read under %s of %d that were kept", n, prefix, st.Records)
		}
	}
	return nil
}

// countKeys counts the keys with a prefix without hurry: nobody waits for it.
func (s *Store) countKeys(txn *badger.Txn, prefix string) (int64, error) {
	it := txn.NewIterator(badger.IteratorOptions{Prefix: []byte(prefix)})
	defer it.Close()
	n := int64(0)
	for it.Rewind(); it.Valid(); it.Next() {
		if n++; n%5000 != 0 {
			continue
		}
		pause := time.NewTimer(2 * time.Millisecond)
		select {
		case <-s.closing:
			pause.Stop()
			return n, ErrClosed
		case <-pause.C:
		}
	}
	return n, nil
}
