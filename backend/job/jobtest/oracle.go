package jobtest

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"telltale/backend/job"
)

// oracle is a store too simple to be wrong: every event in a slice, every job
// in a map.
type oracle struct {
	events []job.Event
	jobs   map[job.ID]job.Event
	keys   map[string]job.Event
}

func newOracle() *oracle {
	return &oracle{jobs: map[job.ID]job.Event{}, keys: map[string]job.Event{}}
}

func (o *oracle) add(e job.Event) {
	o.events = append(o.events, e)
	o.jobs[e.Job.ID] = e
}

// all is every job, newest first.
func (o *oracle) all() []job.Event {
	var all []job.Event
	for _, e := range o.jobs {
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b job.Event) int { return cmp.Compare(b.Job.ID, a.Job.ID) })
	return all
}

// list is every job a filter chooses, newest first.
func (o *oracle) list(f job.Filter) []job.Event {
	return slices.DeleteFunc(o.all(), func(e job.Event) bool { return !chosen(f, e.Job) })
}

func (o *oracle) live() []job.Event {
	all := slices.DeleteFunc(o.all(), func(e job.Event) bool { return e.Job.State.Final() })
	slices.SortFunc(all, func(a, b job.Event) int { return cmp.Compare(a.Seq, b.Seq) })
	return all
}

// prune removes what the rule of each action no longer covers.
func (o *oracle) prune(now time.Time, keep func(string) job.Keep) int {
	newer := map[string]int{}
	removed := 0
	for _, e := range o.all() {
		j := e.Job
		if !j.State.Final() {
			continue
		}
		k := keep(j.Action)
		tooMany := k.Count > 0 && newer[j.Action] >= k.Count
		tooOld := k.Age > 0 && j.FinishedAt.Before(now.Add(-k.Age))
		newer[j.Action]++
		if tooMany || tooOld {
			delete(o.jobs, j.ID)
			for name, first := range o.keys {
				if first.Job.ID == j.ID {
					delete(o.keys, name)
				}
			}
			removed++
		}
	}
	return removed
}

func chosen(f job.Filter, j job.Job) bool {
	if !oneOf(f.Actions, j.Action) || !oneOf(f.Targets, j.Target) || !oneOf(f.States, j.State) || !oneOf(f.By, j.Trigger.By) {
		return false
	}
	if !f.Since.IsZero() && j.CreatedAt.Before(f.Since) || !f.Until.IsZero() && !j.CreatedAt.Before(f.Until) {
		return false
	}
	if f.Text == "" {
		return true
	}
	texts := []string{j.Title, j.Summary, j.Phase}
	if j.Error != nil {
		texts = append(texts, j.Error.Code, j.Error.Message, j.Error.Hint)
	}
	return slices.ContainsFunc(texts, func(s string) bool {
		return strings.Contains(strings.ToLower(s), strings.ToLower(f.Text))
	})
}

func oneOf[T comparable](values []T, v T) bool { return len(values) == 0 || slices.Contains(values, v) }
