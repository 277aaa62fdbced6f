package output

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"telltale/backend/job"
)

// readTests reads captured output and returns what is known of it and the log.
func readTests(t *testing.T, text string) (*GoTest, string) {
	t.Helper()
	g := &GoTest{}
	var log []string
	for _, l := range split(text, 1000, nil) {
		text, event := g.Read(l.Text)
		if !event {
			text = []string{l.Text}
		}
		log = append(log, text...)
	}
	return g, strings.Join(log, "\n")
}

func TestASuiteThatPasses(t *testing.T) {
	t.Parallel()
	g, log := readTests(t, captured(t, "gotest-good.jsonl"))
	if g.Passed != 3 || g.Failed != 0 || g.Skipped != 1 || g.Packages != 1 || g.PackagesDone != 1 {
		t.Errorf("%+v", g)
	}
	if diff := cmp.Diff([]job.Notice{{Message: "TestLater was skipped: needs the network", File: "a_test.go", Line: 5}}, g.Skips()); diff != "" {
		t.Error(diff)
	}
	if g.Counters() != "3 tests passed, 1 skipped" {
		t.Error(g.Counters())
	}
	if !strings.Contains(log, "--- PASS: TestOne") || strings.Contains(log, "{") {
		t.Errorf("log:\n%s", log)
	}
}

func TestASuiteThatFailsNamesWhatFailed(t *testing.T) {
	t.Parallel()
	g, log := readTests(t, captured(t, "gotest-mixed.jsonl"))
	want := []Failure{
		{Package: "example.org/suite/bad", Test: "TestSum", Said: "1+1 = 3, want 2", File: "a_test.go", Line: 3},
		{Package: "example.org/suite/bad", Test: "TestTable/long", Said: "too long", File: "a_test.go", Line: 4},
		{Package: "example.org/suite/broken", Said: "undefined: undefined", File: "broken/a_test.go", Line: 3},
		{Package: "example.org/suite/good", Said: "ExampleOne refers to unknown identifier: One", File: "good/a_test.go", Line: 6},
		{Package: "example.org/suite/panics", Test: "TestBoom", Said: "panic: assignment to entry in nil map [recovered, repanicked]"},
	}
	if diff := cmp.Diff(want, g.Failures()); diff != "" {
		t.Error(diff)
	}
	if g.Passed != 4 || g.Failed != 3 || g.Packages != 5 || g.PackagesDone != 5 || g.PackagesFailed != 4 {
		t.Errorf("%+v", g)
	}
	if len(g.running) > 2 || len(g.partial) > 0 {
		t.Errorf("left running: %v, partial %v", g.running, g.partial)
	}
	if !strings.Contains(log, "no line end--- PASS: TestHalf") && !strings.Contains(log, "no line end\n") {
		t.Errorf("log:\n%s", log)
	}
	if g.Failures()[1].Name() != "TestTable/long (bad)" || g.Failures()[2].Name() != "example.org/suite/broken" {
		t.Error(g.Failures()[1].Name(), g.Failures()[2].Name())
	}
}

func TestEventsWithCarriageReturnsAreRead(t *testing.T) {
	t.Parallel()
	text := captured(t, "gotest-crlf.jsonl")
	if !strings.Contains(text, "\r\n") {
		t.Fatal("the file has lost its carriage returns")
	}
	if g, _ := readTests(t, text); g.Failed != 2 || g.Passed != 3 {
		t.Errorf("%+v", g)
	}
}

func TestLinesThatAreNoEventsAreLines(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"", "FAIL", "{", "{}", `{"a":1}`, `{"Action":3}`, "# package", "null", `["Action"]`} {
		if _, event := new(GoTest).Read(line); event {
			t.Errorf("%q is taken for an event", line)
		}
	}
}

func TestATestThatNeverEndsHasFailed(t *testing.T) {
	t.Parallel()
	g, _ := readTests(t, `{"Action":"start","Package":"p"}
{"Action":"run","Package":"p","Test":"TestHang"}
{"Action":"output","Package":"p","Test":"TestHang","Output":"panic: test timed out after 1s\n"}
{"Action":"fail","Package":"p"}
`)
	if want := []Failure{{Package: "p", Test: "TestHang", Said: "panic: test timed out after 1s"}}; cmp.Diff(want, g.Failures()) != "" || g.Failed != 1 {
		t.Errorf("%+v", g.Failures())
	}
}

func TestWhatASuiteSaysIsBounded(t *testing.T) {
	t.Parallel()
	g := &GoTest{}
	for i := range 3 * maxTests {
		name := `"Package":"p","Test":"T` + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + strings.Repeat("z", i/26) + `"`
		g.Read(`{"Action":"run",` + name + `}`)
		g.Read(`{"Action":"output",` + name + `,"Output":"no end"}`)
	}
	if len(g.running) > maxTests+1 || len(g.partial) > maxTests {
		t.Errorf("%d running, %d partial", len(g.running), len(g.partial))
	}
}

func FuzzGoTest(f *testing.F) {
	for _, file := range []string{"gotest-good.jsonl", "gotest-mixed.jsonl", "gotest-crlf.jsonl"} {
		text := captured(f, file) // in short pieces: the fuzzer is slow with long ones
		f.Add(text[:min(1500, len(text))])
		f.Add(text[max(0, len(text)-1500):])
	}
	f.Add(`{"Action":"fail","Package":"p","Test":"a/b/c"}` + "\n" + `{"Action":"output","Output":"\u001b]0;x"}`)
	f.Fuzz(func(t *testing.T, text string) {
		g := &GoTest{}
		for line := range strings.Lines(text) {
			out, _ := g.Read(strings.TrimRight(line, "\n"))
			for _, l := range out {
				if err := clean(l); err != nil {
					t.Errorf("%q: %v", l, err)
				}
			}
		}
		for _, f := range g.Failures() {
			if f.Line < 0 || len(f.Said) > maxText {
				t.Errorf("%+v", f)
			}
		}
		g.Counters()
	})
}
