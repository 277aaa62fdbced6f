package jobtest

import (
	"time"

	"telltale/backend/job"
)

func (b *bench) prune(now time.Time, keep func(string) job.Keep) int {
	b.Helper()
	n, err := b.s.Prune(b.ctx(), now, keep)
	if err != nil {
		b.Fatal(err)
	}
	return n
}

func pruneByAge(b *bench) {
	o := b.history(20)
	b.clock.Advance(48 * time.Hour)
	young := b.run("push", "", succeeded)
	e, err := b.s.Get(b.ctx(), young.ID)
	if err != nil {
		b.Fatal(err)
	}
	o.add(e)
	b.step()
	now := b.clock.Now()
	keepAll := func(string) job.Keep { return job.Keep{} }
	if n := b.prune(now, keepAll); n != 0 {
		b.Errorf("%d removed by a rule that keeps everything", n)
	}
	keep := func(action string) job.Keep {
		if action == "pull" {
			return job.Keep{}
		}
		return job.Keep{Age: 24 * time.Hour}
	}
	if got, want := b.prune(now, keep), o.prune(now, keep); got != want || want == 0 {
		b.Errorf("%d removed, want %d", got, want)
	}
	b.step()
	b.listed("after age", b.pages(job.Filter{}, 7), o.list(job.Filter{}))
	if n := b.prune(now, keep); n != 0 {
		b.Errorf("%d removed the second time", n)
	}
}

func pruneByCount(b *bench) {
	o := b.history(40)
	b.step()
	keep := func(action string) job.Keep {
		return job.Keep{Count: map[string]int{"push": 3, "pull": 100, "tests": 1}[action]}
	}
	now := b.clock.Now()
	if got, want := b.prune(now, keep), o.prune(now, keep); got != want || want == 0 {
		b.Errorf("%d removed, want %d", got, want)
	}
	b.step()
	b.listed("after count", b.pages(job.Filter{}, 7), o.list(job.Filter{}))
	for _, f := range []job.Filter{{Actions: []string{"push"}}, {States: []job.State{job.Failed}}, {Targets: []string{"oslo"}}, {By: []string{"ada"}}} {
		b.listed("after count", b.pages(f, 7), o.list(f))
	}
	if n := b.prune(now, keep); n != 0 {
		b.Errorf("%d removed the second time", n)
	}
}

func pruneTakesAll(b *bench) {
	key := job.Key{Name: "once", Fingerprint: "f"}
	first, _, err := b.s.Append(b.ctx(), job.Change{Next: b.fresh("push", ""), Key: key})
	if err != nil {
		b.Fatal(err)
	}
	id := first.Job.ID
	if _, err := b.s.AppendLog(b.ctx(), id, []job.Line{{At: b.clock.Now(), Stream: job.Stdout, Text: "hello"}}); err != nil {
		b.Fatal(err)
	}
	live := b.accept("push", "")
	b.finish(b.start(first.Job), succeeded)
	b.step()
	b.clock.Advance(time.Hour)
	if n := b.prune(b.clock.Now(), func(string) job.Keep { return job.Keep{Age: time.Minute} }); n != 1 {
		b.Fatalf("%d removed, want 1", n)
	}
	b.step()
	_, err = b.s.Get(b.ctx(), id)
	wantError[*job.NotFoundError](b, "get", err, nil)
	_, err = b.s.ReadLog(b.ctx(), id, 1, 10)
	wantError[*job.NotFoundError](b, "read log", err, nil)
	_, _, err = b.s.OpenLog(b.ctx(), id)
	wantError[*job.NotFoundError](b, "open log", err, nil)
	_, err = b.s.AppendLog(b.ctx(), id, []job.Line{{Text: "late"}})
	wantError[*job.NotFoundError](b, "append log", err, nil)
	if _, found, err := b.s.Keyed(b.ctx(), key); found || err != nil {
		b.Errorf("the key is still used: %v, %v", found, err)
	}
	again, repeated, err := b.s.Append(b.ctx(), job.Change{Next: b.fresh("push", ""), Key: key})
	if err != nil || repeated {
		b.Errorf("the key is still used: seq %d, repeated %v, %v", again.Seq, repeated, err)
	}
	if e, err := b.s.Get(b.ctx(), live.ID); err != nil || e.Job.State != job.Queued {
		b.Errorf("a live job was touched: %s, %v", e.Job.State, err)
	}
}
