package cli_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os/exec"
	"strings"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"
)

// server is the telltale serve of a script; at most one runs at a time.
type server struct {
	cmd *exec.Cmd
	log *bytes.Buffer // read once it has ended
}

func serverOf(ts *testscript.TestScript) *server {
	s, ok := ts.Value(server{}).(*server)
	if !ok {
		ts.Fatalf("the script has no place for a server")
	}
	return s
}

// serve args...: starts telltale serve on a free port and waits until it is
// ready; $URL is its address.
func serve(ts *testscript.TestScript, neg bool, args []string) {
	s := serverOf(ts)
	if neg || s.cmd != nil {
		ts.Fatalf("usage: serve args..., once before stop or crash")
	}
	cmd := command(ts, "telltale", append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
	log := &bytes.Buffer{}
	cmd.Stderr = log
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	s.cmd, s.log = cmd, log
	ts.Defer(func() { _ = s.end(syscall.SIGKILL) })
	said := bufio.NewReader(out)
	line, err := said.ReadString('\n')
	if err != nil {
		_ = s.end(syscall.SIGKILL)
		ts.Fatalf("serve said %q: %s", line, log)
	}
	go func() { _, _ = io.Copy(io.Discard, said) }()
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if !ok {
		ts.Fatalf("serve said %q", line)
	}
	ts.Setenv("URL", url)
}

// command is a command in the script's folder and environment.
func command(ts *testscript.TestScript, name string, args ...string) *exec.Cmd {
	path, err := exec.LookPath(name)
	ts.Check(err)
	cmd := exec.CommandContext(context.Background(), path, args...)
	cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "XDG_STATE_HOME", "GOCACHE"} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	return cmd
}

// stop: ends the server politely; it must exit with 0.
func stop(ts *testscript.TestScript, neg bool, args []string) {
	s := serverOf(ts)
	if neg || len(args) > 0 || s.cmd == nil {
		ts.Fatalf("usage: stop, after serve")
	}
	if err := s.end(syscall.SIGTERM); err != nil {
		ts.Fatalf("serve ended with %v: %s", err, s.log)
	}
}

// crash: kills the server as a power cut would.
func crash(ts *testscript.TestScript, neg bool, args []string) {
	s := serverOf(ts)
	if neg || len(args) > 0 || s.cmd == nil {
		ts.Fatalf("usage: crash, after serve")
	}
	var killed *exec.ExitError
	if err := s.end(syscall.SIGKILL); !errors.As(err, &killed) {
		ts.Fatalf("serve was not killed: %v", err)
	}
}

// end sends the signal and waits; ending twice is nothing.
func (s *server) end(sig syscall.Signal) error {
	if s.cmd == nil {
		return nil
	}
	cmd := s.cmd
	s.cmd = nil
	if err := cmd.Process.Signal(sig); err != nil {
		return err
	}
	return cmd.Wait()
}
