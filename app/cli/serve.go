package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"telltale/app"
)

// drain is how long running jobs may go on after a polite end.
const drain = 30 * time.Second

// unsaid is how long an end may take before it is said what it waits for.
const unsaid = 300 * time.Millisecond

func (s *shell) serveCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "serve",
		Short: "Serve the page and the API, and run what is started",
		Long: `Serves the page and the API on --listen and on the Unix socket in the data
folder, and runs what is started. It prints one line, "listening on http://...",
when it is ready.

On SIGTERM or Ctrl-C it accepts nothing new and gives running jobs ` + drain.String() + ` to
end; then, or at a second signal, they are stopped and recorded as interrupted.`,
		Args: exactly(),
		RunE: func(c *cobra.Command, _ []string) error { return s.serve(c.Context()) },
	}
	for _, set := range app.Settings() {
		if set.Flag == "listen" {
			s.flag(c, set)
		}
	}
	return c
}

func (s *shell) serve(ctx context.Context) error {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	defer signal.Stop(signals)

	cfg := s.cfg
	cfg.Server = "" // this is the server
	cfg.Log = slog.New(slog.NewTextHandler(s.Err, nil))
	to, err := reach(ctx, cfg)
	if err != nil {
		return err
	}
	defer to.Close()
	if to.own == nil {
		return &refusalError{
			"a server already runs on the data folder " + cfg.Data,
			"Use it, stop it, or give this one another folder with --data.",
		}
	}
	serving, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		<-signals
		stop()
	}()
	err = to.own.Serve(serving, func(url string) { fmt.Fprintf(s.Out, "listening on %s\n", url) })
	// Serve has returned: by a signal, or because the address is not to be had.
	patience, hurry := context.WithTimeout(ctx, drain)
	defer hurry()
	go func() {
		<-signals
		hurry()
	}()
	if err == nil {
		defer time.AfterFunc(unsaid, func() {
			fmt.Fprintf(s.Err, "telltale: stopping: running jobs have %s to end; press Ctrl-C again to stop them now\n", drain)
		}).Stop()
	}
	return errors.Join(err, to.own.Close(patience))
}

func (s *shell) windowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "window",
		Short: "Open the window (desktop build)",
		Long: `Opens the page in a window of its own, without a port: on the server that owns
the data folder, or on a house of its own when there is none. This is what
telltale without a command does in the desktop build.`,
		Args: exactly(),
		RunE: func(c *cobra.Command, _ []string) error {
			return s.calm(c, func(ctx context.Context) error { return app.RunWindow(ctx, s.cfg) })
		},
	}
}

func (s *shell) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Say what this binary is",
		Args:  exactly(),
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(s.Out, "telltale %s %s %s/%s\n", s.cfg.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}
