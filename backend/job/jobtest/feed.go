package jobtest

import (
	"context"
	"errors"
	"sync"

	"telltale/backend/job"
)

func tailHasNoGap(b *bench) {
	b.accept("push", "before")
	b.step()
	const writers, jobs, readers = 8, 12, 3
	const total = 1 + writers*jobs*4
	ctx, cancel := context.WithCancel(b.ctx())
	defer cancel()
	var wg sync.WaitGroup
	for range readers {
		wg.Go(func() {
			next := uint64(1)
			revs := map[job.ID]job.Rev{}
			err := b.s.Tail(ctx, job.Cursor{}, func(e job.Event) error {
				if e.Seq != next || e.Job.Rev != revs[e.Job.ID]+1 || len(e.Data) == 0 {
					b.Errorf("got seq %d rev %d, want %d and %d", e.Seq, e.Job.Rev, next, revs[e.Job.ID]+1)
				}
				last, err := b.s.Last(ctx, e.Job.ID)
				if err != nil || last.Job.Rev < e.Job.Rev {
					b.Errorf("told of rev %d, but last is %d, %v", e.Job.Rev, last.Job.Rev, err)
				}
				next++
				revs[e.Job.ID] = e.Job.Rev
				if next > total {
					return errEnough
				}
				return nil
			})
			if !errors.Is(err, errEnough) {
				b.Errorf("tail ended with %v", err)
			}
		})
	}
	for range writers {
		wg.Go(func() {
			for range jobs {
				b.finish(b.report(b.start(b.accept("push", "t")), "p"), succeeded)
			}
		})
	}
	wg.Wait()
	b.step()
	events := b.feed()
	b.gapless(events, 1)
	if len(events) != total {
		b.Errorf("%d events, want %d", len(events), total)
	}
	for n := uint64(0); n < total; n += 37 {
		part, err := b.s.Since(b.ctx(), job.Cursor{Feed: b.head().Feed, Seq: n}, 5)
		if err != nil {
			b.Fatal(err)
		}
		b.gapless(part, n+1)
		if want := min(5, int(total-n)); len(part) != want {
			b.Errorf("since %d: %d events, want %d", n, len(part), want)
		}
	}
}

var errEnough = errors.New("enough")

func tailEnds(b *bench) {
	b.accept("push", "")
	b.step()
	err := b.s.Tail(b.ctx(), job.Cursor{}, func(job.Event) error { return errEnough })
	if !errors.Is(err, errEnough) {
		b.Errorf("tail ended with %v, want what the function said", err)
	}
	ctx, cancel := context.WithCancelCause(b.ctx())
	err = b.s.Tail(ctx, job.Cursor{}, func(e job.Event) error {
		cancel(errEnough)
		return nil
	})
	if !errors.Is(err, errEnough) && !errors.Is(err, context.Canceled) {
		b.Errorf("tail ended with %v, want the end of its context", err)
	}
	ctx, cancel = context.WithCancelCause(b.ctx())
	cancel(errEnough)
	if err := b.s.Tail(ctx, b.head(), func(job.Event) error { return nil }); err == nil {
		b.Error("tail at the head did not mind that its context had ended")
	}
}

func sinceRefusesCursors(b *bench) {
	for range 3 {
		b.accept("push", "")
	}
	b.step()
	head := b.head()
	for what, c := range map[string]job.Cursor{
		"foreign": {Feed: "other", Seq: 1},
		"future":  {Feed: head.Feed, Seq: head.Seq + 1},
	} {
		_, err := b.s.Since(b.ctx(), c, 10)
		wantError(b, what, err, func(g *job.GoneError) bool {
			return g.Asked == c && g.Oldest.Feed == head.Feed
		})
		err = b.s.Tail(b.ctx(), c, func(job.Event) error { return nil })
		wantError[*job.GoneError](b, what, err, nil)
	}
	if events, err := b.s.Since(b.ctx(), head, 10); err != nil || len(events) != 0 {
		b.Errorf("since the head: %d events, %v", len(events), err)
	}
}
