package output

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// captured reads a file that a real program wrote.
func captured(tb testing.TB, name string) string {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	return string(text)
}

func TestTheProgressOfGitIsRead(t *testing.T) {
	t.Parallel()
	for file, want := range map[string][]string{
		"git-push.stderr":  {"Enumerating objects", "Counting objects", "Compressing objects", "Writing objects", "remote: Resolving deltas"},
		"git-clone.stderr": {"remote: Enumerating objects", "remote: Counting objects", "remote: Compressing objects", "Receiving objects", "Resolving deltas"},
	} {
		var phases []string
		var last GitProgress
		for _, l := range split(captured(t, file), 100, nil) {
			p, ok := ReadGitProgress(l.Text)
			if !ok {
				continue
			}
			name := p.Phase
			if p.Remote {
				name = "remote: " + name
			}
			if !slices.Contains(phases, name) {
				phases = append(phases, name)
			} else if p.Percent < last.Percent || p.Done < last.Done {
				t.Errorf("%s: %+v after %+v", file, p, last)
			}
			if p.Ended && p.Total != p.Done && p.Percent >= 0 {
				t.Errorf("%s: ended at %+v", file, p)
			}
			last = p
		}
		if diff := cmp.Diff(want, phases); diff != "" {
			t.Errorf("%s:\n%s", file, diff)
		}
	}
}

func TestLinesOfGitThatAreNoProgress(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"", "error: failed to push some refs", "fatal: repository 'x' not found", "remote: error: denied: 5", "To ../p.git",
		"Total 180 (delta 115), reused 0 (delta 0), pack-reused 0", "Delta compression using up to 2 threads",
		"Counting objects: 101% (1/2)", "Counting objects: 1% (1/2", "Counting objects: x% (1/2)", "https://host:8080", "a: -1",
	} {
		if p, ok := ReadGitProgress(line); ok {
			t.Errorf("%q is read as %+v", line, p)
		}
	}
	p, ok := ReadGitProgress("Receiving objects: 100% (9/9), 1.02 MiB | 3.00 MiB/s, done.")
	if want := (GitProgress{Phase: "Receiving objects", Percent: 100, Done: 9, Total: 9, Ended: true}); !ok || p != want {
		t.Errorf("%+v", p)
	}
}

func TestWhatBecameOfAPushedRefIsRead(t *testing.T) {
	t.Parallel()
	var got []GitRef
	for line := range strings.Lines(captured(t, "git-push.stdout")) {
		if r, ok := ReadGitRef(strings.TrimRight(line, "\n")); ok {
			got = append(got, r)
		}
	}
	const main = "refs/heads/main"
	want := []GitRef{
		{GitCreated, main, main, "[new branch]", ""},
		{GitUpToDate, main, main, "[up to date]", ""},
		{GitRejected, main, main, "[rejected]", "non-fast-forward"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	r, ok := ReadGitRef(" \t1234:refs/heads/main\tabc..def")
	if !ok || r.Flag != GitMoved || r.Range != "abc..def" {
		t.Errorf("%+v", r)
	}
}

func FuzzGit(f *testing.F) {
	f.Add("remote: Compressing objects:  50% (1/2)        ")
	f.Add("!\ta:b\t[rejected] (fetch first)")
	f.Fuzz(func(t *testing.T, line string) {
		if p, ok := ReadGitProgress(line); ok && (p.Percent < -1 || p.Percent > 100 || p.Done < 0 || p.Total < 0 || p.Phase == "") {
			t.Errorf("%q: %+v", line, p)
		}
		if r, ok := ReadGitRef(line); ok && r.Flag == 0 {
			t.Errorf("%q: %+v", line, r)
		}
	})
}
