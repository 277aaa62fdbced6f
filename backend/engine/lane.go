package engine

import (
	"slices"
	"sync"

	"telltale/backend/job"
)

// lane holds the live jobs of one action and target, in the order they came.
// Its workers exist only while it holds queued jobs.
type lane struct {
	name string

	mu      sync.Mutex // guards what follows; held while a trigger decides what to do when busy
	live    []*entry
	workers int
	kicks   uint64 // counts what was queued, so that a leaving worker notices
}

func (e *Engine) lane(name string) *lane {
	e.mu.Lock()
	defer e.mu.Unlock()
	l, ok := e.lanes[name]
	if !ok {
		l = &lane{name: name}
		e.lanes[name] = l
	}
	return l
}

// kick makes sure that the lane's queued jobs are worked on by up to limit
// workers. Call it with l.mu held, after the job was queued.
func (e *Engine) kick(l *lane, limit int) {
	l.kicks++
	if l.workers >= min(limit, len(l.live)) {
		return
	}
	if e.begin(func() { e.serve(l) }) {
		l.workers++
	}
}

// newest is the live job a second press joins: the last one that nobody is
// stopping, else the last one. Called with l.mu held.
func (l *lane) newest() *entry {
	var last *entry
	for _, n := range slices.Backward(l.live) {
		event := n.event()
		if event.Seq == 0 || event.Job.State.Final() {
			continue // it could not be written, or is just leaving
		}
		if event.Job.Cancel == nil {
			return n
		}
		if last == nil {
			last = n
		}
	}
	return last
}

// queued is how many jobs of the lane wait. Called with l.mu held.
func (l *lane) queued() int {
	count := 0
	for _, n := range l.live {
		if n.event().Job.State == job.Queued {
			count++
		}
	}
	return count
}

// running is the last job of the lane that has left the queue, or "". Called
// with l.mu held.
func (l *lane) running() job.ID {
	for _, n := range slices.Backward(l.live) {
		if j := n.event().Job; j.State.Live() && j.State != job.Queued {
			return j.ID
		}
	}
	return ""
}

// drop takes a job out of the lane. Called with l.mu held.
func (l *lane) drop(n *entry) {
	l.live = slices.DeleteFunc(l.live, func(o *entry) bool { return o == n })
}

// serve carries out queued jobs of a lane until it holds none.
func (e *Engine) serve(l *lane) {
	for {
		l.mu.Lock()
		seen := l.kicks
		l.mu.Unlock()
		unit, err := e.Queue.Claim(e.take, l.name)
		if err == nil && unit != nil {
			e.run(unit)
			continue
		}
		l.mu.Lock()
		if err != nil || l.kicks == seen {
			l.workers--
			l.mu.Unlock()
			if err != nil && e.take.Err() == nil {
				e.Log.Error("queue cannot be read", errAttr(err), laneAttr(l.name))
			}
			return
		}
		l.mu.Unlock()
	}
}

// leave takes a job that ended out of the lane and moves up those behind it.
func (e *Engine) leave(n *entry) {
	l := e.lane(n.lane)
	l.mu.Lock()
	l.drop(n)
	waiting := slices.Clone(l.live[:min(len(l.live), moveUp+1)])
	l.mu.Unlock()
	e.forget(n.event().Job.ID)
	e.standInLine(waiting)
}

// moveUp is how many queued jobs of a lane are told their new place when the
// one ahead of them ends; those further back keep what they were told last.
const moveUp = 20

func (e *Engine) standInLine(line []*entry) {
	position := 0
	for i, n := range line {
		j := n.event().Job
		if j.State != job.Queued {
			continue
		}
		position++
		if j.Queue == nil {
			continue // it came first, or waits for its next attempt
		}
		place := &job.Place{Position: position}
		if i > 0 {
			place.Behind = line[i-1].event().Job.ID
		}
		if *j.Queue == *place {
			continue
		}
		_, err := e.change(e.work, n, func(j job.Job) (job.Job, error) { return j.Stand(e.now(), place) })
		if err != nil && !moved(err) {
			e.Log.Warn("place in line not kept", errAttr(err), jobAttr(j.ID))
		}
	}
}
