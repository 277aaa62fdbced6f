package job

import "slices"

// State is where a job stands. It is stored, sent and shown as the word itself.
type State string

const (
	// Queued means that the trigger was accepted and is on disk; nothing has started.
	Queued State = "queued"
	// Running means that a worker took it; this is on disk before a process is started.
	Running State = "running"
	// Waiting means that a person must approve before it goes on.
	Waiting State = "waiting"
	// Succeeded means that it ended well.
	Succeeded State = "succeeded"
	// Warning means that it ended well, with something a person should read.
	Warning State = "warning"
	// Failed means that it failed, panicked or ran past its limit; [Error] says
	// which.
	Failed State = "failed"
	// Canceled means that a person stopped it, and the work did stop.
	Canceled State = "canceled"
	// Interrupted means that the process that ran it died. The outcome is unknown: the
	// work may have run in full, in part, or not at all.
	Interrupted State = "interrupted"
	// Skipped means that a due time of a schedule that did not run; the reason says why.
	Skipped State = "skipped"
)

// New is the place a job comes from before it has a state; it is never stored.
const New State = ""

// States lists every state in the order a reader meets them.
func States() []State {
	return []State{Queued, Running, Waiting, Succeeded, Warning, Failed, Canceled, Interrupted, Skipped}
}

// Transition is one allowed step of the lifecycle. MovedBy says for people who
// or what moves a job this way.
type Transition struct {
	From, To State
	MovedBy  string
}

// Lifecycle is the whole machine. A step that is not listed is refused.
// The slice is fresh at each call.
func Lifecycle() []Transition {
	return []Transition{
		{New, Queued, "a trigger was accepted and is on disk"},
		{New, Skipped, "a due time that did not run: overlap, misfire or pause"},
		{Queued, Running, "a worker took it"},
		{Queued, Waiting, "a person must approve"},
		{Running, Waiting, "a person must approve"},
		{Waiting, Running, "approved, and the work goes on"},
		{Waiting, Queued, "approved, and the work has yet to start"},
		{Queued, Canceled, "a person"},
		{Waiting, Canceled, "a person, or the approval expired"},
		{Waiting, Failed, "the approval was refused (code rejected)"},
		{Running, Succeeded, "it ended well"},
		{Running, Warning, "it ended well, with something to read"},
		{Running, Failed, "it failed, panicked or ran past its limit"},
		{Running, Canceled, "a person, and the work did stop"},
		{Running, Interrupted, "the process that ran it died"},
		{Running, Queued, "attempts are left: after a failure, or after an interruption of an idempotent action"},
	}
}

var allowed = func() map[[2]State]bool {
	m := map[[2]State]bool{}
	for _, t := range Lifecycle() {
		m[[2]State{t.From, t.To}] = true
	}
	return m
}()

// final is asked for every change; like allowed it is derived once.
var final = func() map[State]bool {
	m := map[State]bool{}
	for _, s := range States() {
		m[s] = !slices.ContainsFunc(Lifecycle(), func(t Transition) bool { return t.From == s })
	}
	return m
}()

// Final reports whether nothing follows s. A retry of a final job is a new job.
func (s State) Final() bool { return final[s] }

// Live reports whether a job in state s may still change its state.
func (s State) Live() bool { return s == Queued || s == Running || s == Waiting }

// Valid reports whether s is one of the nine states.
func (s State) Valid() bool { return slices.Contains(States(), s) }

// Check returns nil when a job may go from one state to the other, or stays in
// a live state; else a *TransitionError.
func Check(id ID, from, to State) error {
	if allowed[[2]State{from, to}] || (from == to && from.Live()) {
		return nil
	}
	return &TransitionError{ID: id, From: from, To: to}
}
