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
// when no server was running, else nil.
type session struct {
	*api.Client
	own *app.App
}

// with runs fn with a server: the one --server names, the one that owns the
// data folder, or a house opened in this process for as long as fn takes.
func (s *shell) with(ctx context.Context, fn func(session) error) error {
	to, err := s.reach(ctx)
	if err != nil {
		return &closedError{err}
	}
	defer to.Client.Close()
	err = fn(to)
	if to.own == nil {
		return err
	}
	// Jobs that others started meanwhile may end; Ctrl-C ends the patience.
	return errors.Join(err, to.own.Close(ctx))
}

// A house that opens or closes has the data folder but no socket yet, or no
// longer. That takes a blink, so it is asked again before it is called silent.
const (
	blink = 50 * time.Millisecond
	blind = 3 * time.Second
)

func (s *shell) reach(ctx context.Context) (session, error) {
	if s.cfg.Server != "" {
		if _, err := api.NewClient(api.ClientOptions{Server: s.cfg.Server}); err != nil {
			return session{}, &usageError{err.Error(), "Give --server the address that telltale serve printed."}
		}
	}
	for start := time.Now(); ; {
		client, err := app.Connect(ctx, s.cfg)
		if err == nil {
			return session{Client: client}, nil
		}
		if !errors.Is(err, app.ErrNoServer) {
			return session{}, err
		}
		own, err := app.Open(ctx, s.quiet())
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
