package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"telltale/backend/action"
	"telltale/backend/auth"
	"telltale/backend/job"
)

// Request asks for one run of an action.
type Request struct {
	Action string
	Target string
	Params map[string]any
	Key    string // idempotency key of the caller's choosing, or ""
	Via    job.Via
	Reason string

	retryOf job.ID
}

// Answer says what became of a request.
type Answer int

// The answers to a request.
const (
	// Started: a new job was accepted.
	Started Answer = iota
	// Joined: the same action and target is live; this is its job.
	Joined
	// Repeated: the idempotency key was used before; this is its job.
	Repeated
)

// Receipt is the answer to an accepted request. Event is on disk.
type Receipt struct {
	Event  job.Event
	Answer Answer
}

// Submit asks for a run on behalf of who. It returns once the job is on disk,
// with its first status, or the live job that the request joins. Errors:
// *UnknownActionError, *UnknownTargetError, *action.BindError, *BusyError,
// *job.KeyReusedError, *job.FullError, ErrDraining.
func (e *Engine) Submit(ctx context.Context, who auth.Principal, r Request) (Receipt, error) {
	if err := e.Ready(); err != nil {
		return Receipt{}, err
	}
	a, bound, err := e.bind(r)
	if err != nil {
		return Receipt{}, err
	}
	key := keyOf(who, r, bound)
	if known, found, err := e.known(ctx, key); found || err != nil {
		return known, err
	}
	id, err := job.NewID(e.Clock(), e.Rand)
	if err != nil {
		return Receipt{}, err
	}
	j := job.Accept(job.Job{
		ID: id, Action: a.ID, Title: a.Title, Target: bound.Target.ID,
		Trigger:  job.Trigger{Via: r.Via, By: who.Name, Reason: r.Reason, RetryOf: r.retryOf},
		Params:   bound.Public,
		Sealed:   bound.GivenSecrets(),
		Attempts: a.Attempts,
		Expected: e.expected(ctx, a.ID, bound.Target.ID),
	}, e.now())
	n := &entry{lane: j.Lane(), action: a, bound: &bound}
	return e.enqueue(ctx, a, n, job.Change{Next: j, Key: key})
}

// bind looks the action up and checks what was given for it.
func (e *Engine) bind(r Request) (*action.Action, action.Bound, error) {
	a, ok := e.Catalog().Action(r.Action)
	if !ok {
		return nil, action.Bound{}, &UnknownActionError{Action: r.Action, Nearest: e.Catalog().Nearest(r.Action)}
	}
	if r.Target != "" && !slices.ContainsFunc(a.Targets, func(t action.Target) bool { return t.ID == r.Target }) {
		var known []string
		for _, t := range a.Targets {
			known = append(known, t.ID)
		}
		return nil, action.Bound{}, &UnknownTargetError{Action: a.ID, Target: r.Target, Known: known}
	}
	bound, err := a.Bind(r.Target, r.Params, e.Secrets)
	return a, bound, err
}

// enqueue writes the first revision of a job, unless a live one of the same lane
// is in its way. The job takes its place in the lane before it is written, with
// n.mu held until it is: who comes second waits for the first to be on disk, and
// those who may run side by side do not wait for one another. What it replaces
// is stopped only once it is on disk: a trigger that is refused stops nothing.
func (e *Engine) enqueue(ctx context.Context, a *action.Action, n *entry, c job.Change) (Receipt, error) {
	l := e.lane(n.lane)
	l.mu.Lock()
	var replaced []*entry
	if a.OnBusy != action.Parallel {
		if live := l.newest(); live != nil {
			receipt, place, err := e.meet(ctx, a.OnBusy, l, live, c.Key)
			if err != nil || place == nil {
				l.mu.Unlock()
				return receipt, err
			}
			c.Next.Queue = place
		}
		if a.OnBusy == action.Replace {
			replaced = slices.Clone(l.live)
		}
	}
	n.mu.Lock()
	n.last.Job = c.Next
	l.live = append(l.live, n)
	e.adopt(n)
	l.mu.Unlock()

	event, repeated, err := e.commit(ctx, c)
	if err == nil && !repeated {
		n.last = event
	}
	n.mu.Unlock()

	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil || repeated {
		l.drop(n)
		e.forget(c.Next.ID)
		if err != nil {
			return Receipt{}, err
		}
		return e.repeated(event), nil
	}
	for _, o := range replaced {
		e.replace(ctx, l, o, c.Next.Trigger.By)
	}
	e.kick(l, e.laneLimit(a)) //nolint:contextcheck // workers outlive whoever starts them
	return Receipt{Event: event, Answer: Started}, nil
}

// meet decides what a trigger does about the live jobs of its lane: the place it
// takes behind them, or nil when it takes none and the receipt is the answer.
// Called with l.mu held.
func (e *Engine) meet(ctx context.Context, onBusy action.OnBusy, l *lane, live *entry, key job.Key) (Receipt, *job.Place, error) {
	// Whoever waited for the lane may meet the job of its own key.
	if known, found, err := e.known(ctx, key); found || err != nil {
		return known, nil, err
	}
	event := live.event()
	switch onBusy {
	case action.Reject:
		return Receipt{}, nil, &BusyError{Live: event}
	case action.Queue:
		return Receipt{}, &job.Place{Position: l.queued() + 1, Behind: event.Job.ID}, nil
	case action.Replace:
		return Receipt{}, &job.Place{Position: 1, Behind: l.running()}, nil
	case action.Join, action.Parallel:
	}
	e.joined.remember(key, event.Job.ID)
	return Receipt{Event: event, Answer: Joined}, nil, nil
}

// replace stops a job for the sake of a newer one. Called with l.mu held.
func (e *Engine) replace(ctx context.Context, l *lane, o *entry, by string) {
	event, err := e.stop(ctx, o, by)
	if err != nil && !moved(err) {
		e.Log.WarnContext(ctx, "job to be replaced not stopped", errAttr(err), jobAttr(event.Job.ID))
	}
	if event.Job.State.Final() {
		l.drop(o)
		e.forget(event.Job.ID)
	}
}

// known is the answer to a trigger whose key was used before.
func (e *Engine) known(ctx context.Context, key job.Key) (Receipt, bool, error) {
	if key.Name == "" {
		return Receipt{}, false, nil
	}
	first, found, err := e.Journal.Keyed(ctx, key)
	if err != nil {
		return Receipt{}, false, err
	}
	if found {
		return e.repeated(first), true, nil
	}
	j, found := e.joined.of(key)
	if !found {
		return Receipt{}, false, nil
	}
	now, err := e.Journal.Last(ctx, j.id)
	if err != nil {
		return Receipt{}, false, err
	}
	if j.fingerprint != key.Fingerprint {
		return Receipt{}, false, &job.KeyReusedError{Key: key.Name, First: now}
	}
	return Receipt{Event: now, Answer: Repeated}, true, nil
}

// repeated answers with the job of a used key as it is now.
func (e *Engine) repeated(first job.Event) Receipt {
	if n, ok := e.entry(first.Job.ID); ok {
		return Receipt{Event: n.event(), Answer: Repeated}
	}
	if now, err := e.Journal.Last(e.work, first.Job.ID); err == nil {
		return Receipt{Event: now, Answer: Repeated}
	}
	return Receipt{Event: first, Answer: Repeated}
}

// laneLimit is how many jobs of one lane of the action may run at once.
func (e *Engine) laneLimit(a *action.Action) int {
	if a.OnBusy == action.Parallel {
		return e.Jobs
	}
	return 1
}

// keyOf scopes the caller's key to the caller and the action, and makes the
// fingerprint of everything that tells one request from another. The names of
// given secrets count, their values do not: no trace of them is kept.
func keyOf(who auth.Principal, r Request, b action.Bound) job.Key {
	if r.Key == "" {
		return job.Key{}
	}
	scope, _ := json.Marshal([]string{who.Name, r.Action, r.Key})
	request, _ := json.Marshal([]any{b.Target.ID, b.Public, slices.Sorted(maps.Keys(r.Params)), r.Reason, r.retryOf})
	sum := sha256.Sum256(request)
	return job.Key{Name: string(scope), Fingerprint: hex.EncodeToString(sum[:])}
}

// moved reports that a job went on while somebody decided about it: no fault.
func moved(err error) bool {
	_, ok := errors.AsType[*job.TransitionError](err)
	return ok
}
