package starter_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// TestTutorialIsWhatItsScriptRuns compares the page a person reads with the
// script the tests run: the same commands in the same order, the same file.
func TestTutorialIsWhatItsScriptRuns(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/tutorial/first-action.md")
	if err != nil {
		t.Fatal(err)
	}
	script, err := txtar.ParseFile("../cli/testdata/script/tutorial.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var read, run []string
	for _, found := range regexp.MustCompile(`(?m)^\$ (.*)$`).FindAllStringSubmatch(string(page), -1) {
		read = append(read, strings.ReplaceAll(found[1], `"`, ""))
	}
	for _, found := range regexp.MustCompile(`(?m)^(?:! )?(?:exec )?((?:telltale|cd) .*)$`).FindAllStringSubmatch(string(script.Comment), -1) {
		run = append(run, strings.ReplaceAll(found[1], `'`, ""))
	}
	if diff := cmp.Diff(read, run); diff != "" {
		t.Errorf("commands (-page +script):\n%s", diff)
	}
	_, after, _ := strings.Cut(string(page), "```yaml\n")
	file, _, _ := strings.Cut(after, "```")
	for _, f := range script.Files {
		if f.Name == "hello.yaml" && file != string(f.Data) {
			t.Errorf("hello.yaml (-page +script):\n%s", cmp.Diff(file, string(f.Data)))
		}
	}
}
