package jobtest

import (
	"fmt"
	"math/rand/v2"
	"time"

	"telltale/backend/job"
)

// walker takes random steps on a store and on the oracle, and compares.
type walker struct {
	*bench
	o    *oracle
	r    *rand.Rand
	head uint64
}

func randomWalk(b *bench) {
	seed := uint64(20261124)
	b.Logf("seed %d", seed)
	w := &walker{bench: b, o: newOracle(), r: rand.New(rand.NewPCG(seed, 7))}
	for range 220 {
		w.walk()
		b.step()
	}
	w.compare()
}

func (w *walker) walk() {
	w.Helper()
	switch n := w.r.IntN(100); {
	case n < 25:
		w.acceptOne()
	case n < 75:
		w.moveOne()
	case n < 80:
		w.stale()
	case n < 85:
		w.claimOne()
	case n < 97:
		w.ask()
	default:
		w.pruneSome()
	}
}

func (w *walker) add(e job.Event) {
	w.Helper()
	w.head++
	if e.Seq != w.head {
		w.Fatalf("seq is %d, want %d", e.Seq, w.head)
	}
	w.o.add(e)
}

func pick[T any](w *walker, of ...T) T { return of[w.r.IntN(len(of))] }

func (w *walker) acceptOne() {
	w.Helper()
	j := w.fresh(pick(w, "push", "pull", "tests"), pick(w, "", "berlin", "oslo"))
	j.Trigger.By = pick(w, "ada", "eva")
	if w.r.IntN(6) == 0 {
		j = job.Skip(j, j.CreatedAt, "Still running.")
	}
	c := job.Change{Next: j}
	if w.r.IntN(2) == 0 {
		c.Key = job.Key{Name: fmt.Sprintf("key-%d", w.r.IntN(20)), Fingerprint: pick(w, "f", "f", "g")}
	}
	first, used := w.o.keys[c.Key.Name+c.Key.Fingerprint]
	reused := false
	for _, f := range []string{"f", "g"} {
		_, other := w.o.keys[c.Key.Name+f]
		reused = reused || (other && f != c.Key.Fingerprint)
	}
	e, repeated, err := w.s.Append(w.ctx(), c)
	switch {
	case c.Key.Name != "" && used:
		if err != nil || !repeated {
			w.Fatalf("key used again: repeated %v, %v", repeated, err)
		}
		w.same("key used again", e, first.Job)
	case c.Key.Name != "" && reused:
		wantError[*job.KeyReusedError](w.bench, "key of another request", err, nil)
	case err != nil || repeated:
		w.Fatalf("accept: repeated %v, %v", repeated, err)
	default:
		w.add(e)
		if c.Key.Name != "" {
			w.o.keys[c.Key.Name+c.Key.Fingerprint] = e
		}
	}
}

// moveOne takes one live job a random step on, allowed or not.
func (w *walker) moveOne() {
	w.Helper()
	live := w.o.live()
	if len(live) == 0 {
		return
	}
	was := live[w.r.IntN(len(live))].Job
	at := w.clock.Now()
	var next job.Job
	var err error
	switch w.r.IntN(7) {
	case 0, 1:
		next, err = was.Start(at, "host", "boot")
	case 2:
		next, err = was.Note(at, job.Report{Phase: pick(w, "Counting", "Writing"), Log: job.LogStat{Lines: 3, Bytes: 30}})
	case 3:
		next, err = was.AskCancel(at, "eva")
	case 4:
		next, err = was.Requeue(at, at.Add(time.Duration(w.r.IntN(50))*time.Millisecond), &job.Error{Code: "timeout", Message: "Too slow."})
	default:
		o := job.Outcome{State: pick(w, job.Succeeded, job.Warning, job.Failed, job.Canceled, job.Interrupted), Summary: "Ended."}
		if o.State == job.Failed {
			o.Error = &job.Error{Code: "exit_status", Message: "It left.", Hint: "Look."}
		}
		next, err = was.Finish(at, o)
	}
	if err != nil || next.Rev == was.Rev {
		return // the table forbids it, or nothing changed
	}
	e, _, err := w.s.Append(w.ctx(), job.Change{Want: was.Rev, Next: next})
	if err != nil {
		w.Fatalf("%s of %s to %s: %v", was.ID, was.State, next.State, err)
	}
	w.same("answer", e, next)
	w.add(e)
}

// stale tries a change that was decided on an old revision.
func (w *walker) stale() {
	w.Helper()
	if len(w.o.events) == 0 {
		return
	}
	old := w.o.events[w.r.IntN(len(w.o.events))].Job
	now, kept := w.o.jobs[old.ID]
	if !kept || now.Job.Rev == old.Rev {
		return
	}
	next := old
	next.Rev++
	_, _, err := w.s.Append(w.ctx(), job.Change{Want: old.Rev, Next: next})
	wantError(w.bench, "stale change", err, func(c *job.ConflictError) bool {
		return c.Have == now.Job.Rev
	})
}

// claimOne takes the next of a lane and puts it back.
func (w *walker) claimOne() {
	w.Helper()
	lane := pick(w, "push/", "push/berlin", "pull/oslo", "tests/")
	first := map[job.ID]uint64{}
	for _, e := range w.o.events {
		if first[e.Job.ID] == 0 {
			first[e.Job.ID] = e.Seq
		}
	}
	var want, due job.Event
	now := w.clock.Now()
	for _, e := range w.o.live() {
		if e.Job.State != job.Queued || e.Job.Lane() != lane {
			continue
		}
		if want.Seq == 0 || first[e.Job.ID] < first[want.Job.ID] {
			want = e
		}
		if !e.Job.NotBefore.After(now) && (due.Seq == 0 || first[e.Job.ID] < first[due.Job.ID]) {
			due = e
		}
	}
	u, err := w.s.Claim(w.ctx(), lane)
	if err != nil {
		w.Fatal(err)
	}
	switch {
	case want.Seq == 0 && u != nil:
		w.Fatalf("claimed %s from an empty lane", u.Event().Job.ID)
	case want.Seq == 0:
	case u == nil:
		w.Fatalf("lane %s is empty, want %s", lane, want.Job.ID)
	default:
		// The clock moved on meanwhile: something earlier in line may have become due.
		if due.Seq != 0 && first[u.Event().Job.ID] > first[due.Job.ID] {
			w.Fatalf("claimed %s, want %s", u.Event().Job.ID, due.Job.ID)
		}
		w.same("unit", u.Event(), w.o.jobs[u.Event().Job.ID].Job)
		u.Release()
	}
}

// ask compares one answer of the read side.
func (w *walker) ask() {
	w.Helper()
	f := job.Filter{}
	if w.r.IntN(2) == 0 {
		f.Actions = []string{pick(w, "push", "pull", "tests")}
	}
	if w.r.IntN(3) == 0 {
		f.Targets = []string{pick(w, "", "berlin"), "oslo"}
	}
	if w.r.IntN(3) == 0 {
		f.States = []job.State{pick(w, job.States()...), pick(w, job.States()...)}
	}
	if w.r.IntN(4) == 0 {
		f.Text = pick(w, "too SLOW", "writing", "do pu", "ended")
	}
	w.listed(fmt.Sprintf("list %+v", f), w.pages(f, 1+w.r.IntN(20)), w.o.list(f))
	if len(w.o.events) > 0 {
		e := w.o.events[w.r.IntN(len(w.o.events))]
		got, err := w.s.Get(w.ctx(), e.Job.ID)
		if want, kept := w.o.jobs[e.Job.ID]; kept {
			if err != nil {
				w.Fatal(err)
			}
			w.same("get", got, want.Job)
		} else {
			wantError[*job.NotFoundError](w.bench, "get of a pruned job", err, nil)
		}
	}
}

func (w *walker) pruneSome() {
	w.Helper()
	k := job.Keep{Count: w.r.IntN(6), Age: time.Duration(w.r.IntN(400)) * time.Millisecond}
	keep := func(string) job.Keep { return k }
	now := w.clock.Now()
	if got, want := w.prune(now, keep), w.o.prune(now, keep); got != want {
		w.Fatalf("prune %+v removed %d, want %d", k, got, want)
	}
}

// compare checks everything at the end.
func (w *walker) compare() {
	w.Helper()
	w.listed("all", w.pages(job.Filter{}, 13), w.o.list(job.Filter{}))
	events, _, err := w.s.Live(w.ctx())
	if err != nil {
		w.Fatal(err)
	}
	w.listed("live", events, w.o.live())
	w.listed("feed", w.feed(), w.o.events)
	for i, e := range w.feed() {
		w.same("feed", e, w.o.events[i].Job)
		if e.Minor != w.o.events[i].Minor {
			w.Errorf("event %d: minor is %v", e.Seq, e.Minor)
		}
	}
}
