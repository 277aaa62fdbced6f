package runner

import (
	"slices"
	"strings"
	"testing"

	"telltale/backend/job"
)

func TestACommandThatEndsWellSucceeds(t *testing.T) {
	t.Parallel()
	b := setup(t, "echo", "hello")
	if o := b.run(); o.State != job.Succeeded || o.Error != nil || o.Summary == "" {
		t.Fatalf("outcome %+v", o)
	}
	if b.text() != "hello\n" {
		t.Fatalf("log %q", b.text())
	}
}

func TestACommandSaysPhaseProgressSummaryAndWarnings(t *testing.T) {
	t.Parallel()
	b := setup(t, self("say",
		"::phase::Copying",
		"::progress value=40,total=100,unit=files::copying",
		"text",
		"::warning file=a.go,line=3::careful%2C 100%25",
		"::summary::All copied.")...)
	o := b.run()
	if o.State != job.Warning || o.Summary != "All copied." {
		t.Errorf("outcome %+v", o)
	}
	if want := []string{"Copying", "copying"}; !slices.Equal(b.phases, want) {
		t.Errorf("phases %q", b.phases)
	}
	if len(b.progress) != 1 || *b.progress[0].Percent != 40 || b.progress[0].Total != 100 || b.progress[0].Unit != "files" {
		t.Errorf("progress %+v", b.progress)
	}
	if len(b.warnings) != 1 || b.warnings[0] != (job.Notice{Message: "careful%2C 100%", File: "a.go", Line: 3}) {
		t.Errorf("warnings %+v", b.warnings)
	}
	if strings.Contains(b.text(), "::progress") || !strings.Contains(b.text(), "text\n") {
		t.Errorf("log %q", b.text())
	}
}

func TestExitStatusDecidesAndOutputCannotMakeAFailureASuccess(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		script string
		want   job.State
		code   string
	}{
		{"exit 0", job.Succeeded, ""},
		{"exit 3", job.Warning, ""},
		{"exit 7", job.Succeeded, ""},
		{"exit 1", job.Failed, "exit_status"},
		{"echo '::summary::all is well'; echo '::warning::x'; exit 1", job.Failed, "exit_status"},
		{"kill -9 $$", job.Failed, "signal"},
	} {
		b := setup(t).script(c.script)
		b.action.Exit.Warning, b.action.Exit.Success = []int{3}, []int{7}
		o := b.run()
		if o.State != c.want || (o.Error == nil) != (c.code == "") || (o.Error != nil && (o.Error.Code != c.code || o.Error.Hint == "" || o.Error.Message == "")) {
			t.Errorf("%s: %+v %+v", c.script, o, o.Error)
		}
		if o.State == job.Warning && len(b.warnings) == 0 {
			t.Errorf("%s: a warning without a reason", c.script)
		}
	}
}

func TestTheReasonOfAFailureIsTheTellingLineOfStderr(t *testing.T) {
	t.Parallel()
	b := setup(t).script("echo fine; echo 'fatal: disk is gone' >&2; echo 'bye' >&2; echo '::hint::Plug it in.'; exit 4")
	o := b.run()
	if o.Error == nil || o.Error.Message != "fatal: disk is gone" || o.Error.Hint != "Plug it in." || *o.Error.ExitCode != 4 {
		t.Fatalf("%+v", o.Error)
	}
}
