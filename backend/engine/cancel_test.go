package engine_test

import (
	"context"
	"errors"
	"testing"

	"telltale/backend/auth"
	"telltale/backend/engine"
	"telltale/backend/job"
	"telltale/backend/runner"
)

var grace = auth.Principal{Name: "grace"}

func TestCancelOfARunningJobAsksAndIsCanceledWhenTheWorkStopped(t *testing.T) {
	t.Parallel()
	h := open(t)
	id := h.press("one")
	p := h.next()
	e, err := h.Cancel(t.Context(), grace, id)
	if err != nil || e.Job.State != job.Running || e.Job.Cancel == nil || e.Job.Cancel.By != "grace" {
		t.Fatalf("after asking: %+v, %v", e.Job, err)
	}
	<-p.ctx.Done()
	if cause := context.Cause(p.ctx); !errors.Is(cause, runner.ErrCanceled) {
		t.Errorf("told to stop because of %v", cause)
	}
	h.becomes(id, job.Canceled)
	h.wantStates(id, job.Queued, job.Running, job.Canceled)
}

func TestCancelOfAQueuedJobEndsItAtOnceAndItNeverRuns(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.press("queue")
	p := h.next()
	waiting, after := h.press("queue"), h.press("queue")
	e, err := h.Cancel(t.Context(), grace, waiting)
	if err != nil || e.Job.State != job.Canceled || e.Job.Rev != 2 {
		t.Fatalf("%+v, %v", e.Job, err)
	}
	p.succeed()
	if p := h.next(); p.Job != after {
		t.Errorf("%s runs, want %s", p.Job, after)
	}
}

func TestCancelAfterTheEndChangesNothing(t *testing.T) {
	t.Parallel()
	h := open(t)
	id := h.press("one")
	h.next().succeed()
	end := h.becomes(id, job.Succeeded)
	e, err := h.Cancel(t.Context(), grace, id)
	if err != nil || e.Job.Rev < end.Rev || e.Job.State != job.Succeeded || e.Job.Cancel != nil {
		t.Errorf("%+v, %v", e.Job, err)
	}
	var missing *job.NotFoundError
	if _, err := h.Cancel(t.Context(), grace, "01939f6e-7c1e-7a5e-8000-000000000001"); !errors.As(err, &missing) {
		t.Errorf("unknown job: %v", err)
	}
}

func TestWorkThatFinishedBeforeItCouldBeStoppedSaysSo(t *testing.T) {
	t.Parallel()
	h := open(t)
	id := h.press("one")
	p := h.next()
	p.succeed() // the outcome is on its way when somebody asks
	if _, err := h.Cancel(t.Context(), grace, id); err != nil {
		t.Fatal(err)
	}
	end := h.until(id, "ended", func(j job.Job) bool { return j.State.Final() })
	if end.State != job.Succeeded && end.State != job.Canceled {
		t.Errorf("ended as %s", end.State)
	}
}

// Whatever the moment of the asking, the job ends once, and nothing runs on.
func TestCancelAtAnyMomentEndsTheJobOnce(t *testing.T) {
	t.Parallel()
	h := open(t)
	for range 200 {
		id := h.press("many")
		go func() { _, _ = h.Cancel(context.WithoutCancel(t.Context()), grace, id) }()
		h.until(id, "ended", func(j job.Job) bool { return j.State.Final() })
		finals := 0
		for _, j := range h.history(id) {
			if j.State.Final() {
				finals++
			}
		}
		if finals != 1 {
			t.Fatalf("%d ends", finals)
		}
	}
}

func TestRetryIsANewJobThatNamesTheOldOne(t *testing.T) {
	t.Parallel()
	h := open(t)
	first := h.submit(engine.Request{Action: "targeted", Target: "oslo"}).Event.Job
	var live *engine.NotFinalError
	if _, err := h.Retry(t.Context(), grace, first.ID, ""); !errors.As(err, &live) {
		t.Errorf("retry of a live job: %v", err)
	}
	h.next().fail()
	h.becomes(first.ID, job.Failed)
	r, err := h.Retry(t.Context(), grace, first.ID, "")
	j := r.Event.Job
	if err != nil || j.ID == first.ID || j.Trigger.RetryOf != first.ID || j.Trigger.Via != job.ViaRetry || j.Trigger.By != "grace" || j.Target != "oslo" {
		t.Errorf("%+v, %v", j, err)
	}
}

func TestAJobThatWasGivenASecretIsNotRetriedWithoutIt(t *testing.T) {
	t.Parallel()
	h := open(t)
	r := h.submit(engine.Request{Action: "secret", Params: map[string]any{"key": "hunter2-hunter2"}})
	if !r.Event.Job.Sealed || r.Event.Job.Params["key"] != nil {
		t.Fatalf("record %+v", r.Event.Job)
	}
	p := h.next()
	if p.Bound.Secret("key") != "hunter2-hunter2" {
		t.Error("the secret did not reach the runner")
	}
	p.fail()
	h.becomes(r.Event.Job.ID, job.Failed)
	var sealed *engine.SealedError
	if _, err := h.Retry(t.Context(), ada, r.Event.Job.ID, ""); !errors.As(err, &sealed) {
		t.Errorf("got %v", err)
	}
}
