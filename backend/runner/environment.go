package runner

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// inherited are the variables of Telltale's own environment every command gets.
// Everything else of it, above all its tokens, stays here.
func inherited() []string { return []string{"HOME", "USER", "LOGNAME", "TZ", "TMPDIR"} }

// environment is what a command sees, and nothing else: where to find programs,
// who and where it is, that it writes English UTF-8 without a terminal; then
// what the action says, which wins; then which job it works for. Loading the
// catalog refused names that could make a program run foreign code. A secret
// that is not stored is a *spawnError.
func (h *host) environment(t Task) ([]string, error) {
	env := h.base()
	c := t.Action.Command
	for _, name := range c.PassEnv {
		if value, found := h.own[name]; found {
			env[name] = value
		}
	}
	for name, template := range c.Env {
		env[name] = t.Bound.Fill(template)
	}
	for name, secret := range c.Secrets {
		value, found := t.Bound.Lookup(secret)
		if !found {
			return nil, &spawnError{
				"The secret " + quoted(secret) + " is not stored.",
				"Store it under that name, then run this again.",
			}
		}
		env[name] = value
	}
	if c.Shell != "" {
		told(env, t)
	}
	mark(env, t)
	return pairs(env), nil
}

// mark tells a program which job it works for, and us whose process it is.
func mark(env map[string]string, t Task) {
	env[jobVariable] = string(t.Job)
	env["TELLTALE_ATTEMPT"] = strconv.Itoa(t.Attempt)
}

// jobVariable marks the processes of a job.
const jobVariable = "TELLTALE_JOB"

// base is the environment before the action says anything.
func (h *host) base() map[string]string {
	env := map[string]string{
		"PATH":             strings.Join(h.path, string(filepath.ListSeparator)),
		"LANG":             "C.UTF-8",
		"LC_ALL":           "C.UTF-8",
		"TERM":             "dumb",
		"PYTHONUNBUFFERED": "1",
	}
	for _, name := range inherited() {
		if value, found := h.own[name]; found {
			env[name] = value
		}
	}
	return env
}

// told adds parameters and target for a script. The values are data: the shell
// expands "$PARAM_NAME" without reading it.
func told(env map[string]string, t Task) {
	for _, p := range t.Action.Params {
		env["PARAM_"+variable(p.Name)] = t.Bound.Fill("{{params." + p.Name + "}}")
	}
	if len(t.Action.Targets) == 0 {
		return
	}
	for name, value := range t.Bound.Target.Values {
		env["TARGET_"+variable(name)] = value
	}
	env["TARGET_ID"], env["TARGET_TITLE"] = t.Bound.Target.ID, t.Bound.Target.Title
}

// variable is a name of the catalog as an environment variable spells it.
func variable(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		}
		return '_'
	}, name)
}

// pairs writes an environment as a process gets it, sorted, so that the same
// task starts the same way.
func pairs(env map[string]string) []string {
	all := make([]string, 0, len(env))
	for name, value := range env {
		all = append(all, name+"="+value)
	}
	slices.Sort(all)
	return all
}
