package store

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/dgraph-io/badger/v4"

	"telltale/backend/job"
)

// List implements job.Records. Newest means greatest id, so that a page does
// not shift when jobs are added.
func (s *Store) List(ctx context.Context, f job.Filter, after string, limit int) (job.Page, error) {
	below := maxID
	if after != "" {
		var err error
		if below, err = parsePlace(after); err != nil {
			return job.Page{}, err
		}
	}
	if err := s.closed(); err != nil {
		return job.Page{}, err
	}
	m := newMatcher(f, time.Duration(s.skew.Load())*time.Millisecond)
	// Live jobs first, the disk after: a job that ends in between is seen twice,
	// never not at all.
	live, head := s.now.before(below, m.job)
	l := listing{ctx: ctx, s: s, m: m, live: live, limit: min(max(limit, 1), 1000), below: below}
	page := job.Page{Events: []job.Event{}, Head: s.cursor(head)}
	if err := s.view(l.read); err != nil {
		return job.Page{}, err
	}
	for _, e := range l.events {
		if e.Job.ID == "" {
			if err := json.Unmarshal(e.Data, &e.Job); err != nil {
				return job.Page{}, fmt.Errorf("record of event %d: %w", e.Seq, err)
			}
		}
		page.Events = append(page.Events, e)
	}
	if l.more {
		page.Next = formatPlace(l.last)
	}
	return page, nil
}

// listing is one page in the making.
type listing struct {
	ctx    context.Context //nolint:containedctx // lives as long as the call
	s      *Store
	m      *matcher
	live   []*entryView
	limit  int
	below  rawID // only ids below
	events []job.Event
	last   rawID
	more   bool // there is at least one beyond the page
}

// read merges live jobs with the records on disk.
func (l *listing) read(txn *badger.Txn) error {
	least, greatest := l.m.bounds()
	if compareID(l.below, greatest) < 0 {
		greatest = l.below
	}
	src := candidates(txn, l.m.f, greatest)
	if src == nil {
		l.liveAbove(rawID{})
		return nil
	}
	defer src.close()
	for n := 0; !l.more; n++ {
		if n%256 == 255 && l.ctx.Err() != nil {
			return context.Cause(l.ctx)
		}
		id, ok := src.id()
		if !ok || compareID(id, least) < 0 {
			break
		}
		if id != l.below {
			if err := l.candidate(txn, src, id); err != nil {
				return err
			}
		}
		src.next()
	}
	l.liveAbove(rawID{})
	return nil
}

// candidate takes a record from disk if it matches, after the live jobs that
// are newer.
func (l *listing) candidate(txn *badger.Txn, src source, id rawID) error {
	l.liveAbove(id)
	if len(l.live) > 0 && l.live[0].id == id {
		l.live = l.live[1:] // it ended meanwhile
	}
	if l.more {
		return nil
	}
	r, err := l.record(txn, src, id)
	if r == nil || err != nil {
		return err
	}
	match, err := l.m.record(id, r.data)
	if match {
		l.add(id, job.Event{Seq: r.seq, Data: r.data, Minor: r.minor})
	}
	return err
}

// record reads what stands under an id that an index named.
func (l *listing) record(txn *badger.Txn, src source, id rawID) (*record, error) {
	if k, ok := src.(*keySource); ok && string(k.prefix) == prefixJob {
		value, err := k.it.Item().ValueCopy(nil)
		if err != nil {
			return nil, fmt.Errorf("read record: %w", err)
		}
		r, err := decodeRecord(value)
		if err != nil {
			return nil, fmt.Errorf("read record: %w", err)
		}
		return &r, nil
	}
	r, err := readRecord(txn, idKey(prefixJob, id))
	if r == nil && err == nil {
		l.s.guard.damaged(fmt.Errorf("job %s is in an index but not on disk", id.id()))
	}
	return r, err
}

// liveAbove adds the live jobs with an id above.
func (l *listing) liveAbove(id rawID) {
	for len(l.live) > 0 && compareID(l.live[0].id, id) > 0 && !l.more {
		v := l.live[0]
		l.live = l.live[1:]
		l.add(v.id, *v.event)
	}
}

func (l *listing) add(id rawID, e job.Event) {
	if len(l.events) == l.limit {
		l.more = true
		return
	}
	l.events = append(l.events, e)
	l.last = id
}

// formatPlace writes the place after a record: its id and a checksum, so that a
// place nobody handed out is noticed.
func formatPlace(id rawID) string {
	sum := crc32.ChecksumIEEE(id[:])
	return hex.EncodeToString(append(id[:], byte(sum>>8), byte(sum)))
}

func parsePlace(s string) (rawID, error) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != 18 || formatPlace(rawID(b[:16])) != s {
		return rawID{}, &job.InvalidCursorError{Text: s}
	}
	return rawID(b[:16]), nil
}
