package engine

import (
	"context"

	"telltale/backend/auth"
	"telltale/backend/job"
	"telltale/backend/runner"
)

// Cancel asks for a job to be stopped. One that has not started is canceled at
// once; a running one is asked politely, then forced, and becomes canceled when
// the work did stop. The event returned is the job after asking; a job that has
// ended is returned as it ended. Errors: *job.NotFoundError.
func (e *Engine) Cancel(ctx context.Context, who auth.Principal, id job.ID) (job.Event, error) {
	n, ok := e.entry(id)
	if !ok {
		return e.Journal.Last(ctx, id)
	}
	event, err := e.stop(ctx, n, who.Name)
	if moved(err) {
		return e.Journal.Last(ctx, id)
	}
	if event.Job.State.Final() {
		e.leave(n)
	}
	return event, err
}

// stop asks one live job to stop. It does not take it out of its lane.
func (e *Engine) stop(ctx context.Context, n *entry, by string) (job.Event, error) {
	event, err := e.change(ctx, n, func(j job.Job) (job.Job, error) {
		asked, err := j.AskCancel(e.now(), by)
		if err != nil || j.State == job.Running {
			return asked, err
		}
		return asked.Finish(e.now(), job.Outcome{State: job.Canceled, Summary: "Canceled before it started."})
	})
	n.mu.Lock()
	cancel := n.cancel
	n.mu.Unlock()
	if err == nil && cancel != nil {
		cancel(runner.ErrCanceled)
	}
	return event, err
}
