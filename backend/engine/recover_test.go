package engine_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"telltale/backend/engine"
	"telltale/backend/job"
	"telltale/backend/runner"
)

func TestR20_AJobOfADeadLifeIsInterruptedBeforeTheFirstRequest(t *testing.T) {
	t.Parallel()
	h := onDisk(t)
	id := h.press("one")
	p := h.next()
	percent := 40.0
	p.Phase("Copying")
	p.Progress(job.Progress{Percent: &percent})
	h.until(id, "40 percent", func(j job.Job) bool { return j.Progress != nil && j.Phase == "Copying" })
	h.die()
	h.boot, h.ended = "m1-l2", map[job.ID]int{id: 2}
	h.start()
	now, err := h.store.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	j := now.Job
	if j.State != job.Interrupted || j.Error.Code != "crash" || j.Boot != "m1-l1" {
		t.Errorf("%s, %+v", j.State, j.Error)
	}
	if j.Phase != "Copying" || *j.Progress.Percent != 40 {
		t.Errorf("what it had reached is lost: %q %+v", j.Phase, j.Progress)
	}
	if !strings.Contains(j.Error.Message, "2 of its processes were") {
		t.Errorf("leftovers are not counted: %s", j.Error.Message)
	}
	if again := h.press("one"); again == id {
		t.Error("the dead job still holds its lane")
	}
}

func TestR20_AMachineThatStoppedIsToldFromACrash(t *testing.T) {
	t.Parallel()
	h := onDisk(t)
	id := h.press("one")
	h.next()
	h.die()
	h.boot = "m2-l1"
	h.start()
	if now, _ := h.store.Get(t.Context(), id); now.Job.State != job.Interrupted || now.Job.Error.Code != "reboot" {
		t.Errorf("%s %+v", now.Job.State, now.Job.Error)
	}
}

// Running is on disk before the program is started, so a death in between
// looks like any other: nobody knows, and nothing runs twice.
func TestR21_KilledBetweenRunningAndExecIsInterruptedAndNotRunAgain(t *testing.T) {
	t.Parallel()
	h := onDisk(t)
	id := h.press("one")
	h.next()
	h.die()
	h.boot = "m1-l2"
	h.start()
	h.wantStates(id, job.Queued, job.Running, job.Interrupted)
	other := h.press("many")
	if p := h.next(); p.Job != other {
		t.Errorf("%s was run again", p.Job)
	}
}

func TestAnIdempotentActionRunsAgainAfterACrashWhileAttemptsAreLeft(t *testing.T) {
	t.Parallel()
	h := onDisk(t)
	id := h.press("safe")
	h.next()
	h.die()
	h.boot = "m1-l2"
	h.start()
	p := h.next()
	if p.Job != id || p.Attempt != 2 {
		t.Fatalf("job %s attempt %d", p.Job, p.Attempt)
	}
	h.die()
	h.boot = "m1-l3"
	h.start()
	h.wantStates(id, job.Queued, job.Running, job.Queued, job.Running, job.Interrupted)
}

func TestQueuedJobsSurviveADeathAndRunInOrder(t *testing.T) {
	t.Parallel()
	h := onDisk(t)
	h.press("queue")
	h.next()
	second, third := h.press("queue"), h.press("queue")
	h.die()
	h.boot = "m1-l2"
	h.start()
	for _, id := range []job.ID{second, third} {
		p := h.next()
		if p.Job != id {
			t.Fatalf("%s runs, want %s", p.Job, id)
		}
		p.succeed()
	}
	h.becomes(third, job.Succeeded)
}

func TestAQueuedJobWhoseActionIsGoneSaysSo(t *testing.T) {
	t.Parallel()
	h := onDisk(t)
	h.press("queue")
	h.next()
	waiting := h.press("queue")
	h.die()
	h.boot, h.file = "m1-l2", load(t, "actions: {other: {command: {argv: [\"true\"]}}}")
	h.start()
	if end := h.becomes(waiting, job.Failed); end.Error.Code != "unknown_action" || end.Error.Hint == "" {
		t.Errorf("%+v", end.Error)
	}
}

func TestAQueuedJobWhoseSecretDiedWithTelltaleSaysSo(t *testing.T) {
	t.Parallel()
	h := onDisk(t)
	h.submit(engine.Request{Action: "secret"})
	h.next()
	r := h.submit(engine.Request{Action: "secret", Params: map[string]any{"key": "hunter2-hunter2"}})
	h.die()
	h.boot = "m1-l2"
	h.start()
	if end := h.becomes(r.Event.Job.ID, job.Failed); end.Error.Code != "secret_lost" || end.Error.Hint == "" {
		t.Errorf("%+v", end.Error)
	}
}

func TestALostSecretIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	h := onDisk(t)
	text := strings.Replace(catalog, "on_busy: queue, params: {key", "on_busy: queue, attempts: 3, params: {key", 1)
	h.file = load(t, text)
	h.submit(engine.Request{Action: "secret"})
	h.next()
	r := h.submit(engine.Request{Action: "secret", Params: map[string]any{"key": "hunter2-hunter2"}})
	h.die()
	h.boot = "m1-l2"
	h.start()
	h.until(r.Event.Job.ID, "ended", func(j job.Job) bool { return j.State != job.Queued && j.State != job.Running })
	h.wantStates(r.Event.Job.ID, job.Queued, job.Running, job.Failed)
}

// Who stood behind a job that died with Telltale does not stand there any more.
func TestPlacesInLineAreTrueAfterADeath(t *testing.T) {
	t.Parallel()
	h := onDisk(t)
	h.jobs = 1
	h.press("queue")
	h.next()
	second, third := h.press("queue"), h.press("queue")
	h.die()
	h.boot = "m1-l2"
	h.start()
	h.next() // the second runs
	now, err := h.store.Get(t.Context(), third)
	if err != nil || now.Job.Queue == nil || now.Job.Queue.Behind != second {
		t.Errorf("the third stands at %+v (%v), want behind %s", now.Job.Queue, err, second)
	}
	first := h.history(second)
	for _, j := range first {
		if j.State == job.Queued && j.Queue != nil && j.Queue.Behind != "" && j.Rev > 1 {
			t.Errorf("the second still stands behind %s", j.Queue.Behind)
		}
	}
	if first[len(first)-2].Queue == nil || first[len(first)-2].Queue.Behind != "" {
		t.Errorf("before it ran the second stood at %+v", first[len(first)-2].Queue)
	}
}

func TestStoppingLetsRunningJobsEndWithinTheGracePeriod(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := open(t)
		quick, slow, safe := h.press("one"), h.press("many"), h.press("safe")
		plays := map[job.ID]*play{}
		for range 3 {
			p := <-h.stage.runs
			plays[p.Job] = p
		}
		waiting := h.press("replace")
		(<-h.stage.runs).succeed()
		h.becomes(waiting, job.Succeeded)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		began := time.Now()
		go func() {
			time.Sleep(10 * time.Second)
			plays[quick].succeed()
		}()
		h.Drain(ctx)
		if d := time.Since(began); d != 30*time.Second {
			t.Errorf("stopped after %v", d)
		}
		h.wantStates(quick, job.Queued, job.Running, job.Succeeded)
		h.wantStates(slow, job.Queued, job.Running, job.Interrupted)
		h.wantStates(safe, job.Queued, job.Running, job.Queued) // idempotent: the next life runs it again
		if j := h.becomes(slow, job.Interrupted); j.Error.Code != "shutdown" {
			t.Errorf("%+v", j.Error)
		}
	})
}

func TestJobsAreStoppedWhileTheirEndCanStillBeKept(t *testing.T) {
	t.Parallel()
	h := open(t)
	id := h.press("one")
	h.next()
	h.StopRunning(runner.ErrStorage)
	if end := h.becomes(id, job.Interrupted); end.Error.Code != "storage_full" {
		t.Errorf("%+v", end.Error)
	}
	h.press("one")
	h.next().succeed()
}

func TestStartAndStopManyTimesUnderLoad(t *testing.T) {
	t.Parallel()
	h := onDisk(t)
	for life := range 15 {
		e, stage := h.Engine, h.stage
		over := make(chan struct{})
		go func() {
			defer close(over)
			for {
				if _, err := e.Submit(context.Background(), ada, engine.Request{Action: "queue"}); err != nil {
					return
				}
			}
		}()
		for range life {
			(<-stage.runs).succeed()
		}
		now, cancel := context.WithCancel(t.Context())
		cancel()
		e.Drain(now)
		e.Drain(now)
		<-over
		h.die()
		h.start()
	}
	live, _, err := h.store.Live(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	running := 0
	for _, e := range live {
		if e.Job.State == job.Running {
			running++
		}
	}
	if running > 1 {
		t.Errorf("%d jobs of one lane run at once", running)
	}
}

func TestRecordsAreSweptByTheRuleOfTheirAction(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := open(t)
		h.file = load(t, strings.Replace(catalog, "on_busy: join,", "on_busy: join, keep: {count: 2},", 1))
		var ids []job.ID
		for range 4 {
			time.Sleep(time.Second)
			ids = append(ids, h.press("one"))
			(<-h.stage.runs).succeed()
			h.becomes(ids[len(ids)-1], job.Succeeded)
			synctest.Wait()
		}
		ctx, cancel := context.WithCancel(t.Context())
		go h.Sweep(ctx)
		synctest.Wait()
		cancel()
		page, err := h.store.List(t.Context(), job.Filter{}, "", 10)
		var left []job.ID
		for _, e := range page.Events {
			left = append(left, e.Job.ID)
		}
		if want := []job.ID{ids[3], ids[2]}; err != nil || !slices.Equal(left, want) {
			t.Errorf("%v are left, want %v: %v", left, want, err)
		}
	})
}
