package jobtest

import (
	"errors"
	"sync"
	"sync/atomic"

	"github.com/google/go-cmp/cmp"

	"telltale/backend/job"
)

func appendNumbersChanges(b *bench) {
	if head := b.head(); head.Seq != 0 || head.Feed == "" {
		b.Fatalf("a new store stands at %+v", head)
	}
	one := b.must(0, b.fresh("push", "berlin"), nil)
	b.step()
	two := b.must(0, b.fresh("push", "oslo"), nil)
	b.step()
	next, err := one.Job.Start(b.clock.Now(), "h", "b")
	three := b.must(1, next, err)
	b.step()
	if one.Seq != 1 || two.Seq != 2 || three.Seq != 3 {
		b.Errorf("seqs are %d, %d, %d", one.Seq, two.Seq, three.Seq)
	}
	b.same("answer", three, next)
	if head := b.head(); head.Seq != 3 {
		b.Errorf("head is %v", head)
	}
	e, err := b.s.Last(b.ctx(), one.Job.ID)
	if err != nil {
		b.Fatal(err)
	}
	b.same("last", e, next)
	if e.Seq != 3 {
		b.Errorf("last has seq %d", e.Seq)
	}
}

func appendRefusesThePast(b *bench) {
	j := b.accept("push", "")
	_, _, err := b.s.Append(b.ctx(), job.Change{Next: j})
	wantError(b, "accept twice", err, func(c *job.ConflictError) bool {
		return c.Have == 1 && c.Want == 0 && c.ID == j.ID
	})
	b.step()
	running := b.start(j)
	canceled, err := j.Finish(b.clock.Now(), job.Outcome{State: job.Canceled})
	if err != nil {
		b.Fatal(err)
	}
	b.step()
	_, _, err = b.s.Append(b.ctx(), job.Change{Want: 1, Next: canceled})
	wantError(b, "decided on the past", err, func(c *job.ConflictError) bool {
		return c.Have == 2 && c.Want == 1
	})
	done := b.finish(running, succeeded)
	b.step()
	_, _, err = b.s.Append(b.ctx(), job.Change{Want: 2, Next: done})
	wantError(b, "finish twice", err, func(c *job.ConflictError) bool {
		return c.Have == 3
	})
	unknown := b.fresh("push", "")
	started, err := unknown.Start(b.clock.Now(), "h", "b")
	if err != nil {
		b.Fatal(err)
	}
	_, _, err = b.s.Append(b.ctx(), job.Change{Want: 1, Next: started})
	wantError[*job.NotFoundError](b, "change of nobody", err, nil)
	skip := started
	skip.Rev = 7
	if _, _, err = b.s.Append(b.ctx(), job.Change{Want: 1, Next: skip}); err == nil {
		b.Error("a revision was left out and nobody minded")
	}
	bad := b.fresh("push", "")
	bad.ID = "../../etc/passwd"
	_, _, err = b.s.Append(b.ctx(), job.Change{Next: bad})
	wantError[*job.InvalidIDError](b, "bad id", err, nil)
	if n := len(b.feed()); n != 3 {
		b.Errorf("%d events, want 3: a refusal left a trace", n)
	}
}

func appendRefusesTheLifecycle(b *bench) {
	born := b.fresh("push", "")
	born.State = job.Succeeded
	_, _, err := b.s.Append(b.ctx(), job.Change{Next: born})
	wantError[*job.TransitionError](b, "born final", err, nil)
	j := b.accept("push", "")
	next := j
	next.Rev, next.State = 2, job.Succeeded
	_, _, err = b.s.Append(b.ctx(), job.Change{Want: 1, Next: next})
	wantError[*job.TransitionError](b, "queued to succeeded", err, nil)
	done := b.finish(j, job.Outcome{State: job.Canceled})
	b.step()
	for _, s := range job.States() {
		next := done
		next.Rev, next.State = done.Rev+1, s
		_, _, err = b.s.Append(b.ctx(), job.Change{Want: done.Rev, Next: next})
		wantError[*job.TransitionError](b, "final to "+string(s), err, nil)
	}
	e, err := b.s.Get(b.ctx(), j.ID)
	if err != nil {
		b.Fatal(err)
	}
	b.same("final is final", e, done)
}

func appendLetsOneWin(b *bench) {
	j := b.start(b.accept("push", ""))
	const rivals, rounds = 8, 10
	var won atomic.Int64
	var wg sync.WaitGroup
	for range rivals {
		wg.Go(func() {
			mine := j
			for n := 0; n < rounds; {
				next, err := mine.Note(b.clock.Now(), job.Report{Phase: "mine"})
				if err != nil {
					b.Error(err)
					return
				}
				e, _, err := b.s.Append(b.ctx(), job.Change{Want: mine.Rev, Next: next})
				var conflict *job.ConflictError
				switch {
				case err == nil:
					won.Add(1)
					n++
					mine = e.Job
				case errors.As(err, &conflict) && conflict.Have > mine.Rev:
					last, err := b.s.Last(b.ctx(), j.ID)
					if err != nil {
						b.Error(err)
						return
					}
					mine = last.Job
				default:
					b.Errorf("append: %v", err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.step()
	e, err := b.s.Get(b.ctx(), j.ID)
	if err != nil {
		b.Fatal(err)
	}
	if won.Load() != rivals*rounds || e.Job.Rev != j.Rev+rivals*rounds {
		b.Errorf("%d won, revision is %d after %d", won.Load(), e.Job.Rev, j.Rev)
	}
	b.gapless(b.feed(), 1)
}

func minorIsOnlyReports(b *bench) {
	j := b.accept("push", "")
	queued, err := j.Stand(b.clock.Now(), &job.Place{Position: 2})
	j = b.must(j.Rev, queued, err).Job
	j = b.report(b.start(j), "Counting")
	asked, err := j.AskCancel(b.clock.Now(), "eva")
	j = b.must(j.Rev, asked, err).Job
	j = b.report(j, "Stopping")
	again, err := j.Requeue(b.clock.Now(), b.clock.Now(), &job.Error{Code: "timeout", Message: "Too slow."})
	j = b.must(j.Rev, again, err).Job
	b.finish(b.start(j), succeeded)
	b.step()
	var minor []bool
	for _, e := range b.feed() {
		minor = append(minor, e.Minor)
	}
	want := []bool{false, false, false, true, false, true, false, false, false}
	if diff := cmp.Diff(want, minor); diff != "" {
		b.Errorf("minor (-want +got):\n%s", diff)
	}
}

func everyWaySameBytes(b *bench) {
	live := b.report(b.start(b.accept("push", "berlin")), "Writing objects")
	b.step()
	done := b.run("pull", "oslo", job.Outcome{State: job.Failed, Error: &job.Error{Code: "exit_status", Message: "It said <no> & left.", Hint: "Ask."}})
	b.step()
	for _, want := range []job.Job{live, done} {
		got, err := b.s.Get(b.ctx(), want.ID)
		if err != nil {
			b.Fatal(err)
		}
		b.same("get", got, want)
		events := b.feed()
		for _, e := range events {
			if e.Job.ID == want.ID && e.Job.Rev == want.Rev {
				b.same("since", e, want)
				if e.Seq != got.Seq || e.Minor != got.Minor {
					b.Errorf("since says seq %d minor %v, get %d %v", e.Seq, e.Minor, got.Seq, got.Minor)
				}
			}
		}
		page, err := b.s.List(b.ctx(), job.Filter{Actions: []string{want.Action}}, "", 10)
		if err != nil || len(page.Events) != 1 {
			b.Fatalf("list: %d events, %v", len(page.Events), err)
		}
		b.sameData("list", page.Events[0], want)
		if page.Events[0].Seq != got.Seq || page.Head != b.head() {
			b.Errorf("list says seq %d head %v", page.Events[0].Seq, page.Head)
		}
	}
	events, at, err := b.s.Live(b.ctx())
	if err != nil || len(events) != 1 || at != b.head() {
		b.Fatalf("live: %d events at %v, %v", len(events), at, err)
	}
	b.same("live", events[0], live)
}
