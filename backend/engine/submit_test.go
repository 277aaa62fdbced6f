package engine_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"telltale/backend/action"
	"telltale/backend/auth"
	"telltale/backend/engine"
	"telltale/backend/job"
)

func TestATriggerAnswersWithAQueuedJobThatIsOnDisk(t *testing.T) {
	t.Parallel()
	h := open(t)
	r := h.submit(engine.Request{Action: "one", Via: job.ViaButton, Reason: "because"})
	j := r.Event.Job
	if r.Answer != engine.Started || j.State != job.Queued || j.Rev != 1 || r.Event.Seq != 1 {
		t.Fatalf("answer %v: %+v", r.Answer, j)
	}
	if j.Trigger.By != "ada" || j.Trigger.Via != job.ViaButton || j.Trigger.Reason != "because" {
		t.Errorf("trigger %+v", j.Trigger)
	}
	if _, err := h.store.Get(t.Context(), j.ID); err != nil {
		t.Error(err)
	}
	h.next().succeed()
	end := h.becomes(j.ID, job.Succeeded)
	if end.Summary != "done" || end.Host != "atlas" || end.Boot != "m1-l1" || end.StartedAt.IsZero() {
		t.Errorf("ended as %+v", end)
	}
	h.wantStates(j.ID, job.Queued, job.Running, job.Succeeded)
}

func TestRunningIsOnDiskBeforeAnythingIsStarted(t *testing.T) {
	t.Parallel()
	h := open(t)
	id := h.press("one")
	p := h.next()
	if now, err := h.store.Get(t.Context(), id); err != nil || now.Job.State != job.Running {
		t.Errorf("while it runs the record says %s (%v)", now.Job.State, err)
	}
	p.succeed()
}

func TestTwoAdminsPressTheSameButtonAndWatchOneJob(t *testing.T) {
	t.Parallel()
	h := open(t)
	const admins = 50
	ids := make(chan job.ID, admins)
	started := make(chan bool, admins)
	var wg sync.WaitGroup
	for i := range admins {
		wg.Go(func() {
			r, err := h.Submit(t.Context(), auth.Principal{Name: fmt.Sprint("admin", i)}, engine.Request{Action: "one", Via: job.ViaButton})
			if err != nil {
				t.Error(err)
			}
			ids <- r.Event.Job.ID
			started <- r.Answer == engine.Started
		})
	}
	wg.Wait()
	close(started)
	first, news := <-ids, 0
	for range admins - 1 {
		if id := <-ids; id != first {
			t.Errorf("job %s beside %s", id, first)
		}
	}
	for s := range started {
		if s {
			news++
		}
	}
	if news != 1 {
		t.Errorf("%d jobs were started", news)
	}
	h.next().succeed()
	h.becomes(first, job.Succeeded)
	if id := h.press("one"); id == first {
		t.Error("a press after the end joined the ended job")
	}
}

func TestTargetsDoNotDisturbOneAnother(t *testing.T) {
	t.Parallel()
	h := open(t)
	a := h.submit(engine.Request{Action: "targeted", Target: "berlin"})
	b := h.submit(engine.Request{Action: "targeted", Target: "oslo"})
	if a.Answer != engine.Started || b.Answer != engine.Started {
		t.Fatalf("answers %v and %v", a.Answer, b.Answer)
	}
	h.next()
	h.next()
}

func TestR23_TwoHundredTriggersWithOneKeyMakeOneJob(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"one", "many", "queue", "replace", "reject"} {
		h := open(t)
		ids := make(chan job.ID, 200)
		var wg sync.WaitGroup
		for range 200 {
			wg.Go(func() {
				r, err := h.Submit(t.Context(), ada, engine.Request{Action: name, Key: "k"})
				if err != nil {
					t.Error(err)
				}
				ids <- r.Event.Job.ID
			})
		}
		wg.Wait()
		first := <-ids
		for range 199 {
			if id := <-ids; id != first {
				t.Fatalf("%s: job %s beside %s", name, id, first)
			}
		}
		all := h.history(first)
		if len(all) == 0 {
			t.Fatalf("%s: no record", name)
		}
		if j := all[len(all)-1]; j.Cancel != nil || j.State.Final() {
			t.Errorf("%s: the job was disturbed by its own trigger: %s, %+v", name, j.State, j.Cancel)
		}
	}
}

func TestR24_AKeyWithAnotherBodyIsRefused(t *testing.T) {
	t.Parallel()
	h := open(t)
	first := h.submit(engine.Request{Action: "targeted", Target: "berlin", Key: "k"})
	var reused *job.KeyReusedError
	_, err := h.Submit(t.Context(), ada, engine.Request{Action: "targeted", Target: "oslo", Key: "k"})
	if !errors.As(err, &reused) || reused.First.Job.ID != first.Event.Job.ID {
		t.Errorf("got %v", err)
	}
	if r, err := h.Submit(t.Context(), auth.Principal{Name: "eve"}, engine.Request{Action: "targeted", Target: "oslo", Key: "k"}); err != nil || r.Answer != engine.Started {
		t.Errorf("somebody else's key: %v, %v", r.Answer, err)
	}
}

// A page that lost the answer asks again with the same key. That it watched
// somebody else's job the first time must not make it start one of its own.
func TestR25_AKeyThatJoinedALiveJobStandsForThatJob(t *testing.T) {
	t.Parallel()
	h := open(t)
	id := h.press("one")
	joined := h.submit(engine.Request{Action: "one", Key: "k"})
	if joined.Answer != engine.Joined || joined.Event.Job.ID != id {
		t.Fatalf("answer %v: %s", joined.Answer, joined.Event.Job.ID)
	}
	var reused *job.KeyReusedError
	if _, err := h.Submit(t.Context(), ada, engine.Request{Action: "one", Key: "k", Reason: "another"}); !errors.As(err, &reused) {
		t.Errorf("the key with another body: %v", err)
	}
	h.next().succeed()
	h.becomes(id, job.Succeeded)
	again := h.submit(engine.Request{Action: "one", Key: "k"})
	if again.Answer != engine.Repeated || again.Event.Job.ID != id {
		t.Errorf("answer %v: job %s, want %s", again.Answer, again.Event.Job.ID, id)
	}
}

func TestR25_AKeyIsRememberedAfterARestartAndAfterTheEnd(t *testing.T) {
	t.Parallel()
	h := onDisk(t)
	first := h.submit(engine.Request{Action: "one", Key: "k"}).Event.Job.ID
	h.next().succeed()
	h.becomes(first, job.Succeeded)
	h.die()
	h.start()
	other := h.press("one") // a live job in the lane must not answer for the key
	r := h.submit(engine.Request{Action: "one", Key: "k"})
	if r.Answer != engine.Repeated || r.Event.Job.ID != first || r.Event.Job.State != job.Succeeded {
		t.Errorf("answer %v: job %s (%s), want %s; live is %s", r.Answer, r.Event.Job.ID, r.Event.Job.State, first, other)
	}
}

func TestBadTriggersAreRefusedAndLeaveNoRecord(t *testing.T) {
	t.Parallel()
	h := open(t)
	var unknown *engine.UnknownActionError
	if _, err := h.Submit(t.Context(), ada, engine.Request{Action: "onee"}); !errors.As(err, &unknown) || unknown.Nearest != "one" {
		t.Errorf("unknown action: %v", err)
	}
	var target *engine.UnknownTargetError
	if _, err := h.Submit(t.Context(), ada, engine.Request{Action: "targeted", Target: "../oslo"}); !errors.As(err, &target) || len(target.Known) != 2 {
		t.Errorf("unknown target: %v", err)
	}
	var bad *action.BindError
	for _, r := range []engine.Request{
		{Action: "targeted"},
		{Action: "one", Params: map[string]any{"nope": 1.0}},
		{Action: "secret", Params: map[string]any{"note": 7.0}},
	} {
		if _, err := h.Submit(t.Context(), ada, r); !errors.As(err, &bad) {
			t.Errorf("%+v: %v", r, err)
		}
	}
	if head, _ := h.store.Head(t.Context()); head.Seq != 0 {
		t.Errorf("%d changes were kept", head.Seq)
	}
}

func TestNothingIsAcceptedWhileStopping(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.Drain(t.Context())
	if _, err := h.Submit(t.Context(), ada, engine.Request{Action: "one"}); !errors.Is(err, engine.ErrDraining) {
		t.Errorf("got %v", err)
	}
	if !errors.Is(h.Ready(), engine.ErrDraining) {
		t.Error("still ready")
	}
}

func TestARefusedWriteAnswersWithItsErrorAndFreesTheLane(t *testing.T) {
	t.Parallel()
	h := onDisk(t)
	h.die()
	if _, err := h.Submit(context.Background(), ada, engine.Request{Action: "one"}); err == nil {
		t.Fatal("a job was accepted by a closed store")
	}
	if _, err := h.Submit(context.Background(), ada, engine.Request{Action: "one"}); err == nil {
		t.Error("the second press joined a job that was never kept")
	}
}
