package app_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"telltale/app"
	"telltale/backend/api"
	"telltale/backend/job"
	"telltale/backend/store"
)

const catalog = `
actions:
  quick: {command: {argv: [echo, hello]}}
  slow:  {command: {argv: [sleep, "600"]}, grace: 1s}
`

// place is a folder with a catalog, a configuration for it, and no house yet.
func place(tb testing.TB) app.Config {
	tb.Helper()
	dir := tb.TempDir()
	cfg := app.Config{
		Catalog: filepath.Join(dir, "telltale.yaml"), Data: filepath.Join(dir, "data"),
		Listen: "127.0.0.1:0", Version: "test", Log: slog.New(slog.DiscardHandler),
	}
	if err := os.WriteFile(cfg.Catalog, []byte(catalog), 0o600); err != nil {
		tb.Fatal(err)
	}
	return cfg
}

func open(tb testing.TB, cfg app.Config) (*app.App, *api.Client) {
	tb.Helper()
	house, err := app.Open(tb.Context(), cfg)
	if err != nil {
		tb.Fatal(err)
	}
	client, err := house.Client()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(client.Close)
	return house, client
}

// atOnce is a context that has no patience.
func atOnce() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func trigger(t *testing.T, c *api.Client, action string) job.ID {
	t.Helper()
	e, _, err := c.Trigger(t.Context(), api.Trigger{Action: action, Via: job.ViaCLI})
	if err != nil {
		t.Fatal(err)
	}
	return e.Job.ID
}

func TestAFollowerSeesHowItsJobEndedBeforeTheServerIsGone(t *testing.T) {
	t.Parallel()
	house, client := open(t, place(t))
	id := trigger(t, client, "slow")
	running, once := make(chan struct{}), sync.Once{}
	ended := make(chan job.Job, 1)
	go func() {
		e, err := client.Follow(context.Background(), id, api.Follower{Changed: func(e job.Event) error {
			if e.Job.State == job.Running {
				once.Do(func() { close(running) })
			}
			return nil
		}})
		if err != nil {
			t.Error(err)
		}
		ended <- e.Job
	}()
	<-running
	if err := house.Close(atOnce()); err != nil {
		t.Error(err)
	}
	select {
	case j := <-ended:
		if j.State != job.Interrupted || j.Error.Code != "shutdown" {
			t.Errorf("the follower saw %s, %+v", j.State, j.Error)
		}
	case <-time.After(10 * time.Second):
		t.Error("the follower was left in the dark")
	}
}

func TestWhatOneLifeKeptTheNextOneShows(t *testing.T) {
	t.Parallel()
	cfg := place(t)
	house, client := open(t, cfg)
	id := trigger(t, client, "quick")
	if _, err := client.Follow(t.Context(), id, api.Follower{}); err != nil {
		t.Fatal(err)
	}
	before, err := client.Job(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if err := house.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	house, client = open(t, cfg)
	defer house.Close(atOnce())
	after, err := client.Job(t.Context(), id)
	if err != nil || string(after.Data) != string(before.Data) {
		t.Errorf("before %s\nafter  %s (%v)", before.Data, after.Data, err)
	}
	part, err := client.Log(t.Context(), id, 1, 10)
	if err != nil || len(part.Lines) != 1 || part.Lines[0].Text != "hello" {
		t.Errorf("log %+v, %v", part, err)
	}
}

// A house that cannot be opened must not have started what was queued: nobody
// would be there to see it through.
func TestAHouseThatCannotBeOpenedStartsNothing(t *testing.T) {
	t.Parallel()
	cfg := place(t)
	text := strings.Replace(catalog, `grace: 1s`, `grace: 1s, on_busy: queue`, 1)
	if err := os.WriteFile(cfg.Catalog, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	house, client := open(t, cfg)
	trigger(t, client, "slow")
	waiting := trigger(t, client, "slow")
	if err := house.Close(atOnce()); err != nil {
		t.Fatal(err)
	}
	blocker := filepath.Join(app.SocketPath(cfg.Data), "in the way")
	if err := os.MkdirAll(blocker, 0o700); err != nil {
		t.Fatal(err)
	}
	if broken, err := app.Open(t.Context(), cfg); err == nil {
		_ = broken.Close(atOnce())
		t.Fatal("it opened without a socket")
	}
	if err := os.RemoveAll(filepath.Dir(blocker)); err != nil {
		t.Fatal(err)
	}
	house, client = open(t, cfg)
	defer house.Close(atOnce())
	now, err := client.Job(t.Context(), waiting)
	if err != nil || now.Job.State == job.Interrupted {
		t.Errorf("it is %s (%v): %+v", now.Job.State, err, now.Job.Error)
	}
}

func TestR12_ASecondHouseOnTheSameDataIsRefusedAndNamesTheFirst(t *testing.T) {
	t.Parallel()
	cfg := place(t)
	house, client := open(t, cfg)
	defer house.Close(atOnce())
	var locked *store.LockedError
	if _, err := app.Open(t.Context(), cfg); !errors.As(err, &locked) || locked.PID != os.Getpid() {
		t.Errorf("got %v", err)
	}
	if _, err := client.Version(t.Context()); err != nil {
		t.Errorf("the first house was disturbed: %v", err)
	}
}

func TestOnlyTheUserWhoRunsTelltaleReachesItsSocketAndData(t *testing.T) {
	t.Parallel()
	cfg := place(t)
	house, _ := open(t, cfg)
	defer house.Close(atOnce())
	for path, want := range map[string]os.FileMode{cfg.Data: 0o700, app.SocketPath(cfg.Data): 0o600} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s has mode %v (%v), want %v", path, info.Mode().Perm(), err, want)
		}
	}
}

func TestConnectFindsTheServerThatOwnsTheData(t *testing.T) {
	t.Parallel()
	cfg := place(t)
	if _, err := app.Connect(t.Context(), cfg); !errors.Is(err, app.ErrNoServer) {
		t.Errorf("before: %v", err)
	}
	house, _ := open(t, cfg)
	client, err := app.Connect(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if v, err := client.Version(t.Context()); err != nil || v.Version != "test" {
		t.Errorf("%+v, %v", v, err)
	}
	client.Close()
	if err := house.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := app.Connect(t.Context(), cfg); !errors.Is(err, app.ErrNoServer) {
		t.Errorf("after: %v", err)
	}
	cfg.Server = "http://127.0.0.1:1"
	if _, err := app.Connect(t.Context(), cfg); !errors.Is(err, api.ErrUnreachable) {
		t.Errorf("a named server that is not there: %v", err)
	}
}

func TestListeningBeyondThisMachineIsRefusedUntilThereIsSignIn(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"0.0.0.0:0", ":8080", "[::]:0", "192.0.2.1:80", "example.com:80"} {
		cfg := place(t)
		cfg.Listen = address
		house, _ := open(t, cfg)
		err := house.Serve(t.Context(), func(string) { t.Errorf("%s: it listens", address) })
		if _, refused := errors.AsType[*api.ListenError](err); !refused {
			t.Errorf("%s: %v", address, err)
		}
		if err := house.Close(atOnce()); err != nil {
			t.Error(err)
		}
	}
}

func TestServeAnswersOnBothLoopbackAddresses(t *testing.T) {
	t.Parallel()
	house, _ := open(t, place(t))
	ctx, stop := context.WithCancel(t.Context())
	ready, served := make(chan string, 1), make(chan error, 1)
	go func() { served <- house.Serve(ctx, func(url string) { ready <- url }) }()
	url := <-ready
	urls := []string{url}
	if l, err := new(net.ListenConfig).Listen(ctx, "tcp", "[::1]:0"); err == nil {
		_ = l.Close() // this machine has version 6
		urls = append(urls, strings.Replace(url, "127.0.0.1", "[::1]", 1))
	}
	for _, u := range urls {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, u+"/healthz", nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", u, res.Status)
		}
	}
	stop()
	if err := errors.Join(<-served, house.Close(t.Context())); err != nil {
		t.Error(err)
	}
}
