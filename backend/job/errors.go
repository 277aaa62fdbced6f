package job

import "fmt"

// TransitionError says that the lifecycle does not allow a step.
type TransitionError struct {
	ID       ID
	From, To State
}

func (e *TransitionError) Error() string {
	return fmt.Sprintf("job %s cannot go from %q to %q", e.ID, e.From, e.To)
}

// ConflictError says that a job is not at the revision a change was decided on:
// somebody else's change came first. Read the job and decide again.
type ConflictError struct {
	ID         ID
	Want, Have Rev
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("job %s is at revision %d, not %d", e.ID, e.Have, e.Want)
}

// KeyReusedError says that an idempotency key was already used with another
// request. First is the event of the job that used it.
type KeyReusedError struct {
	Key   string
	First Event
}

func (e *KeyReusedError) Error() string {
	return fmt.Sprintf("idempotency key %q was used for another request (job %s)", e.Key, e.First.Job.ID)
}

// NotFoundError says that no record of the job is kept.
type NotFoundError struct{ ID ID }

func (e *NotFoundError) Error() string { return fmt.Sprintf("no job %s", e.ID) }

// InvalidIDError says that a text is not a job id.
type InvalidIDError struct{ Text string }

func (e *InvalidIDError) Error() string { return fmt.Sprintf("%.64q is not a job id", e.Text) }

// InvalidCursorError says that a text is not a cursor of any feed.
type InvalidCursorError struct{ Text string }

func (e *InvalidCursorError) Error() string { return fmt.Sprintf("%.64q is not a cursor", e.Text) }

// GoneError says that what follows a cursor is no longer kept, or that the
// cursor belongs to another feed. The reader must start from the present.
type GoneError struct {
	Asked  Cursor
	Oldest Cursor // the earliest place from which everything is still kept
}

func (e *GoneError) Error() string {
	return fmt.Sprintf("what follows %s is not kept (from %s on)", e.Asked, e.Oldest)
}

// FullError says that the disk has too little room to accept work. Free and
// Need are bytes.
type FullError struct {
	Dir        string
	Free, Need int64
}

func (e *FullError) Error() string {
	return fmt.Sprintf("disk of %s has %d MiB free, %d MiB are needed", e.Dir, e.Free>>20, e.Need>>20)
}
