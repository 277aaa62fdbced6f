package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/dgraph-io/badger/v4"

	"telltale/backend/job"
)

var _ job.Records = (*Store)(nil)

// Get implements job.Records.
func (s *Store) Get(ctx context.Context, id job.ID) (job.Event, error) {
	raw, err := parseID(id)
	if err != nil {
		return job.Event{}, err
	}
	if err := ctx.Err(); err != nil {
		return job.Event{}, context.Cause(ctx)
	}
	if err := s.closed(); err != nil {
		return job.Event{}, err
	}
	if e, ok := s.now.get(raw); ok {
		return *e, nil
	}
	var e *job.Event
	err = s.view(func(txn *badger.Txn) (err error) {
		e, err = readFinal(txn, raw)
		return err
	})
	if err != nil {
		return job.Event{}, err
	}
	if e == nil {
		return job.Event{}, &job.NotFoundError{ID: id}
	}
	return *e, nil
}

// Live implements job.Records.
func (s *Store) Live(context.Context) ([]job.Event, job.Cursor, error) {
	events, head := s.now.all()
	return events, s.cursor(head), s.closed()
}

// readFinal is the newest event of a final job, nil when there is none.
func readFinal(txn *badger.Txn, id rawID) (*job.Event, error) {
	r, err := readRecord(txn, idKey(prefixJob, id))
	if r == nil || err != nil {
		return nil, err
	}
	j, err := decodeJob(r.data)
	if err != nil {
		return nil, err
	}
	return &job.Event{Seq: r.seq, Job: j, Data: r.data}, nil
}

// readRecord reads a j/ or l/ key, nil when there is none. The result is the
// caller's.
func readRecord(txn *badger.Txn, key []byte) (*record, error) {
	item, err := txn.Get(key)
	if errors.Is(err, badger.ErrKeyNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read record: %w", err)
	}
	value, err := item.ValueCopy(nil)
	if err != nil {
		return nil, fmt.Errorf("read record: %w", err)
	}
	r, err := decodeRecord(value)
	if err != nil {
		return nil, fmt.Errorf("read record: %w", err)
	}
	return &r, nil
}

func errAttr(err error) slog.Attr { return slog.String("error", err.Error()) }

// isFinal returns nil when a final record of the job is kept.
func (s *Store) isFinal(id rawID) error {
	return s.view(func(txn *badger.Txn) error {
		_, err := txn.Get(idKey(prefixJob, id))
		if errors.Is(err, badger.ErrKeyNotFound) {
			return &job.NotFoundError{ID: id.id()}
		}
		return err
	})
}
