package action_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"telltale/backend/action"
)

// TestGoodCatalogIsReadInFull loads a file that uses every key and compares
// what came of it, with the folder written as FOLDER.
func TestGoodCatalogIsReadInFull(t *testing.T) {
	t.Parallel()
	file := "testdata/catalog/full.good.yaml"
	c, err := action.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	folder, err := filepath.Abs(filepath.Dir(file))
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.MarshalIndent(map[string]any{"actions": c.Actions(), "practice": c.Practice}, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/catalog/full.good.json", strings.ReplaceAll(string(got), filepath.Dir(folder), "FOLDER")+"\n")
}

// TestRemoteIsAbsoluteForEveryTarget checks what a runner gets to see, also in
// a folder whose name looks like a template.
func TestRemoteIsAbsoluteForEveryTarget(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "{{params.x}}", "telltale.yaml")
	folder := filepath.Dir(file)
	catalog := `
actions:
  value: {targets: {a: {url: ./p/a.git}, b: {url: "git@host:b.git"}}, git: {operation: push, repository: s, remote: "{{target.url}}"}}
  lead:  {targets: {a: {}}, git: {operation: push, repository: s, remote: "../p/{{target.id}}.git"}}
  plain: {targets: {a: {}}, git: {operation: push, repository: s, remote: "./p/x.git"}}
  base:  {targets: {a: {base: ./p}}, git: {operation: push, repository: s, remote: "{{target.base}}/x.git"}}
`
	c, err := action.Parse(file, []byte(catalog))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ id, target, want string }{
		{"value", "a", folder + "/p/a.git"},
		{"value", "b", "git@host:b.git"},
		{"lead", "a", folder + "/../p/a.git"},
		{"plain", "a", folder + "/p/x.git"},
		{"base", "a", folder + "/p/x.git"},
	} {
		a, ok := c.Action(test.id)
		if !ok {
			t.Fatal("no action", test.id)
		}
		b, err := a.Bind(test.target, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := b.Fill(a.Git.Remote); got != test.want {
			t.Errorf("%s %s: remote %q, want %q", test.id, test.target, got, test.want)
		}
	}
}

// TestCatalogFileMustBeAFile refuses what would block or has no end.
func TestCatalogFileMustBeAFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, path := range []string{dir, filepath.Join(dir, "none.yaml"), "/dev/zero"} {
		if _, err := action.Load(path); err == nil {
			t.Errorf("Load(%s) worked", path)
		}
	}
	large := filepath.Join(dir, "large.yaml")
	if err := os.WriteFile(large, []byte("actions: {}\n#"+strings.Repeat("x", 600<<10)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := action.Load(large); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("Load of 600 KiB = %v", err)
	}
}

// TestAbsentKeysHaveTheirDocumentedMeaning checks what an action is when the file
// says nothing of it.
func TestAbsentKeysHaveTheirDocumentedMeaning(t *testing.T) {
	t.Parallel()
	c, err := action.Parse("/x/telltale.yaml", []byte("actions: {a: {command: {argv: [ls]}}}"))
	if err != nil {
		t.Fatal(err)
	}
	a, _ := c.Action("a")
	if a.Title != "a" || a.OnBusy != action.Join || a.Timeout.String() != "1h0m0s" || a.Grace.String() != "10s" ||
		a.Attempts != 1 || a.Output != action.Text || a.Command.Dir != "/x" || a.Kind() != "command" {
		t.Errorf("%+v %+v", a, a.Command)
	}
}
