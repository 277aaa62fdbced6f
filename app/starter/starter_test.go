package starter_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"telltale/app/starter"
	"telltale/backend/action"
)

// folder is a fresh starter.
type folder struct {
	dir     string
	catalog *action.Catalog
}

func setup(t *testing.T) folder {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "new")
	if err := starter.Write(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	catalog, err := action.Load(filepath.Join(dir, "telltale.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return folder{dir, catalog}
}

// run runs a program in a folder of the starter; it returns what was said and
// the exit code.
func (f folder) run(t *testing.T, dir string, argv ...string) (said string, code int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
	cmd.Dir = filepath.Join(f.dir, dir)
	cmd.Env = append(cmd.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GOTOOLCHAIN=local", "GOPROXY=off", "GOWORK=off", "GOFLAGS=")
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// press runs a command action of the catalog as its runner would.
func (f folder) press(t *testing.T, id, target string, params map[string]any) (said string, code int) {
	t.Helper()
	a, ok := f.catalog.Action(id)
	if !ok {
		t.Fatal("no action", id)
	}
	b, err := a.Bind(target, params, nil)
	if err != nil {
		t.Fatal(err)
	}
	argv := make([]string, len(a.Command.Argv))
	for i, arg := range a.Command.Argv {
		argv[i] = b.Fill(arg)
	}
	dir, err := filepath.Rel(f.dir, a.Command.Dir)
	if err != nil {
		t.Fatal(err)
	}
	return f.run(t, dir, argv...)
}

// want checks an exit code and something that was said.
func want(t *testing.T, said string, code, wantCode int, wantSaid string) {
	t.Helper()
	if code != wantCode || !strings.Contains(said, wantSaid) {
		t.Errorf("exit code %d, want %d and %q:\n%s", code, wantCode, wantSaid, said)
	}
}

func TestStarterIsCompleteAndItsSecretsAreClosed(t *testing.T) {
	t.Parallel()
	f := setup(t)
	for _, name := range []string{"README.md", "telltale.schema.json", "site/index.html", "suite/go.mod", "peers/oslo.git/HEAD"} {
		if _, err := os.Stat(filepath.Join(f.dir, name)); err != nil {
			t.Error(err)
		}
	}
	info, err := os.Stat(filepath.Join(f.dir, "secrets.env"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("secrets.env: %v, %v", info, err)
	}
	if f.catalog.Practice == nil || len(f.catalog.Actions()) != 9 {
		t.Errorf("%d actions, practice %v", len(f.catalog.Actions()), f.catalog.Practice)
	}
	for _, a := range f.catalog.Actions() {
		if a.Git == nil {
			continue
		}
		for _, target := range a.Targets {
			b, err := a.Bind(target.ID, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := b.Fill(a.Git.Remote); got != filepath.Join(f.dir, "peers", target.ID+".git") {
				t.Errorf("%s %s: remote %s", a.ID, target.ID, got)
			}
		}
	}
	left, err := filepath.Glob(filepath.Join(f.dir, ".starter-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestStarterOverwritesNothing(t *testing.T) {
	t.Parallel()
	f := setup(t)
	if err := starter.Write(t.Context(), f.dir); !errors.Is(err, fs.ErrExist) {
		t.Errorf("second Write = %v", err)
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "site"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := starter.Write(t.Context(), dir); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Write beside a site = %v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func TestStarterIsThereInFullOrNotAtAll(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	if err := starter.Write(ctx, dir); err == nil {
		t.Error("Write with a canceled context worked")
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

// TestPeersGiveEveryOutcome walks through push and pull with git itself: work
// to do, refused, pulled, and then in whichever order people press, histories
// that never part.
func TestPeersGiveEveryOutcome(t *testing.T) {
	t.Parallel()
	f := setup(t)
	push := func(peer string) (string, int) {
		return f.run(t, "site", "git", "push", "../peers/"+peer+".git", "main")
	}
	pull := func(peer string) (string, int) {
		return f.run(t, "site", "git", "pull", "--ff-only", "../peers/"+peer+".git", "main")
	}
	said, code := f.press(t, "colleague", "berlin", nil)
	want(t, said, code, 0, "::summary::One new commit at berlin") // oslo has all of the site, so nothing parts
	said, code = push("berlin")
	want(t, said, code, 1, "rejected")
	said, code = f.press(t, "note", "", map[string]any{"text": "too early"})
	want(t, said, code, 3, "::warning::berlin has commits you do not have.")
	for _, peer := range []string{"berlin", "oslo"} {
		said, code = pull(peer)
		want(t, said, code, 0, "")
	}
	said, code = push("oslo")
	want(t, said, code, 0, "main -> main")
	said, code = f.press(t, "note", "", map[string]any{"text": `"; id #$(id)`})
	want(t, said, code, 0, "::summary::Committed as")
	said, code = f.run(t, "site", "git", "log", "-1", "--format=%s by %an")
	want(t, said, code, 0, `"; id #$(id) by You`)
	said, code = f.press(t, "colleague", "oslo", nil)
	want(t, said, code, 3, "::warning::You have commits no peer has.")
	said, code = push("oslo")
	want(t, said, code, 0, "main -> main")
	said, code = f.press(t, "colleague", "oslo", nil)
	want(t, said, code, 0, "One new commit at oslo")
	said, code = pull("oslo")
	want(t, said, code, 0, "Fast-forward")
}

func TestFreshPushHasWorkAndIsRefusedWhereItMust(t *testing.T) {
	t.Parallel()
	f := setup(t)
	said, code := f.run(t, "site", "git", "push", "--dry-run", "../peers/berlin.git", "main")
	want(t, said, code, 0, "main -> main")
	said, code = f.run(t, "site", "git", "push", "../peers/oslo.git", "main")
	want(t, said, code, 1, "(fetch first)")
	said, code = f.run(t, "site", "git", "status", "--porcelain")
	if said != "" || code != 0 {
		t.Errorf("the site is not clean: %s", said)
	}
}

func TestSuitePassesSkipsAndBreaks(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("no go command:", err)
	}
	f := setup(t)
	said, code := f.press(t, "tests", "", nil)
	want(t, said, code, 0, `"Action":"skip"`)
	said, code = f.press(t, "break-tests", "", nil)
	want(t, said, code, 0, "will fail")
	said, code = f.press(t, "tests", "", nil)
	want(t, said, code, 1, "somebody broke the suite")
	said, code = f.press(t, "break-tests", "", nil)
	want(t, said, code, 0, "whole again")
}

func TestDiskWarnsAndBackupCounts(t *testing.T) {
	t.Parallel()
	f := setup(t)
	said, code := f.press(t, "disk", "", nil)
	want(t, said, code, 3, "::warning::")
	said, code = f.press(t, "disk", "", map[string]any{"warn_above": "100"})
	want(t, said, code, 0, "% full.")
	said, code = f.press(t, "backup", "", map[string]any{"pause": 0.0})
	want(t, said, code, 0, "::progress value=123,total=123,unit=files::")
	if _, err := os.Stat(filepath.Join(f.dir, "backups/latest/site/archive/120.html")); err != nil {
		t.Error(err)
	}
}
