package runner

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Unless unsigned commits are allowed, every commit that would move must have a
// signature that git's "log --format=%G?" calls G: good, by a key this machine
// trusts. That asks for a key with sufficient owner trust in the keyring of the
// user Telltale runs as (OpenPGP), or for one listed in the repository's
// gpg.ssh.allowedSignersFile (SSH). U (good, but by anybody's key), X and Y
// (expired), R (revoked), B (bad), E (cannot be checked) and N (none) are
// refused: they prove nothing about who made the commit.

// checkPush checks the commits the peer does not have yet.
func (r *gitRun) checkPush(ctx context.Context, tip string) error {
	r.enter("Asking " + r.peer + " what it has")
	var out catch
	r.heard.begin()
	err := r.call(ctx, []string{"ls-remote", "--heads", "--upload-pack=git-upload-pack", "--end-of-options", r.remote}, &out, r.voice.writer("stderr"))
	if failed, ok := errors.AsType[*gitError](err); ok {
		return peerFault(failed, r.peer)
	}
	if err != nil {
		return err
	}
	commits := []string{tip}
	for line := range strings.Lines(string(out.kept)) {
		name, ref, _ := strings.Cut(strings.TrimSpace(line), "\t")
		known, err := r.commit(ctx, name)
		if err != nil {
			return err
		}
		switch {
		case known != "":
			commits = append(commits, "^"+known)
		case ref == "refs/heads/"+r.branch:
			return nonFastForward(r.peer)
		}
	}
	return r.checkSigned(ctx, commits...)
}

// checkSigned refuses a range with a commit whose signature proves nothing.
func (r *gitRun) checkSigned(ctx context.Context, commits ...string) error {
	r.enter("Checking signatures")
	list, err := r.ask(ctx, append([]string{"log", "--no-show-signature", "--format=%G? %h %s"}, commits...)...)
	if err != nil {
		return err
	}
	bad, first, kind := 0, "", ""
	for line := range strings.Lines(list) {
		status, commit, _ := strings.Cut(strings.TrimRight(line, "\n"), " ")
		if status == "G" {
			continue
		}
		bad++
		first, kind = commit, status // the last listed is the oldest
	}
	if bad == 0 {
		return nil
	}
	return &faultError{
		Code:    "unsigned",
		Message: fmt.Sprintf("%s without a signature that can be trusted; the first is %s (%s).", counted(bad, "commit"), quoted(first), signature(kind)),
		Hint:    "Sign the commits, or allow unsigned commits for this run.",
	}
}

// signature is what a letter of %G? means.
func signature(letter string) string {
	switch letter {
	case "N":
		return "not signed"
	case "U":
		return "signed with a key that is not trusted here"
	case "E":
		return "the signature cannot be checked here"
	case "X", "Y":
		return "the signature or its key has expired"
	case "R":
		return "the key was revoked"
	case "B":
		return "the signature is wrong"
	}
	return "signature status " + letter
}
