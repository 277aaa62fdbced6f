package store

import (
	"cmp"
	"context"
	"slices"
	"time"

	"telltale/backend/job"
)

var _ job.Queue = (*Store)(nil)

// lane holds the queued jobs of one action and target in the order they were
// accepted, also those somebody has claimed. It is guarded by present.mu.
type lane struct {
	jobs []*entry
	wake chan struct{} // closed when the lane changes
}

func (l *lane) insert(e *entry) {
	at, found := slices.BinarySearchFunc(l.jobs, e, compareBorn)
	if !found {
		l.jobs = slices.Insert(l.jobs, at, e)
	}
}

func (l *lane) remove(e *entry) {
	at, found := slices.BinarySearchFunc(l.jobs, e, compareBorn)
	switch {
	case !found:
	case at == 0:
		l.jobs[0] = nil
		l.jobs = l.jobs[1:]
	default:
		l.jobs = slices.Delete(l.jobs, at, at+1)
	}
}

func (l *lane) stir() {
	close(l.wake)
	l.wake = make(chan struct{})
}

// compareBorn orders by acceptance; jobs of one store never share a born.
func compareBorn(a, b *entry) int { return cmp.Compare(a.born, b.born) }

// recheck is how long a waiting Claim trusts its timer: a wall clock that is
// set, or a machine that slept, must not keep a due job waiting for ever.
const recheck = time.Second

// Claim implements job.Queue. Claims live in memory: after a crash every queued
// job is handed out again.
func (s *Store) Claim(ctx context.Context, lane string) (job.Unit, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
		found, wait, wake := s.now.claim(lane, s.o.Clock())
		if found != nil {
			return found, nil
		}
		if wake == nil {
			return nil, s.closed()
		}
		timer := time.NewTimer(min(wait, recheck))
		select {
		case <-wake:
		case <-timer.C:
		case <-ctx.Done():
		case <-s.closing:
			timer.Stop()
			return nil, ErrClosed
		}
		timer.Stop()
	}
}

// Lanes implements job.Queue; the names are sorted.
func (s *Store) Lanes(context.Context) ([]string, error) {
	s.now.mu.RLock()
	defer s.now.mu.RUnlock()
	names := make([]string, 0, len(s.now.lanes))
	for name := range s.now.lanes {
		names = append(names, name)
	}
	slices.Sort(names)
	return names, s.closed()
}

// claim takes the first due job of a lane. With none due it returns how long to
// wait and a channel that is closed when the lane changes; with none unclaimed
// the channel is nil.
func (p *present) claim(name string, now time.Time) (job.Unit, time.Duration, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.lanes[name]
	if l == nil {
		return nil, 0, nil
	}
	var next time.Time
	for _, e := range l.jobs {
		if e.claimed {
			continue
		}
		due := e.event.Job.NotBefore
		if !due.After(now) {
			e.claimed = true
			return &unit{p: p, entry: e, event: *e.event}, 0, nil
		}
		if next.IsZero() || due.Before(next) {
			next = due
		}
	}
	if next.IsZero() {
		return nil, 0, nil
	}
	return nil, next.Sub(now), l.wake
}

// unit is a claimed job.
type unit struct {
	p     *present
	entry *entry
	event job.Event
	given bool // guarded by p.mu: the claim was given up
}

// Event implements job.Unit.
func (u *unit) Event() job.Event { return u.event }

// Done implements job.Unit. A job that is queued again by then, for its next
// attempt, is handed out again.
func (u *unit) Done() { u.giveUp() }

// Release implements job.Unit.
func (u *unit) Release() { u.giveUp() }

func (u *unit) giveUp() {
	u.p.mu.Lock()
	defer u.p.mu.Unlock()
	if u.given {
		return
	}
	u.given = true
	u.entry.claimed = false
	if l := u.p.lanes[u.entry.lane]; l != nil {
		l.stir()
	}
}
