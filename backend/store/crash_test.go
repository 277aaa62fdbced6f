//go:build unix

package store_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"telltale/backend/job"
)

// startWork starts a child and returns it with its input, which ends it in an
// orderly way when closed. Listening ends with the child.
func startWork(t *testing.T, dir string, a *acks, seen func(cmd *exec.Cmd, end func(), line string, n int) bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], childMark, "work", dir)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end := func() { _ = in.Close() }
	a.listen(out, func(line string, n int) bool { return seen(cmd, end, line, n) })
	_ = cmd.Wait() // killed
	if stderr.Len() > 0 {
		t.Fatalf("the child said: %s", strings.TrimSpace(stderr.String()))
	}
}

// Fifty lives of processes under load, each killed at a random moment: what was
// acknowledged is there, whole, and the feed has no gap. Five directories are
// tried at once, each through ten lives.
func TestR1_KilledUnderLoadLosesNothing(t *testing.T) {
	t.Parallel()
	for n := range 5 {
		t.Run(strconv.Itoa(n), func(t *testing.T) {
			t.Parallel()
			killUnderLoad(t, rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), uint64(n))))
		})
	}
}

func killUnderLoad(t *testing.T, r *rand.Rand) {
	t.Helper()
	const lives = 10
	dir := t.TempDir()
	all := 0
	for range lives {
		a := &acks{last: map[job.ID]acked{}}
		limit := 1 + r.IntN(600)
		startWork(t, dir, a, func(cmd *exec.Cmd, _ func(), _ string, n int) bool {
			if n < limit {
				return true
			}
			if err := cmd.Process.Kill(); err != nil {
				t.Error(err)
			}
			return false
		})
		if len(a.last) == 0 {
			t.Fatal("the child acknowledged nothing")
		}
		all += len(a.last)
		verifyStore(t, dir, a)
	}
	t.Logf("%d jobs acknowledged in %d lives, none lost", all, lives)
}

// Twenty lives that are killed while they close the store: it opens at once.
func TestR2_KilledWhileClosingOpensAtOnce(t *testing.T) {
	t.Parallel()
	for n := range 4 {
		t.Run(strconv.Itoa(n), func(t *testing.T) {
			t.Parallel()
			killWhileClosing(t, rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), uint64(n))))
		})
	}
}

func killWhileClosing(t *testing.T, r *rand.Rand) {
	t.Helper()
	const lives = 5
	dir := t.TempDir()
	closed := 0
	for range lives {
		a := &acks{last: map[job.ID]acked{}}
		startWork(t, dir, a, func(cmd *exec.Cmd, end func(), line string, n int) bool {
			switch {
			case line == "closing":
				wait := time.Duration(r.IntN(20_000)) * time.Microsecond
				time.AfterFunc(wait, func() { _ = cmd.Process.Kill() })
			case line == "closed":
				closed++
			case n == 200:
				end()
			}
			return true
		})
		verifyStore(t, dir, a)
	}
	t.Logf("%d of %d were quicker than the kill", closed, lives)
}
