package cli

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"telltale/backend/job"
)

// spinner turns while work runs; ten frames, so one turn takes a second.
const spinner = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"

// barWidth is the width of the bar in columns.
const barWidth = 20

// name is the job as people call it.
func name(j job.Job) string {
	if j.Target == "" {
		return plainText(j.Title)
	}
	return plainText(j.Title) + " → " + plainText(j.Target)
}

// liveLine draws a job on one line of at most columns: lamp, name, phase, bar,
// counts, time. What does not fit goes in the order counts, bar, phase. Frame
// counts the redraws; trouble, when not "", stands in place of the phase.
func liveLine(j job.Job, now time.Time, frame, columns int, p paint, trouble string) string {
	lamp := mark(j.State)
	if j.State == job.Running {
		frames := []rune(spinner)
		lamp = string(frames[frame%len(frames)])
	}
	head := p.state(j.State, lamp) + " " + p.bold(name(j))
	bar, counts := barOf(j, p), countsOf(j)
	tail := p.dim(took(j, now))
	phase := phaseOf(j)
	if trouble != "" {
		bar, counts, phase = "", "", p.sgr("33", trouble)
	}
	fixed := ansi.StringWidth(head) + ansi.StringWidth(tail) + 4
	room := func(parts ...string) int {
		left := columns - fixed
		for _, s := range parts {
			if s != "" {
				left -= ansi.StringWidth(s) + 2
			}
		}
		return left
	}
	const least = 12 // columns a phase needs to say anything
	if room(bar, counts) < min(least, ansi.StringWidth(phase)) {
		counts = ""
	}
	if room(bar) < min(least, ansi.StringWidth(phase)) {
		bar = p.dim(percentOf(j))
	}
	phase = ansi.Truncate(phase, max(room(bar, counts), 0), "…")
	parts := slices.DeleteFunc([]string{head, phase, bar, counts, tail}, func(s string) bool { return s == "" })
	return ansi.Truncate(strings.Join(parts, "  "), columns, "…")
}

// phaseOf is what the job is doing now, in a few words.
func phaseOf(j job.Job) string {
	switch {
	case j.Cancel != nil && j.State.Live():
		return "stopping, as " + plainText(j.Cancel.By) + " asked"
	case j.Phase != "":
		return plainText(j.Phase)
	case j.State == job.Queued && !j.NotBefore.IsZero():
		return fmt.Sprintf("attempt %d of %d waits", j.Attempt, j.Attempts)
	case j.State == job.Queued && j.Queue != nil && j.Queue.Position > 0:
		return fmt.Sprintf("in line, place %d", j.Queue.Position)
	case j.State == job.Waiting && j.Approval != nil:
		return plainText(j.Approval.Prompt)
	}
	return string(j.State)
}

func percentOf(j job.Job) string {
	if j.Progress == nil || j.Progress.Percent == nil {
		return ""
	}
	about := ""
	if j.Progress.Estimated {
		about = "~"
	}
	return fmt.Sprintf("%s%.0f%%", about, math.Floor(*j.Progress.Percent))
}

func barOf(j job.Job, p paint) string {
	percent := percentOf(j)
	if percent == "" {
		return ""
	}
	full := min(max(int(*j.Progress.Percent*barWidth/100), 0), barWidth)
	return p.state(j.State, strings.Repeat("━", full)) + p.dim(strings.Repeat("─", barWidth-full)) + fmt.Sprintf(" %4s", percent)
}

func countsOf(j job.Job) string {
	switch p := j.Progress; {
	case p == nil || (p.Done == 0 && p.Total == 0):
		return ""
	case p.Total == 0:
		return strings.TrimSpace(fmt.Sprintf("%d %s", p.Done, plainText(p.Unit)))
	default:
		return strings.TrimSpace(fmt.Sprintf("%d/%d %s", p.Done, p.Total, plainText(p.Unit)))
	}
}

// took is how long the job ran, or has been running or waiting.
func took(j job.Job, now time.Time) string {
	from, to := j.StartedAt, j.FinishedAt
	if from.IsZero() {
		from = j.CreatedAt
	}
	if to.IsZero() {
		to = now
	}
	return span(max(to.Sub(from), 0), j.State.Final())
}

// span is a length of time for people: 0:07 while it counts, 7.3 s at the end.
func span(d time.Duration, exact bool) string {
	switch {
	case exact && d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case exact && d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%d:%02d", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%d:%02d:%02d", int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60)
}

// outcome is the last line of a job: lamp, name, what it says, how long it took.
func outcome(j job.Job, now time.Time, p paint) string {
	said := plainText(j.Summary)
	if said == "" {
		said = string(j.State)
	}
	return p.state(j.State, mark(j.State)) + " " + p.bold(name(j)) + "  " + said + "  " + p.dim(took(j, now))
}

// change is a job for those who keep what they read: one plain line, with the
// percent in tens so that a long job does not fill a file.
func change(j job.Job) string {
	line := name(j) + ": " + string(j.State)
	if said := phaseOf(j); said != string(j.State) {
		line += ": " + said
	}
	if percent := percentOf(j); percent != "" && j.State == job.Running {
		line += fmt.Sprintf(" %d%%", int(*j.Progress.Percent)/10*10)
	}
	return line
}
