package runner

import (
	"context"
	"crypto/x509"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"telltale/backend/action"
	"telltale/backend/job"
)

// api carries out connection tests: the way to a service step by step, each
// with its own time, so that a failure says how far it came.
type api struct {
	base
	roots *x509.CertPool // the system's when nil
}

// Run implements Runner.
func (a *api) Run(ctx context.Context, t Task, w Watcher) job.Outcome {
	key, missing := keyOf(t)
	secrets := t.Bound.SecretValues()
	v := a.voice(w, secrets, &words{})
	defer v.close()
	c := &check{voice: v, clock: a.clock, roots: a.roots, base: t.Bound.Fill(t.Action.API.BaseURL), key: key, model: t.Bound.Fill(t.Action.API.Model)}
	if fault := c.prepare(missing); fault != nil {
		v.tell("%s", fault.Message)
		return c.failed(fault)
	}
	if o, done := c.run(ctx); done {
		return o
	}
	return Stopped(context.Cause(ctx), t.Action.Timeout)
}

// keyOf is the credential to use, and a fault when one is needed and there is
// none. A service without a key is asked without.
func keyOf(t Task) (string, *job.Error) {
	k := t.Action.API.Key
	if key := strings.TrimSpace(t.Bound.Secret(k.Param)); k.Param != "" && key != "" {
		return key, nil
	}
	if k.Secret != "" {
		if key, found := t.Bound.Lookup(k.Secret); found && strings.TrimSpace(key) != "" {
			return strings.TrimSpace(key), nil
		}
	}
	if k == (action.Key{}) {
		return "", nil
	}
	e := &job.Error{Code: "key_missing", Message: "There is no key to test with."}
	switch {
	case k.Secret == "":
		e.Hint = "Fill in the key (" + k.Param + ") when starting this."
	case k.Param == "":
		e.Hint = "Store the key as the secret " + k.Secret + ", then try again."
	default:
		e.Hint = "Fill in the key (" + k.Param + "), or store it as the secret " + k.Secret + "."
	}
	return "", e
}

// check is one connection test on its way.
type check struct {
	voice *voice
	clock func() time.Time
	base  string // the service's address, without a slash at the end
	key   string
	model string
	roots *x509.CertPool

	url   *url.URL
	line  *line
	steps []job.Step
	tools []func(context.Context) *verdict // what carries out each step
	said  string                           // what the service answered, for the summary
}

// verdict is what a step has to say when it is not simply done.
type verdict struct {
	state job.State // Skipped, Warning or Failed
	error job.Error // for the last two
}

func (c *check) prepare(missing *job.Error) *job.Error {
	if missing != nil {
		return missing
	}
	if strings.ContainsFunc(c.key, func(r rune) bool { return r < '!' || r > '~' }) {
		return &job.Error{
			Code:    "key_malformed",
			Message: "The key holds characters that no key has, such as a space or a line end.",
			Hint:    "Copy the key again, without what stands around it.",
		}
	}
	c.base = strings.TrimRight(c.base, "/")
	u, err := url.Parse(c.base)
	if err != nil || u.Hostname() == "" || (u.Scheme != "https" && u.Scheme != "http") || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return &job.Error{
			Code:    "bad_address",
			Message: "The address of the service is not one of the form https://host/path.",
			Hint:    "Correct base_url in the catalog, or the parameter it is made of.",
		}
	}
	c.url = u
	c.line = newLine(u, c.roots)
	c.steps = []job.Step{
		{ID: "resolve", Title: "Find the address of " + u.Hostname()},
		{ID: "connect", Title: "Connect"},
		{ID: "tls", Title: "Agree on encryption"},
		{ID: "authenticate", Title: "Show the key"},
		{ID: "complete", Title: "Ask for one answer"},
	}
	c.tools = []func(context.Context) *verdict{c.resolve, c.connect, c.encrypt, c.authenticate, c.complete}
	for i := range c.steps {
		c.steps[i].State = job.Queued
		if i > 0 {
			c.steps[i].Needs = []string{c.steps[i-1].ID}
		}
	}
	return nil
}

// run takes the steps in order. done is false when ctx ended on the way.
func (c *check) run(ctx context.Context) (o job.Outcome, done bool) {
	defer c.line.hangUp()
	began := c.now()
	for i, step := range c.tools {
		s := &c.steps[i]
		s.State, s.StartedAt = job.Running, c.now()
		c.show(i)
		v := step(ctx)
		s.FinishedAt, s.State = c.now(), job.Succeeded
		if v != nil {
			s.State = v.state
		}
		if ctx.Err() != nil && s.State == job.Failed {
			return job.Outcome{}, false // the step ends as the job does
		}
		if s.State == job.Warning || s.State == job.Failed {
			e := c.clean(v.error)
			s.Error = &e
			c.voice.tell("%s: %s %s", s.ID, e.Message, e.Hint)
		}
		if s.State == job.Failed {
			c.giveUp(i)
			return c.failed(s.Error), true
		}
		if s.State == job.Warning {
			c.voice.mu.Lock()
			c.voice.warn(job.Notice{Message: s.Error.Message + " " + s.Error.Hint})
			c.voice.mu.Unlock()
			c.giveUp(i)
			return job.Outcome{State: job.Warning, Summary: s.Error.Message}, true
		}
		c.show(i + 1)
	}
	return job.Outcome{State: job.Succeeded, Summary: fmt.Sprintf("%s answers: %s, in %s.", c.url.Host, c.said, inTime(c.now().Sub(began)))}, true
}

// giveUp marks what comes after step i as not done.
func (c *check) giveUp(i int) {
	for j := i + 1; j < len(c.steps); j++ {
		c.steps[j].State = job.Skipped
	}
	c.voice.watcher.Steps(slices.Clone(c.steps))
}

// show tells the watcher that i steps are done and which is next.
func (c *check) show(i int) {
	percent := 100 * float64(i) / float64(len(c.steps))
	c.voice.watcher.Steps(slices.Clone(c.steps))
	c.voice.watcher.Progress(job.Progress{Percent: &percent, Done: int64(i), Total: int64(len(c.steps)), Unit: "steps"})
	if i < len(c.steps) {
		c.voice.mu.Lock()
		c.voice.enter(c.steps[i].Title)
		c.voice.mu.Unlock()
	}
}

func (c *check) failed(e *job.Error) job.Outcome {
	clean := c.clean(*e)
	return job.Outcome{State: job.Failed, Summary: clean.Message, Error: &clean}
}

// clean takes secrets and control characters out of what may be the service's
// own words.
func (c *check) clean(e job.Error) job.Error {
	c.voice.mu.Lock()
	defer c.voice.mu.Unlock()
	e.Message, e.Hint = c.voice.plain(e.Message, maxSaid), c.voice.plain(e.Hint, maxSaid)
	return e
}

func (c *check) now() time.Time { return c.clock().UTC().Truncate(time.Millisecond) }

func inTime(d time.Duration) string { return d.Round(time.Millisecond).String() }

func failed(code, message, hint string) *verdict {
	return &verdict{job.Failed, job.Error{Code: code, Message: message, Hint: hint}}
}
