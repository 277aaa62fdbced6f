package output

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"telltale/backend/job"
)

func TestWorkflowCommandsAreRead(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]Said{
		"::phase::Copying":                                    {Kind: Phase, Text: "Copying"},
		"  ::summary::3 files, 100%25%0Atwo lines":            {Kind: Summary, Text: "3 files, 100%\ntwo lines"},
		"::hint::Plug it in.":                                 {Kind: Hint, Text: "Plug it in."},
		"::progress value=40,total=100,unit=files::copying":   {Kind: Progress, Text: "copying", Progress: job.Progress{Percent: new(40.0), Done: 40, Total: 100, Unit: "files"}},
		"::progress value=62.5::":                             {Kind: Progress, Progress: job.Progress{Percent: new(62.5)}},
		"::progress value=7,unit=files::":                     {Kind: Progress, Progress: job.Progress{Done: 7, Unit: "files"}},
		"::progress value=300,total=200::":                    {Kind: Progress, Progress: job.Progress{Percent: new(100.0), Done: 300, Total: 200}},
		"::warning file=app.js,line=1,col=5,endColumn=7::Odd": {Kind: Warning, Text: "Odd", Notice: job.Notice{Message: "Odd", File: "app.js", Line: 1}},
		"::error file=c%3A\\x%2Cy.go,line=-3::Bad%3A":         {Kind: Error, Text: "Bad%3A", Notice: job.Notice{Message: "Bad%3A", File: "c:\\x,y.go"}},
		"::WARNING::shout":                                    {Kind: Warning, Text: "shout", Notice: job.Notice{Message: "shout"}},
		"::notice title=a,b::n":                               {Kind: Notice, Text: "n"},
		"::group::Build":                                      {Kind: Group, Text: "Build"},
		"::endgroup::":                                        {Kind: EndGroup},
		"::debug::x::y":                                       {Kind: Debug, Text: "x::y"},
		"::add-mask::s3cret%25":                               {Kind: AddMask, Text: "s3cret%"},
		"::phase::%250A":                                      {Kind: Phase, Text: "%0A"},
	} {
		got, ok := new(Workflow).Read(line)
		if diff := cmp.Diff(want, got); !ok || diff != "" {
			t.Errorf("%q: %v\n%s", line, ok, diff)
		}
	}
	for _, line := range []string{
		"", ":", "::", "::phase", "x ::phase::y", "::unknown::x", "::set-output name=x::y", "::resume-commands::",
		"::progress::x", "::progress value=-1::", "::progress value=NaN::", "::progress value=1e400::", "::progress value=x,total=3::",
		"::stop-commands::", "::stop-commands::warning", "::stop-commands::a b",
	} {
		if got, ok := new(Workflow).Read(line); ok {
			t.Errorf("%q is read as %+v", line, got)
		}
	}
}

func TestStopCommandsHoldsUntilItsToken(t *testing.T) {
	t.Parallel()
	var w Workflow
	var kinds []Kind
	for _, line := range []string{"::phase::a", "::stop-commands::pause", "::phase::b", "::stop-commands::other", "::other::", "::pause::", "::phase::c"} {
		if s, ok := w.Read(line); ok {
			kinds = append(kinds, s.Kind)
		}
	}
	if diff := cmp.Diff([]Kind{Phase, Stop, Resume, Phase}, kinds); diff != "" {
		t.Error(diff)
	}
}

func FuzzWorkflow(f *testing.F) {
	for _, seed := range []string{"::progress value=40,total=100,unit=files::copying", "::warning file=a,line=1::x%0A", "::stop-commands::t", "::t::", " ::add-mask::x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		s, ok := new(Workflow).Read(line)
		if !ok {
			return
		}
		if p := s.Progress.Percent; p != nil && (*p < 0 || *p > 100) || s.Progress.Done < 0 || s.Progress.Total < 0 || s.Notice.Line < 0 {
			t.Errorf("%q: %+v", line, s)
		}
	})
}
