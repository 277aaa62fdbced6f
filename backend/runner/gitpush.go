package runner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"telltale/backend/job"
	"telltale/backend/runner/output"
)

// push sends the branch to the peer's branch of the same name, if that moves it
// forward.
func (r *gitRun) push(ctx context.Context) (job.Outcome, error) {
	ref := "refs/heads/" + r.branch
	tip, err := r.commit(ctx, ref)
	if err != nil {
		return job.Outcome{}, err
	}
	if tip == "" {
		return job.Outcome{}, noBranch("this repository", r.branch)
	}
	if !r.unsigned {
		if err := r.checkPush(ctx, tip); err != nil {
			return job.Outcome{}, err
		}
	}
	r.enter("Connecting to " + r.peer)
	// The commit, not the branch: what was checked is what is sent.
	err = r.work(ctx, "push", "--porcelain", "--progress", "--no-verify", "--no-signed", "--no-follow-tags",
		"--recurse-submodules=no", "--receive-pack=git-receive-pack", "--end-of-options", r.remote, tip+":"+ref)
	r.voice.mu.Lock()
	refs, complaints := r.heard.refs, r.heard.complaints
	r.voice.mu.Unlock()
	var failed *gitError
	if err != nil && !errors.As(err, &failed) {
		return job.Outcome{}, err
	}
	if len(refs) == 0 {
		if failed == nil {
			failed = &gitError{Command: "push", Lines: complaints}
		}
		return job.Outcome{}, peerFault(failed, r.peer)
	}
	return r.pushed(ctx, tip, refs[0], complaints, failed)
}

// pushed says what became of the branch.
func (r *gitRun) pushed(ctx context.Context, tip string, ref output.GitRef, complaints []string, failed *gitError) (job.Outcome, error) {
	at := r.peer + "/" + r.branch
	done := job.Outcome{State: job.Succeeded}
	switch {
	case ref.Flag == output.GitRejected:
		return job.Outcome{}, rejection(ref, complaints, r.peer, r.branch)
	case failed != nil:
		return job.Outcome{}, peerFault(failed, r.peer)
	case ref.Flag == output.GitUpToDate:
		done.Summary = "Nothing to do: " + at + " already has every commit."
	case ref.Flag == output.GitCreated:
		n, err := r.count(ctx, tip)
		if err != nil {
			return job.Outcome{}, err
		}
		done.Summary = "Branch " + r.branch + " created on " + r.peer + " with " + counted(n, "commit") + "."
	default:
		n, err := r.count(ctx, ref.Range)
		if err != nil {
			return job.Outcome{}, err
		}
		done.Summary = counted(n, "commit") + " pushed to " + at + "."
	}
	return done, nil
}

// rejection tells apart why a peer did not take a branch.
func rejection(ref output.GitRef, complaints []string, peer, branch string) *faultError {
	because := ref.Reason
	said := ""
	for _, line := range complaints {
		if text, found := strings.CutPrefix(line, "remote:"); found && strings.TrimSpace(text) != "" {
			said = strings.TrimSpace(text)
		}
	}
	switch {
	case because == "fetch first", because == "non-fast-forward", because == "stale info", because == "needs force":
		return nonFastForward(peer)
	case strings.Contains(because, "hook declined"):
		return &faultError{
			Code:    "rejected_by_hook",
			Message: peer + " refused the commits: " + strings.TrimSuffix(cmp.Or(said, because), ".") + ".",
			Hint:    "A rule of the peer's (a hook) forbids them. Read what it says in the log.",
		}
	case strings.Contains(because, "currently checked out"):
		return &faultError{
			Code:    "checked_out",
			Message: branch + " is checked out on " + peer + ", so its files would no longer fit.",
			Hint:    "Push to a bare repository, or set receive.denyCurrentBranch to updateInstead on the peer.",
		}
	}
	return &faultError{
		Code:    "rejected",
		Message: peer + " refused the commits: " + cmp.Or(because, said, "no reason given") + ".",
		Hint:    "Read what the peer says in the log.",
	}
}

func nonFastForward(peer string) *faultError {
	return &faultError{
		Code:    "non_fast_forward",
		Message: peer + " has commits you do not have.",
		Hint:    "Pull from " + peer + " first, then push again.",
	}
}

func noBranch(where, branch string) *faultError {
	return &faultError{
		Code:    "no_branch",
		Message: "There is no branch " + quoted(branch) + " in " + where + ".",
		Hint:    "Correct the branch in the catalog, or create it.",
	}
}

// commit is the full name of the commit a ref points to, "" when there is none.
func (r *gitRun) commit(ctx context.Context, ref string) (string, error) {
	name, err := r.ask(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", ref+"^{commit}")
	if _, ok := errors.AsType[*gitError](err); ok {
		return "", nil
	}
	return name[strings.LastIndexByte(name, '\n')+1:], err // some gits repeat the option
}

// count is the number of commits in a range.
func (r *gitRun) count(ctx context.Context, commits ...string) (int, error) {
	text, err := r.ask(ctx, append([]string{"rev-list", "--count"}, commits...)...)
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("count commits: %w", err)
	}
	return n, nil
}
