package store

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/dgraph-io/badger/v4"

	"telltale/backend/job"
)

// removal asks the writer to delete. What its keys point to was read by the
// asker and cannot have changed since: final is final, and only one removal of
// each kind is under way at a time.
type removal struct {
	keys    [][]byte
	size    int
	feedTo  uint64    // events up to here are among keys; 0 for none
	action  string    // of the final records among keys
	records int64     // how many
	at      time.Time // the time to believe, if any
}

// remove stages a removal.
func (b *batch) remove(r *removal) answer {
	if r.feedTo > 0 {
		b.rescue(r.feedTo)
		b.state.Oldest = max(b.state.Oldest, r.feedTo+1)
	}
	for _, k := range r.keys {
		b.delete(k)
	}
	if r.records > 0 {
		b.count(r.action, -r.records)
		b.state.Records -= r.records
	}
	if !r.at.IsZero() {
		b.look(r.at)
	}
	return answer{believed: time.UnixMilli(b.state.Believed)}
}

// rescue moves the newest events of live jobs that the feed is about to forget
// beside their l/ keys.
func (b *batch) rescue(upTo uint64) {
	for id, e := range b.w.s.now.live {
		if _, changed := b.events[id]; changed || e.event.Seq > upTo {
			continue
		}
		r := record{seq: e.event.Seq, born: e.born, key: e.key, minor: e.event.Minor, data: e.event.Data}
		b.set(idKey(prefixLive, id), r.encode())
	}
}

// pruneStep is how many records one removal takes.
const pruneStep = 200

// Prune implements job.Records. Age is counted to now or to the time the store
// believes, whichever is earlier: a clock that is years ahead removes nothing.
// Newer means accepted later. It may run beside everything else.
func (s *Store) Prune(ctx context.Context, now time.Time, keep func(action string) job.Keep) (int, error) {
	s.pruning.Lock()
	defer s.pruning.Unlock()
	a, err := s.askRemoval(ctx, &removal{at: now})
	if err != nil {
		return 0, err
	}
	if now.Sub(a.believed) > time.Second {
		s.o.Log.WarnContext(ctx, "clock not believed", slog.Time("clock", now), slog.Time("believed", a.believed))
		now = a.believed
	}
	counts := map[string]int64{}
	if err := s.view(func(txn *badger.Txn) error { return readCounts(txn, counts) }); err != nil {
		return 0, err
	}
	total := 0
	for action, count := range counts {
		p := pruner{s: s, action: action}
		k := keep(action)
		if k.Count > 0 {
			p.excess = count - int64(k.Count)
		}
		if k.Age > 0 {
			p.cutoff = now.Add(-k.Age)
		}
		n, err := p.run(ctx)
		total += n
		if err != nil {
			return total, err
		}
	}
	return total, s.logs.shrink(ctx, s.o.LogTotal, func(id rawID) bool {
		_, live := s.now.get(id)
		return live
	})
}

func (s *Store) askRemoval(ctx context.Context, r *removal) (answer, error) {
	a, err := s.ask(ctx, &request{removal: r, answered: make(chan answer, 1)})
	if err != nil {
		return a, err
	}
	return a, a.err
}

// pruner removes records of one action, oldest first.
type pruner struct {
	s      *Store
	action string
	excess int64     // records to remove whatever their age
	cutoff time.Time // records that finished before go; zero for none
	from   rawID     // where to go on
}

func (p *pruner) run(ctx context.Context) (int, error) {
	total := 0
	for p.excess > 0 || !p.cutoff.IsZero() {
		r := &removal{action: p.action}
		var ids []rawID
		more := false
		err := p.s.view(func(txn *badger.Txn) (err error) {
			ids, more, err = p.gather(txn, r)
			return err
		})
		if err != nil {
			return total, fmt.Errorf("prune: %w", err)
		}
		if len(ids) > 0 {
			for _, id := range ids { // before the record: a log without one would never be found
				if err := p.s.logs.remove(id); err != nil {
					return total, err
				}
			}
			r.records = int64(len(ids))
			if _, err := p.s.askRemoval(ctx, r); err != nil {
				return total, err
			}
			total += len(ids)
		}
		if !more {
			break
		}
	}
	return total, nil
}

// gather fills a removal with the next records to go; more is false at the end.
func (p *pruner) gather(txn *badger.Txn, r *removal) (ids []rawID, more bool, err error) {
	prefix := indexPrefix(prefixAction, p.action)
	it := txn.NewIterator(badger.IteratorOptions{Prefix: prefix})
	defer it.Close()
	last := idAt(p.cutoff.Add(time.Duration(p.s.skew.Load()+1)*time.Millisecond), 0xff)
	for it.Seek(append(prefix, p.from[:]...)); it.Valid(); it.Next() {
		var id rawID
		copy(id[:], it.Item().Key()[len(prefix):])
		if p.excess <= 0 && (p.cutoff.IsZero() || compareID(id, last) > 0) {
			return ids, false, nil // it cannot have finished before it was accepted
		}
		if len(ids) == pruneStep {
			p.from = id
			return ids, true, nil
		}
		rec, err := readRecord(txn, idKey(prefixJob, id))
		if err != nil {
			return nil, false, err
		}
		if rec == nil {
			p.s.guard.damaged(fmt.Errorf("job %s is in an index but not on disk", id.id()))
			continue
		}
		j, err := decodeJob(rec.data)
		if err != nil {
			return nil, false, err
		}
		p.excess--
		if p.excess < 0 && (p.cutoff.IsZero() || !j.FinishedAt.Before(p.cutoff)) {
			continue
		}
		ids = append(ids, id)
		r.keys = append(append(r.keys, idKey(prefixJob, id)), indexKeys(&j, id)...)
		if rec.key != (keyHash{}) {
			r.keys = append(r.keys, append([]byte(prefixKey), rec.key[:]...))
		}
	}
	return ids, false, nil
}
