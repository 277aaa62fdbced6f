package cli_test

import (
	"errors"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"telltale/app/cli"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"telltale": func() {
			page := fstest.MapFS{"index.html": {Data: []byte("<!doctype html><title>Telltale</title>")}}
			os.Exit(cli.Run(os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}, page))
		},
	})
}

// Each script is a person at a terminal: real files, real git, real servers.
func TestScripts(t *testing.T) {
	t.Parallel()
	cache, err := exec.CommandContext(t.Context(), "go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", RequireExplicitExec: true, RequireUniqueNames: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("XDG_STATE_HOME", e.WorkDir+"/state")
			e.Setenv("GOCACHE", strings.TrimSpace(string(cache)))
			e.Values[server{}] = &server{}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "await": await, "serve": serve, "stop": stop, "crash": crash, "capture": capture, "port": port, "terminate": terminate,
		},
	})
}

// exits CODE command...: runs the command, which must end with that code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE command...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var ended *exec.ExitError
	switch err := ts.Exec(args[1], args[2:]...); {
	case errors.As(err, &ended):
		got = ended.ExitCode()
	case err != nil:
		ts.Fatalf("%s: %v", args[1], err)
	}
	if got != want {
		ts.Fatalf("%s exited with %d, not %d", strings.Join(args[1:], " "), got, want)
	}
}

// await REGEXP command...: runs the command again and again until its output
// matches, for ten seconds at most.
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: await REGEXP command...")
	}
	want := regexp.MustCompile("(?m)" + args[0])
	var said []byte
	for start := time.Now(); time.Since(start) < 10*time.Second; {
		var err error
		said, err = command(ts, args[1], args[2:]...).Output()
		ts.Check(err)
		if want.Match(said) {
			_, err := ts.Stdout().Write(said)
			ts.Check(err)
			return
		}
	}
	ts.Fatalf("no %s in ten seconds; at last:\n%s", args[0], said)
}

// capture NAME REGEXP: sets $NAME to the first group found in the last output.
func capture(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: capture NAME REGEXP")
	}
	found := regexp.MustCompile("(?m)" + args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
	if len(found) != 2 {
		ts.Fatalf("no %s in the last output", args[1])
	}
	ts.Setenv(args[0], found[1])
}

// port NUMBER FILE: gives the practice service of a starter a port of its own,
// since scripts run side by side.
func port(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: port NUMBER FILE")
	}
	file := ts.MkAbs(args[1])
	text, err := os.ReadFile(file)
	ts.Check(err)
	ts.Check(os.WriteFile(file, []byte(strings.ReplaceAll(string(text), "8099", args[0])), 0o600))
}

// terminate: sends SIGTERM to what runs in the background.
func terminate(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: terminate")
	}
	for _, cmd := range ts.BackgroundCmds() {
		ts.Check(cmd.Process.Signal(syscall.SIGTERM))
	}
}
