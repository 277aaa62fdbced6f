package cli

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"telltale/app"
	"telltale/backend/api"
)

// session is a command's way to a server. Own is the house in this process
// when no server was running, else nil; hurry makes it stop running jobs when
// it closes. Begun is set once something was accepted or printed: from then on
// the command must not be tried anew.
type session struct {
	*api.Client
	own   *app.App
	hurry context.CancelFunc
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
		err = to.run(ctx, fn)
		guest := s.cfg.Server == "" && to.own == nil
		if !guest || !gone(err) || begun || time.Since(start) > blind {
			return err
		}
		if err := pause(ctx, blink); err != nil {
			return err
		}
	}
}

func (to session) run(ctx context.Context, fn func(session) error) error {
	defer to.Close()
	patience, hurry := context.WithCancel(ctx)
	defer hurry()
	to.hurry = hurry
	err := fn(to)
	if to.own == nil {
		return err
	}
	// Jobs that others started meanwhile may end; Ctrl-C ends the patience.
	return errors.Join(err, to.own.Close(patience))
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
