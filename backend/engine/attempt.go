package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
	"time"

	"telltale/backend/action"
	"telltale/backend/job"
	"telltale/backend/runner"
)

// run carries out one attempt at a queued job: admission, running on disk, the
// work itself, and how it ended on disk.
func (e *Engine) run(unit job.Unit) {
	j := unit.Event().Job
	n, ok := e.entry(j.ID)
	if !ok {
		unit.Done() // it ended between being handed out and now
		return
	}
	a, bound, err := e.rebind(n, j)
	limit := 0
	if a != nil {
		limit = a.Concurrency
	}
	if e.gate.enter(e.take, j.Action, limit) != nil {
		unit.Release()
		return
	}
	defer e.gate.leave(j.Action)

	ctx, cancel := context.WithCancelCause(e.work)
	defer cancel(nil)
	n.mu.Lock()
	n.cancel = cancel
	n.mu.Unlock()
	started, startErr := e.change(ctx, n, func(j job.Job) (job.Job, error) { return j.Start(e.now(), e.Host, e.Boot) })
	switch {
	case moved(startErr):
		unit.Done() // it was canceled meanwhile
		return
	case startErr != nil:
		// It cannot be kept that it runs, so it must not run. It stays queued.
		e.Log.Error("job not started", errAttr(startErr), jobAttr(j.ID))
		rest(e.take)
		unit.Release()
		return
	}
	r := e.report(n)
	var outcome job.Outcome
	if err != nil {
		outcome, a = unbound(err), nil // another attempt would find the same
	} else {
		outcome = e.carryOut(ctx, runner.Task{Job: j.ID, Attempt: started.Job.Attempt, Action: a, Bound: bound}, r)
	}
	if e.end(n, a, outcome, r.close()) {
		unit.Done()
		e.leave(n)
		return
	}
	unit.Release()
}

// afterFault is how long a worker rests when the store refuses a change.
const afterFault = time.Second

func rest(ctx context.Context) {
	pause := time.NewTimer(afterFault)
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-ctx.Done():
	}
}

// rebind is the action and what is bound to it: as checked at the trigger, or
// once more from the record when that was in an earlier life, or the catalog
// was loaded anew since. Secrets that were given are still in memory then.
func (e *Engine) rebind(n *entry, j job.Job) (*action.Action, action.Bound, error) {
	a, ok := e.Catalog().Action(j.Action)
	if !ok {
		return nil, action.Bound{}, &UnknownActionError{Action: j.Action}
	}
	n.mu.Lock()
	checked, bound := n.action, n.bound
	n.mu.Unlock()
	if bound != nil && checked == a {
		return a, *bound, nil
	}
	if bound == nil && j.Sealed {
		return a, action.Bound{}, &SealedError{ID: j.ID}
	}
	params := map[string]any{}
	maps.Copy(params, j.Params)
	for _, p := range a.Params {
		if bound != nil && p.Type == action.SecretParam && bound.Secret(p.Name) != "" {
			params[p.Name] = bound.Secret(p.Name)
		}
	}
	b, err := a.Bind(j.Target, params, e.Secrets)
	return a, b, err
}

// carryOut runs the task within its time limit. A panic is the runner's fault
// and the job's failure, not the end of Telltale.
func (e *Engine) carryOut(ctx context.Context, t runner.Task, w runner.Watcher) (o job.Outcome) {
	ctx, stop := context.WithTimeoutCause(ctx, t.Action.Timeout, runner.ErrTimeout)
	defer stop()
	defer func() {
		if p := recover(); p != nil {
			e.Log.ErrorContext(ctx, "runner panicked", slog.Any("panic", p), slog.String("stack", string(debug.Stack())), jobAttr(t.Job))
			o = job.Outcome{State: job.Failed, Summary: "Telltale made a mistake while running this.", Error: &job.Error{
				Code:    "internal",
				Message: "Telltale made a mistake while running this; the outcome of the work is unknown.",
				Hint:    "The server's log holds the details under this job's id; report them.",
			}}
		}
	}()
	return e.Runner.Run(ctx, t, w)
}

// end writes how an attempt ended, with what it last reported, and says whether
// that was the end of the job. An end that cannot be kept is tried again until
// it can, or Telltale stops: then the next life finds the job running and says
// that its outcome is unknown.
func (e *Engine) end(n *entry, a *action.Action, o job.Outcome, last job.Report) (final bool) {
	for {
		event, err := e.change(context.WithoutCancel(e.work), n, func(j job.Job) (job.Job, error) {
			noted, err := j.Note(e.now(), last)
			if err != nil {
				return j, err
			}
			if mayRunAgain(j, a, o) {
				return noted.Requeue(e.now(), e.now().Add(backoff(a.Backoff, j.Attempt)), o.Error)
			}
			return noted.Finish(e.now(), o)
		})
		j := event.Job
		if err == nil {
			e.Log.Info("attempt ended", jobAttr(j.ID), slog.String("action", j.Action),
				slog.String("state", string(j.State)), slog.Int("attempt", j.Attempt))
			if j.State == job.Succeeded || j.State == job.Warning {
				e.learn(j)
			}
			return j.State.Final()
		}
		e.Log.Error("end of job not kept", errAttr(err), jobAttr(j.ID), slog.String("state", string(o.State)))
		if moved(err) || e.work.Err() != nil {
			return true
		}
		rest(e.work)
	}
}

// mayRunAgain reports whether an attempt that ended so is followed by another:
// one that failed while attempts are left and nobody asked to stop; one that
// Telltale itself stopped only if the action is idempotent.
func mayRunAgain(j job.Job, a *action.Action, o job.Outcome) bool {
	if o.Error != nil && o.Error.Code == notEnded {
		return false // it would run beside what is left of the last attempt
	}
	return a != nil && j.Attempt < j.Attempts && j.Cancel == nil &&
		(o.State == job.Failed || o.State == job.Interrupted && a.Idempotent)
}

// notEnded is the code of a job some of whose processes could not be ended.
const notEnded = "not_ended"

// longestBackoff bounds the pause between attempts.
const longestBackoff = time.Hour

// backoff is the pause after the given attempt: base, then twice as long each
// time. A base of zero means at once.
func backoff(base time.Duration, attempt int) time.Duration {
	for range attempt - 1 {
		if base *= 2; base > longestBackoff {
			return longestBackoff
		}
	}
	return base
}

// unbound is the outcome of a job that could be accepted but can no longer be
// bound to an action when its turn comes.
func unbound(err error) job.Outcome {
	var unknown *UnknownActionError
	var sealed *SealedError
	e := &job.Error{
		Code:    "bad_parameters",
		Message: fmt.Sprintf("Its parameters no longer fit the action: %v.", err),
		Hint:    "Run it again from its page with parameters that fit.",
	}
	switch {
	case errors.As(err, &unknown):
		e.Code, e.Message = "unknown_action", fmt.Sprintf("The catalog no longer has an action %q.", unknown.Action)
		e.Hint = "Put the action back into the catalog, or leave this job as it is."
	case errors.As(err, &sealed):
		e.Code, e.Message = "secret_lost", "It was given a secret, which is kept in memory only and was lost when Telltale restarted."
		e.Hint = "Run it again and give the secret again."
	}
	return job.Outcome{State: job.Failed, Summary: "It could not be started.", Error: e}
}

func jobAttr(id job.ID) slog.Attr    { return slog.String("job", string(id)) }
func laneAttr(name string) slog.Attr { return slog.String("lane", name) }
func errAttr(err error) slog.Attr    { return slog.Any("error", err) }
