package runner

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"telltale/backend/job"
)

// pull moves the branch forward to the peer's branch of the same name. It
// fetches to a ref of its own first: until everything is here and known to fit,
// neither a branch nor a file changes. A branch that is not checked out is moved
// without touching any file.
func (r *gitRun) pull(ctx context.Context) (job.Outcome, error) {
	ref := "refs/heads/" + r.branch
	theirs := "refs/telltale/pull/" + r.branch
	r.enter("Connecting to " + r.peer)
	err := r.work(ctx, "fetch", "--progress", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head",
		"--upload-pack=git-upload-pack", "--end-of-options", r.remote, "+"+ref+":"+theirs)
	if failed, ok := errors.AsType[*gitError](err); ok {
		if strings.Contains(failed.text(), "couldn't find remote ref") {
			return job.Outcome{}, noBranch(r.peer, r.branch)
		}
		return job.Outcome{}, peerFault(failed, r.peer)
	}
	if err != nil {
		return job.Outcome{}, err
	}
	o, err := r.advance(ctx, ref, theirs)
	// Only a name: what it pointed to is in the branch now, or goes some day.
	late, cancel := reprieve(ctx, r.task.Action.Grace)
	defer cancel()
	if _, gone := r.ask(late, "update-ref", "-d", theirs); err == nil && gone != nil {
		r.voice.tell("The helper ref %s could not be removed.", theirs)
	}
	return o, err
}

// advance moves ref to the commit theirs points to, if that is forward.
func (r *gitRun) advance(ctx context.Context, ref, theirs string) (job.Outcome, error) {
	old, err := r.commit(ctx, ref)
	if err != nil {
		return job.Outcome{}, err
	}
	tip, err := r.commit(ctx, theirs)
	if err != nil {
		return job.Outcome{}, err
	}
	commits := []string{tip}
	if old != "" {
		commits = append(commits, "^"+old)
	}
	n, err := r.count(ctx, commits...)
	if err != nil {
		return job.Outcome{}, err
	}
	at := r.peer + "/" + r.branch
	if old != "" {
		ours, err := r.count(ctx, old, "^"+tip)
		switch {
		case err != nil:
			return job.Outcome{}, err
		case n == 0 && ours == 0:
			return job.Outcome{State: job.Succeeded, Summary: "Nothing to do: already at " + at + "."}, nil
		case n == 0:
			return job.Outcome{State: job.Succeeded, Summary: fmt.Sprintf("Nothing to do: %s ahead of %s.", counted(ours, "commit"), at)}, nil
		case ours > 0:
			return job.Outcome{}, diverged(r.peer, n, ours)
		}
	}
	if !r.unsigned {
		if err := r.checkSigned(ctx, commits...); err != nil {
			return job.Outcome{}, err
		}
	}
	if err := r.move(ctx, ref, theirs, tip); err != nil {
		return job.Outcome{}, err
	}
	return job.Outcome{State: job.Succeeded, Summary: counted(n, "commit") + " pulled from " + at + "."}, nil
}

// move is the one step that changes files. It is given the action's grace to
// finish when the run is stopped meanwhile: a checkout cut in the middle leaves
// half of the files new.
func (r *gitRun) move(ctx context.Context, ref, theirs, tip string) error {
	head, err := r.ask(ctx, "symbolic-ref", "--quiet", "HEAD")
	var failed *gitError
	if err != nil && !errors.As(err, &failed) {
		return err
	}
	bare, err := r.ask(ctx, "rev-parse", "--is-bare-repository")
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return &stoppedError{}
	}
	late, cancel := reprieve(ctx, r.task.Action.Grace)
	defer cancel()
	if head == ref && bare == "false" {
		r.enter("Updating files")
		err = r.work(late, "merge", "--ff-only", "--no-stat", "--progress", "--no-autostash", "--no-verify-signatures", tip)
	} else {
		r.enter("Moving the branch")
		err = r.work(late, "fetch", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--update-head-ok", "--end-of-options", ".", theirs+":"+ref)
	}
	if errors.As(err, &failed) {
		return localFault(failed)
	}
	return err
}

func diverged(peer string, theirs, ours int) *faultError {
	return &faultError{
		Code:    "diverged",
		Message: fmt.Sprintf("%s has %s you do not have, and you have %s it does not have.", peer, counted(theirs, "commit"), counted(ours, "commit")),
		Hint:    "Somebody must merge or rebase by hand; nothing was changed.",
	}
}

// localFault tells apart why the files could not be moved forward.
func localFault(e *gitError) *faultError {
	text := e.text()
	switch {
	case strings.Contains(text, "would be overwritten"):
		return &faultError{
			Code:    "dirty",
			Message: "Files here were changed and not committed, and the new commits change them too" + naming(e.Lines) + ".",
			Hint:    "Commit, stash or remove those changes, then pull again; nothing was changed.",
		}
	case strings.Contains(text, "have not concluded"), strings.Contains(text, "unmerged files"), strings.Contains(text, "unresolved conflict"):
		return &faultError{
			Code:    "conflict",
			Message: "The repository is in the middle of a merge that somebody began.",
			Hint:    "Finish it (git commit) or give it up (git merge --abort), then pull again.",
		}
	case strings.Contains(text, ".lock': File exists"), strings.Contains(text, "Another git process"):
		return &faultError{
			Code:    "locked",
			Message: "Another git process is at work in the repository, or died there.",
			Hint:    "Wait for it; if none runs, remove the lock file that the log names.",
		}
	case strings.Contains(text, "checked out"):
		return &faultError{
			Code:    "checked_out",
			Message: "The branch is checked out in another working tree.",
			Hint:    "Pull there, or check out another branch there.",
		}
	}
	return unclear(e, "Git could not move the branch forward")
}

// naming lists the files git complains of: the indented lines.
func naming(lines []string) string {
	var files []string
	after := false
	for _, line := range lines {
		switch {
		case strings.HasSuffix(line, "would be overwritten by merge:"):
			after = true
		case strings.HasPrefix(line, "Please"), strings.HasPrefix(line, "Aborting"), strings.HasPrefix(line, "error:"):
			after = false
		case after && len(files) < 3:
			files = append(files, line)
		}
	}
	if len(files) == 0 {
		return ""
	}
	return ": " + strings.Join(files, ", ")
}
