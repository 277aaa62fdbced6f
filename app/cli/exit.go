package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"telltale/backend/action"
	"telltale/backend/api"
	"telltale/backend/job"
)

// The codes telltale exits with. For run and retry they say how the job ended.
const (
	exitOK          = 0
	exitFailed      = 1 // the job failed, or the command could not do what was asked
	exitUsage       = 2 // the words on the command line are wrong
	exitWarning     = 3
	exitCanceled    = 4
	exitInterrupted = 5
	exitUnreachable = 6   // no server answers, and none could be started in this process
	exitLeft        = 130 // left with Ctrl-C while the job still ran
)

// codes is the table for people, in the order of the numbers.
func codes() []string {
	return []string{
		"0: the job succeeded, or was skipped; the command did what was asked",
		"1: the job failed; the command could not do what was asked",
		"2: the command line is wrong: no such command, action, target or parameter",
		"3: the job ended well with a warning to read",
		"4: the job was canceled",
		"5: the job was interrupted; whether it did its work is not known",
		"6: no server answers, and none could be started in this process",
		"130: left with Ctrl-C; the job may still run",
	}
}

// exitFor is the code that says how a job ended.
func exitFor(s job.State) int {
	switch s {
	case job.Succeeded, job.Skipped:
		return exitOK
	case job.Warning:
		return exitWarning
	case job.Canceled:
		return exitCanceled
	case job.Interrupted:
		return exitInterrupted
	case job.Failed, job.Queued, job.Running, job.Waiting, job.New:
		return exitFailed
	}
	return exitFailed
}

// exitError ends the command with a code; everything was said before.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit %d", int(e)) }

// usageError is a fault in the words that were typed.
type usageError struct{ message, hint string }

func (e *usageError) Error() string { return e.message }

// refusalError says that what was asked cannot be done, and what can.
type refusalError struct{ message, hint string }

func (e *refusalError) Error() string { return e.message }

// Hint says what a person can do.
func (e *refusalError) Hint() string { return e.hint }

// closedError says that no server answers and none could be started here.
type closedError struct{ err error }

func (e *closedError) Error() string { return e.err.Error() }
func (e *closedError) Unwrap() error { return e.err }

// tell says on w what went wrong, in one sentence and a hint, and returns the
// code to exit with.
func tell(w io.Writer, err error) int {
	var (
		code    exitError
		usage   *usageError
		problem *api.Problem
		faults  *action.Faults
		closed  *closedError
	)
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &code):
		return int(code)
	case errors.Is(err, context.Canceled):
		return exitLeft
	case errors.As(err, &usage):
		say(w, usage.message, usage.hint)
		return exitUsage
	case errors.As(err, &problem):
		say(w, problem.Detail, problem.Hint)
		for _, f := range problem.Errors {
			fmt.Fprintf(w, "  %s: %s\n", plainText(f.Field), plainText(f.Message))
		}
		return exitForCode(problem.Code)
	case errors.As(err, &faults):
		sayFaults(w, faults)
		if errors.As(err, &closed) {
			return exitUnreachable
		}
		return exitFailed
	case errors.Is(err, api.ErrUnreachable):
		say(w, err.Error(), "Start one with telltale serve, or check --server and --data.")
		return exitUnreachable
	case errors.As(err, &closed):
		say(w, err.Error(), hintOf(err))
		return exitUnreachable
	}
	say(w, err.Error(), hintOf(err))
	return exitFailed
}

// hintOf is what an error knows about what to do next, or "".
func hintOf(err error) string {
	var hinted interface{ Hint() string }
	if errors.As(err, &hinted) {
		return hinted.Hint()
	}
	return ""
}

func say(w io.Writer, sentence, hint string) {
	fmt.Fprintf(w, "telltale: %s\n", plainText(sentence))
	if hint != "" {
		fmt.Fprintf(w, "  %s\n", plainText(hint))
	}
}

func sayFaults(w io.Writer, faults *action.Faults) {
	for _, f := range faults.List {
		fmt.Fprintf(w, "%s:%d:%d: %s\n", faults.File, f.Line, f.Column, plainText(f.Message))
		for line := range strings.Lines(f.Hint) {
			fmt.Fprintf(w, "  %s\n", plainText(strings.TrimRight(line, "\n")))
		}
	}
}

// exitForCode tells what was asked wrongly from what went wrong.
func exitForCode(code string) int {
	switch code {
	case "unknown_action", "unknown_target", "bad_parameters", "bad_request", "bad_cursor":
		return exitUsage
	case "not_telltale", "draining", "not_ready":
		return exitUnreachable
	}
	return exitFailed
}
