package job

import (
	"slices"
	"time"
	"unicode/utf8"
)

// MaxNotices is how many warnings a Job carries; WarningCount has the rest.
const MaxNotices = 20

// Accept makes the first revision of a job: queued, attempt 1. The caller fills
// what the trigger says (ID, Action, Title, Target, Trigger, Params, Attempts).
func Accept(j Job, at time.Time) Job {
	j.State, j.Attempt, j.Rev = Queued, 1, 1
	j.Attempts = max(j.Attempts, 1)
	j.CreatedAt, j.UpdatedAt = at, at
	return j
}

// Skip makes the only revision of a due time that did not run.
func Skip(j Job, at time.Time, reason string) Job {
	j = Accept(j, at)
	j.State, j.FinishedAt, j.Summary = Skipped, at, reason
	return j
}

// Start moves a queued job to running on the given host and boot. What an
// earlier attempt reported is cleared; the number of the attempt is kept.
func (j Job) Start(at time.Time, host, boot string) (Job, error) {
	n, err := j.to(Running, at)
	if err != nil {
		return j, err
	}
	n.StartedAt, n.NotBefore, n.Queue = n.UpdatedAt, time.Time{}, nil
	n.Phase, n.Progress, n.Steps = "", nil, nil
	n.Warnings, n.WarningCount, n.Error = nil, 0, nil
	n.Host, n.Boot = host, boot
	return n, nil
}

// Outcome is how an attempt ended. State is Succeeded, Warning, Failed,
// Canceled or Interrupted; Error is set for Failed and may be for the last two.
type Outcome struct {
	State   State
	Summary string
	Error   *Error
}

// Finish moves a live job to the final state of o. A job that ends well loses
// its phase and, unless nobody ever knew a percent, stands at 100; any other
// end keeps the last phase and progress, because they say how far it came.
func (j Job) Finish(at time.Time, o Outcome) (Job, error) {
	if !o.State.Final() {
		return j, &TransitionError{ID: j.ID, From: j.State, To: o.State}
	}
	n, err := j.to(o.State, at)
	if err != nil {
		return j, err
	}
	n.FinishedAt, n.Summary, n.Error, n.Queue = n.UpdatedAt, o.Summary, o.Error, nil
	n.NotBefore = time.Time{}
	if o.State == Succeeded || o.State == Warning {
		n.Phase = ""
		n.Progress = n.Progress.complete()
	}
	n.Steps = endSteps(n.Steps, n.UpdatedAt, o.State)
	return n, nil
}

// Requeue moves a running job back to queued for its next attempt, not to start
// before notBefore. Why is what ended this attempt; it stays readable meanwhile.
func (j Job) Requeue(at, notBefore time.Time, why *Error) (Job, error) {
	n, err := j.to(Queued, at)
	if err != nil {
		return j, err
	}
	n.Attempt++
	n.NotBefore, n.Error = notBefore, why
	n.Host, n.Boot = "", ""
	n.Steps = endSteps(n.Steps, n.UpdatedAt, Interrupted)
	return n, nil
}

// AskCancel notes who wants a live job stopped. The state does not change: only
// when the work did stop is the job canceled. Asking again changes nothing.
func (j Job) AskCancel(at time.Time, by string) (Job, error) {
	if j.Cancel != nil && j.State.Live() {
		return j, nil
	}
	n, err := j.stay(j.State, at)
	if err != nil {
		return j, err
	}
	n.Cancel = &Ask{By: by, At: n.UpdatedAt}
	return n, nil
}

// Stand notes where a queued job stands in line.
func (j Job) Stand(at time.Time, place *Place) (Job, error) {
	n, err := j.stay(Queued, at)
	if err != nil {
		return j, err
	}
	n.Queue = place
	return n, nil
}

// Report is what a running job says of itself. Steps, when not nil, replaces
// the steps; nil leaves a field as it was, so does an empty Phase.
type Report struct {
	Phase        string
	Progress     *Progress
	Steps        []Step
	Warnings     []Notice // the first MaxNotices
	WarningCount int
	Log          LogStat
}

// Note takes over what a running job reported. The percent never falls within
// an attempt: a smaller one is raised to what was already shown.
func (j Job) Note(at time.Time, r Report) (Job, error) {
	n, err := j.stay(Running, at)
	if err != nil {
		return j, err
	}
	if r.Phase != "" {
		n.Phase = r.Phase
	}
	if r.Progress != nil {
		n.Progress = r.Progress.notBelow(j.Progress)
	}
	if r.Steps != nil {
		n.Steps = slices.Clone(r.Steps)
	}
	if r.WarningCount > 0 {
		n.Warnings, n.WarningCount = slices.Clone(r.Warnings), r.WarningCount
	}
	if r.Log.Lines > 0 {
		n.Log = r.Log
	}
	return n, nil
}

// Fit cuts lists and texts until the encoded job is at most MaxSize bytes. The
// true number of warnings stays in WarningCount.
func (j Job) Fit() Job {
	if len(j.Warnings) > MaxNotices {
		j.Warnings = j.Warnings[:MaxNotices]
	}
	for limit := 2048; limit >= 64; limit /= 2 {
		if b, err := j.Encode(); err != nil || len(b) <= MaxSize {
			return j
		}
		j = j.cut(limit)
	}
	for len(j.Steps) > 0 || len(j.Warnings) > 0 {
		if b, err := j.Encode(); err != nil || len(b) <= MaxSize {
			return j
		}
		j.Steps, j.Warnings = j.Steps[:len(j.Steps)/2], j.Warnings[:len(j.Warnings)/2]
	}
	return j
}

// to moves the job to another state, stay changes it within the live state s.
func (j Job) to(s State, at time.Time) (Job, error) {
	if err := Check(j.ID, j.State, s); err != nil || s == j.State {
		return j, &TransitionError{ID: j.ID, From: j.State, To: s}
	}
	j.State = s
	return j.next(at), nil
}

func (j Job) stay(s State, at time.Time) (Job, error) {
	if j.State != s || !s.Live() {
		return j, &TransitionError{ID: j.ID, From: j.State, To: s}
	}
	return j.next(at), nil
}

func (j Job) next(at time.Time) Job {
	j.Rev++
	if at.After(j.UpdatedAt) {
		j.UpdatedAt = at // a clock set back must not put an end before its beginning
	}
	return j
}

func (j Job) cut(limit int) Job {
	j.Phase, j.Summary = shorten(j.Phase, limit), shorten(j.Summary, limit)
	j.Trigger.Reason = shorten(j.Trigger.Reason, limit)
	j.Error = j.Error.cut(limit)
	j.Warnings = slices.Clone(j.Warnings)
	for i := range j.Warnings {
		j.Warnings[i].Message = shorten(j.Warnings[i].Message, limit)
		j.Warnings[i].File = shorten(j.Warnings[i].File, limit)
	}
	j.Steps = slices.Clone(j.Steps)
	for i := range j.Steps {
		j.Steps[i].Phase = shorten(j.Steps[i].Phase, limit)
		j.Steps[i].Title = shorten(j.Steps[i].Title, limit)
		j.Steps[i].Error = j.Steps[i].Error.cut(limit)
	}
	return j
}

func (e *Error) cut(limit int) *Error {
	if e == nil {
		return nil
	}
	c := *e
	c.Message, c.Hint = shorten(c.Message, limit), shorten(c.Hint, limit)
	return &c
}

func (p *Progress) complete() *Progress {
	if p == nil || p.Percent == nil {
		return p
	}
	c, full := *p, 100.0
	c.Percent, c.Rate = &full, 0
	if c.Total > 0 {
		c.Done = c.Total
	}
	return &c
}

func (p *Progress) notBelow(shown *Progress) *Progress {
	c := *p
	if c.Percent != nil {
		v := min(max(*c.Percent, 0), 100)
		c.Percent = &v
	}
	if shown == nil || shown.Percent == nil {
		return &c
	}
	if c.Percent == nil || *c.Percent < *shown.Percent {
		c.Percent = shown.Percent
	}
	return &c
}

func endSteps(steps []Step, at time.Time, end State) []Step {
	if !slices.ContainsFunc(steps, func(s Step) bool { return s.State.Live() }) {
		return steps
	}
	steps = slices.Clone(steps)
	for i, s := range steps {
		if s.State == Queued {
			steps[i].State = Skipped
			continue
		}
		if s.State.Live() {
			steps[i].State, steps[i].FinishedAt = end, at
		}
	}
	return steps
}

func shorten(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	cut := limit - len("…")
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
