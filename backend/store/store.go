package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dgraph-io/badger/v4"

	"telltale/backend/job"
)

var _ job.Journal = (*Store)(nil)

// Store keeps jobs. It implements job.Journal, job.Queue and job.Records; all
// methods may be called at once. Open makes one.
type Store struct {
	o        Options
	db       *badger.DB
	identity identity
	now      *present
	guard    *guard
	logs     *logs
	release  func() // gives up the lock of the directory

	in       chan *request
	closing  chan struct{} // closed when Close begins
	written  chan struct{} // closed when the writer has ended
	verified chan struct{} // closed when the check in the background is done
	unclean  bool          // the last process was killed
	sums     tableSums     // of the tables at the last orderly end
	trim     chan struct{} // capacity 1: the feed is longer than it should be
	others   sync.WaitGroup
	once     sync.Once
	closeMu  sync.Mutex // guards closeErr
	ended    error
	pruning  sync.Mutex   // one removal at a time
	readers  sync.RWMutex // held for reading while the database is read
	records  atomic.Int64 // final records kept
	skew     atomic.Int64 // state.Skew
}

// start runs the goroutines of an opened store.
func (s *Store) start(st state, counts map[string]int64) {
	s.records.Store(st.Records)
	s.skew.Store(st.Skew)
	w := &writer{s: s, state: st, counts: counts, looked: time.Now()}
	go w.run()
	s.others.Go(s.trimFeed)
	s.others.Go(func() { s.guard.watch(s.closing) })
	s.others.Go(s.verify)
}

// Close ends the store: changes that were taken in are written and answered,
// waiting readers get ErrClosed. It may be called more than once.
func (s *Store) Close() error {
	s.once.Do(func() {
		close(s.closing)
		<-s.written
		s.others.Wait()
		s.readers.Lock() // whoever reads finishes first
		err := s.closeDB()
		s.readers.Unlock()
		s.release()
		s.closeMu.Lock()
		s.ended = err
		s.closeMu.Unlock()
	})
	s.closeMu.Lock()
	defer s.closeMu.Unlock()
	return s.ended
}

// closeDB closes Badger, unless the disk is too full for what it writes then:
// that would end the process by a fault in its memory map. What was
// acknowledged is in the write-ahead log and is read at the next start.
func (s *Store) closeDB() error {
	if err := s.guard.mayFlush(); err != nil {
		return fmt.Errorf("close store: %w", err)
	}
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("close store: %w", err)
	}
	if s.o.Dir == "" {
		return nil
	}
	sums, err := s.sums.renew(s.o.Dir)
	if err == nil {
		err = sums.write(s.o.Dir)
	}
	if err != nil {
		return fmt.Errorf("close store: %w", err)
	}
	return s.identity.markClean(s.o.Dir)
}

// closed is ErrClosed after Close began.
func (s *Store) closed() error {
	select {
	case <-s.closing:
		return ErrClosed
	default:
		return nil
	}
}

// Feed is the name of this store's feed, for ever the same.
func (s *Store) Feed() string { return s.identity.Feed }

// Append implements job.Journal. Besides the errors named there it returns a
// *TooLargeError, a *StoppedError or ErrClosed. Once the writer has the change,
// the end of ctx does not interrupt it: the caller learns the true outcome.
func (s *Store) Append(ctx context.Context, c job.Change) (job.Event, bool, error) {
	ch, err := prepare(c)
	if err != nil {
		return job.Event{}, false, err
	}
	a, err := s.ask(ctx, &request{change: ch, answered: make(chan answer, 1)})
	if err != nil {
		return job.Event{}, false, err
	}
	return a.event, a.repeated, a.err
}

// ask hands a request to the writer and waits for the answer.
func (s *Store) ask(ctx context.Context, r *request) (answer, error) {
	if err := ctx.Err(); err != nil {
		return answer{}, context.Cause(ctx)
	}
	select {
	case <-s.closing:
		return answer{}, ErrClosed
	default:
	}
	select {
	case s.in <- r:
	case <-s.closing:
		return answer{}, ErrClosed
	case <-ctx.Done():
		return answer{}, context.Cause(ctx)
	}
	select {
	case a := <-r.answered:
		return a, nil
	case <-s.written:
	}
	select { // the writer may have answered with its last breath
	case a := <-r.answered:
		return a, nil
	default:
		return answer{}, ErrClosed
	}
}

// prepare checks what can be checked alone and encodes the job, in the caller's
// goroutine.
func prepare(c job.Change) (*change, error) {
	id, err := parseID(c.Next.ID)
	if err != nil {
		return nil, err
	}
	if c.Next.Rev != c.Want+1 {
		return nil, fmt.Errorf("job %s: revision %d cannot follow %d", c.Next.ID, c.Next.Rev, c.Want)
	}
	if c.Key.Name != "" && c.Want != 0 {
		return nil, fmt.Errorf("job %s: only a new job takes an idempotency key", c.Next.ID)
	}
	data, err := c.Next.Encode()
	if err != nil {
		return nil, fmt.Errorf("encode job %s: %w", c.Next.ID, err)
	}
	if len(data) > job.MaxSize {
		c.Next = c.Next.Fit()
		if data, err = c.Next.Encode(); err != nil {
			return nil, fmt.Errorf("encode job %s: %w", c.Next.ID, err)
		}
	}
	if len(data) > job.MaxSize {
		return nil, &TooLargeError{ID: c.Next.ID, Size: len(data), Limit: job.MaxSize}
	}
	ch := &change{id: id, want: c.Want, event: &job.Event{Job: c.Next, Data: data}}
	if c.Key.Name != "" {
		ch.key, ch.name, ch.fingerprint = hashOf(c.Key.Name), c.Key.Name, c.Key.Fingerprint
	}
	return ch, nil
}

// fingerprintFile is the SHA-256 of a file in hexadecimal, "" when there is none.
func fingerprintFile(path string) (string, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read %s: %w", filepath.Base(path), err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}
