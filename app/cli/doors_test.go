package cli_test

import (
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"telltale/app"
	"telltale/app/cli"
	"telltale/backend/api"
	"telltale/backend/job"
)

// Whoever starts it, and however: the record differs in how it was triggered,
// and in nothing else.
func TestEveryDoorLeavesTheSameRecord(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cfg := app.Config{
		Catalog: filepath.Join(dir, "telltale.yaml"), Data: filepath.Join(dir, "data"),
		Log: slog.New(slog.DiscardHandler),
	}
	catalog := `actions: {greet: {title: Greet, on_busy: parallel, targets: {berlin: {}},
  params: {name: {type: text, default: Ada}, loud: {type: boolean, default: false}, times: {type: number, default: 1}},
  command: {argv: [echo, "{{params.name}}"]}}}`
	if err := os.WriteFile(cfg.Catalog, []byte(catalog), 0o600); err != nil {
		t.Fatal(err)
	}
	house, err := app.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer house.Close(t.Context())
	client, err := house.Client()
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	end := func(id job.ID) job.Job {
		t.Helper()
		e, err := client.Follow(t.Context(), id, api.Follower{})
		if err != nil {
			t.Fatal(err)
		}
		return e.Job
	}
	given := map[string]any{"name": "Grace; id", "loud": true, "times": 3.0}
	want := job.Job{}
	doors := []struct {
		name string
		via  job.Via
		open func() job.ID
	}{
		{"button", job.ViaButton, func() job.ID {
			e, _, err := client.Trigger(t.Context(), api.Trigger{Action: "greet", Target: "berlin", Params: given, Via: job.ViaButton})
			if err != nil {
				t.Fatal(err)
			}
			return e.Job.ID
		}},
		{"api", job.ViaAPI, func() job.ID {
			e, _, err := client.Trigger(t.Context(), api.Trigger{Action: "greet", Target: "berlin", Params: given})
			if err != nil {
				t.Fatal(err)
			}
			return e.Job.ID
		}},
		{"command line", job.ViaCLI, func() job.ID {
			code := cli.Run([]string{
				"run", "greet", "--data", cfg.Data, "--config", cfg.Catalog, "--target", "berlin",
				"-p", "name=Grace; id", "-p", "loud=true", "-p", "times=3",
			}, cli.Streams{In: os.Stdin, Out: io.Discard, Err: os.Stderr}, fstest.MapFS{})
			if code != 0 {
				t.Fatalf("telltale run ended with %d", code)
			}
			page, err := client.Jobs(t.Context(), job.Filter{}, "", 1)
			if err != nil {
				t.Fatal(err)
			}
			return page.Events[0].Job.ID
		}},
		{"retry", job.ViaRetry, func() job.ID {
			e, _, err := client.Retry(t.Context(), want.ID, "")
			if err != nil {
				t.Fatal(err)
			}
			return e.Job.ID
		}},
	}
	for i, d := range doors {
		got := end(d.open())
		if got.Trigger.Via != d.via || got.Trigger.By == "" {
			t.Errorf("%s: trigger %+v", d.name, got.Trigger)
		}
		if i == 0 {
			want = got
			continue
		}
		if diff := cmp.Diff(withoutIdentity(want), withoutIdentity(got)); diff != "" {
			t.Errorf("%s leaves another record than %s:\n%s", d.name, doors[0].name, diff)
		}
	}
}

// withoutIdentity is a record without what is bound to differ: identity, trigger,
// times, the number of its changes, and what was learned meanwhile.
func withoutIdentity(j job.Job) job.Job {
	j.ID, j.Rev, j.Trigger, j.Expected = "", 0, job.Trigger{}, nil
	j.CreatedAt, j.StartedAt, j.UpdatedAt, j.FinishedAt = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	return j
}
