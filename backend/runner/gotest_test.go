package runner

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"telltale/backend/action"
	"telltale/backend/job"
)

// suite is a real module with tests, run by the real go command.
func suite(t *testing.T, tests string) *bench {
	t.Helper()
	b := setup(t, "go", "test", "-json", "./...")
	b.action.Output = action.GoTest
	for name, text := range map[string]string{
		"go.mod":    "module example.org/suite\n\ngo 1.26\n",
		"x_test.go": "package suite\n\nimport \"testing\"\n\n" + tests,
	} {
		if err := os.WriteFile(filepath.Join(b.action.Command.Dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

func TestATestSuiteIsToldByNumbersAndNames(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		tests    string
		state    job.State
		code     string
		summary  string
		message  string
		warnings int
	}{
		"passes": {
			tests: `func TestA(t *testing.T) {}`,
			state: job.Succeeded, summary: "1 test passed in 1 package.",
		},
		"skips": {
			tests: "func TestA(t *testing.T) {}\nfunc TestB(t *testing.T) { t.Skip(\"no network\") }",
			state: job.Warning, summary: "1 test passed, 1 skipped in 1 package.", warnings: 1,
		},
		"fails": {
			tests: "func TestA(t *testing.T) {}\nfunc TestB(t *testing.T) { t.Fatal(\"two is not three\") }",
			state: job.Failed, code: "tests_failed", summary: "TestB (suite) failed; 1 test passed, 1 failed.", message: "TestB (suite) failed: two is not three",
		},
		"does not build": {
			tests: `func TestA(t *testing.T) { undefined() }`,
			state: job.Failed, code: "build_failed", summary: "example.org/suite failed;", message: "undefined: undefined",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := suite(t, c.tests)
			o := b.run()
			if o.State != c.state || !strings.HasPrefix(o.Summary, c.summary) || len(b.warnings) != c.warnings {
				t.Errorf("%+v %+v, warnings %+v\n%s", o, o.Error, b.warnings, b.text())
			}
			if (o.Error == nil) != (c.code == "") || o.Error != nil && (o.Error.Code != c.code || !strings.Contains(o.Error.Message, c.message) || !strings.Contains(o.Error.Hint, "x_test.go:")) {
				t.Errorf("%+v", o.Error)
			}
			if last := b.progress[len(b.progress)-1]; last.Done != 1 || last.Total != 1 || last.Unit != "packages" {
				t.Errorf("progress %+v", last)
			}
			if strings.Contains(b.text(), `"Action"`) {
				t.Errorf("the log is not for people:\n%s", b.text())
			}
		})
	}
}

// Output decides nothing: the exit status does.
func TestFailingTestsUnderAGoodExitStatusAreAWarning(t *testing.T) {
	t.Parallel()
	b := suite(t, `func TestB(t *testing.T) { t.Fatal("no") }`)
	b.script("go test -json ./... || true")
	if o := b.run(); o.State != job.Warning || len(b.warnings) != 1 || !strings.Contains(b.warnings[0].Message, "TestB") {
		t.Errorf("%+v, warnings %+v", o, b.warnings)
	}
}
