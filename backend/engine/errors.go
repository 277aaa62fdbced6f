package engine

import (
	"errors"
	"fmt"

	"telltale/backend/job"
)

// ErrDraining is returned while Telltale is stopping: nothing new is accepted.
var ErrDraining = errors.New("telltale is stopping and accepts nothing new")

// UnknownActionError says that the catalog holds no such action.
type UnknownActionError struct {
	Action  string
	Nearest string // the closest name there is, or ""
}

func (e *UnknownActionError) Error() string { return fmt.Sprintf("no action %.64q", e.Action) }

// UnknownTargetError says that the action has no such target.
type UnknownTargetError struct {
	Action, Target string
	Known          []string
}

func (e *UnknownTargetError) Error() string {
	return fmt.Sprintf("action %q has no target %.64q", e.Action, e.Target)
}

// BusyError says that the action refuses to run beside the live job.
type BusyError struct{ Live job.Event }

func (e *BusyError) Error() string {
	return fmt.Sprintf("job %s of the same action and target is still live", e.Live.Job.ID)
}

// NotFinalError says that a job cannot be run again because it has not ended.
type NotFinalError struct{ Live job.Event }

func (e *NotFinalError) Error() string { return fmt.Sprintf("job %s has not ended", e.Live.Job.ID) }

// SealedError says that a job was given a secret, which is not kept, so that it
// cannot be run again without asking.
type SealedError struct{ ID job.ID }

func (e *SealedError) Error() string {
	return fmt.Sprintf("job %s was given a secret that is not kept", e.ID)
}
