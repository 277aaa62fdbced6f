package runner

import (
	"context"
	"strconv"
	"strings"

	"telltale/backend/job"
)

// maxAnswer is the most bytes taken of what git answers to a question.
const maxAnswer = 8 << 20

// gitError says that git ended with a bad status; what it said is in Lines.
type gitError struct {
	Command string
	Status  int
	Lines   []string // of stderr
}

func (e *gitError) Error() string {
	return "git " + e.Command + ": exit status " + strconv.Itoa(e.Status) + ": " + e.text()
}

func (e *gitError) text() string { return strings.Join(e.Lines, "\n") }

// stoppedError says that the run was stopped on the way.
type stoppedError struct{ survivors []int }

func (e *stoppedError) Error() string { return "stopped" }

// faultError is a failure that is understood.
type faultError job.Error

func (e *faultError) Error() string { return e.Message }

// ask runs a git command that changes nothing and returns what it prints,
// without the last line end. What it prints is not logged.
func (r *gitRun) ask(ctx context.Context, args ...string) (string, error) {
	var out, complaints catch
	err := r.call(ctx, args, &out, &complaints)
	return strings.TrimSuffix(string(out.kept), "\n"), err
}

// work runs a git command whose output is the log and the progress.
func (r *gitRun) work(ctx context.Context, args ...string) error {
	r.heard.begin()
	r.voice.tell("git %s", strings.Join(args, " "))
	return r.call(ctx, args, r.voice.writer(job.Stdout), r.voice.writer(job.Stderr))
}

type writer interface{ Write(p []byte) (int, error) }

func (r *gitRun) call(ctx context.Context, args []string, stdout, stderr writer) error {
	argv := append(append([]string{"git"}, r.config...), args...)
	end, err := r.host.run(ctx, r.task.Job, program{
		Path: r.path, Argv: argv, Dir: r.dir, Env: r.env, Stdout: stdout, Stderr: stderr,
	}, r.task.Action.Grace)
	switch {
	case err != nil:
		return err
	case end.Stopped || len(end.Survivors) > 0:
		return &stoppedError{end.Survivors}
	case end.State.Success():
		return nil
	}
	failed := &gitError{Command: args[0], Status: end.State.ExitCode()}
	if c, ok := stderr.(*catch); ok {
		failed.Lines = strings.Split(strings.TrimSpace(string(c.kept)), "\n")
		return failed
	}
	r.voice.mu.Lock()
	defer r.voice.mu.Unlock()
	failed.Lines = r.heard.complaints
	return failed
}

// catch keeps the beginning of what is written to it.
type catch struct{ kept []byte }

func (c *catch) Write(p []byte) (int, error) {
	c.kept = append(c.kept, p[:min(len(p), maxAnswer-len(c.kept))]...)
	return len(p), nil
}
