package runner

import (
	"fmt"
	"strings"

	"telltale/backend/job"
	"telltale/backend/runner/output"
)

// goTest hears go test -json. Lines that are no events are heard as words: they
// are the go command's own, or a program's around it.
type goTest struct {
	words
	tests   output.GoTest
	skipped int // told as warnings so far
}

func (g *goTest) each() bool { return true }

func (g *goTest) line(v *voice, s job.Stream, l output.Line) []string {
	if l.Rest || s != job.Stdout {
		return g.words.line(v, s, l)
	}
	text, event := g.tests.Read(l.Text)
	if !event {
		return g.words.line(v, s, l)
	}
	g.report(v)
	return text
}

func (g *goTest) report(v *voice) {
	if skips := g.tests.Skips(); len(skips) > g.skipped {
		for _, n := range skips[g.skipped:] {
			v.warn(n)
		}
		g.skipped = len(skips)
	} else if g.tests.Skipped > g.skipped {
		g.skipped++
		v.warn(job.Notice{Message: "Another test was skipped."})
	}
	v.enter(g.tests.Counters())
	v.watcher.Progress(job.Progress{Done: int64(g.tests.PackagesDone), Total: int64(g.tests.Packages), Unit: "packages"})
}

// said puts the failing names first: they are what everybody looks for.
func (g *goTest) said() said {
	s := g.words.said()
	failures := g.tests.Failures()
	if len(failures) == 0 {
		if s.summary == "" && g.tests.PackagesDone > 0 {
			s.summary = fmt.Sprintf("%s in %s.", g.tests.Counters(), counted(g.tests.PackagesDone, "package"))
		}
		return s
	}
	s.code = "tests_failed"
	if g.tests.Failed == 0 {
		s.code = "build_failed"
	}
	names := make([]string, 0, 5)
	for _, f := range failures[:min(5, len(failures))] {
		names = append(names, f.Name())
	}
	more := ""
	if n := len(failures) - len(names); n > 0 {
		more = fmt.Sprintf(" and %d more", n)
	}
	s.summary = strings.Join(names, ", ") + more + " failed; " + g.tests.Counters() + "."
	first := failures[0]
	s.problem = first.Name() + " failed."
	if first.Said != "" {
		s.problem = first.Name() + " failed: " + first.Said
	}
	if s.hint == "" {
		s.hint = "Look for “--- FAIL: " + first.Test + "” in the log."
		if first.Test == "" {
			s.hint = "Look for the first lines about " + first.Package + " in the log."
		}
		if first.File != "" {
			s.hint = fmt.Sprintf("See %s:%d. %s", first.File, first.Line, s.hint)
		}
	}
	return s
}
