package engine

import (
	"context"
	"slices"
	"sync"
	"time"

	"telltale/backend/job"
)

// reportEvery bounds how often what a job says of itself is kept and told: at
// most ten times a second, the last time always.
const reportEvery = 100 * time.Millisecond

// maxUnkept is how many bytes of log lines may wait to be kept before the
// program that writes them must wait.
const maxUnkept = 4 << 20

// reporter is the engine's runner.Watcher: it gathers what a task says and
// hands it on conflated.
type reporter struct {
	e      *Engine
	n      *entry
	dirty  chan struct{} // holds one token while something waits
	closed chan struct{}
	ended  chan struct{}

	mu      sync.Mutex // guards what follows
	room    *sync.Cond
	lines   []job.Line
	bytes   int
	report  job.Report
	changed bool
	stat    job.LogStat
}

func (e *Engine) report(n *entry) *reporter {
	r := &reporter{
		e: e, n: n, stat: n.event().Job.Log,
		dirty: make(chan struct{}, 1), closed: make(chan struct{}), ended: make(chan struct{}),
	}
	r.room = sync.NewCond(&r.mu)
	go r.forward()
	return r
}

// Lines implements runner.Watcher.
func (r *reporter) Lines(lines ...job.Line) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.bytes > maxUnkept {
		r.room.Wait()
	}
	now := r.e.now()
	for _, l := range lines {
		if l.At.IsZero() {
			l.At = now
		}
		r.bytes += len(l.Text)
		r.lines = append(r.lines, l)
	}
	r.wake()
}

// Phase implements runner.Watcher.
func (r *reporter) Phase(name string) {
	r.say(func(p *job.Report) { p.Phase = name })
}

// Progress implements runner.Watcher.
func (r *reporter) Progress(v job.Progress) {
	r.say(func(p *job.Report) { p.Progress = &v })
}

// Warn implements runner.Watcher.
func (r *reporter) Warn(n job.Notice) {
	r.say(func(p *job.Report) {
		p.WarningCount++
		if len(p.Warnings) < job.MaxNotices {
			p.Warnings = append(p.Warnings, n)
		}
	})
}

// Steps implements runner.Watcher.
func (r *reporter) Steps(steps []job.Step) {
	own := slices.Clone(steps)
	r.say(func(p *job.Report) { p.Steps = own })
}

func (r *reporter) say(what func(*job.Report)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	what(&r.report)
	r.changed = true
	r.wake()
}

func (r *reporter) wake() {
	select {
	case r.dirty <- struct{}{}:
	default:
	}
}

// close keeps the last lines and returns the last report. Nothing may be said
// after it was called.
func (r *reporter) close() job.Report {
	close(r.closed)
	<-r.ended
	r.keepLines()
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.current()
}

// forward hands on what was said, then rests, so that a burst becomes one.
func (r *reporter) forward() {
	defer close(r.ended)
	rest := time.NewTimer(0)
	<-rest.C
	defer rest.Stop()
	for {
		select {
		case <-r.dirty:
		case <-r.closed:
			return
		}
		logged := r.keepLines()
		r.mu.Lock()
		report, changed := r.current(), r.changed
		r.changed = false
		r.mu.Unlock()
		if changed || logged {
			r.note(report)
		}
		rest.Reset(reportEvery)
		select {
		case <-rest.C:
		case <-r.closed:
			return
		}
	}
}

func (r *reporter) note(report job.Report) {
	_, err := r.e.change(context.WithoutCancel(r.e.work), r.n, func(j job.Job) (job.Job, error) {
		return j.Note(r.e.now(), report)
	})
	if err != nil && !moved(err) {
		r.e.Log.Warn("report not kept", errAttr(err), jobAttr(r.n.event().Job.ID))
	}
}

// current is what is known now. Called with r.mu held.
func (r *reporter) current() job.Report {
	report := r.report
	report.Warnings = slices.Clone(report.Warnings)
	report.Log = r.stat
	return report
}

// keepLines appends what waits to the log, tells it, and says whether the log
// grew. A log that cannot be kept is a pity and no reason to stop the job.
func (r *reporter) keepLines() bool {
	r.mu.Lock()
	lines := r.lines
	r.lines, r.bytes = nil, 0
	r.room.Broadcast()
	r.mu.Unlock()
	if len(lines) == 0 {
		return false
	}
	id := r.n.event().Job.ID
	stat, err := r.e.Records.AppendLog(context.WithoutCancel(r.e.work), id, lines)
	if err != nil {
		r.e.Log.Warn("log lines not kept", errAttr(err), jobAttr(id))
		return false
	}
	r.e.Told(id, lines)
	r.mu.Lock()
	r.stat = stat
	r.mu.Unlock()
	return true
}
