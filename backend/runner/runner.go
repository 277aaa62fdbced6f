// Package runner carries out one job: a command, a git push or pull, a test of
// an API. It starts what the catalog declares, watches it, tells how far it has
// come and says how it ended. It keeps nothing and decides nothing about jobs.
package runner

import (
	"context"
	"errors"
	"time"

	"telltale/backend/action"
	"telltale/backend/job"
)

// Task is one attempt at a job.
type Task struct {
	Job     job.ID
	Attempt int
	Action  *action.Action
	Bound   action.Bound // parameters and target, checked, with the secrets
}

// Watcher hears what a running task says of itself. Its methods may be called
// at once, return at once, and are not called after Run returned.
type Watcher interface {
	// Lines takes over complete log lines, in order; N is not set.
	Lines(lines ...job.Line)
	// Phase names what is being done now.
	Phase(name string)
	// Progress says how far it is. The watcher conflates; call it as often as
	// there is something new.
	Progress(p job.Progress)
	// Warn adds a thing a person should read.
	Warn(n job.Notice)
	// Steps replaces the list of steps.
	Steps(steps []job.Step)
}

// Runner carries out tasks of one kind.
type Runner interface {
	// Run carries out the task and returns how it ended. When ctx ends it stops
	// the whole process tree, politely first, and returns once the work did
	// stop; context.Cause says why: ErrCanceled, ErrTimeout, ErrStorage or ErrShutdown. It
	// does not panic for anything the task does.
	Run(ctx context.Context, t Task, w Watcher) job.Outcome
}

// Why a task is stopped before its end; the cause of the context given to Run.
var (
	ErrCanceled = errors.New("canceled")
	ErrTimeout  = errors.New("past its time limit")
	ErrShutdown = errors.New("telltale stops")
	ErrStorage  = errors.New("the disk is full")
)

// Stopped is the outcome of a task whose context ended with the given cause:
// canceled for ErrCanceled, failed with code timeout for ErrTimeout, interrupted
// with code storage_full for ErrStorage and code shutdown for everything else.
func Stopped(cause error, limit time.Duration) job.Outcome {
	switch {
	case errors.Is(cause, ErrCanceled):
		return job.Outcome{State: job.Canceled, Summary: "Stopped on request."}
	case errors.Is(cause, ErrTimeout):
		return job.Outcome{State: job.Failed, Summary: "Stopped at its time limit.", Error: &job.Error{
			Code:    "timeout",
			Message: "It ran past its limit of " + limit.String() + " and was stopped.",
			Hint:    "Look at the last lines of the log for what it was waiting for, or raise the action's timeout.",
		}}
	case errors.Is(cause, ErrStorage):
		return job.Outcome{State: job.Interrupted, Summary: "Stopped because the disk is full.", Error: &job.Error{
			Code:    "storage_full",
			Message: "The disk is so full that the end of this could soon not be kept, so the work was ended.",
			Hint:    "Free some space where Telltale keeps its data, check what was done, and run it again.",
		}}
	}
	return job.Outcome{State: job.Interrupted, Summary: "Telltale stopped while this was running.", Error: &job.Error{
		Code:    "shutdown",
		Message: "Telltale was stopped while this was running; the work was ended.",
		Hint:    "Check what was done before running it again.",
	}}
}
