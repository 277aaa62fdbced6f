package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"telltale/backend/api"
)

// ErrNoServer is returned by Connect when no server is named and none owns the
// data directory.
var ErrNoServer = errors.New("no server is running on this data directory")

// Client talks to this house the way other processes do.
func (a *App) Client() (*api.Client, error) {
	return api.NewClient(api.ClientOptions{Server: "unix:" + SocketPath(a.cfg.Data)})
}

// Connect finds the server to talk to: the one cfg.Server names, else the one
// that owns the data directory. It returns ErrNoServer when there is neither,
// and an error that wraps api.ErrUnreachable when the named one does not answer.
func Connect(ctx context.Context, cfg Config) (*api.Client, error) {
	if cfg.Server != "" {
		client, err := api.NewClient(api.ClientOptions{Server: cfg.Server})
		if err != nil {
			return nil, err
		}
		if _, err := client.Version(ctx); err != nil {
			return nil, fmt.Errorf("server %s: %w", cfg.Server, err)
		}
		return client, nil
	}
	path := SocketPath(cfg.Data)
	dialer := net.Dialer{Timeout: 2 * time.Second}
	conn, err := dialer.DialContext(ctx, "unix", path)
	if err != nil {
		return nil, ErrNoServer
	}
	if err := trusted(path, cfg.Data); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	_ = conn.Close() // it was only to see whether anybody is there
	return api.NewClient(api.ClientOptions{Server: "unix:" + path})
}
