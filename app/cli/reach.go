package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os/signal"
	"syscall"
	"time"

	"telltale/app"
	"telltale/backend/api"
	"telltale/backend/job"
)

// session is a command's way to a server. Own is the house in this process
// when no server was running, else nil; hurry makes it stop running jobs when
// it closes. A guest found somebody else's house on the data folder. Begun is
// set once something was accepted or printed: from then on the command must not
// be tried anew.
type session struct {
	*api.Client
	own   *app.App
	hurry context.CancelFunc
	guest bool
	begun *bool
}

// A house that opens or closes has the data folder but no socket yet, or no
// longer; a killed one may leave a child that has not let go; one that lives
// for a single command may close between two requests. All that takes a blink,
// so it is tried again before the server is called silent.
const (
	blink = 50 * time.Millisecond
	blind = 3 * time.Second
)

// with runs fn with a server: the one --server names, the one that owns the
// data folder, or a house opened in this process for as long as fn takes.
func (s *shell) with(ctx context.Context, fn func(session) error) error {
	for start := time.Now(); ; {
		begun := false
		to, err := reach(ctx, s.quiet())
		if err != nil {
			return &closedError{err}
		}
		to.begun = &begun
		to.guest = s.cfg.Server == "" && to.own == nil
		err = s.visit(ctx, to, fn)
		if !to.guest || !gone(err) || begun || time.Since(start) > blind {
			return err
		}
		if err := pause(ctx, blink); err != nil {
			return err
		}
	}
}

// visit runs fn and closes what was opened for it. Jobs that guests started
// here may end first; Ctrl-C ends the patience.
func (s *shell) visit(ctx context.Context, to session, fn func(session) error) error {
	defer to.Close()
	opened := time.Now()
	patience, hurry := context.WithCancel(ctx)
	defer hurry()
	to.hurry = hurry
	err := fn(to)
	if to.own == nil {
		return err
	}
	last, stop := signal.NotifyContext(patience, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	s.outlast(last, to, opened)
	return errors.Join(err, to.own.Close(last))
}

// outlast waits until no job that was started in our own house is live.
func (s *shell) outlast(ctx context.Context, to session, opened time.Time) {
	theirs := job.Filter{States: []job.State{job.Queued, job.Running, job.Waiting}, Since: opened}
	for told := false; ; told = true {
		page, err := to.Jobs(ctx, theirs, "", 1)
		if err != nil || len(page.Events) == 0 {
			return // also when ctx has ended
		}
		if !told {
			fmt.Fprintln(s.Err, "Jobs still run in this process; Ctrl-C stops them.")
		}
		if pause(ctx, 2*blink) != nil {
			return
		}
	}
}

// gone reports that a server did not answer, or does not for much longer.
func gone(err error) bool {
	var problem *api.Problem
	return errors.Is(err, api.ErrUnreachable) || (errors.As(err, &problem) && problem.Code == "draining")
}

// reach finds the server to talk to, or opens a house when there is none.
func reach(ctx context.Context, cfg app.Config) (session, error) {
	if cfg.Server != "" {
		if _, err := api.NewClient(api.ClientOptions{Server: cfg.Server}); err != nil {
			return session{}, &usageError{err.Error(), "Give --server the address that telltale serve printed."}
		}
	}
	for start := time.Now(); ; {
		client, err := app.Connect(ctx, cfg)
		if err == nil {
			return session{Client: client}, nil
		}
		if !errors.Is(err, app.ErrNoServer) {
			return session{}, err
		}
		own, err := app.Open(ctx, cfg)
		if err == nil {
			client, err := own.Client()
			return session{Client: client, own: own}, err
		}
		if !app.Owned(err) || time.Since(start) > blind {
			return session{}, err
		}
		if err := pause(ctx, blink); err != nil {
			return session{}, err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// quiet is the configuration of a house that lives for one command: only what
// went wrong is worth a line between those of the command.
func (s *shell) quiet() app.Config {
	cfg := s.cfg
	cfg.Log = slog.New(slog.NewTextHandler(s.Err, &slog.HandlerOptions{Level: slog.LevelError}))
	return cfg
}
