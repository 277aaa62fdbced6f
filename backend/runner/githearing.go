package runner

import (
	"strings"
	"time"

	"telltale/backend/action"
	"telltale/backend/job"
	"telltale/backend/runner/output"
)

// maxComplaints is how many lines git says besides progress are kept to tell
// what went wrong.
const maxComplaints = 100

// gitHearing hears a push or fetch: progress, what became of refs, complaints.
type gitHearing struct {
	spans      map[string]span
	phase      output.GitProgress // the one progress was last told of
	began      time.Time
	refs       []output.GitRef
	complaints []string
}

// span is which part of the whole a phase of git is, in percent. How long each
// takes is not known before; the shares keep the bar moving forward.
type span struct{ from, to float64 }

func newGitHearing(op action.GitOperation) *gitHearing {
	h := &gitHearing{spans: map[string]span{
		"remote: Enumerating objects": {0, 2},
		"remote: Counting objects":    {2, 8},
		"remote: Compressing objects": {8, 15},
		"Receiving objects":           {15, 75},
		"Unpacking objects":           {15, 75},
		"Resolving deltas":            {75, 90},
		"Updating files":              {90, 100},
	}}
	if op == action.Push {
		h.spans = map[string]span{
			"Enumerating objects":      {0, 2},
			"Counting objects":         {2, 10},
			"Compressing objects":      {10, 30},
			"Writing objects":          {30, 90},
			"remote: Resolving deltas": {90, 100},
		}
	}
	return h
}

// begin forgets what an earlier git command said.
func (h *gitHearing) begin() { h.refs, h.complaints = nil, nil }

func (h *gitHearing) each() bool { return true }

func (h *gitHearing) line(v *voice, s job.Stream, l output.Line) []string {
	if s == job.Stdout {
		if ref, ok := output.ReadGitRef(l.Text); ok && len(h.refs) < maxComplaints {
			h.refs = append(h.refs, ref)
		}
		return []string{l.Text}
	}
	if p, ok := output.ReadGitProgress(l.Text); ok {
		h.tell(v, p)
		return []string{l.Text}
	}
	if strings.TrimSpace(l.Text) != "" && !l.Replaced && len(h.complaints) < maxComplaints {
		h.complaints = append(h.complaints, output.Plain(l.Text, maxSaid))
	}
	return []string{l.Text}
}

func (h *gitHearing) tell(v *voice, p output.GitProgress) {
	name := p.Phase
	if p.Remote {
		name = "remote: " + p.Phase
	}
	if p.Phase != h.phase.Phase || p.Remote != h.phase.Remote {
		h.phase, h.began = p, v.at
		v.enter(p.Phase)
	}
	of, known := h.spans[name]
	if !known {
		return
	}
	percent := of.from
	if p.Percent >= 0 {
		percent += (of.to - of.from) * float64(p.Percent) / 100
	}
	told := job.Progress{Percent: &percent, Done: p.Done, Total: p.Total, Unit: unit(p.Phase)}
	if took := v.at.Sub(h.began).Seconds(); took >= 0.1 {
		told.Rate = float64(p.Done-h.phase.Done) / took
	}
	v.watcher.Progress(told)
}

// unit is what a phase counts: its last word.
func unit(phase string) string {
	return strings.ToLower(phase[strings.LastIndexByte(phase, ' ')+1:])
}
