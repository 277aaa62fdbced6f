package cli

import (
	"context"
	"errors"
	"log/slog"

	"telltale/app"
	"telltale/backend/api"
)

// session is a command's way to a server. Own is the house in this process
// when no server was running, else nil.
type session struct {
	*api.Client
	own *app.App
}

// with runs fn with a server: the one --server names, the one that owns the
// data folder, or a house opened in this process for as long as fn takes.
func (s *shell) with(ctx context.Context, fn func(session) error) error {
	client, err := app.Connect(ctx, s.cfg)
	if err == nil {
		defer client.Close()
		return fn(session{Client: client})
	}
	if !errors.Is(err, app.ErrNoServer) {
		return &closedError{err}
	}
	own, err := app.Open(ctx, s.quiet())
	if err != nil {
		return &closedError{err}
	}
	if client, err = own.Client(); err == nil {
		defer client.Close()
		err = fn(session{Client: client, own: own})
	}
	// Jobs that others started meanwhile may end; Ctrl-C ends the patience.
	return errors.Join(err, own.Close(ctx))
}

// quiet is the configuration of a house that lives for one command: only what
// went wrong is worth a line between those of the command.
func (s *shell) quiet() app.Config {
	cfg := s.cfg
	cfg.Log = slog.New(slog.NewTextHandler(s.Err, &slog.HandlerOptions{Level: slog.LevelError}))
	return cfg
}
