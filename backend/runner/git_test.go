package runner

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"telltale/backend/action"
	"telltale/backend/job"
)

// yard is a repository with a bare peer beside it.
type yard struct {
	*bench
	t    *testing.T
	repo string
	peer string
}

func gitYard(t *testing.T, op action.GitOperation) *yard {
	t.Helper()
	dir := t.TempDir()
	y := &yard{bench: setup(t), t: t, repo: filepath.Join(dir, "repo"), peer: filepath.Join(dir, "peer.git")}
	y.git(dir, "init", "-q", "--bare", "-b", "main", y.peer)
	y.git(dir, "init", "-q", "-b", "main", y.repo)
	y.commit(y.repo, "first.txt", "one")
	y.git(y.repo, "push", "-q", y.peer, "main")
	y.action.Command = nil
	y.action.Git = &action.Git{Operation: op, Repository: y.repo, Remote: "{{target.url}}", Branch: "main"}
	y.action.Targets = []action.Target{{ID: "berlin", Values: map[string]string{"url": y.peer}}}
	y.target = "berlin"
	return y
}

// git runs git as a person would and returns what it prints.
func (y *yard) git(dir string, args ...string) string {
	y.t.Helper()
	cmd := exec.CommandContext(y.t.Context(), "git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.org", "GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.org")
	out, err := cmd.CombinedOutput()
	if err != nil {
		y.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func (y *yard) commit(dir, file, text string, args ...string) {
	y.t.Helper()
	y.write(filepath.Join(dir, file), text)
	y.git(dir, "add", file)
	y.git(dir, append([]string{"commit", "-q", "-m", "Say " + text}, args...)...)
}

func (y *yard) write(path, text string) {
	y.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		y.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil { // hooks must be executable
		y.t.Fatal(err)
	}
}

// other is a second clone of the peer.
func (y *yard) other() string {
	dir := filepath.Join(y.t.TempDir(), "other")
	y.git(filepath.Dir(dir), "clone", "-q", y.peer, dir)
	return dir
}

// wants runs the task and compares its end.
func (y *yard) wants(state job.State, code, summary string) {
	y.t.Helper()
	o := y.run()
	got := ""
	if o.Error != nil {
		got = o.Error.Code
		if o.Error.Hint == "" || o.Error.Message == "" {
			y.t.Errorf("an error without words: %+v", o.Error)
		}
	}
	if o.State != state || got != code || !strings.Contains(o.Summary, summary) {
		y.t.Errorf("got %s %q %q, want %s %q %q; %+v\n%s", o.State, got, o.Summary, state, code, summary, o.Error, y.text())
	}
}

func (y *yard) same() {
	y.t.Helper()
	if a, b := y.git(y.repo, "rev-parse", "main"), y.git(y.peer, "rev-parse", "main"); a != b {
		y.t.Errorf("main is %s here and %s at the peer", a, b)
	}
}

func TestPushTellsHowManyCommitsWentAndWhenThereIsNothingToDo(t *testing.T) {
	t.Parallel()
	y := gitYard(t, action.Push)
	y.commit(y.repo, "a.txt", "two")
	y.commit(y.repo, "b.txt", "three")
	y.wants(job.Succeeded, "", "2 commits pushed to berlin/main.")
	y.same()
	last := y.progress[len(y.progress)-1]
	if !strings.Contains(strings.Join(y.phases, ","), "Writing objects") || last.Percent == nil || *last.Percent < 80 || last.Unit != "objects" || last.Total == 0 {
		t.Errorf("phases %q, last progress %+v", y.phases, last)
	}
	y.wants(job.Succeeded, "", "Nothing to do")
}

func TestPushCreatesABranch(t *testing.T) {
	t.Parallel()
	y := gitYard(t, action.Push)
	y.git(y.repo, "branch", "topic")
	y.action.Git.Branch = "topic"
	y.wants(job.Succeeded, "", "Branch topic created on berlin with 1 commit.")
	y.action.Git.Branch = "nowhere"
	y.wants(job.Failed, "no_branch", "")
}

func TestPushThatWouldLoseCommitsIsRefused(t *testing.T) {
	t.Parallel()
	y := gitYard(t, action.Push)
	other := y.other()
	y.commit(other, "theirs.txt", "theirs")
	y.git(other, "push", "-q")
	y.commit(y.repo, "ours.txt", "ours")
	y.wants(job.Failed, "non_fast_forward", "berlin has commits you do not have.")
	if !strings.HasPrefix(y.run().Error.Hint, "Pull from berlin first") {
		t.Error("the hint does not say what to do next")
	}
}

func TestPushRefusedByAHookSaysWhatTheHookSays(t *testing.T) {
	t.Parallel()
	y := gitYard(t, action.Push)
	y.write(filepath.Join(y.peer, "hooks", "pre-receive"), "#!/bin/sh\necho 'Release is frozen until Monday.' >&2\nexit 1\n")
	y.commit(y.repo, "a.txt", "two")
	y.wants(job.Failed, "rejected_by_hook", "Release is frozen until Monday.")
}

func TestPushToACheckedOutBranchIsRefused(t *testing.T) {
	t.Parallel()
	y := gitYard(t, action.Push)
	y.action.Targets[0].Values["url"] = y.other()
	y.commit(y.repo, "a.txt", "two")
	y.wants(job.Failed, "checked_out", "")
}

func TestPullMovesForwardAndTellsHowManyCommitsCame(t *testing.T) {
	t.Parallel()
	y := gitYard(t, action.Pull)
	y.wants(job.Succeeded, "", "Nothing to do: already at berlin/main.")
	other := y.other()
	y.commit(other, "theirs.txt", "theirs")
	y.git(other, "push", "-q")
	y.wants(job.Succeeded, "", "1 commit pulled from berlin/main.")
	y.same()
	if _, err := os.Stat(filepath.Join(y.repo, "theirs.txt")); err != nil {
		t.Error(err)
	}
	if refs := y.git(y.repo, "for-each-ref", "refs/telltale"); refs != "" {
		t.Errorf("refs left: %s", refs)
	}
	y.commit(y.repo, "ours.txt", "ours")
	y.wants(job.Succeeded, "", "Nothing to do: 1 commit ahead of berlin/main.")
}

func TestPullOfABranchThatIsNotCheckedOutTouchesNoFile(t *testing.T) {
	t.Parallel()
	y := gitYard(t, action.Pull)
	other := y.other()
	y.commit(other, "theirs.txt", "theirs")
	y.git(other, "push", "-q")
	y.git(y.repo, "checkout", "-q", "-b", "topic")
	y.wants(job.Succeeded, "", "1 commit pulled")
	y.same()
	if _, err := os.Stat(filepath.Join(y.repo, "theirs.txt")); err == nil {
		t.Error("a file of another branch appeared")
	}
}

func TestPullOfADivergedBranchChangesNothing(t *testing.T) {
	t.Parallel()
	y := gitYard(t, action.Pull)
	other := y.other()
	y.commit(other, "theirs.txt", "theirs")
	y.git(other, "push", "-q")
	y.commit(y.repo, "ours.txt", "ours")
	before := y.git(y.repo, "rev-parse", "HEAD")
	y.wants(job.Failed, "diverged", "berlin has 1 commit you do not have, and you have 1 commit it does not have.")
	if y.git(y.repo, "rev-parse", "HEAD") != before || y.git(y.repo, "status", "--porcelain") != "" {
		t.Error("the repository changed")
	}
}

func TestPullOverUncommittedChangesIsRefused(t *testing.T) {
	t.Parallel()
	y := gitYard(t, action.Pull)
	other := y.other()
	y.commit(other, "first.txt", "theirs")
	y.commit(other, "new.txt", "theirs")
	y.git(other, "push", "-q")
	y.write(filepath.Join(y.repo, "first.txt"), "ours")
	y.wants(job.Failed, "dirty", "first.txt")
	y.git(y.repo, "checkout", "-q", "first.txt")
	y.write(filepath.Join(y.repo, "new.txt"), "untracked")
	y.wants(job.Failed, "dirty", "new.txt")
}

func TestPullIntoAnUnfinishedMergeIsRefused(t *testing.T) {
	t.Parallel()
	y := gitYard(t, action.Pull)
	other := y.other()
	y.commit(other, "theirs.txt", "theirs")
	y.git(other, "push", "-q")
	y.git(y.repo, "checkout", "-q", "-b", "side")
	y.commit(y.repo, "side.txt", "side")
	y.git(y.repo, "checkout", "-q", "main")
	y.git(y.repo, "merge", "-q", "--no-ff", "--no-commit", "side")
	y.wants(job.Failed, "conflict", "")
}

func TestPeersThatAreNotThereAreToldApart(t *testing.T) {
	t.Parallel()
	for _, op := range []action.GitOperation{action.Push, action.Pull} {
		y := gitYard(t, op)
		y.commit(y.repo, "a.txt", "two")
		url := y.action.Targets[0].Values
		url["url"] = filepath.Join(t.TempDir(), "nothing.git")
		y.wants(job.Failed, "peer_not_found", "")
		url["url"] = "http://127.0.0.1:1/x.git"
		y.wants(job.Failed, "unreachable", "berlin cannot be reached")
		url["url"] = "ssh://nobody@127.0.0.1:1/x.git"
		y.wants(job.Failed, "unreachable", "")
		url["url"] = "https://no-such-host.invalid/x.git"
		y.wants(job.Failed, "unreachable", "name of berlin's machine")
		y.action.Git.Repository = t.TempDir()
		y.wants(job.Failed, "not_a_repository", "")
	}
}

// keygen makes an SSH key without a passphrase.
func (y *yard) keygen(file string) {
	y.t.Helper()
	cmd := exec.CommandContext(y.t.Context(), "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file)
	if out, err := cmd.CombinedOutput(); err != nil {
		y.t.Skipf("ssh-keygen: %v\n%s", err, out)
	}
}
