package api

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"

	"telltale/backend/action"
	"telltale/backend/auth"
	"telltale/backend/engine"
	"telltale/backend/feed"
	"telltale/backend/job"
)

// Engine is what the API asks for changes; *engine.Engine is one.
type Engine interface {
	Submit(ctx context.Context, who auth.Principal, r engine.Request) (engine.Receipt, error)
	Cancel(ctx context.Context, who auth.Principal, id job.ID) (job.Event, error)
	Retry(ctx context.Context, who auth.Principal, id job.ID, key string) (engine.Receipt, error)
}

var _ Engine = (*engine.Engine)(nil)

// Options is what a Server is made of. Every field is needed, but for those
// with a default.
type Options struct {
	Engine  Engine
	Journal job.Journal
	Records job.Records
	Hub     *feed.Hub
	Catalog func() *action.Catalog

	// Trouble is what is wrong with the catalog file when an older one is in use,
	// else nil. Defaults to no trouble.
	Trouble func() *action.Faults
	// Ready is nil while work is accepted. Defaults to always.
	Ready func() error
	// Version is what GET /api/v1/version says; Feed is filled in.
	Version Version
	// Static is the built page: index.html and what it loads. Defaults to none.
	Static fs.FS
	// Hosts are names the server answers to besides localhost and the loopback
	// addresses, without a port.
	Hosts []string
	// User is who asks over the loopback interface. Defaults to "admin".
	User string

	Clock func() time.Time // defaults to time.Now
	Rand  io.Reader        // defaults to crypto/rand.Reader
	Log   *slog.Logger     // defaults to slog.Default()
}

func (o Options) withDefaults() Options {
	if o.Trouble == nil {
		o.Trouble = func() *action.Faults { return nil }
	}
	if o.Ready == nil {
		o.Ready = func() error { return nil }
	}
	if o.User == "" {
		o.User = "admin"
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return o
}

// Server answers HTTP. All methods may be called at once.
type Server struct {
	Options
	app    *fiber.App
	hosts  map[string]bool
	users  users
	files  files
	spec   []byte
	docs   []byte
	prefix string        // of request ids: names this server's life
	count  atomic.Uint64 // of requests

	life    context.Context //nolint:containedctx // the server's own life, not a request's: ends with Shutdown, so that nobody is held back then
	endLife context.CancelCauseFunc
	streams sync.WaitGroup // log streams
	open    atomic.Int64   // how many of them
}

// errShutdown is why life ended.
var errShutdown = errors.New("the server stops")

// New makes a server that listens nowhere yet. The error is that of reading
// Static or Rand, or of a broken route table.
func New(o Options) (*Server, error) {
	s := &Server{Options: o.withDefaults(), hosts: allowedHosts(o.Hosts)}
	var b [4]byte
	if _, err := io.ReadFull(s.Rand, b[:]); err != nil {
		return nil, fmt.Errorf("random prefix of request ids: %w", err)
	}
	s.prefix = hex.EncodeToString(b[:])
	var err error
	if s.files, err = readFiles(o.Static); err != nil {
		return nil, err
	}
	if s.spec, err = Spec(); err != nil {
		return nil, err
	}
	if s.docs, err = docsPage(); err != nil {
		return nil, err
	}
	s.life, s.endLife = context.WithCancelCause(context.Background())
	s.app = fiber.New(fiber.Config{
		AppName: "Telltale", DisableStartupMessage: true, DisableDefaultContentType: true,
		Immutable: true, StrictRouting: true, CaseSensitive: true,
		ReadTimeout: readTimeout, IdleTimeout: idleTimeout,
		// Streams leave the server before their answer begins, so this deadline is
		// for plain answers only; longer ones set their own.
		WriteTimeout: writeTimeout, ReadBufferSize: maxHead, BodyLimit: maxBody, Concurrency: maxConns,
		EnableTrustedProxyCheck: true, EnableIPValidation: true, DisablePreParseMultipartForm: true,
		ErrorHandler: s.answerError,
	})
	s.app.Use(s.guard)
	handlers := s.handlers()
	for _, r := range routes() {
		h, ok := handlers[r.id]
		if !ok {
			return nil, fmt.Errorf("route %s: no handler", r.id)
		}
		s.app.Add(r.method, fiberPath(r.path), h)
		if r.method == fiber.MethodGet && !streams(r) {
			s.app.Add(fiber.MethodHead, fiberPath(r.path), h)
		}
	}
	s.app.Use(s.otherwise)
	serve := s.app.Handler()
	s.app.Server().Handler = onlyKnownMethods(s, serve)
	s.app.Server().KeepHijackedConns = true
	return s, nil
}

func (s *Server) handlers() map[string]fiber.Handler {
	return map[string]fiber.Handler{
		"startJob": s.startJob, "retryJob": s.retryJob, "cancelJob": s.cancelJob,
		"listJobs": s.listJobs, "getJob": s.getJob, "getJobStatus": s.getJob, "getLog": s.getLog,
		"listActions": s.listActions, "getCatalog": s.getCatalog,
		"readEvents": s.readEvents, "setTopics": s.setTopics,
		"getHealth": s.getHealth, "getReady": s.getReady, "getVersion": s.getVersion,
		"getOpenAPI": s.getOpenAPI, "getDocs": s.getDocs, "getDocsStyle": s.getDocsStyle,
	}
}

// Serve answers on a listener until Shutdown, then returns nil. It may be
// called for several listeners: TCP, a Unix socket, one in memory.
func (s *Server) Serve(ln net.Listener) error {
	if s.life.Err() != nil {
		return ln.Close()
	}
	err := s.app.Server().Serve(ln)
	if err != nil && s.life.Err() == nil {
		return fmt.Errorf("serve %s: %w", ln.Addr(), err)
	}
	return nil
}

// Shutdown takes no new connections, answers what is held back, ends log
// streams with a goodbye, and returns when all requests are answered or ctx
// ends. Event streams belong to the hub, whose Shutdown is called before.
func (s *Server) Shutdown(ctx context.Context) error {
	s.endLife(errShutdown)
	if err := s.app.Server().ShutdownWithContext(ctx); err != nil {
		return fmt.Errorf("shut down the server: %w", err)
	}
	ended := make(chan struct{})
	go func() { s.streams.Wait(); close(ended) }()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("shut down log streams: %w", context.Cause(ctx))
	}
}

// work is the context of a handler that does not hold its answer back.
func (s *Server) work() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), workTimeout)
}

func (s *Server) now() time.Time { return s.Clock().UTC().Truncate(time.Millisecond) }
