package engine

import (
	"context"
	"errors"
	"sync"

	"telltale/backend/action"
	"telltale/backend/job"
)

// entry is a live job in the engine's hands.
type entry struct {
	lane string

	mu     sync.Mutex // guards what follows; taken after lane.mu
	last   job.Event
	action *action.Action          // what bound was checked against
	bound  *action.Bound           // nil after a restart: bound again from the record
	cancel context.CancelCauseFunc // stops the newest attempt; nil before the first
}

// commit keeps a change. It is the only way a job changes.
func (e *Engine) commit(ctx context.Context, c job.Change) (job.Event, bool, error) {
	c.Next = c.Next.Fit()
	return e.Journal.Append(context.WithoutCancel(ctx), c)
}

// change decides on a live job as it is now and commits the decision. When
// somebody else's change came first, it decides again. A decision that leaves
// the revision as it was changes nothing.
func (e *Engine) change(ctx context.Context, n *entry, decide func(job.Job) (job.Job, error)) (job.Event, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for {
		was := n.last.Job
		next, err := decide(was)
		if err != nil || next.Rev == was.Rev {
			return n.last, err
		}
		next.Rev = was.Rev + 1 // one change, however many things it says
		event, _, err := e.commit(ctx, job.Change{Want: was.Rev, Next: next})
		if _, late := errors.AsType[*job.ConflictError](err); late {
			newer, lastErr := e.Journal.Last(ctx, was.ID)
			if lastErr != nil {
				return n.last, lastErr
			}
			n.last = newer
			continue
		}
		if err != nil {
			return n.last, err
		}
		n.last = event
		return event, nil
	}
}

// event is the newest change of the job.
func (n *entry) event() job.Event {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.last
}

func (e *Engine) entry(id job.ID) (*entry, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	n, ok := e.entries[id]
	return n, ok
}

func (e *Engine) adopt(n *entry) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.entries[n.last.Job.ID] = n
}

func (e *Engine) forget(id job.ID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.entries, id)
}
