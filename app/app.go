// Package app puts the house together. It is the only place that knows
// everybody: it opens the store, starts the engine, connects the feed and the
// transports to it, and takes all of it down again in the right order.
//
//	Open:  catalog → store → feed ← journal's tail → engine → api → socket → recover
//	Close: no new triggers → running jobs end or are stopped → last events told →
//	       streams say goodbye → listeners close → store closes
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/user"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"telltale/app/practice"
	"telltale/backend/action"
	"telltale/backend/api"
	"telltale/backend/engine"
	"telltale/backend/feed"
	"telltale/backend/job"
	"telltale/backend/runner"
	"telltale/backend/store"
)

// App is a house that owns its data directory. Close it.
type App struct {
	cfg     Config
	catalog *action.Source
	store   *store.Store
	hub     *feed.Hub
	engine  *engine.Engine
	api     *api.Server
	serving sync.WaitGroup

	background context.Context //nolint:containedctx // the life of the house: ends when it closes
	endAll     context.CancelFunc
	told       chan struct{} // closed when the journal's tail ended
	lastTold   atomic.Uint64 // seq
	tellsMore  chan struct{} // a token after each change that was told
	practice   *practice.Server
}

// Open builds the house on cfg.Data and puts right what an earlier life left.
// When it returns, queued jobs run and the Unix socket answers; nothing listens
// on the network. Errors name what to do; a data directory that another process
// owns is a *store.LockedError.
func Open(ctx context.Context, cfg Config) (_ *App, err error) {
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	a := &App{cfg: cfg, told: make(chan struct{}), tellsMore: make(chan struct{}, 1)}
	a.background, a.endAll = context.WithCancel(context.WithoutCancel(ctx))
	defer func() {
		if err != nil {
			a.abandon()
		}
	}()
	if a.catalog, err = action.Open(cfg.Catalog, action.SourceOptions{Log: cfg.Log}); err != nil { //nolint:contextcheck // the source follows its file until it is closed
		return nil, err
	}
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	if a.store, err = store.Open(store.Options{Dir: cfg.Data, Log: cfg.Log}); err != nil {
		return nil, err
	}
	head, err := a.store.Head(ctx)
	if err != nil {
		return nil, err
	}
	// Everybody comes over loopback, many behind one proxy: only the total counts.
	a.hub = feed.New(feed.Options{Feed: head.Feed, Log: cfg.Log, MaxStreams: maxStreams, MaxPerRemote: maxStreams})
	a.lastTold.Store(head.Seq)
	go a.tell(head)
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("name of this machine: %w", err)
	}
	a.engine = engine.New(engine.Options{
		Journal: a.store, Queue: a.store, Records: a.store,
		Runner:  runner.New(runner.Options{Environ: os.Environ(), Log: cfg.Log}),
		Catalog: a.catalog.Catalog, Secrets: secretsBeside(cfg.Catalog, cfg.Log),
		Told: a.hub.PublishLines, Host: host, Boot: bootName(), Log: cfg.Log,
	})
	a.api, err = api.New(api.Options{ //nolint:contextcheck // requests come with contexts of their own
		Engine: a.engine, Journal: a.store, Records: a.store, Hub: a.hub,
		Catalog: a.catalog.Catalog, Trouble: a.catalog.Trouble, Ready: a.ready,
		Version: api.Version{Version: cfg.Version, Go: runtime.Version()},
		Static:  cfg.Static, User: userName(), Log: cfg.Log,
	})
	if err != nil {
		return nil, err
	}
	socket, err := a.openSocket(ctx)
	if err != nil {
		return nil, err
	}
	a.startPractice(ctx)
	// The last that may fail: it starts what is queued. Who finds the socket
	// meanwhile is answered after it.
	if err := a.engine.Recover(ctx); err != nil {
		_ = socket.Close() // the cause is the other error
		return nil, err
	}
	a.serve(socket)
	go a.engine.Sweep(a.background) //nolint:contextcheck // it watches until the house closes
	go a.watchDisk()
	return a, nil
}

// tell hands every change, once kept, to the feed, in order.
func (a *App) tell(from job.Cursor) {
	defer close(a.told)
	err := a.store.Tail(a.background, from, func(e job.Event) error {
		a.hub.Publish(e)
		a.lastTold.Store(e.Seq)
		select {
		case a.tellsMore <- struct{}{}:
		default:
		}
		return nil
	})
	if err != nil && a.background.Err() == nil {
		a.cfg.Log.Error("feed ended", slog.Any("error", err))
	}
}

// allTold waits until every change that is kept was told, or ctx ends.
func (a *App) allTold(ctx context.Context) {
	head, err := a.store.Head(ctx)
	if err != nil {
		return
	}
	for a.lastTold.Load() < head.Seq {
		select {
		case <-a.tellsMore:
		case <-a.told:
			return
		case <-ctx.Done():
			return
		}
	}
}

// watchDisk ends running jobs before the disk is so full that their end could
// not be kept.
func (a *App) watchDisk() {
	look := time.NewTicker(time.Second)
	defer look.Stop()
	for {
		select {
		case <-look.C:
			if a.store.Health().Level == store.Critical {
				a.engine.StopRunning(runner.ErrStorage)
			}
		case <-a.background.Done():
			return
		}
	}
}

// ready says why no work is accepted, or nil.
func (a *App) ready() error {
	if err := a.engine.Ready(); err != nil {
		return err
	}
	select {
	case <-a.told:
		return errors.New("changes are kept but no longer told: restart Telltale")
	default:
	}
	for _, p := range a.store.Health().Problems {
		if p.Code != "storage_low" {
			return fmt.Errorf("%s %s", p.Message, p.Hint)
		}
	}
	return nil
}

// userName is who sits at this machine, as far as records are concerned: the
// user who runs Telltale.
func userName() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "admin"
}

// startPractice starts the endpoint to practise on, when the catalog asks for
// one. A port that is taken is no reason not to start: the connection test will
// say what answers there.
func (a *App) startPractice(ctx context.Context) {
	p := a.catalog.Catalog().Practice
	if p == nil {
		return
	}
	server, err := practice.Start(ctx, p.Listen, p.Key)
	if err != nil {
		a.cfg.Log.WarnContext(ctx, "practice endpoint not started", slog.Any("error", err))
		return
	}
	a.practice = server
}

// Serve listens for browsers on cfg.Listen until ctx ends. ready hears the base
// URL once requests are answered. An address that is not loopback is refused
// until there is sign-in.
func (a *App) Serve(ctx context.Context, ready func(url string)) error {
	if err := api.CheckListen(a.cfg.Listen); err != nil {
		return err
	}
	listeners, url, err := listen(ctx, a.cfg.Listen)
	if err != nil {
		return err
	}
	for _, l := range listeners {
		a.serve(l)
	}
	ready(url)
	<-ctx.Done()
	return nil
}

func (a *App) serve(l net.Listener) {
	a.serving.Go(func() {
		if err := a.api.Serve(l); err != nil && a.background.Err() == nil {
			a.cfg.Log.Error("listener ended", slog.Any("error", err), slog.String("address", l.Addr().String()))
		}
	})
}

// maxStreams is how many readers the feed has at once.
const maxStreams = 10_000

// goodbye is how long streams and requests may take to end.
const goodbye = 5 * time.Second

// Close takes the house down. Running jobs may go on until ctx ends, then they
// are stopped and recorded as interrupted; their last events are told before
// the streams say goodbye.
func (a *App) Close(ctx context.Context) error {
	a.engine.Drain(ctx)
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbye)
	defer cancel()
	a.allTold(last)
	a.hub.Shutdown(last)
	err := a.api.Shutdown(last)
	a.serving.Wait()
	a.abandon()
	return err
}

// abandon lets go of what is open, in the reverse order of Open.
func (a *App) abandon() {
	a.endAll()
	if a.practice != nil {
		a.practice.Close()
	}
	if a.store != nil {
		if err := a.store.Close(); err != nil {
			a.cfg.Log.Error("store not closed", slog.Any("error", err))
		}
	}
	if a.hub != nil {
		<-a.told
	}
	if a.catalog != nil {
		a.catalog.Close()
	}
}
