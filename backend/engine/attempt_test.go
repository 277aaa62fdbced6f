package engine_test

import (
	"testing"
	"testing/synctest"
	"time"

	"telltale/backend/job"
)

func TestAFailureIsTriedAgainAfterABackoffThatDoubles(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := open(t)
		id := h.press("again")
		began := time.Now()
		for attempt, wait := range []time.Duration{0, 10 * time.Second, 30 * time.Second} {
			p := <-h.stage.runs
			if p.Attempt != attempt+1 || time.Since(began) < wait || time.Since(began) > wait+2*time.Second {
				t.Fatalf("attempt %d began after %v", p.Attempt, time.Since(began))
			}
			p.fail()
		}
		end := h.becomes(id, job.Failed)
		if end.Attempt != 3 || end.Error == nil {
			t.Errorf("ended as %+v", end)
		}
		h.wantStates(id, job.Queued, job.Running, job.Queued, job.Running, job.Queued, job.Running, job.Failed)
	})
}

func TestASuccessOnASecondAttemptIsASuccess(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := open(t)
		id := h.press("again")
		(<-h.stage.runs).fail()
		between := h.until(id, "queued again", func(j job.Job) bool { return j.State == job.Queued && j.Attempt == 2 })
		if between.Error == nil || between.NotBefore.IsZero() {
			t.Errorf("between attempts the record says %+v", between)
		}
		(<-h.stage.runs).succeed()
		if end := h.becomes(id, job.Succeeded); end.Error != nil {
			t.Errorf("the error of the first attempt stayed: %+v", end.Error)
		}
	})
}

func TestWhatCouldNotBeEndedIsNotRunBesideItself(t *testing.T) {
	t.Parallel()
	h := open(t)
	id := h.press("again")
	h.next().end <- job.Outcome{State: job.Failed, Error: &job.Error{Code: "not_ended", Message: "two processes are left"}}
	if end := h.becomes(id, job.Failed); end.Attempt != 1 {
		t.Errorf("attempt %d", end.Attempt)
	}
}

func TestACanceledJobIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := open(t)
		id := h.press("again")
		(<-h.stage.runs).fail()
		h.until(id, "queued again", func(j job.Job) bool { return j.Attempt == 2 })
		if _, err := h.Cancel(t.Context(), ada, id); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if len(h.stage.runs) > 0 {
			t.Error("it ran again")
		}
		h.wantStates(id, job.Queued, job.Running, job.Queued, job.Canceled)
	})
}

func TestAJobPastItsLimitFailsWithTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := open(t)
		id := h.press("one")
		<-h.stage.runs
		time.Sleep(10 * time.Minute)
		end := h.becomes(id, job.Failed)
		if end.Error.Code != "timeout" || end.Error.Hint == "" || end.FinishedAt.Sub(end.StartedAt).Round(time.Second) != 10*time.Minute {
			t.Errorf("ended as %+v %+v", end, end.Error)
		}
	})
}

func TestAPanicIsTheJobsFailureAndNotTheEndOfTelltale(t *testing.T) {
	t.Parallel()
	h := open(t)
	id := h.press("one")
	h.next().end <- job.Outcome{State: "panic"}
	if end := h.becomes(id, job.Failed); end.Error.Code != "internal" || end.Error.Hint == "" {
		t.Errorf("%+v", end.Error)
	}
	id = h.press("one")
	h.next().succeed()
	h.becomes(id, job.Succeeded)
}

func TestProgressIsKeptAtMostTenTimesASecondAndTheLastAlways(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := open(t)
		id := h.press("one")
		p := <-h.stage.runs
		for i := range 2000 {
			percent := float64(i) / 20
			p.Progress(job.Progress{Percent: &percent, Done: int64(i), Total: 2000})
			time.Sleep(time.Millisecond)
		}
		p.Lines(job.Line{Stream: job.Stdout, Text: "last words"})
		p.fail()
		end := h.becomes(id, job.Failed)
		if end.Progress == nil || end.Progress.Done != 1999 || end.Log.Lines != 1 {
			t.Errorf("the last word is missing: %+v, log %+v", end.Progress, end.Log)
		}
		if n := len(h.history(id)); n < 15 || n > 25 {
			t.Errorf("%d changes were kept in two seconds", n)
		}
		for i, all := 1, h.history(id); i < len(all); i++ {
			if all[i].Rev != all[i-1].Rev+1 {
				t.Fatalf("revision %d after %d", all[i].Rev, all[i-1].Rev)
			}
		}
	})
}

func TestWarningsAreCountedAndTheFirstAreKept(t *testing.T) {
	t.Parallel()
	h := open(t)
	id := h.press("one")
	p := h.next()
	for range 100 {
		p.Warn(job.Notice{Message: "careful"})
	}
	p.end <- job.Outcome{State: job.Warning, Summary: "done, with warnings"}
	end := h.becomes(id, job.Warning)
	if end.WarningCount != 100 || len(end.Warnings) != job.MaxNotices {
		t.Errorf("%d warnings, %d kept", end.WarningCount, len(end.Warnings))
	}
}

func TestTheExpectationIsLearnedFromRunsThatEndedWell(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := open(t)
		for i := range 5 {
			id := h.press("one")
			p := <-h.stage.runs
			time.Sleep(time.Duration(i+1) * time.Second)
			p.succeed()
			h.becomes(id, job.Succeeded)
			synctest.Wait()
		}
		id := h.press("one")
		p := <-h.stage.runs
		now, _ := h.store.Get(t.Context(), id)
		if x := now.Job.Expected; x == nil || x.P50 != 3000 || x.P95 != 5000 {
			t.Errorf("expected %+v", x)
		}
		p.succeed()
	})
}
