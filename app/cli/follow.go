package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"telltale/backend/api"
	"telltale/backend/job"
)

// patience is how long a job is followed while its server does not answer. A
// guest has less, since it can look after the data folder itself.
func (to session) patience() time.Duration {
	if to.guest {
		return blind
	}
	return time.Minute
}

// errLeft ends following a job that goes on without us.
var errLeft = errors.New("left")

// follow shows a job until it has ended, then says how, and exits with that.
//
// The first Ctrl-C asks the server to stop the job, if this command started
// it, and goes on following, because asking is not stopping. The second leaves
// the job to the server. A job somebody else started is never stopped by
// leaving it. SIGTERM leaves at once.
func (s *shell) follow(c context.Context, to session, e job.Event, mine bool, asJSON bool) error {
	ctx, leave := context.WithCancelCause(c)
	defer leave(nil)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	defer signal.Stop(signals)

	*to.begun = true
	v := newView(s.Err)
	v.show(e.Job)
	go heed(ctx, signals, mine, func() {
		v.trouble("stopping; Ctrl-C again to leave")
		if _, err := to.Cancel(ctx, e.Job.ID); err != nil && ctx.Err() == nil {
			v.trouble(err.Error())
		}
	}, func() { leave(errLeft) })
	final, err := to.Follow(ctx, e.Job.ID, api.Follower{
		Patience: to.patience(),
		Changed:  func(e job.Event) error { v.show(e.Job); return nil },
		Link: func(lost error) {
			why := ""
			if lost != nil {
				why = "no word from the server, trying again"
			}
			v.trouble(why)
		},
	})
	v.end()
	switch {
	case errors.Is(err, errLeft):
		return s.left(to, e.Job)
	case to.guest && errors.Is(err, api.ErrUnreachable):
		// Whoever owned the data folder is gone. The next owner knows how the
		// job ended, or runs it; if there is none, that is us.
		return s.with(c, func(next session) error { return s.follow(c, next, e, mine, asJSON) })
	case errors.Is(err, api.ErrUnreachable):
		fmt.Fprintf(s.Err, "%s may still run. Ask again with telltale status %s.\n", name(e.Job), e.Job.ID)
		return err
	case err != nil:
		return err
	}
	return s.report(final, asJSON)
}

// heed asks for the job to be stopped at the first Ctrl-C, if it is ours, and
// leaves at the next signal.
func heed(ctx context.Context, signals <-chan os.Signal, mine bool, stop func(), leave func()) {
	for {
		select {
		case sig := <-signals:
			if sig == syscall.SIGTERM || !mine {
				leave()
				return
			}
			mine = false
			stop()
		case <-ctx.Done():
			return
		}
	}
}

// left says what becomes of a job that is not followed any more.
func (s *shell) left(to session, j job.Job) error {
	if to.own != nil {
		fmt.Fprintln(s.Err, "The job ran in this process, so it is stopped and recorded as interrupted.")
		to.hurry()
		return exitError(exitInterrupted)
	}
	fmt.Fprintf(s.Err, "%s goes on without us. See telltale status %s, or telltale cancel %s.\n", name(j), j.ID, j.ID)
	return exitError(exitLeft)
}

// report says how a job ended: the outcome on the output, why and what to do
// next on the error stream.
func (s *shell) report(e job.Event, asJSON bool) error {
	j := e.Job
	if asJSON {
		fmt.Fprintf(s.Out, "%s\n", e.Data)
	} else {
		fmt.Fprintln(s.Out, outcome(j, time.Now(), painter(s.Out)))
		for _, n := range j.Warnings {
			fmt.Fprintf(s.Out, "  %s\n", notice(n))
		}
		if more := j.WarningCount - len(j.Warnings); more > 0 {
			fmt.Fprintf(s.Out, "  and %d more\n", more)
		}
		s.explain(j)
	}
	if code := exitFor(j.State); code != exitOK {
		return exitError(code)
	}
	return nil
}

// explain says why a job did not end well and what to do next.
func (s *shell) explain(j job.Job) {
	if j.Error == nil {
		return
	}
	if j.Error.Message != j.Summary {
		fmt.Fprintf(s.Err, "  %s\n", plainText(j.Error.Message))
	}
	if j.Error.Hint != "" {
		fmt.Fprintf(s.Err, "  %s\n", plainText(j.Error.Hint))
	}
	if j.Log.Lines > 0 {
		fmt.Fprintf(s.Err, "  %s\n", painter(s.Err).dim(fmt.Sprintf("Its log: telltale logs %s", j.ID)))
	}
}

// notice is a warning with its place.
func notice(n job.Notice) string {
	text := mark(job.Warning) + " " + plainText(n.Message)
	switch {
	case n.File != "" && n.Line > 0:
		return fmt.Sprintf("%s (%s:%d)", text, plainText(n.File), n.Line)
	case n.File != "":
		return fmt.Sprintf("%s (%s)", text, plainText(n.File))
	}
	return text
}
