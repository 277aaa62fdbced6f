package store

import (
	"errors"
	"fmt"
	"time"

	"github.com/dgraph-io/badger/v4"
)

// verify counts the records once, in the background, and compares with the
// counter: a table that was damaged on disk makes Badger's iterators end early
// without an error, which would look like a shorter history.
func (s *Store) verify() {
	if s.o.Dir == "" {
		return
	}
	err := s.view(func(txn *badger.Txn) error {
		st, err := readState(txn)
		if err != nil {
			return err
		}
		for _, index := range []struct{ prefix, what string }{
			{prefixJob, "records"},
			{prefixAction, "records by action"},
			{prefixState, "records by state"},
		} {
			n, err := s.countKeys(txn, index.prefix)
			if err != nil {
				return err
			}
			if n != st.Records {
				return fmt.Errorf("%d %s can be read of %d that were kept", n, index.what, st.Records)
			}
		}
		return nil
	})
	if err != nil && !errors.Is(err, ErrClosed) {
		s.guard.damaged(err)
	}
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
