package store

import (
	"errors"
	"fmt"

	"telltale/backend/job"
)

// ErrClosed is returned by every method once the store is closed.
var ErrClosed = errors.New("store is closed")

// LockedError says that another process has the directory open. PID is 0 when
// it is not known.
type LockedError struct {
	Dir string
	PID int
}

func (e *LockedError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("data directory %s is in use by another process", e.Dir)
	}
	return fmt.Sprintf("data directory %s is in use by process %d", e.Dir, e.PID)
}

// Hint says what a person can do.
func (e *LockedError) Hint() string {
	return "Use the Telltale that is already running, stop it, or give this one another data directory."
}

// NewerFormatError says that a newer version of Telltale wrote the directory.
type NewerFormatError struct {
	Dir        string
	Have, Know int // the format found, and the newest this version reads
	App        string
}

func (e *NewerFormatError) Error() string {
	return fmt.Sprintf("data directory %s has format %d, written by Telltale %s; this version reads up to %d", e.Dir, e.Have, e.App, e.Know)
}

// Hint says what a person can do.
func (e *NewerFormatError) Hint() string {
	return "Start the newer version again, or choose another data directory. Nothing was changed."
}

// DamagedError says that the directory holds a store that is not whole. Nothing
// in it was changed.
type DamagedError struct {
	Dir  string
	What string // one clause for people: what is wrong
	Err  error  // what was found underneath, may be nil
}

func (e *DamagedError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("store in %s is damaged: %s: %v", e.Dir, e.What, e.Err)
	}
	return fmt.Sprintf("store in %s is damaged: %s", e.Dir, e.What)
}

func (e *DamagedError) Unwrap() error { return e.Err }

// Hint says what a person can do.
func (e *DamagedError) Hint() string {
	return "Copy the directory away first, then restore a back-up into a fresh one; nothing is opened or deleted until then."
}

// UnusableDirError says that the directory cannot hold a store.
type UnusableDirError struct {
	Dir  string
	Why  string // one clause for people
	Todo string // the hint
	Err  error  // may be nil
}

func (e *UnusableDirError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("data directory %s %s: %v", e.Dir, e.Why, e.Err)
	}
	return fmt.Sprintf("data directory %s %s", e.Dir, e.Why)
}

func (e *UnusableDirError) Unwrap() error { return e.Err }

// Hint says what a person can do.
func (e *UnusableDirError) Hint() string { return e.Todo }

// StoppedError says that a change could not be written, so that the store
// accepts no more: what is on disk is whole, what was refused is not on it.
type StoppedError struct{ Err error }

func (e *StoppedError) Error() string {
	return fmt.Sprintf("store accepts no changes since a write failed: %v", e.Err)
}

func (e *StoppedError) Unwrap() error { return e.Err }

// Hint says what a person can do.
func (e *StoppedError) Hint() string {
	return "Look at the disk, then start Telltale again; everything that was acknowledged is kept."
}

// TooLargeError says that a job cannot be cut to the size of a record; most
// likely its parameters are too long. Size and Limit are bytes.
type TooLargeError struct {
	ID          job.ID
	Size, Limit int
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("job %s takes %d bytes, the limit is %d", e.ID, e.Size, e.Limit)
}

// Hint says what a person can do.
func (e *TooLargeError) Hint() string {
	return "Pass large values in a file and give the job its name."
}
