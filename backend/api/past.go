package api

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"telltale/backend/feed"
	"telltale/backend/job"
)

// past is what a reader is told before it goes live: changes in the order of
// Seq, and the place in the feed that they bring the reader to. When lost is
// true it must forget what it knew first.
type past struct {
	events []job.Event
	head   job.Cursor
	lost   bool
}

// past reads what the reader has missed, or the present when it comes for the
// first time or too late. Call it after the reader is subscribed.
func (s *Server) past(ctx context.Context, a ask) (past, error) {
	if a.from == (job.Cursor{}) || a.lost {
		p, err := s.present(ctx, a.interest)
		p.lost = a.lost
		return p, err
	}
	p, err := s.missed(ctx, a)
	if _, gone := errors.AsType[*job.GoneError](err); !gone {
		return p, err
	}
	p, err = s.present(ctx, a.interest)
	p.lost = true
	return p, err
}

// present is the live jobs of the topic jobs, and each job that is named,
// whatever its state.
func (s *Server) present(ctx context.Context, i feed.Interest) (past, error) {
	live, head, err := s.Records.Live(ctx)
	if err != nil {
		return past{}, err
	}
	p := past{head: head}
	told := map[job.ID]bool{}
	for _, e := range live {
		if wants(i, e) {
			p.events = append(p.events, e)
			told[e.Job.ID] = true
		}
	}
	for id := range i.Job {
		if told[id] {
			continue
		}
		e, err := s.Records.Get(ctx, id)
		if missing(err) {
			continue
		}
		if err != nil {
			return past{}, err
		}
		if e.Seq <= head.Seq { // a later one is told live, in its place
			p.events = append(p.events, e)
		}
	}
	slices.SortFunc(p.events, func(a, b job.Event) int { return cmp.Compare(a.Seq, b.Seq) })
	return p, nil
}

// missed is what happened after a.from. Minor changes that a newer one of the
// same job followed are left out; when it is still too much, so are all but the
// newest of each job. Too many at all is a *job.GoneError.
func (s *Server) missed(ctx context.Context, a ask) (past, error) {
	const step = 1000
	p := past{head: a.from}
	size, seen := 0, 0
	for {
		batch, err := s.Journal.Since(ctx, p.head, step)
		if err != nil {
			return past{}, err
		}
		for _, e := range batch {
			if wants(a.interest, e) {
				p.events = append(p.events, e)
				size += len(e.Data)
			}
		}
		if len(batch) > 0 {
			p.head.Seq = batch[len(batch)-1].Seq
		}
		if size > maxReplayBytes {
			p.events = newest(p.events, func(job.Event) bool { return false })
			size = 0
			for _, e := range p.events {
				size += len(e.Data)
			}
		}
		if seen += len(batch); seen > maxReplay || size > 4*maxReplayBytes {
			return past{}, &job.GoneError{Asked: a.from}
		}
		if len(batch) < step {
			break
		}
	}
	p.events = newest(p.events, func(e job.Event) bool { return !e.Minor })
	return p, nil
}

// newest leaves out every event that a later one of its job follows, unless it
// is kept for its own sake.
func newest(events []job.Event, keep func(job.Event) bool) []job.Event {
	last := map[job.ID]uint64{}
	for _, e := range events {
		last[e.Job.ID] = e.Seq
	}
	return slices.DeleteFunc(events, func(e job.Event) bool { return last[e.Job.ID] != e.Seq && !keep(e) })
}

func missing(err error) bool {
	_, none := errors.AsType[*job.NotFoundError](err)
	return none
}
