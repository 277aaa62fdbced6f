package store

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/dgraph-io/badger/v4"
)

// state is what the store knows of itself; it is written with every
// transaction under m/state.
type state struct {
	Seq     uint64 `json:"seq"`     // of the newest event
	Oldest  uint64 `json:"oldest"`  // of the oldest event still in the feed
	Records int64  `json:"records"` // final jobs kept
	// Skew is the greatest distance in milliseconds seen between the time in a
	// job's id and its CreatedAt: how far a listing by time must look around.
	Skew int64 `json:"skew"`
	// Believed is the time by which records age, in Unix milliseconds; see
	// believe.
	Believed int64 `json:"believed"`
}

func (s state) encode() ([]byte, error) { return json.Marshal(s) }

func readState(txn *badger.Txn) (state, error) {
	s := state{Oldest: 1}
	item, err := txn.Get([]byte(keyState))
	if err != nil {
		return s, fmt.Errorf("state of the store: %w", err)
	}
	err = item.Value(func(b []byte) error { return json.Unmarshal(b, &s) })
	if err != nil {
		return s, fmt.Errorf("state of the store: %w", err)
	}
	return s, nil
}

// maxLeap is the longest time the clock may have moved on since the store last
// looked without being doubted: longer than any machine is switched off.
const maxLeap = 400 * 24 * time.Hour

// believe moves the believed time on to now. A clock that leaps by more than
// maxLeap is not believed: a wrong year must not make every record look old
// enough to be pruned. Then the believed time moves on by running only, ran
// being the time that passed on the monotonic clock.
func (s *state) believe(now time.Time, ran time.Duration) {
	ms := now.UnixMilli()
	if s.Believed != 0 && ms-s.Believed > maxLeap.Milliseconds() {
		s.Believed += ran.Milliseconds()
		return
	}
	s.Believed = max(s.Believed, ms)
}
