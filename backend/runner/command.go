package runner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"time"

	"telltale/backend/job"
)

// command carries out actions that start a program.
//
// An exit status of 0, or one the action lists as success, ends as succeeded;
// one listed as warning as warning; any other as failed, with code exit_status.
// A program that ended well although it printed "::warning::" or "::error::"
// lines, skipped tests or left processes behind ends as warning. Nothing a
// program prints can make a bad status a good one.
type command struct{ base }

// Run implements Runner.
func (c *command) Run(ctx context.Context, t Task, w Watcher) job.Outcome {
	h := hearingOf(t)
	v := c.voice(w, t.Bound.SecretValues(), h)
	defer v.close()
	p, err := c.program(t)
	if err != nil {
		return failedSpawn(v, err)
	}
	before := fingerprint(p.Path)
	p.Stdout, p.Stderr = v.writer(job.Stdout), v.writer(job.Stderr)
	end, err := c.host.run(ctx, t.Job, p, t.Action.Grace)
	if start := (*startError)(nil); errors.As(err, &start) {
		return failedSpawn(v, startFault(p, start.err))
	}
	v.close()
	swapped := before != fingerprint(p.Path)
	return c.outcome(ctx, t, v, h, ended{ending: end, err: err, swapped: swapped, path: p.Path})
}

// program resolves what the action starts.
func (c *command) program(t Task) (program, error) {
	a := t.Action.Command
	dir, err := c.host.directory(t.Action, a.Dir)
	if err != nil {
		return program{}, err
	}
	argv := []string{"sh", "-c", a.Shell}
	if a.Shell == "" {
		argv = make([]string, len(a.Argv))
		for i, element := range a.Argv {
			argv[i] = t.Bound.Fill(element)
		}
	}
	path, err := c.host.find(argv[0], dir)
	if err != nil {
		return program{}, err
	}
	env, err := c.host.environment(t)
	if err != nil {
		return program{}, err
	}
	return program{Path: path, Argv: argv, Dir: dir, Env: env}, nil
}

// ended is everything known of a program's end.
type ended struct {
	ending
	err     error // of waiting for it or its output
	swapped bool  // its file is not the one that was started
	path    string
}

func (c *command) outcome(ctx context.Context, t Task, v *voice, h commandHearing, e ended) job.Outcome {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.broken != nil {
		c.log.ErrorContext(ctx, "reader of output panicked", slog.String("job", string(t.Job)), slog.String("action", t.Action.ID), slog.Any("fault", v.broken))
		v.watcher.Warn(job.Notice{Message: "The end of its output could not be read, by a fault of Telltale's."})
		v.warnings++
	}
	if e.Left > 0 {
		v.late(processes(e.Left) + " left running by the command; ended.")
		v.warn(job.Notice{Message: "It left " + processes(e.Left) + " running, which Telltale ended. A command must wait for what it starts."})
	}
	if e.swapped {
		v.late("The program's file was replaced or removed while it ran: " + e.path)
	}
	if e.Stopped {
		o := Stopped(context.Cause(ctx), t.Action.Timeout)
		return unended(o, e.Survivors)
	}
	said := h.said()
	if e.State == nil {
		return job.Outcome{State: job.Failed, Summary: "How it ended is not known.", Error: &job.Error{
			Code: "wait", Message: "The operating system did not tell how the command ended: " + v.plain(e.err.Error(), maxSaid) + ".",
			Hint: "Look at the log for how far it came.",
		}}
	}
	status := e.State.ExitCode()
	switch {
	case status == 0 || slices.Contains(t.Action.Exit.Success, status):
		if said.code != "" {
			v.warn(job.Notice{Message: said.problem})
		}
		o := job.Outcome{State: job.Succeeded, Summary: cmp.Or(v.plain(said.summary, maxSaid), "Done.")}
		if v.warnings > 0 {
			o.State = job.Warning
			if said.summary == "" {
				o.Summary = "Done, with " + counted(v.warnings, "warning") + "."
			}
		}
		return unended(o, e.Survivors)
	case status > 0 && slices.Contains(t.Action.Exit.Warning, status):
		if v.warnings == 0 {
			v.warn(job.Notice{Message: cmp.Or(said.problem, "It ended with exit status "+strconv.Itoa(status)+".")})
		}
		o := job.Outcome{State: job.Warning, Summary: cmp.Or(v.plain(said.summary, maxSaid), "Done, with a warning.")}
		return unended(o, e.Survivors)
	}
	o := job.Outcome{State: job.Failed, Error: exitFault(t, e.State)}
	o.Summary = cmp.Or(v.plain(said.summary, maxSaid), o.Error.Message)
	o.Error.Code = cmp.Or(said.code, o.Error.Code)
	o.Error.Message = cmp.Or(v.plain(said.problem, maxSaid), o.Error.Message)
	o.Error.Hint = cmp.Or(v.plain(said.hint, maxSaid), o.Error.Hint)
	if e.swapped {
		o.Error.Hint += " The program's file was replaced or removed while it ran."
	}
	return unended(o, e.Survivors)
}

// exitFault says what a bad end of a program means by itself.
func exitFault(t Task, state *os.ProcessState) *job.Error {
	if e := signalFault(state); e != nil {
		return e
	}
	status := state.ExitCode()
	e := &job.Error{
		Code:     "exit_status",
		Message:  "It ended with exit status " + strconv.Itoa(status) + ".",
		Hint:     "Read the end of the log for the reason.",
		ExitCode: &status,
	}
	if t.Action.Command.Shell != "" {
		switch status {
		case 126:
			e.Hint = "The shell found a command but could not start it: check that it is executable."
		case 127:
			e.Hint = "The shell did not find a command: check its spelling, and that it is installed where Telltale looks."
		}
	}
	return e
}

// failedSpawn is the outcome when nothing was started.
func failedSpawn(v *voice, err error) job.Outcome {
	e := &job.Error{Code: "spawn", Message: v.plain(err.Error(), maxSaid), Hint: "Check the action in the catalog."}
	if s := (*spawnError)(nil); errors.As(err, &s) {
		e.Hint = v.plain(s.Hint, maxSaid)
	}
	v.tell("%s", e.Message)
	return job.Outcome{State: job.Failed, Summary: "It could not be started.", Error: e}
}

// unended says so when processes could not be ended: then the work did not
// stop, whatever else is true.
func unended(o job.Outcome, survivors []int) job.Outcome {
	if len(survivors) == 0 {
		return o
	}
	o.Error = &job.Error{
		Code:    "not_ended",
		Message: fmt.Sprintf("%s of it could not be ended (pid %s).", processes(len(survivors)), pids(survivors)),
		Hint:    "They wait for the kernel, often for a disk or network share that is gone. End them by hand before running this again.",
	}
	if o.State != job.Interrupted {
		o.State = job.Failed
	}
	o.Summary = "It could not be stopped completely."
	return o
}

// fingerprint tells one file from another that has its name.
func fingerprint(path string) fileID {
	info, err := os.Stat(path)
	if err != nil {
		return fileID{}
	}
	return fileID{info.ModTime(), info.Size()}
}

type fileID struct {
	changed time.Time
	size    int64
}
