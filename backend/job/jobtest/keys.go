package jobtest

import (
	"sync"
	"sync/atomic"

	"telltale/backend/job"
)

func keyGivesFirstEvent(b *bench) {
	key := job.Key{Name: "press-1", Fingerprint: "push berlin"}
	if _, found, err := b.s.Keyed(b.ctx(), key); found || err != nil {
		b.Fatalf("a key nobody used: found %v, %v", found, err)
	}
	first, repeated, err := b.s.Append(b.ctx(), job.Change{Next: b.fresh("push", "berlin"), Key: key})
	if err != nil || repeated {
		b.Fatalf("first use: repeated %v, %v", repeated, err)
	}
	check := func(when string) {
		b.Helper()
		b.step()
		e, repeated, err := b.s.Append(b.ctx(), job.Change{Next: b.fresh("push", "berlin"), Key: key})
		if err != nil || !repeated || e.Seq != first.Seq {
			b.Fatalf("%s: seq %d, repeated %v, %v", when, e.Seq, repeated, err)
		}
		b.same(when, e, first.Job)
		e, found, err := b.s.Keyed(b.ctx(), key)
		if err != nil || !found || e.Seq != first.Seq {
			b.Fatalf("%s: keyed: seq %d, found %v, %v", when, e.Seq, found, err)
		}
		b.same(when, e, first.Job)
	}
	check("queued")
	j := b.report(b.start(first.Job), "Going")
	check("running")
	b.finish(j, succeeded)
	check("final")
	if n := len(b.feed()); n != 4 {
		b.Errorf("%d events, want 4: a repetition left a trace", n)
	}
}

func keyWithAnotherRequest(b *bench) {
	key := job.Key{Name: "press-1", Fingerprint: "push berlin"}
	first, _, err := b.s.Append(b.ctx(), job.Change{Next: b.fresh("push", "berlin"), Key: key})
	if err != nil {
		b.Fatal(err)
	}
	b.step()
	other := job.Key{Name: "press-1", Fingerprint: "push oslo"}
	_, _, err = b.s.Append(b.ctx(), job.Change{Next: b.fresh("push", "oslo"), Key: other})
	wantError(b, "other request", err, func(e *job.KeyReusedError) bool {
		return e.First.Job.ID == first.Job.ID && e.Key == "press-1"
	})
	_, _, err = b.s.Keyed(b.ctx(), other)
	wantError[*job.KeyReusedError](b, "keyed", err, nil)
	second, repeated, err := b.s.Append(b.ctx(), job.Change{Next: b.fresh("push", "oslo"), Key: job.Key{Name: "press-2", Fingerprint: "push oslo"}})
	if err != nil || repeated || second.Seq != 2 {
		b.Errorf("another key: seq %d, repeated %v, %v", second.Seq, repeated, err)
	}
	if _, _, err := b.s.Append(b.ctx(), job.Change{Want: 1, Next: second.Job, Key: key}); err == nil {
		b.Error("a change of an old job took a key")
	}
}

func keyUsedByMany(b *bench) {
	key := job.Key{Name: "tick-1", Fingerprint: "nightly"}
	const many = 40
	var made atomic.Int64
	got := make([]job.Event, many)
	var wg sync.WaitGroup
	for i := range many {
		wg.Go(func() {
			e, repeated, err := b.s.Append(b.ctx(), job.Change{Next: b.fresh("nightly", ""), Key: key})
			if err != nil {
				b.Error(err)
			}
			if !repeated {
				made.Add(1)
			}
			got[i] = e
		})
	}
	wg.Wait()
	b.step()
	if made.Load() != 1 || b.head().Seq != 1 {
		b.Fatalf("%d jobs were made, the feed stands at %v", made.Load(), b.head())
	}
	for _, e := range got {
		b.same("answer", e, got[0].Job)
	}
}
