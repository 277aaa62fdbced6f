package engine

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"telltale/backend/job"
)

// Recover puts the records of an earlier life right and starts what is queued.
// Call it once, before the first request is served. Processes that outlived
// their Telltale are ended and counted; what was running becomes interrupted,
// or queued again if its action is idempotent and has attempts left.
func (e *Engine) Recover(ctx context.Context) error {
	live, _, err := e.Records.Live(ctx)
	if err != nil {
		return fmt.Errorf("jobs of an earlier life: %w", err)
	}
	var orphaned []job.ID
	for _, event := range live {
		if event.Job.State == job.Running {
			orphaned = append(orphaned, event.Job.ID)
		}
	}
	ended, err := e.Leftovers(ctx, orphaned)
	if err != nil {
		e.Log.WarnContext(ctx, "processes of an earlier life not ended", errAttr(err))
	}
	// Lanes are in the order of acceptance; what was told last is not.
	slices.SortFunc(live, func(a, b job.Event) int { return cmp.Compare(a.Job.ID, b.Job.ID) })
	var lanes []*lane
	for _, event := range live {
		n := &entry{lane: event.Job.Lane(), last: event}
		if event.Job.State == job.Running {
			event, err = e.change(ctx, n, func(j job.Job) (job.Job, error) { return e.resurrect(j, ended[j.ID]) })
			if err != nil {
				return fmt.Errorf("job %s of an earlier life: %w", n.last.Job.ID, err)
			}
			e.Log.WarnContext(ctx, "job of an earlier life", jobAttr(event.Job.ID), slog.String("action", event.Job.Action),
				slog.String("state", string(event.Job.State)), slog.Int("processes_ended", ended[event.Job.ID]))
		}
		if event.Job.State.Final() {
			continue
		}
		e.adopt(n)
		l := e.lane(n.lane)
		l.live = append(l.live, n)
		if len(l.live) == 1 {
			lanes = append(lanes, l)
		}
	}
	// Nothing starts before everything is put right.
	for _, l := range lanes {
		e.standInLine(l.live[:min(len(l.live), moveUp)])
		e.resume(l) //nolint:contextcheck // workers outlive whoever starts them
	}
	return nil
}

// resume sets a recovered lane going.
func (e *Engine) resume(l *lane) {
	l.mu.Lock()
	defer l.mu.Unlock()
	limit := 1
	if a, ok := e.Catalog().Action(l.live[0].event().Job.Action); ok {
		limit = e.laneLimit(a)
	}
	for range min(limit, len(l.live)) {
		e.kick(l, limit)
	}
}

// resurrect decides about a job whose life ended while it was running.
func (e *Engine) resurrect(j job.Job, ended int) (job.Job, error) {
	why := &job.Error{
		Code:    "crash",
		Message: "Telltale died while this was running. It may have run in full, in part, or not at all.",
		Hint:    "Check what was done before running it again.",
	}
	if machine(j.Boot) != machine(e.Boot) || j.Host != e.Host {
		why.Code = "reboot"
		why.Message = "The machine stopped while this was running. It may have run in full, in part, or not at all."
	}
	if ended > 0 {
		why.Message += fmt.Sprintf(" %s ended.", processes(ended))
	}
	a, ok := e.Catalog().Action(j.Action)
	if ok && a.Idempotent && j.Attempt < j.Attempts && j.Cancel == nil {
		return j.Requeue(e.now(), e.now().Add(backoff(a.Backoff, j.Attempt)), why)
	}
	return j.Finish(e.now(), job.Outcome{State: job.Interrupted, Summary: "Interrupted: the outcome is unknown.", Error: why})
}

// machine is the part of a boot that names the life of the machine.
func machine(boot string) string {
	m, _, _ := strings.Cut(boot, "-")
	return m
}

func processes(n int) string {
	if n == 1 {
		return "One of its processes was still running and was"
	}
	return fmt.Sprintf("%d of its processes were still running and were", n)
}

// Sweep removes records that their action's rule no longer covers, now and then
// once an hour until ctx ends.
func (e *Engine) Sweep(ctx context.Context) {
	every := time.NewTicker(time.Hour)
	defer every.Stop()
	for {
		removed, err := e.Records.Prune(ctx, e.now(), e.keep)
		if err != nil && ctx.Err() == nil {
			e.Log.ErrorContext(ctx, "records not swept", errAttr(err))
		}
		if removed > 0 {
			e.Log.InfoContext(ctx, "records swept", slog.Int("removed", removed))
		}
		select {
		case <-every.C:
		case <-ctx.Done():
			return
		}
	}
}

// keepCount is how many records of an action are kept when it says nothing.
const keepCount = 10_000

func (e *Engine) keep(action string) job.Keep {
	a, ok := e.Catalog().Action(action)
	if !ok || (a.Keep.Age == 0 && a.Keep.Count == 0) {
		return job.Keep{Count: keepCount}
	}
	return job.Keep{Age: a.Keep.Age, Count: a.Keep.Count}
}
