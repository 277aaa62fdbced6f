package runner

import (
	"context"
	"io"
	"os"
	"os/exec"
	"time"

	"telltale/backend/job"
)

const (
	// linger is how long a program's output is waited for after it ended while
	// something it started still holds the pipe; and how long processes it left
	// behind may go on before they are ended.
	linger = 2 * time.Second
	// patience is how long killed processes may take to be gone.
	patience = 5 * time.Second
)

// program is what to start, everything resolved.
type program struct {
	Path   string   // absolute
	Argv   []string // with the program's name
	Dir    string   // absolute
	Env    []string
	Stdout io.Writer
	Stderr io.Writer
}

// ending is how a program ended.
type ending struct {
	State     *os.ProcessState
	Stopped   bool  // it was asked to end because its context had ended
	Left      int   // processes it left behind, which were ended
	Survivors []int // processes that could not be ended
}

// startError is an error from starting a program: nothing ran.
type startError struct{ err error }

func (e *startError) Error() string { return "start program: " + e.err.Error() }
func (e *startError) Unwrap() error { return e.err }

// run starts the program and returns when it and everything it started has
// ended. When ctx ends, the tree is asked to end, and after grace made to.
// What the program leaves running by itself is given linger, then ended and
// counted. A *startError means that nothing was started.
func (h *host) run(ctx context.Context, id job.ID, p program, grace time.Duration) (ending, error) {
	if err := ctx.Err(); err != nil {
		return ending{Stopped: true}, nil // stopped before it started is an ending, not an error
	}
	t, cmd, err := h.start(id, p)
	if err != nil {
		return ending{}, &startError{err}
	}
	defer t.close()
	var end ending
	ended := make(chan func() error, 1)
	go func() { ended <- t.awaitEnd() }()

	var reap func() error
	select {
	case reap = <-ended:
	case <-ctx.Done():
		end.Stopped = true
		t.end(grace)
		timeout := time.NewTimer(patience)
		defer timeout.Stop()
		select {
		case reap = <-ended:
		case <-timeout.C:
			// A process in an uninterruptible call cannot be waited for. The
			// goroutine above learns of its end if it ever comes.
			end.Survivors = t.members()
			return end, nil
		}
	}
	if !t.settled() {
		end.Left = t.outlive(ctx, grace)
		end.Survivors = t.members()
	}
	err = reap()
	end.State = cmd.ProcessState
	if end.State == nil {
		return end, err
	}
	return end, nil
}

func (h *host) start(id job.ID, p program) (*tree, *exec.Cmd, error) {
	t := h.plant(id)
	cmd := p.command()
	t.prepare(cmd)
	err := cmd.Start()
	if err != nil && t.fallBack() {
		cmd = p.command()
		t.prepare(cmd)
		err = cmd.Start()
	}
	if err != nil {
		t.close()
		return nil, nil, err
	}
	t.started(cmd.Process.Pid)
	return t, cmd, nil
}

func (p program) command() *exec.Cmd {
	return &exec.Cmd{
		Path: p.Path, Args: p.Argv, Dir: p.Dir, Env: p.Env,
		Stdout: p.Stdout, Stderr: p.Stderr, WaitDelay: linger,
	}
}

// outlive deals with what a program left behind that ended by itself: it may
// finish within linger, then it is ended. It returns how many there were.
func (t *tree) outlive(ctx context.Context, grace time.Duration) int {
	select {
	case <-t.gone(linger):
	case <-ctx.Done():
	}
	left := len(t.members())
	if left > 0 {
		t.end(min(grace, linger))
	}
	return left
}

// end asks the whole tree to end and makes it when grace is over.
func (t *tree) end(grace time.Duration) {
	t.terminate()
	<-t.gone(grace)
	if t.alive() {
		t.kill()
		<-t.gone(patience)
	}
}

// gone is closed when nothing of the tree is alive, at the latest after limit.
func (t *tree) gone(limit time.Duration) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		deadline := time.Now().Add(limit)
		for wait := time.Millisecond; t.alive(); wait = min(2*wait, 100*time.Millisecond) {
			left := time.Until(deadline)
			if left <= 0 {
				return
			}
			time.Sleep(min(wait, left))
		}
	}()
	return done
}
