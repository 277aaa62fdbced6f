package jobtest

import (
	"context"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"

	"telltale/backend/job"
)

// claim takes the next unit of a lane, which must be there.
func (b *bench) claim(lane string) job.Unit {
	b.Helper()
	u, err := b.s.Claim(b.ctx(), lane)
	if err != nil || u == nil {
		b.Fatalf("claim %s: %v, %v", lane, u, err)
	}
	return u
}

// nothing checks that a lane has nothing to hand out.
func (b *bench) nothing(lane string) {
	b.Helper()
	if u, err := b.s.Claim(b.ctx(), lane); u != nil || err != nil {
		b.Fatalf("claim %s: %v, %v, want nothing", lane, u, err)
	}
}

func (b *bench) lanes() []string {
	b.Helper()
	names, err := b.s.Lanes(b.ctx())
	if err != nil {
		b.Fatal(err)
	}
	slices.Sort(names)
	return names
}

func queueIsFIFO(b *bench) {
	b.nothing("push/berlin")
	var want []job.ID
	for range 5 {
		want = append(want, b.accept("push", "berlin").ID)
		b.accept("pull", "")
		b.step()
	}
	if diff := cmp.Diff([]string{"pull/", "push/berlin"}, b.lanes()); diff != "" {
		b.Errorf("lanes (-want +got):\n%s", diff)
	}
	e, err := b.s.Last(b.ctx(), want[2])
	if err != nil {
		b.Fatal(err)
	}
	b.finish(e.Job, job.Outcome{State: job.Canceled}) // leaves the line
	b.step()
	want = slices.Delete(want, 2, 3)
	for _, id := range want {
		u := b.claim("push/berlin")
		if u.Event().Job.ID != id {
			b.Fatalf("claimed %s, want %s", u.Event().Job.ID, id)
		}
		b.same("unit", u.Event(), b.seen[id])
		b.finish(b.start(u.Event().Job), succeeded)
		u.Done()
	}
	b.nothing("push/berlin")
	b.step()
	if diff := cmp.Diff([]string{"pull/"}, b.lanes()); diff != "" {
		b.Errorf("lanes (-want +got):\n%s", diff)
	}
}

func queueHandsOutAgain(b *bench) {
	j := b.accept("push", "")
	u := b.claim("push/")
	b.nothing("push/") // in somebody's hands
	u.Release()
	u.Release() // once more does nothing
	u = b.claim("push/")
	b.nothing("push/")

	// An attempt fails and another is to follow.
	running := b.start(j)
	again, err := running.Requeue(b.clock.Now(), time.Time{}, &job.Error{Code: "exit_status", Message: "No."})
	j = b.must(running.Rev, again, err).Job
	u.Release()
	u = b.claim("push/")
	b.same("second attempt", u.Event(), j)
	b.finish(b.start(j), succeeded)
	u.Release() // final: nothing to hand out
	b.nothing("push/")

	// Who held it died: a store that was opened again has no claims.
	j = b.accept("push", "")
	u = b.claim("push/")
	before := b.s
	b.step()
	if b.s == before {
		u.Release()
	}
	if u := b.claim("push/"); u.Event().Job.ID != j.ID {
		b.Errorf("claimed %s", u.Event().Job.ID)
	}
}

func queueWaits(b *bench) {
	later := b.fresh("push", "")
	later.NotBefore = b.clock.Now().Add(time.Hour)
	later = b.must(0, later, nil).Job
	b.step()
	ctx, cancel := context.WithCancel(b.ctx())
	cancel()
	if u, err := b.s.Claim(ctx, "push/"); u != nil || err == nil {
		b.Fatalf("claim with an ended context: %v, %v", u, err)
	}
	got := make(chan job.Unit, 1)
	go func() {
		u, err := b.s.Claim(b.ctx(), "push/")
		if err != nil {
			b.Error(err)
		}
		got <- u
	}()
	now := b.accept("push", "") // comes later but is due
	u := <-got
	if u == nil || u.Event().Job.ID != now.ID {
		b.Fatalf("claimed %v, want %s", u, now.ID)
	}
	go func() {
		u, err := b.s.Claim(b.ctx(), "push/")
		if err != nil {
			b.Error(err)
		}
		got <- u
	}()
	b.clock.Advance(2 * time.Hour)
	if u := <-got; u == nil || u.Event().Job.ID != later.ID {
		b.Fatalf("claimed %v, want %s", u, later.ID)
	}
}
