package feed

import (
	"maps"

	"telltale/backend/job"
)

// Interest is what a reader wants to hear of. The zero Interest hears nothing.
// It is copied where it is handed over: a caller may go on using its maps.
type Interest struct {
	// Jobs is the topic jobs: every change that is not Minor at once, Minor ones
	// at most once a second for each job.
	Jobs bool
	// Actions narrows the topic jobs to jobs of these actions. Empty means all.
	// It does not narrow Job and Log.
	Actions map[string]bool
	// Job names jobs of which every change is wanted (topic job:<id>).
	Job map[job.ID]bool
	// Log names jobs whose log lines are wanted (topic log:<id>).
	Log map[job.ID]bool
}

func (i Interest) clone() Interest {
	c := Interest{Jobs: i.Jobs, Job: kept(i.Job), Log: kept(i.Log)}
	if i.Jobs {
		c.Actions = kept(i.Actions)
	}
	return c
}

// kept is the keys of m that are true, or nil when there are none: ten thousand
// idle readers should not hold ten thousand empty maps.
func kept[K comparable](m map[K]bool) map[K]bool {
	c := maps.Clone(m)
	maps.DeleteFunc(c, func(_ K, wanted bool) bool { return !wanted })
	if len(c) == 0 {
		return nil
	}
	return c
}

// wants reports whether the topic jobs, as narrowed, includes the action.
func (i *Interest) wants(action string) bool {
	return i.Jobs && (len(i.Actions) == 0 || i.Actions[action])
}

// index finds the readers that asked for a topic.
type index[R comparable] struct {
	jobs map[R]struct{}
	job  map[job.ID]map[R]struct{}
	log  map[job.ID]map[R]struct{}
}

func newIndex[R comparable]() index[R] {
	return index[R]{
		jobs: map[R]struct{}{},
		job:  map[job.ID]map[R]struct{}{},
		log:  map[job.ID]map[R]struct{}{},
	}
}

func (x *index[R]) add(r R, i Interest) {
	if i.Jobs {
		x.jobs[r] = struct{}{}
	}
	for id := range i.Job {
		enter(x.job, id, r)
	}
	for id := range i.Log {
		enter(x.log, id, r)
	}
}

func (x *index[R]) remove(r R, i Interest) {
	delete(x.jobs, r)
	for id := range i.Job {
		leave(x.job, id, r)
	}
	for id := range i.Log {
		leave(x.log, id, r)
	}
}

func enter[R comparable](topic map[job.ID]map[R]struct{}, id job.ID, r R) {
	if topic[id] == nil {
		topic[id] = map[R]struct{}{}
	}
	topic[id][r] = struct{}{}
}

func leave[R comparable](topic map[job.ID]map[R]struct{}, id job.ID, r R) {
	delete(topic[id], r)
	if len(topic[id]) == 0 {
		delete(topic, id)
	}
}
