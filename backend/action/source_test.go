package action_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"telltale/backend/action"
)

// folder is a catalog file with its source.
type folder struct {
	path   string
	source *action.Source
}

const (
	oneAction  = "actions: {a: {command: {argv: [ls]}}}\n"
	twoActions = "actions: {a: {command: {argv: [ls]}}, b: {command: {argv: [ls]}}}\n"
)

func openFolder(t *testing.T) folder {
	t.Helper()
	path := filepath.Join(t.TempDir(), "telltale.yaml")
	write(t, path, oneAction)
	source, err := action.Open(path, action.SourceOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := source.Close(); err != nil {
			t.Error(err)
		}
	})
	return folder{path, source}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// until waits for changes until the condition holds.
func (f folder) until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	for {
		changed := f.source.Changed()
		if holds() {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			t.Fatal("not within 10 s:", what)
		}
	}
}

func (f folder) has(n int) func() bool {
	return func() bool { return len(f.source.Catalog().Actions()) == n && f.source.Trouble() == nil }
}

func TestChangedFileIsLoadedWhileRunning(t *testing.T) {
	t.Parallel()
	f := openFolder(t)
	write(t, f.path, twoActions)
	f.until(t, "written in place", f.has(2))

	other := filepath.Join(filepath.Dir(f.path), "telltale.yaml~")
	write(t, other, oneAction)
	if err := os.Rename(other, f.path); err != nil {
		t.Fatal(err)
	}
	f.until(t, "replaced as editors do", f.has(1))
}

func TestBadFileIsRefusedAndTheOldStays(t *testing.T) {
	t.Parallel()
	f := openFolder(t)
	write(t, f.path, strings.Replace(twoActions, "argv", "arg", 1))
	f.until(t, "trouble", func() bool { return f.source.Trouble() != nil })
	if n := len(f.source.Catalog().Actions()); n != 1 {
		t.Errorf("%d actions, want the old one", n)
	}
	if got := f.source.Trouble().Error(); !strings.Contains(got, `telltale.yaml:1:25: There is no key "arg"`) {
		t.Error(got)
	}
	if err := f.source.Reload(); !errors.As(err, new(*action.Faults)) {
		t.Errorf("Reload of the same bad file = %v", err)
	}
	if err := os.Remove(f.path); err != nil {
		t.Fatal(err)
	}
	f.until(t, "trouble about the missing file", func() bool {
		trouble := f.source.Trouble()
		return trouble != nil && strings.Contains(trouble.Error(), "There is no file")
	})
	write(t, f.path, twoActions)
	f.until(t, "repaired", f.has(2))
}

func TestReloadOnDemandReadsAtOnce(t *testing.T) {
	t.Parallel()
	f := openFolder(t)
	write(t, f.path, twoActions)
	if err := f.source.Reload(); err != nil || !f.has(2)() {
		t.Errorf("Reload = %v, trouble %v", err, f.source.Trouble())
	}
	if err := f.source.Close(); err != nil {
		t.Fatal(err)
	}
	if !f.has(2)() {
		t.Error("the catalog is gone after Close")
	}
}

func TestLinkedFileIsFollowed(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "real.yaml")
	link := filepath.Join(t.TempDir(), "telltale.yaml")
	write(t, file, oneAction)
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	source, err := action.Open(link, action.SourceOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	write(t, file, twoActions)
	f := folder{link, source}
	f.until(t, "the link's target changed", f.has(2))
}

func TestFirstFileMustBeGood(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "telltale.yaml")
	if _, err := action.Open(path, action.SourceOptions{}); err == nil {
		t.Error("opened a missing file")
	}
	write(t, path, "actions: [x]")
	if _, err := action.Open(path, action.SourceOptions{}); !errors.As(err, new(*action.Faults)) {
		t.Errorf("Open = %v", err)
	}
}
