package runner

import (
	"strings"

	"telltale/backend/action"
	"telltale/backend/job"
	"telltale/backend/runner/output"
)

// commandHearing is a hearing that knows at the end what a command said of
// itself.
type commandHearing interface {
	hearing
	said() said
}

// said is what a command said of itself, as it said it.
type said struct {
	summary string
	hint    string
	problem string // why it failed
	code    string // a more telling code than exit_status
}

func hearingOf(t Task) commandHearing {
	if t.Action.Output == action.GoTest {
		return &goTest{}
	}
	return &words{}
}

// words hears text: workflow commands, and on stderr what may be the reason of
// a failure.
type words struct {
	workflow output.Workflow
	summary  string
	hint     string
	problem  string // the last "::error::"
	last     string // the last line on stderr
	telling  string // the last one that speaks of an error
}

func (w *words) each() bool { return false }

func (w *words) line(v *voice, s job.Stream, l output.Line) []string {
	if !l.Rest {
		if said, ok := w.workflow.Read(l.Text); ok {
			return w.obey(v, said, l.Text)
		}
	}
	if s == job.Stderr && !l.Rest && strings.TrimSpace(l.Text) != "" {
		w.last = l.Text
		if speaksOfError(l.Text) {
			w.telling = l.Text
		}
	}
	return []string{l.Text}
}

// obey takes over what a workflow command says. Progress is not a line of the
// log: it would fill it and says no more than the lamp.
func (w *words) obey(v *voice, said output.Said, line string) []string {
	switch said.Kind {
	case output.Progress:
		v.watcher.Progress(said.Progress)
		v.enter(said.Text)
		return nil
	case output.Phase, output.Group:
		v.enter(said.Text)
	case output.Summary:
		w.summary = said.Text
	case output.Hint:
		w.hint = said.Text
	case output.Warning:
		v.warn(said.Notice)
	case output.Error:
		w.problem = said.Text
		v.warn(said.Notice)
	case output.AddMask:
		v.mask.Add(said.Text)
		return []string{"::add-mask::***"}
	case output.Stop:
		return []string{"::stop-commands::***"} // whoever knows the token can end the stop
	case output.Notice, output.Debug, output.EndGroup, output.Resume:
	}
	return []string{line}
}

func (w *words) said() said {
	s := said{summary: w.summary, hint: w.hint, problem: w.problem}
	for _, other := range []string{w.telling, w.last} {
		if s.problem == "" {
			s.problem = strings.TrimSpace(other)
		}
	}
	return s
}

// speaksOfError is a guess that only chooses which line of stderr is shown
// first.
func speaksOfError(line string) bool {
	line = strings.ToLower(line)
	for _, word := range []string{"error", "fatal", "panic:", "denied", "not found", "no such", "cannot", "can't", "failed", "refused", "unable"} {
		if strings.Contains(line, word) {
			return true
		}
	}
	return false
}
