package engine

import (
	"context"
	"slices"
	"sync"
	"time"

	"telltale/backend/job"
)

// remembered is how many past runs the expectation is made of.
const remembered = 20

// pace is how long the last runs of one action and target took.
type pace struct {
	mu    sync.Mutex // guards what follows
	known bool       // read from the records
	took  []time.Duration
}

// expected is how long a run of the action usually takes, or nil when it never
// ended well. The first call for an action and target reads the records.
func (e *Engine) expected(ctx context.Context, action, target string) *job.Expected {
	p := e.paceOf(action, target)
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.known {
		f := job.Filter{Actions: []string{action}, States: []job.State{job.Succeeded, job.Warning}}
		if target != "" {
			f.Targets = []string{target}
		}
		page, err := e.Records.List(ctx, f, "", remembered)
		if err != nil {
			return nil // an expectation is a comfort, not a promise
		}
		for _, past := range slices.Backward(page.Events) {
			p.add(past.Job)
		}
		p.known = true
	}
	if len(p.took) == 0 {
		return nil
	}
	sorted := slices.Sorted(slices.Values(p.took))
	return &job.Expected{P50: at(sorted, 50).Milliseconds(), P95: at(sorted, 95).Milliseconds()}
}

// learn takes a run that ended well into account.
func (e *Engine) learn(j job.Job) {
	p := e.paceOf(j.Action, j.Target)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known {
		p.add(j)
	}
}

func (e *Engine) paceOf(action, target string) *pace {
	e.mu.Lock()
	defer e.mu.Unlock()
	name := job.Job{Action: action, Target: target}.Lane()
	p, ok := e.pace[name]
	if !ok {
		p = &pace{}
		e.pace[name] = p
	}
	return p
}

func (p *pace) add(j job.Job) {
	p.took = append(p.took, j.FinishedAt.Sub(j.StartedAt))
	if len(p.took) > remembered {
		p.took = slices.Delete(p.took, 0, 1)
	}
}

// at is the nearest-rank percentile of sorted values.
func at(sorted []time.Duration, percent int) time.Duration {
	return sorted[(len(sorted)*percent+99)/100-1]
}
