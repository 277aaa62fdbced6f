package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/dgraph-io/badger/v4"

	"telltale/backend/job"
)

// Keyed implements job.Journal.
func (s *Store) Keyed(ctx context.Context, k job.Key) (job.Event, bool, error) {
	if k.Name == "" {
		return job.Event{}, false, nil
	}
	var f *first
	err := s.view(func(txn *badger.Txn) (err error) {
		f, err = readKey(txn, hashOf(k.Name))
		return err
	})
	if f == nil || err != nil {
		return job.Event{}, false, err
	}
	later, err := s.Get(ctx, f.id.id())
	if err != nil {
		return job.Event{}, false, err
	}
	e, err := f.event(later.Job)
	if err != nil {
		return job.Event{}, false, err
	}
	if f.print != hashOf(k.Fingerprint) {
		return job.Event{}, false, &job.KeyReusedError{Key: k.Name, First: e}
	}
	return e, true, nil
}

// readKey reads who used an idempotency key, nil when nobody did.
func readKey(txn *badger.Txn, k keyHash) (*first, error) {
	item, err := txn.Get(append([]byte(prefixKey), k[:]...))
	if errors.Is(err, badger.ErrKeyNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("idempotency key: %w", err)
	}
	value, err := item.ValueCopy(nil)
	if err != nil {
		return nil, fmt.Errorf("idempotency key: %w", err)
	}
	f, err := decodeFirst(value)
	if err != nil {
		return nil, fmt.Errorf("idempotency key: %w", err)
	}
	return &f, nil
}
