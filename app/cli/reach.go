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
// it closes.
type session struct {
	*api.Client
	own   *app.App
	hurry context.CancelFunc
}

// with runs fn with a server: the one --server names, the one that owns the
// data folder, or a house opened in this process for as long as fn takes.
func (s *shell) with(ctx context.Context, fn func(session) error) error {
	to, err := reach(ctx, s.quiet())
	if err != nil {
		return &closedError{err}
	}
	defer to.Close()
	patience, hurry := context.WithCancel(ctx)
	defer hurry()
	to.hurry = hurry
	err = fn(to)
	if to.own == nil {
		return err
	}
	// Jobs that others started meanwhile may end; Ctrl-C ends the patience.
	return errors.Join(err, to.own.Close(patience))
}

// A house that opens or closes has the data folder but no socket yet, or no
// longer; a killed one may leave a child that has not let go. That takes a
// blink, so it is asked again before it is called silent.
const (
	blink = 50 * time.Millisecond
	blind = 3 * time.Second
)

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
		select {
		case <-time.After(blink):
		case <-ctx.Done():
			return session{}, context.Cause(ctx)
		}
	}
}

// quiet is the configuration of a house that lives for one command: only what
// went wrong is worth a line between those of the command.
func (s *shell) quiet() app.Config {
	cfg := s.cfg
	cfg.Log = slog.New(slog.NewTextHandler(s.Err, &slog.HandlerOptions{Level: slog.LevelError}))
	return cfg
}
